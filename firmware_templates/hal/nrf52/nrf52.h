/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the nRF52. */
#ifndef NRF52_H
#define NRF52_H

#include <stdint.h>

/* Sets PIN_CNF of a pin, with the level high. */
void nrf52_pin(uint32_t pin, uint32_t configuration);

/* Lets a debugger in where UICR says so, and makes the reset pin that the board has one. */
void nrf52_open_port(void);

#endif
