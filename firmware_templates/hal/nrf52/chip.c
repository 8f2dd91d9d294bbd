/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, console, time and chance of an nRF52. Register numbers: Nordic's nRF52832 and nRF52840 product
 * specifications, chapters CLOCK, GPIO, UART, TIMER, RNG and NVMC. Pins count on: 32 is P1.00. */
#include "nrf52.h"
#include "register.h"
#include "runevm_hal.h"

#define CLOCK_HFCLKSTART REGISTER(0x40000000u)
#define CLOCK_HFCLKSTARTED 0x40000100u
#define NVMC_ICACHECNF REGISTER(0x4001E540u)

#define UART_BASE 0x40002000u
#define UART_STARTRX REGISTER(UART_BASE + 0x000u)
#define UART_STARTTX REGISTER(UART_BASE + 0x008u)
#define UART_RXDRDY REGISTER(UART_BASE + 0x108u)
#define UART_TXDRDY REGISTER(UART_BASE + 0x11Cu)
#define UART_ENABLE REGISTER(UART_BASE + 0x500u)
#define UART_PSELTXD REGISTER(UART_BASE + 0x50Cu)
#define UART_PSELRXD REGISTER(UART_BASE + 0x514u)
#define UART_RXD REGISTER(UART_BASE + 0x518u)
#define UART_TXD REGISTER(UART_BASE + 0x51Cu)
#define UART_BAUDRATE REGISTER(UART_BASE + 0x524u)

#define TIMER_BASE 0x40008000u
#define TIMER_START REGISTER(TIMER_BASE + 0x000u)
#define TIMER_CAPTURE REGISTER(TIMER_BASE + 0x040u)
#define TIMER_BITMODE REGISTER(TIMER_BASE + 0x508u)
#define TIMER_PRESCALER REGISTER(TIMER_BASE + 0x510u)
#define TIMER_CC REGISTER(TIMER_BASE + 0x540u)

#define RNG_BASE 0x4000D000u
#define RNG_START REGISTER(RNG_BASE + 0x000u)
#define RNG_STOP REGISTER(RNG_BASE + 0x004u)
#define RNG_VALRDY (RNG_BASE + 0x100u)
#define RNG_CONFIG REGISTER(RNG_BASE + 0x504u)
#define RNG_VALUE REGISTER(RNG_BASE + 0x508u)

#define GPIO_BASE(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define GPIO_OUTSET(pin) REGISTER(GPIO_BASE(pin) + 0x508u)
#define GPIO_OUTCLR(pin) REGISTER(GPIO_BASE(pin) + 0x50Cu)
#define GPIO_CNF(pin) REGISTER(GPIO_BASE(pin) + 0x700u + 4u * ((pin) % 32u))

void nrf52_pin(uint32_t pin, uint32_t configuration)
{
    GPIO_OUTSET(pin) = 1u << (pin % 32u);
    GPIO_CNF(pin) = configuration;
}

void runevm_hal_pin_write(uint32_t pin, int level)
{
    if (level) {
        GPIO_OUTSET(pin) = 1u << (pin % 32u);
    } else {
        GPIO_OUTCLR(pin) = 1u << (pin % 32u);
    }
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    runevm_hal_pin_write(pin, level);
    GPIO_CNF(pin) = 3u; /* output, its input not connected */
}

void runevm_hal_init(void)
{
    nrf52_open_port();
    /* The crystal: the internal oscillator is too far off for a UART in the cold. */
    REGISTER(CLOCK_HFCLKSTARTED) = 0;
    CLOCK_HFCLKSTART = 1;
    (void)register_becomes(CLOCK_HFCLKSTARTED, 1u, 1u);
    NVMC_ICACHECNF = 1;
    nrf52_pin(HAL_TX_PIN, 3u); /* output, its input not connected */
    nrf52_pin(HAL_RX_PIN, 0xCu); /* input, pulled up */
    UART_PSELTXD = HAL_TX_PIN;
    UART_PSELRXD = HAL_RX_PIN;
    UART_BAUDRATE = HAL_BAUD_REGISTER;
    UART_ENABLE = 4;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    TIMER_BITMODE = 3;   /* 32 bits */
    TIMER_PRESCALER = 4; /* microseconds */
    TIMER_START = 1;
}

int runevm_hal_read(void)
{
    if (UART_RXDRDY == 0) return -1;
    UART_RXDRDY = 0; /* before the byte is taken, so that the next one is not overlooked */
    return (int)(UART_RXD & 0xFFu);
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        UART_TXDRDY = 0;
        UART_TXD = bytes[i];
        while (UART_TXDRDY == 0) { }
    }
}

uint32_t runevm_hal_ticks(void)
{
    TIMER_CAPTURE = 1;
    return TIMER_CC;
}

/* The timer wraps after 71 minutes; it is asked far more often. */
uint32_t runevm_hal_milliseconds(void)
{
    static uint32_t milliseconds, counted;
    const uint32_t passed = (runevm_hal_ticks() - counted) / 1000u;
    counted += 1000u * passed;
    milliseconds += passed;
    return milliseconds;
}

int runevm_hal_random(uint32_t *bits)
{
    int result = 0;
    RNG_CONFIG = 1; /* corrected for bias */
    RNG_START = 1;
    *bits = 0;
    for (int i = 0; i < 4 && result == 0; i++) {
        REGISTER(RNG_VALRDY) = 0;
        result = register_becomes(RNG_VALRDY, 1u, 1u) ? 0 : -1;
        *bits = (*bits << 8) | (RNG_VALUE & 0xFFu);
    }
    RNG_STOP = 1;
    return result;
}
