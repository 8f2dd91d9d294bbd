/* SPDX-License-Identifier: Apache-2.0 */
/* Time from SysTick, for chips that have no better clock. */
#ifndef SYSTICK_H
#define SYSTICK_H

/* Called once the core runs at HAL_CLOCK_HZ, which the board file sets. */
void systick_start(void);

#endif
