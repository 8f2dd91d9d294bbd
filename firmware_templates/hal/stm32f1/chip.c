/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and pins of an STM32F103; it has no random number generator. Register numbers: ST's RM0008, 7.3
 * (clocks), 9.2 (pins); PM0075, 3.1 (flash). 72 MHz from the 8 MHz crystal, the first bus half of it. */
#include "register.h"
#include "runevm_hal.h"
#include "stm32.h"
#include "systick.h"

#define RCC_BASE 0x40021000u
#define RCC_CR (RCC_BASE + 0x00u)
#define RCC_CFGR (RCC_BASE + 0x04u)
#define RCC_CIR REGISTER(RCC_BASE + 0x08u)
#define RCC_APB2ENR (RCC_BASE + 0x18u)
#define RCC_APB1ENR (RCC_BASE + 0x1Cu)
#define FLASH_ACR REGISTER(0x40022000u)
#define GPIO_BSRR(port) REGISTER(0x40010810u + 0x400u * (port))
#define GPIO_CR(port, pin) REGISTER(0x40010800u + 0x400u * (port) + 4u * ((pin) / 8u))

enum {
    INPUT_PULLED = 0x8,
    PUSH_PULL = 0x2,
    OUTPUT = 0xB,
    OPEN_DRAIN = 0xF
}; /* MODE and CNF: with a pull; at 2 MHz; alternate function at 50 MHz */

#define CRYSTAL_BY_9 ((7u << 18) | (1u << 16))
#define INTERNAL_HALF_BY_16 (14u << 18)

enum { CRYSTAL_WAITS = 20 };

static int has_crystal;

/* A block takes nothing right after its clock is on: the register is read back (__HAL_RCC_GPIOA_CLK_ENABLE() and its like in
 * stm32f1xx_hal_rcc.h). */
static void clock_on(uint32_t enable_register, uint32_t bits)
{
    uint32_t enabled;
    REGISTER(enable_register) |= bits;
    enabled = REGISTER(enable_register);
    (void)enabled;
}

/* A crystal may take 100 ms (HSE_STARTUP_TIMEOUT of stm32f1xx_hal_conf_template.h): 100,000 polls at 8 MHz. */
static int crystal_is_ready(void)
{
    REGISTER(RCC_CR) |= 1u << 16;
    for (int i = 0; i < CRYSTAL_WAITS; i++) {
        if (register_becomes(RCC_CR, 1u << 17, 1u << 17)) return 1;
    }
    REGISTER(RCC_CR) &= ~(1u << 16);
    return 0;
}

/* Without a crystal that works: half of the internal oscillator times 16, 64 MHz, which is the most. An emulator without clock
 * control never reports an oscillator as ready, and runs at the board's speed from the start. */
static void clocks_up(void)
{
    has_crystal = 1;
    REGISTER(RCC_CR) |= 1u;
    if (!register_becomes(RCC_CR, 2u, 2u)) return;
    /* A boot loader may have left the processor on the PLL, which takes no settings while it runs. */
    REGISTER(RCC_CFGR) &= ~3u;
    if (!register_becomes(RCC_CFGR, 0xCu, 0u)) return;
    REGISTER(RCC_CR) &= ~(1u << 24);
    if (!register_becomes(RCC_CR, 1u << 25, 0u)) return;
    RCC_CIR = 0; /* nor does it want interrupts */
    has_crystal = crystal_is_ready();
    FLASH_ACR = 0x12u; /* prefetch, 2 wait states */
    REGISTER(RCC_CFGR) = (has_crystal ? CRYSTAL_BY_9 : INTERNAL_HALF_BY_16) | (4u << 8); /* first bus a half */
    REGISTER(RCC_CR) |= 1u << 24;
    if (!register_becomes(RCC_CR, 1u << 25, 1u << 25)) return;
    REGISTER(RCC_CFGR) |= 2u;
    (void)register_becomes(RCC_CFGR, 0xCu, 8u);
}

/* What a clock of the board's file is: it is named for 72 MHz. */
static uint32_t actual_hz(uint32_t hz)
{
    return has_crystal ? hz : hz / 9u * 8u;
}

static void give_pin(uint32_t port, uint32_t pin, uint32_t mode)
{
    const uint32_t shift = 4u * (pin % 8u);
    clock_on(RCC_APB2ENR, 4u << port);
    GPIO_CR(port, pin) = (GPIO_CR(port, pin) & ~(0xFu << shift)) | (mode << shift);
}

void runevm_hal_init(void)
{
    clocks_up();
    clock_on(HAL_USART_CLOCK_REGISTER, 1u << HAL_USART_CLOCK_BIT);
    give_pin(HAL_TX_PORT, HAL_TX_PIN, OUTPUT);
    give_pin(HAL_RX_PORT, HAL_RX_PIN, INPUT_PULLED);
    GPIO_BSRR(HAL_RX_PORT) = 1u << HAL_RX_PIN; /* up */
    stm32_usart_start(actual_hz(HAL_USART_CLOCK_HZ));
    systick_start(actual_hz(HAL_CLOCK_HZ));
}

/* Pin 16 is PB0. */
void runevm_hal_pin_write(uint32_t pin, int level)
{
    GPIO_BSRR(pin / 16u) = 1u << (pin % 16u + (level ? 0u : 16u));
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    clock_on(RCC_APB2ENR, 4u << (pin / 16u)); /* without its clock a port takes no level */
    runevm_hal_pin_write(pin, level);
    give_pin(pin / 16u, pin % 16u, PUSH_PULL);
}

void runevm_hal_i2c_init(void)
{
    clock_on(RCC_APB1ENR, 1u << HAL_I2C_CLOCK_BIT);
    give_pin(HAL_SCL_PORT, HAL_SCL_PIN, OPEN_DRAIN);
    give_pin(HAL_SDA_PORT, HAL_SDA_PIN, OPEN_DRAIN);
    stm32_i2c_start(actual_hz(HAL_I2C_CLOCK_HZ));
}

int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}
