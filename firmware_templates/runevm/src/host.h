/* What vm.c, host.c and output.c share. */
#ifndef RUNEVM_HOST_H
#define RUNEVM_HOST_H

#include "runevm.h"

enum { RUNEVM_PHASE_NONE = 0, RUNEVM_PHASE_MANIFEST = 1, RUNEVM_PHASE_CALL = 2 };

/* The first one to say so wins, as with runevm_set_detail(): what is closest to the cause stays. */
void runevm_set_place(runevm *vm, runevm_text place);

/* Around what waits for the world outside: such time is not the rune's. */
uint32_t runevm_begin_wait(const runevm *vm);
void runevm_end_wait(runevm *vm, uint32_t since_ms);

/* Forgets every id. Before _manifest. */
void runevm_host_begin(runevm *vm);

/* Before each _call: the ids that resources took in the one before are given again. */
void runevm_host_begin_call(runevm *vm);

#endif
