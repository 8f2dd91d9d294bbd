/* SPDX-License-Identifier: Apache-2.0 */
/* Context of a run: location of an error, and the remaining time. */
#ifndef RUNEVM_RUN_CONTEXT_H
#define RUNEVM_RUN_CONTEXT_H

#include "runevm.h"

enum { RUNEVM_PHASE_NONE = 0, RUNEVM_PHASE_MANIFEST = 1, RUNEVM_PHASE_CALL = 2 };

/* The first call counts, as with runevm_set_detail(): what is closest to the cause stays. */
void runevm_set_place(runevm *vm, runevm_text place);

void runevm_forget_error(runevm *vm);

void runevm_begin_time(runevm *vm);
uint32_t runevm_time_taken_ms(const runevm *vm);

/* Around what waits for the world outside: such time does not count against the budget. */
uint32_t runevm_begin_wait(const runevm *vm);
void runevm_end_wait(runevm *vm, uint32_t since_ms);

#endif
