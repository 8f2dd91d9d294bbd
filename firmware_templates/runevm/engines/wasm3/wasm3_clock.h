/* SPDX-License-Identifier: Apache-2.0 */
/* The time budget inside wasm3: steps are counted, and every RUNEVM_STEPS_BETWEEN_LOOKS of them the clock
 * is looked at. */
#ifndef RUNEVM_WASM3_CLOCK_H
#define RUNEVM_WASM3_CLOCK_H

#include <stddef.h>
#include <stdint.h>

extern uint32_t runevm_wasm3_steps_left;

/* NULL: there is time left, and steps are counted anew; otherwise the trap. */
const char *runevm_wasm3_look_at_clock(void);

static inline const char *runevm_wasm3_step(void)
{
    if (runevm_wasm3_steps_left-- > 0) return NULL;
    return runevm_wasm3_look_at_clock();
}

#endif
