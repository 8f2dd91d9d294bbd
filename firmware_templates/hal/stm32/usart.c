/* SPDX-License-Identifier: Apache-2.0 */
/* The console of runevm_hal.h on an STM32 USART of the first version, polled: ST's RM0090, 30.6;
 * RM0368, 19.6; RM0008, 27.6. */
#include "cortex_m.h"
#include "register.h"
#include "runevm_hal.h"
#include "stm32.h"

#define USART_SR REGISTER(HAL_USART_BASE + 0x00u)
#define USART_DR REGISTER(HAL_USART_BASE + 0x04u)
#define USART_BRR REGISTER(HAL_USART_BASE + 0x08u)
#define USART_CR1 REGISTER(HAL_USART_BASE + 0x0Cu)

enum { RXNE = 0x20, TC = 0x40, TXE = 0x80 };

/* Two bytes, the last one and the one before it, take 20 bits; a poll takes more than 4 cycles. */
#define SENT_POLLS (10u * (HAL_CLOCK_HZ / HAL_BAUD))

void stm32_usart_start(uint32_t clock_hz)
{
    USART_BRR = (clock_hz + HAL_BAUD / 2u) / HAL_BAUD;
    USART_CR1 = (1u << 13) | (1u << 3) | (1u << 2); /* on, sends, receives */
}

int runevm_hal_read(void)
{
    return (USART_SR & RXNE) != 0 ? (int)(USART_DR & 0xFFu) : -1;
}

void runevm_hal_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while ((USART_SR & TXE) == 0) { }
        USART_DR = bytes[i];
    }
}

/* TXE says that the register is free: a byte is still on its way until TC (RM0090, 30.6.1). */
void runec_before_reset(void)
{
    for (uint32_t i = 0; i < SENT_POLLS && (USART_SR & TC) == 0; i++) { }
}
