/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the nRF52 share. */
#ifndef NRF52_H
#define NRF52_H

#include <stdint.h>

/* Gives a pin, high, its PIN_CNF. */
void nrf52_pin(uint32_t pin, uint32_t configuration);

/* Lets a debugger in where UICR says so, and makes the reset pin that the board has one. */
void nrf52_open_port(void);

#endif
