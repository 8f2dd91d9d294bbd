/* SPDX-License-Identifier: Apache-2.0 */
/* Console and user LEDs of the Cortex-M4 in Arm's MPS2+ FPGA board, image AN386. Register numbers: Arm's
 * "Cortex-M System Design Kit", 4.3 (UART); application note AN386, 3 (addresses) and 4 (LEDs). Clocks and pins
 * are the image's own. The board file sets HAL_UART_BASE, HAL_UART_CLOCK_HZ and HAL_BAUD. */
#include "register.h"
#include "runevm_hal.h"
#include "systick.h"

#define UART_DATA REGISTER(HAL_UART_BASE + 0x00u)
#define UART_STATE REGISTER(HAL_UART_BASE + 0x04u)
#define UART_CTRL REGISTER(HAL_UART_BASE + 0x08u)
#define UART_BAUDDIV REGISTER(HAL_UART_BASE + 0x10u)

#define USER_LEDS REGISTER(0x40028000u)

enum { TX_FULL = 1, RX_FULL = 2 };

void runevm_hal_init(void)
{
    UART_BAUDDIV = (HAL_UART_CLOCK_HZ + HAL_BAUD / 2u) / HAL_BAUD;
    UART_CTRL = 3u; /* sends, receives */
    systick_start(HAL_CLOCK_HZ);
}

int runevm_hal_read(void)
{
    return (UART_STATE & RX_FULL) != 0 ? (int)(UART_DATA & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while ((UART_STATE & TX_FULL) != 0) { }
        UART_DATA = bytes[i];
    }
}

void runevm_hal_pin_write(uint32_t pin, int level)
{
    if (level) {
        USER_LEDS |= 1u << pin;
    } else {
        USER_LEDS &= ~(1u << pin);
    }
}

void runevm_hal_pin_configure(uint32_t pin, int level)
{
    runevm_hal_pin_write(pin, level);
}

int runevm_hal_random(uint32_t *bits)
{
    (void)bits;
    return -1;
}
