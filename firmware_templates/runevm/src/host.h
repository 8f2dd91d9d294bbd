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

static inline bool runevm_is_original(const runevm *vm)
{
#if RUNEVM_ORIGINALS
    return vm->rune.is_original;
#else
    (void)vm;
    return false;
#endif
}

/* What original.c needs of host.c; without it these are host.c's own, and the compiler may fold them. */
#if RUNEVM_ORIGINALS
#define RUNEVM_SHARED

runevm_error runevm_refuse(runevm *vm, const char *function, runevm_error error, const char *detail);
runevm_error runevm_out_of_bounds(runevm *vm, const char *function);
runevm_error runevm_wrong_place(runevm *vm, const char *function);
runevm_error runevm_unknown_id(runevm *vm, const char *function);
runevm_error runevm_not_in_graph(runevm *vm, const char *function);

/* `length` bytes at `pointer`, or NULL where they are not all in linear memory. */
uint8_t *runevm_in_memory(runevm *vm, uint32_t pointer, uint32_t length);

/* The next model of the graph, `index`; gives its id. */
runevm_error runevm_open_model(runevm *vm, const runevm_model_info *model, uint32_t index, uint32_t *result);
uint32_t runevm_find_model(const runevm *vm, uint32_t id);
runevm_error runevm_run_model(runevm *vm, uint32_t index, uint8_t *const *inputs, uint8_t *const *outputs);
#else
#define RUNEVM_SHARED static
#endif

#endif
