/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, pins and random numbers of an STM32F2 or F4. Register numbers: ST's RM0090, 5.4 (voltage), 7.3 (clocks),
 * 8.4 (pins), 3.9 (flash), 24.4 (random numbers), 38.6.1 (revisions); ES0182, 2.1.2; RM0368, 6.3, 8.4 and 3.8; RM0383, 5.4. The board file provides
 * HAL_CLOCK_HZ and what leads to it from the internal 16 MHz: HAL_PLL_N, HAL_PLL_P and HAL_PLL_Q (after a division
 * by 16), HAL_BUS_DIVIDERS (PPRE bits of RCC_CFGR) and HAL_WAIT_STATES; and console, I2C and generator; and HAL_POWER_PIN, high
 * from the start, where the board has one. */
#include "register.h"
#include "runevm_hal.h"
#include "stm32.h"
#include "systick.h"

#define RCC_BASE 0x40023800u
#define RCC_CR (RCC_BASE + 0x00u)
#define RCC_PLLCFGR REGISTER(RCC_BASE + 0x04u)
#define RCC_CFGR (RCC_BASE + 0x08u)
#define RCC_CIR REGISTER(RCC_BASE + 0x0Cu)
#define RCC_AHB1ENR (RCC_BASE + 0x30u)
#define RCC_AHB2ENR (RCC_BASE + 0x34u)
#define RCC_APB1ENR (RCC_BASE + 0x40u)
#define DBGMCU_IDCODE REGISTER(0xE0042000u)
#define FLASH_ACR REGISTER(0x40023C00u)
#define PWR_CR REGISTER(0x40007000u)
#define PWR_CSR 0x40007004u
#define GPIO_BASE(port) (0x40020000u + 0x400u * (port))
#define GPIO_MODER(port) REGISTER(GPIO_BASE(port) + 0x00u)
#define GPIO_OTYPER(port) REGISTER(GPIO_BASE(port) + 0x04u)
#define GPIO_PUPDR(port) REGISTER(GPIO_BASE(port) + 0x0Cu)
#define GPIO_BSRR(port) REGISTER(GPIO_BASE(port) + 0x18u)
#define GPIO_AFR(port, pin) REGISTER(GPIO_BASE(port) + 0x20u + 4u * ((pin) / 8u))

enum {
    VOS_SCALE_2 = 2 << 14,
    VOS_SCALE_1 = 3 << 14,
    VOS_READY = 1 << 14,
    OVER_DRIVE = 1 << 16,
    OVER_DRIVE_SWITCH = 1 << 17
};

/* A block takes nothing for two periods after its clock is on: the register is read back
 * (errata of these chips, 2.1). */
static void clock_on(uint32_t enable_register, uint32_t bit)
{
    uint32_t enabled;
    REGISTER(enable_register) |= 1u << bit;
    enabled = REGISTER(enable_register);
    (void)enabled;
}

/* Prefetch, but on the first STM32F405 and F407 (revision A), where it fails. */
static uint32_t prefetch(void)
{
    const uint32_t id = DBGMCU_IDCODE;
    return (id & 0xFFFu) == 0x413u && id >> 16 == 0x1000u ? 0u : 0x100u;
}

/* A reset leaves an STM32F410 to F413 at the voltage for 84 MHz, all others at that for their 168 MHz or less. VOS takes
 * values while the PLL is off, and takes effect when it is on. */
static int voltage_is_raised(void)
{
    if (HAL_CLOCK_HZ <= 84000000u) return 0;
    clock_on(RCC_APB1ENR, 28u);
    if ((PWR_CR & VOS_SCALE_1) != VOS_SCALE_2) return 0;
    PWR_CR |= VOS_SCALE_1;
    return 1;
}

/* Above 168 MHz, once the PLL is on. */
static int over_drive(void)
{
    if (HAL_CLOCK_HZ <= 168000000u) return 1;
    PWR_CR |= OVER_DRIVE;
    if (!register_becomes(PWR_CSR, OVER_DRIVE, OVER_DRIVE)) return 0;
    PWR_CR |= OVER_DRIVE_SWITCH;
    return register_becomes(PWR_CSR, OVER_DRIVE_SWITCH, OVER_DRIVE_SWITCH);
}

/* From the internal oscillator. An emulator without clock control never reports an oscillator as
 * ready; it runs at the board's speed from the start, so everything is left as it is. */
static void clocks_up(void)
{
    int is_raised;
    REGISTER(RCC_CR) |= 1u;
    if (!register_becomes(RCC_CR, 2u, 2u)) return;
    /* The boot loader in ROM leaves the processor on its PLL, which takes no settings while it runs. */
    REGISTER(RCC_CFGR) &= ~3u;
    if (!register_becomes(RCC_CFGR, 0xCu, 0u)) return;
    REGISTER(RCC_CR) &= ~(1u << 24);
    if (!register_becomes(RCC_CR, 1u << 25, 0u)) return;
    RCC_CIR = 0; /* nor does it want interrupts */
    is_raised = voltage_is_raised();
    FLASH_ACR = 0x600u | prefetch() | HAL_WAIT_STATES; /* caches */
    REGISTER(RCC_CFGR) = HAL_BUS_DIVIDERS;
    RCC_PLLCFGR = 16u | (HAL_PLL_N << 6) | ((HAL_PLL_P / 2u - 1u) << 16) | (HAL_PLL_Q << 24);
    REGISTER(RCC_CR) |= 1u << 24;
    if (!over_drive()) return;
    if (!register_becomes(RCC_CR, 1u << 25, 1u << 25)) return;
    if (is_raised && !register_becomes(PWR_CSR, VOS_READY, VOS_READY)) return;
    REGISTER(RCC_CFGR) |= 2u;
    (void)register_becomes(RCC_CFGR, 0xCu, 8u);
}

static void give_pin(uint32_t port, uint32_t pin, uint32_t function)
{
    clock_on(RCC_AHB1ENR, port);
    GPIO_AFR(port, pin) = (GPIO_AFR(port, pin) & ~(0xFu << (4u * (pin % 8u)))) | (function << (4u * (pin % 8u)));
    GPIO_MODER(port) = (GPIO_MODER(port) & ~(3u << (2u * pin))) | (2u << (2u * pin));
}

static void pull_up(uint32_t port, uint32_t pin)
{
    clock_on(RCC_AHB1ENR, port);
    GPIO_PUPDR(port) = (GPIO_PUPDR(port) & ~(3u << (2u * pin))) | (1u << (2u * pin));
}

static void give_i2c_pin(uint32_t port, uint32_t pin)
{
    pull_up(port, pin);
    GPIO_OTYPER(port) |= 1u << pin; /* open drain */
    give_pin(port, pin, HAL_I2C_PIN_FUNCTION);
}

void runevm_hal_init(void)
{
    clocks_up();
#ifdef HAL_POWER_PIN
    runevm_hal_pin_configure(HAL_POWER_PIN, 1); /* what the board switches the supply of its headers with */
#endif
    clock_on(HAL_USART_CLOCK_REGISTER, HAL_USART_CLOCK_BIT);
    give_pin(HAL_TX_PORT, HAL_TX_PIN, HAL_USART_PIN_FUNCTION);
    pull_up(HAL_RX_PORT, HAL_RX_PIN); /* a pin that nobody drives is not full of bytes */
    give_pin(HAL_RX_PORT, HAL_RX_PIN, HAL_USART_PIN_FUNCTION);
    stm32_usart_start(HAL_USART_CLOCK_HZ);
    systick_start(HAL_CLOCK_HZ);
}

/* Pin 16 is PB0. */
void runevm_hal_pin_write(uint32_t pin, int level)
{
    GPIO_BSRR(pin / 16u) = 1u << (pin % 16u + (level ? 0u : 16u));
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    const uint32_t port = pin / 16u, shift = 2u * (pin % 16u);
    clock_on(RCC_AHB1ENR, port);
    runevm_hal_pin_write(pin, level);
    GPIO_MODER(port) = (GPIO_MODER(port) & ~(3u << shift)) | (1u << shift);
}

void runevm_hal_i2c_init(void)
{
    clock_on(RCC_APB1ENR, HAL_I2C_CLOCK_BIT);
    give_i2c_pin(HAL_SCL_PORT, HAL_SCL_PIN);
    give_i2c_pin(HAL_SDA_PORT, HAL_SDA_PIN);
    stm32_i2c_start(HAL_I2C_CLOCK_HZ);
}

int runevm_hal_random(uint32_t *bits)
{
#if HAL_RNG_BASE
    clock_on(RCC_AHB2ENR, 6u);
    REGISTER(HAL_RNG_BASE) = 1u << 2;
    /* Ready, and no fault of its clock or its seed. */
    if (!register_becomes(HAL_RNG_BASE + 0x04u, 7u, 1u)) return -1;
    *bits = REGISTER(HAL_RNG_BASE + 0x08u);
    return 0;
#else
    (void)bits;
    return -1;
#endif
}
