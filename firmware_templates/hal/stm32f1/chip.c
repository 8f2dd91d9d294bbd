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
#define RCC_APB2ENR REGISTER(RCC_BASE + 0x18u)
#define RCC_APB1ENR REGISTER(RCC_BASE + 0x1Cu)
#define FLASH_ACR REGISTER(0x40022000u)
#define GPIO_BSRR(port) REGISTER(0x40010810u + 0x400u * (port))
#define GPIO_CR(port, pin) REGISTER(0x40010800u + 0x400u * (port) + 4u * ((pin) / 8u))

enum {
    INPUT = 0x4,
    PUSH_PULL = 0x2,
    OUTPUT = 0xB,
    OPEN_DRAIN = 0xF
}; /* MODE and CNF: floating; at 2 MHz; alternate function at 50 MHz */

/* An emulator without clock control never reports the crystal as ready and needs none. */
static void clocks_up(void)
{
    REGISTER(RCC_CR) |= 1u << 16;
    if (!register_becomes(RCC_CR, 1u << 17, 1u << 17)) return;
    FLASH_ACR = 0x12u; /* prefetch, 2 wait states */
    REGISTER(RCC_CFGR) = (7u << 18) | (1u << 16) | (4u << 8); /* crystal x 9; first bus a half */
    REGISTER(RCC_CR) |= 1u << 24;
    if (!register_becomes(RCC_CR, 1u << 25, 1u << 25)) return;
    REGISTER(RCC_CFGR) |= 2u;
    (void)register_becomes(RCC_CFGR, 0xCu, 8u);
}

static void give_pin(uint32_t port, uint32_t pin, uint32_t mode)
{
    const uint32_t shift = 4u * (pin % 8u);
    RCC_APB2ENR |= 4u << port;
    GPIO_CR(port, pin) = (GPIO_CR(port, pin) & ~(0xFu << shift)) | (mode << shift);
}

void runevm_hal_init(void)
{
    clocks_up();
    REGISTER(HAL_USART_CLOCK_REGISTER) |= 1u << HAL_USART_CLOCK_BIT;
    give_pin(HAL_TX_PORT, HAL_TX_PIN, OUTPUT);
    give_pin(HAL_RX_PORT, HAL_RX_PIN, INPUT);
    stm32_usart_start();
    systick_start();
}

/* Pin 16 is PB0. */
void runevm_hal_pin_write(uint32_t pin, int level)
{
    GPIO_BSRR(pin / 16u) = 1u << (pin % 16u + (level ? 0u : 16u));
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    RCC_APB2ENR |= 4u << (pin / 16u); /* without its clock a port takes no level */
    runevm_hal_pin_write(pin, level);
    give_pin(pin / 16u, pin % 16u, PUSH_PULL);
}

void runevm_hal_i2c_init(void)
{
    RCC_APB1ENR |= 1u << HAL_I2C_CLOCK_BIT;
    give_pin(HAL_SCL_PORT, HAL_SCL_PIN, OPEN_DRAIN);
    give_pin(HAL_SDA_PORT, HAL_SDA_PIN, OPEN_DRAIN);
    stm32_i2c_start();
}

int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}
