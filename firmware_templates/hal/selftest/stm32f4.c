/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_chip.h for an STM32F2 or F4. Register numbers: ST's RM0090, 3.9 (flash), 5.4 (PWR_CR), 7.3 (RCC), 8.4 (pins), 18.4
 * (TIM5), 30.6 (USART), 38.6.1 (DBGMCU). The second clock is a crystal of 32.768 kHz, where the board has one: TIM5 counts its
 * periods (18.4.21, TI4_RMP). */
#include "selftest_chip.h"

#include "register.h"
#include "runevm_hal.h"

#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_APB1ENR REGISTER(0x40023840u)
#define RCC_BDCR 0x40023870u
#define RCC_CSR REGISTER(0x40023874u)
#define FLASH_ACR REGISTER(0x40023C00u)
#define PWR_CR REGISTER(0x40007000u)
#define TIM5 0x40000C00u
#define USART_SR REGISTER(HAL_USART_BASE)
#define GPIO_BASE(pin) (0x40020000u + 0x400u * ((pin) / 16u))

enum {
    PORTS = 9,
    PREFETCH = 1 << 8,
    OVERRUN = 1 << 3,
    CAPTURED = 1 << 4,
    CAPTURE_LOST = 1 << 12,
    CAPTURES = 256,
    PERIODS_OF_A_CAPTURE = 8,
    NOMINAL_HZ = 32768
};

const selftest_register selftest_registers[] = {
    {"CPUID", 0xE000ED00u},    {"DBGMCU_IDCODE", 0xE0042000u}, {"RCC_CR", 0x40023800u},    {"RCC_PLLCFGR", 0x40023804u},
    {"RCC_CFGR", 0x40023808u}, {"RCC_BDCR", RCC_BDCR},         {"FLASH_ACR", 0x40023C00u}, {"FLASH_OPTCR", 0x40023C14u},
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
    RCC_APB1ENR |= (1u << 28) | (1u << 3); /* PWR, TIM5 */
    (void)RCC_APB1ENR;
    PWR_CR |= 1u << 8; /* DBP: RCC_BDCR may be written */
    REGISTER(RCC_BDCR) |= 1u;
}

/* Timers have the bus's clock, or twice that where it is divided (7.2). */
static uint32_t timer_hz(void)
{
    const uint32_t divider = (HAL_BUS_DIVIDERS >> 10) & 7u;
    return (divider & 4u) == 0 ? HAL_CLOCK_HZ : HAL_CLOCK_HZ >> (divider & 3u);
}

int selftest_chip_clock(selftest_clock *clock)
{
    const uint32_t began = runevm_hal_milliseconds();
    uint32_t first = 0, last = 0, captures = 0;
    if ((REGISTER(RCC_BDCR) & 2u) == 0) return -1;
    REGISTER(TIM5 + 0x50u) = 2u << 6; /* OR: channel 4 is the crystal */
    REGISTER(TIM5 + 0x2Cu) = 0xFFFFFFFFu; /* ARR */
    REGISTER(TIM5 + 0x1Cu) = (1u << 8) | (3u << 10); /* CCMR2: every eighth edge of channel 4 */
    REGISTER(TIM5 + 0x20u) = 1u << 12; /* CCER */
    REGISTER(TIM5 + 0x14u) = 1u; /* EGR: takes these over */
    REGISTER(TIM5 + 0x00u) = 1u;
    REGISTER(TIM5 + 0x10u) = 0;
    while (captures <= CAPTURES && runevm_hal_milliseconds() - began < 250u) {
        if ((REGISTER(TIM5 + 0x10u) & CAPTURED) == 0) continue;
        last = REGISTER(TIM5 + 0x40u);
        if (captures++ == 0) first = last;
    }
    const uint32_t is_lost = REGISTER(TIM5 + 0x10u) & CAPTURE_LOST;
    REGISTER(TIM5 + 0x00u) = 0;
    if (captures <= CAPTURES || is_lost != 0 || last == first) return -1;
    clock->name = "crystal of 32.768 kHz";
    clock->nominal_hz = NOMINAL_HZ;
    clock->measured_hz = (uint32_t)((uint64_t)timer_hz() * CAPTURES * PERIODS_OF_A_CAPTURE / (last - first));
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
    RCC_AHB1ENR |= 1u << (pin / 16u);
    (void)RCC_AHB1ENR;
    return (int)(REGISTER(GPIO_BASE(pin) + 0x10u) >> (pin % 16u) & 1u);
}

int selftest_chip_release(uint32_t pin)
{
    const uint32_t shift = 2u * (pin % 16u);
    if (selftest_chip_level(pin) < 0) return -1;
    REGISTER(GPIO_BASE(pin)) &= ~(3u << shift);
    REGISTER(GPIO_BASE(pin) + 0x0Cu) = (REGISTER(GPIO_BASE(pin) + 0x0Cu) & ~(3u << shift)) | (2u << shift);
    return 0;
}
