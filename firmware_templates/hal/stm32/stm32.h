/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that STM32F1, F2 and F4 share: USART and I2C of the first version. The chip family's file
 * switches on clocks and pins, then starts them. */
#ifndef STM32_H
#define STM32_H

#include <stdint.h>

/* At `clock_hz` of its bus. The board file gives HAL_USART_BASE and HAL_BAUD. */
void stm32_usart_start(uint32_t clock_hz);

/* At `clock_hz` of its bus. The board file gives HAL_I2C_BASE. */
void stm32_i2c_start(uint32_t clock_hz);

#endif
