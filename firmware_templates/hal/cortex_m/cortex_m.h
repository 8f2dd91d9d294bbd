/* SPDX-License-Identifier: Apache-2.0 */
/* The SysTick interrupt of a Cortex-M, once a millisecond where the chip's HAL switches it on. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

void runec_systick(void);

#endif
