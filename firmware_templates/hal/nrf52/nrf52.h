/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the nRF52 share. */
#ifndef NRF52_H
#define NRF52_H

#include <stdint.h>

/* Gives a pin, high, its PIN_CNF. */
void nrf52_pin(uint32_t pin, uint32_t configuration);

#endif
