/* SPDX-License-Identifier: Apache-2.0 */
/* Time from SysTick, for chips that have no better clock. */
#ifndef SYSTICK_H
#define SYSTICK_H

#include <stdint.h>

/* Called once the core runs at `clock_hz`. */
void systick_start(uint32_t clock_hz);

#endif
