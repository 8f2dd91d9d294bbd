/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that STM32F1, F2 and F4 share: USART and I2C of the first version. The chip family's file
 * switches on clocks and pins, then starts them. */
#ifndef STM32_H
#define STM32_H

/* The board file sets HAL_USART_BASE, HAL_USART_CLOCK_HZ (its bus) and HAL_BAUD. */
void stm32_usart_start(void);

/* The board file sets HAL_I2C_BASE and HAL_I2C_CLOCK_HZ (its bus). */
void stm32_i2c_start(void);

#endif
