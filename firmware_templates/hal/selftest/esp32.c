/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for an ESP32. Register numbers: Espressif's technical reference manual of the ESP32, version 5, chapters
 * "DPort Registers", "eFuse Controller", "IO_MUX and GPIO Matrix", "RTC_CNTL", "UART Controller"; TIMG_RTCCALICFG is in
 * timer_group_reg.h of ESP-IDF, and rtc_time.c there uses it: it counts periods of the crystal during periods of the slow
 * clock. The second clock is the crystal, by which the processor's cycles are measured. */
#include "selftest_chip.h"

#include "esp.h"
#include "esp_chip.h"
#include "register.h"
#include "runevm_hal.h"

#define UART_INT_RAW REGISTER(HAL_UART_BASE + 0x04u)
#define UART_INT_CLR REGISTER(HAL_UART_BASE + 0x10u)
#define CALIBRATION 0x3FF5F068u
#define CALIBRATION_VALUE REGISTER(0x3FF5F06Cu)
#define CRYSTAL_NOTE REGISTER(0x3FF480B0u)
#define RESET_STATE REGISTER(0x3FF48034u)
#define GPIO_ENABLE_CLEAR(pin) REGISTER(ESP_GPIO_BASE + 0x28u + 12u * ((pin) / 32u))

#define OVERFLOW (1u << 4)
#define PAD_INPUT (1u << 9)
#define PAD_PULL_DOWN (1u << 7)
#define START (1u << 31)
#define READY (1u << 15)
#define CYCLING (1u << 12)
#define SLOW_PERIODS 2048u /* of about 150 kHz: 14 ms */

const selftest_register selftest_registers[] = {
    {"EFUSE_BLK0_RDATA3", 0x3FF5A00Cu},    {"EFUSE_BLK0_RDATA5", 0x3FF5A014u},
    {"APB_CTRL_DATE", 0x3FF6607Cu}, /* its highest bit is part of the revision: ESP-IDF, bootloader_common_get_chip_revision */
    {"APB_CTRL_SYSCLK_CONF", 0x3FF66000u}, {"DPORT_CPU_PER_CONF", 0x3FF0003Cu},
    {"RTC_CNTL_CLK_CONF", 0x3FF48070u},    {"RTC_CNTL_STORE4", 0x3FF480B0u},
    {"RTC_CNTL_WDTCONFIG0", 0x3FF4808Cu},  {"TIMG0_WDTCONFIG0", 0x3FF5F048u},
};
const uint32_t selftest_register_count = sizeof selftest_registers / sizeof selftest_registers[0];
const char selftest_reset_name[] = "RTC_CNTL_RESET_STATE";

uint32_t selftest_chip_reset_cause(void)
{
    return RESET_STATE; /* of the last reset alone */
}

void selftest_chip_start(void)
{
}

/* What clock.c of this chip takes the crystal for. */
static uint32_t crystal_hz(void)
{
    const uint32_t note = CRYSTAL_NOTE, mhz = note & 0xFFFEu;
    return ((note & 0xFFFFu) == note >> 16 && mhz >= 20u && mhz <= 60u ? mhz : 40u) * 1000000u;
}

int selftest_chip_clock(selftest_clock *clock)
{
    const uint32_t began = runevm_hal_milliseconds();
    uint32_t from, to, periods;
    REGISTER(CALIBRATION) &= ~(START | CYCLING);
    REGISTER(CALIBRATION) = SLOW_PERIODS << 16; /* of the slow clock's own oscillator */
    REGISTER(CALIBRATION) |= START;
    from = runevm_hal_ticks();
    while ((REGISTER(CALIBRATION) & READY) == 0) {
        if (runevm_hal_milliseconds() - began > 200u) return -1;
    }
    to = runevm_hal_ticks();
    periods = CALIBRATION_VALUE >> 7;
    REGISTER(CALIBRATION) &= ~START;
    if (periods == 0) return -1;
    clock->name = "processor, by the crystal";
    clock->measured_hz = (uint32_t)((uint64_t)(to - from) * crystal_hz() / periods);
    /* What the HAL takes it for: cycles of 20 of its milliseconds. */
    const uint32_t start_ms = runevm_hal_milliseconds();
    while (runevm_hal_milliseconds() == start_ms) { }
    from = runevm_hal_ticks();
    while (runevm_hal_milliseconds() - start_ms <= 20u) { }
    clock->nominal_hz = (runevm_hal_ticks() - from) * 50u;
    return 0;
}

int selftest_chip_overrun(void)
{
    const int lost = (UART_INT_RAW & OVERFLOW) != 0;
    UART_INT_CLR = OVERFLOW;
    return lost;
}

/* Flash is read through a cache that cannot be bypassed. */
int selftest_chip_cache(int on)
{
    (void)on;
    return -1;
}

int selftest_chip_level(uint32_t pin)
{
    const uint32_t pad = esp_pad(pin);
    if (pad == 0) return -1;
    REGISTER(pad) |= PAD_INPUT;
    return esp_pin_level(pin);
}

int selftest_chip_release(uint32_t pin)
{
    const uint32_t pad = esp_pad(pin);
    if (pad == 0) return -1;
    GPIO_ENABLE_CLEAR(pin) = 1u << (pin % 32u);
    REGISTER(pad) = ESP_PAD_GPIO | PAD_INPUT | PAD_PULL_DOWN;
    return 0;
}
