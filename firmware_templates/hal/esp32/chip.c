/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32's part of firmware_templates/hal/esp. Espressif's technical reference manual of the ESP32,
 * version 5: 4.12 and chapter "I2C Controller". The board file sets HAL_I2C_BASE and HAL_I2C_CLOCK_HZ. */
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
#define SCL_FILTER REGISTER(HAL_I2C_BASE + 0x50u)
#define SDA_FILTER REGISTER(HAL_I2C_BASE + 0x54u)

#define FILTER_ENABLE (1u << 3)

/* In periods of the APB clock. SCL is high for as many more as the filter takes, 6 and its threshold. */
enum { HALF = HAL_I2C_CLOCK_HZ / 200000u, FILTER_PERIODS = 7, TIME_OUT_MOST = 0xFFFFF }; /* 13 ms at 80 MHz */

uint32_t esp_pad(uint32_t pin)
{
    /* Pads have their own order (4.12); above 33 they are inputs only. */
    static const uint8_t PADS[] = {0x44, 0x88, 0x40, 0x84, 0x48, 0x6C, 0x60, 0x64, 0x68, 0x54, 0x58, 0x5C,
                                   0x34, 0x38, 0x30, 0x3C, 0x4C, 0x50, 0x70, 0x74, 0x78, 0x7C, 0x80, 0x8C,
                                   0x90, 0x24, 0x28, 0x2C, 0,    0,    0,    0,    0x1C, 0x20};
    return pin < sizeof PADS && PADS[pin] != 0 ? 0x3FF49000u + PADS[pin] : 0u;
}

void esp_i2c_times(void)
{
    SCL_LOW_PERIOD = HALF - 1;
    SCL_HIGH_PERIOD = HALF - 6 - FILTER_PERIODS;
    SDA_HOLD = HALF / 4;
    SDA_SAMPLE = HALF / 2;
    SCL_START_HOLD = HALF;
    SCL_RSTART_SETUP = HALF;
    SCL_STOP_SETUP = HALF;
    SCL_STOP_HOLD = HALF;
    SCL_FILTER = FILTER_ENABLE | FILTER_PERIODS;
    SDA_FILTER = FILTER_ENABLE | FILTER_PERIODS;
    TIME_OUT = TIME_OUT_MOST;
}
