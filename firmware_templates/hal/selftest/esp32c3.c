/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for an ESP32-C3. Register numbers: Espressif's technical reference manual, version 1.0, 1.4 (mpcer, mpcmr,
 * mpccr) and the chapters "eFuse Controller", "IO MUX and GPIO Matrix", "Low-power Management", "System Registers", "UART
 * Controller". The second clock is the crystal, by which the system timer counts and the processor's cycles are measured. */
#include "selftest_chip.h"

#include "esp.h"
#include "esp_chip.h"
#include "register.h"
#include "runevm_hal.h"

#define UART_INT_RAW REGISTER(HAL_UART_BASE + 0x04u)
#define UART_INT_CLR REGISTER(HAL_UART_BASE + 0x10u)
#define RESET_STATE REGISTER(0x60008038u)
#define GPIO_ENABLE_CLEAR REGISTER(ESP_GPIO_BASE + 0x28u)

#define OVERFLOW (1u << 4)
#define PAD_INPUT (1u << 9)
#define PAD_PULL_DOWN (1u << 7)

const selftest_register selftest_registers[] = {
    {"EFUSE_RD_MAC_SPI_SYS_3", 0x60008850u}, {"SYSTEM_CPU_PER_CONF", 0x600C0008u}, {"SYSTEM_SYSCLK_CONF", 0x600C0058u},
    {"RTC_CNTL_OPTIONS0", 0x60008000u},      {"RTC_CNTL_WDTCONFIG0", 0x60008090u}, {"RTC_CNTL_SWD_CONF", 0x600080ACu},
    {"TIMG0_WDTCONFIG0", 0x6001F048u},
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

#ifdef HAL_TIMER_GROUP_HZ

/* In a simulator there is no clock but the one that counts the time. */
int selftest_chip_clock(selftest_clock *clock)
{
    (void)clock;
    return -1;
}

#else

enum { TICKS = 800000, TICKS_PER_SECOND = 16000000 }; /* of the system timer: 50 ms */

static uint32_t cycles(void)
{
    uint32_t value;
    __asm volatile(".option push\n\t.option arch, +zicsr\n\tcsrr %0, 0x7E2\n\t.option pop" : "=r"(value));
    return value;
}

int selftest_chip_clock(selftest_clock *clock)
{
    uint32_t began, from, passed;
    __asm volatile(".option push\n\t.option arch, +zicsr\n\tcsrwi 0x7E0, 1\n\tcsrwi 0x7E1, 1\n\t.option pop");
    began = runevm_hal_ticks();
    from = cycles();
    do {
        passed = runevm_hal_ticks() - began;
    } while (passed < TICKS);
    clock->name = "processor, by the crystal";
    clock->measured_hz = (uint32_t)((uint64_t)(cycles() - from) * TICKS_PER_SECOND / passed);
    clock->nominal_hz = HAL_CLOCK_HZ;
    return 0;
}

#endif

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
    GPIO_ENABLE_CLEAR = 1u << pin;
    REGISTER(pad) = ESP_PAD_GPIO | PAD_INPUT | PAD_PULL_DOWN;
    return 0;
}
