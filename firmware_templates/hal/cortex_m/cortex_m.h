/* SPDX-License-Identifier: Apache-2.0 */
/* The SysTick interrupt of a Cortex-M, every millisecond if the HAL of the chip enables it. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

void runec_systick(void);

#endif
