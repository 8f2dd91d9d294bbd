/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for an STM32F103. Register numbers: ST's RM0008, 5.4 (PWR_CR), 7.3 (RCC), 9.2 (pins), 18.4 (RTC), 27.6
 * (USART), 31.6.1 (DBGMCU); PM0075, 3.1 and 3.6 (flash). The second clock is a crystal of 32.768 kHz, where the board has one: the
 * divider of the RTC counts its periods down. */
#include "selftest_chip.h"

#include "register.h"
#include "runevm_hal.h"

#define RCC_APB2ENR REGISTER(0x40021018u)
#define RCC_APB1ENR REGISTER(0x4002101Cu)
#define RCC_BDCR REGISTER(0x40021020u)
#define RCC_CSR REGISTER(0x40021024u)
#define FLASH_ACR REGISTER(0x40022000u)
#define PWR_CR REGISTER(0x40007000u)
#define RTC_DIVH REGISTER(0x40002810u)
#define RTC_DIVL REGISTER(0x40002814u)
#define USART_SR REGISTER(HAL_USART_BASE)
#define GPIO_BASE(pin) (0x40010800u + 0x400u * ((pin) / 16u))

#define CRYSTAL_IS_READY (1u << 1)
#define SOURCE (3u << 8)
#define SOURCE_CRYSTAL (1u << 8)
#define RTC_ON (1u << 15)

enum { PORTS = 7, PREFETCH = 1 << 4, OVERRUN = 1 << 3, PERIODS = 4096, NOMINAL_HZ = 32768 };

const selftest_register selftest_registers[] = {
    {"CPUID", 0xE000ED00u},    {"DBGMCU_IDCODE", 0xE0042000u}, {"RCC_CR", 0x40021000u},    {"RCC_CFGR", 0x40021004u},
    {"RCC_BDCR", 0x40021020u}, {"FLASH_ACR", 0x40022000u},     {"FLASH_OBR", 0x4002201Cu},
};
const uint32_t selftest_register_count = sizeof selftest_registers / sizeof selftest_registers[0];
const char selftest_reset_name[] = "RCC_CSR";

uint32_t selftest_chip_reset_cause(void)
{
    const uint32_t cause = RCC_CSR;
    RCC_CSR |= 1u << 24; /* RMVF */
    return cause;
}

void selftest_chip_start(void)
{
    RCC_APB1ENR |= (1u << 28) | (1u << 27); /* PWR, BKP */
    PWR_CR |= 1u << 8; /* DBP: RCC_BDCR may be written */
    RCC_BDCR |= 1u;
    /* The source is chosen once between two losses of the supply. */
    if ((RCC_BDCR & SOURCE) == 0) RCC_BDCR |= SOURCE_CRYSTAL;
    RCC_BDCR |= RTC_ON;
}

/* Its halves are read until both are of one moment. */
static uint32_t divider(void)
{
    uint32_t high, low;
    do {
        high = RTC_DIVH;
        low = RTC_DIVL;
    } while (high != RTC_DIVH);
    return ((high & 0xFu) << 16) | (low & 0xFFFFu);
}

/* Waits until the divider is at most `value`, 400 ms at most: 0 with the time, or -1. */
static int wait_for(uint32_t value, uint32_t *ticks)
{
    const uint32_t began = runevm_hal_milliseconds();
    while (divider() > value) {
        if (runevm_hal_milliseconds() - began > 400u) return -1;
    }
    *ticks = runevm_hal_ticks();
    return 0;
}

int selftest_chip_clock(selftest_clock *clock)
{
    uint32_t at, from, to;
    if ((RCC_BDCR & CRYSTAL_IS_READY) == 0 || (RCC_BDCR & SOURCE) != SOURCE_CRYSTAL) return -1;
    at = divider();
    /* Not across its end; a second later there is more room. */
    if (at < 2u * PERIODS) {
        const uint32_t began = runevm_hal_milliseconds();
        while (divider() < 2u * PERIODS && runevm_hal_milliseconds() - began < 300u) { }
        at = divider();
    }
    if (at < 2u * PERIODS || wait_for(at - 16u, &from) != 0 || wait_for(at - 16u - PERIODS, &to) != 0) return -1;
    if (to == from) return -1;
    clock->name = "crystal of 32.768 kHz";
    clock->nominal_hz = NOMINAL_HZ;
    clock->measured_hz = (uint32_t)((uint64_t)HAL_CLOCK_HZ * PERIODS / (to - from));
    return 0;
}

/* The flag stays until the data register is read after this. */
int selftest_chip_overrun(void)
{
    return (USART_SR & OVERRUN) != 0;
}

int selftest_chip_cache(int on)
{
    const int was = (FLASH_ACR & PREFETCH) != 0;
    FLASH_ACR = on ? FLASH_ACR | PREFETCH : FLASH_ACR & ~(uint32_t)PREFETCH;
    return was;
}

int selftest_chip_level(uint32_t pin)
{
    if (pin >= 16u * PORTS) return -1;
    RCC_APB2ENR |= 4u << (pin / 16u);
    return (int)(REGISTER(GPIO_BASE(pin) + 0x08u) >> (pin % 16u) & 1u);
}

int selftest_chip_release(uint32_t pin)
{
    const uint32_t control = GPIO_BASE(pin) + 4u * (pin % 16u / 8u), shift = 4u * (pin % 8u);
    if (selftest_chip_level(pin) < 0) return -1;
    REGISTER(GPIO_BASE(pin) + 0x10u) = 1u << (pin % 16u + 16u); /* pulled down, not up */
    REGISTER(control) = (REGISTER(control) & ~(0xFu << shift)) | (8u << shift);
    return 0;
}
