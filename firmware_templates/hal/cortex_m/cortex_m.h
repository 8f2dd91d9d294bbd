/* SPDX-License-Identifier: Apache-2.0 */
/* What the HAL of a chip with a Cortex-M may bring. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

/* The SysTick interrupt, once a millisecond where the chip's HAL switches it on. */
void runec_systick(void);

/* Called before a restart: waits, some time at most, until the console has sent all bytes. */
void runec_before_reset(void);

#endif
