/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32-C3's part of firmware_templates/hal/esp. Espressif's technical reference manual, version 1.0:
 * chapters "IO MUX and GPIO Matrix" and "I2C Controller". The board file sets HAL_I2C_BASE. */
#include "esp.h"
#include "register.h"

#define SCL_LOW_PERIOD REGISTER(HAL_I2C_BASE + 0x00u)
#define TIME_OUT REGISTER(HAL_I2C_BASE + 0x0Cu)
#define SDA_HOLD REGISTER(HAL_I2C_BASE + 0x30u)
#define SDA_SAMPLE REGISTER(HAL_I2C_BASE + 0x34u)
#define SCL_HIGH_PERIOD REGISTER(HAL_I2C_BASE + 0x38u)
#define SCL_START_HOLD REGISTER(HAL_I2C_BASE + 0x40u)
#define SCL_RSTART_SETUP REGISTER(HAL_I2C_BASE + 0x44u)
#define SCL_STOP_HOLD REGISTER(HAL_I2C_BASE + 0x48u)
#define SCL_STOP_SETUP REGISTER(HAL_I2C_BASE + 0x4Cu)
#define FILTER REGISTER(HAL_I2C_BASE + 0x50u)
#define CLOCK REGISTER(HAL_I2C_BASE + 0x54u)

#define CLOCK_ACTIVE (1u << 21) /* from the 40 MHz crystal, not divided */
#define TIME_OUT_ENABLE (1u << 5)
#define FILTERS_ENABLE (3u << 8)

/* In periods of the crystal; a period of SCL is 400 of them. High is two numbers: that many until SCL is
 * sure to have risen, and that many from then on. */
enum { HALF = 200, RISE = 25, FILTER_PERIODS = 7, TIME_OUT_POWER = 19 }; /* 2^19 periods are 13 ms */

uint32_t esp_pad(uint32_t pin)
{
    return pin < 22u ? 0x60009004u + 4u * pin : 0u;
}

void esp_i2c_times(void)
{
    CLOCK = CLOCK_ACTIVE;
    SCL_LOW_PERIOD = HALF - 1;
    SCL_HIGH_PERIOD = (RISE << 9) | (HALF - RISE);
    SDA_HOLD = HALF / 4;
    SDA_SAMPLE = HALF / 2;
    SCL_START_HOLD = HALF - 1;
    SCL_RSTART_SETUP = HALF;
    SCL_STOP_SETUP = HALF;
    SCL_STOP_HOLD = HALF;
    FILTER = FILTERS_ENABLE | (FILTER_PERIODS << 4) | FILTER_PERIODS;
    TIME_OUT = TIME_OUT_ENABLE | TIME_OUT_POWER;
}
