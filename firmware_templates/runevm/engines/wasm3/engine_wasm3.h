/* SPDX-License-Identifier: Apache-2.0 */
/* The wasm3 engine: runevm_engine.h over the wasm3 interpreter, all of its memory in one pool. */
#ifndef RUNEVM_ENGINE_WASM3_H
#define RUNEVM_ENGINE_WASM3_H

#include "runevm_engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wasm3's own value stack, inside the pool: locals and temporaries of every active function. */
#ifndef RUNEVM_WASM3_STACK_BYTES
#define RUNEVM_WASM3_STACK_BYTES 4096u
#endif

/* Filled by runevm_wasm3_init(). wasm3 asks for memory without saying for whom, so one engine is active at a time: the one
 * that was instantiated last. */
typedef struct {
    uint8_t *pool;
    uint32_t pool_bytes;
    const uint8_t *c_stack_floor;
    /* private from here */
    runevm *vm;
    void *runtime;
    void *manifest, *call;
    uint32_t used_bytes, peak_bytes, memory_bytes;
    bool out_of_memory;
    runevm_error host_error;
} runevm_wasm3;

extern const runevm_engine runevm_engine_wasm3;

/* Rules:
 *  1. `pool` is aligned to 8 and outlives the engine. It holds the linear memory, the value stack, the parsed module and
 *     its metacode: the graph's memory, 9 KB, and about four times the bytes of the code.
 *  2. A call that would bring the C stack below `c_stack_floor` ends with RUNEVM_ERR_STACK. Leave 6 KB below it for host
 *     functions. NULL: the C stack is not checked. */
void runevm_wasm3_init(runevm_wasm3 *engine, uint8_t *pool, uint32_t pool_bytes, const uint8_t *c_stack_floor);

#ifdef __cplusplus
}
#endif
#endif
