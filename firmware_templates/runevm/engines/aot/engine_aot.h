/* SPDX-License-Identifier: Apache-2.0 */
/* The aot engine: runevm_engine.h over a module that runec has compiled to C. It runs that module and no other. */
#ifndef RUNEVM_ENGINE_AOT_H
#define RUNEVM_ENGINE_AOT_H

#include "runevm_engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled module. `start` sets globals and data of the linear memory, which is zero; `code` is the module itself, of
 * `code_bytes`, where the data lies. */
typedef struct {
    uint8_t *memory;
    uint32_t memory_bytes;
    uint32_t code_bytes;
    void (*start)(const uint8_t *code);
    uint32_t (*run)(runevm_export which, uint32_t stage);
} runevm_aot_module;

/* What runec generates. */
extern const runevm_aot_module runevm_aot_rune;

/* Filled by runevm_aot_init(). One is active at a time: the one that was instantiated last. */
typedef struct {
    const runevm_aot_module *module;
    const uint8_t *c_stack_floor;
    /* private from here */
    runevm_error host_error;
    bool ready;
} runevm_aot;

/* `c_stack_floor`: the lowest address that code of the rune may use of the C stack; what lies below is for host
 * functions. */
void runevm_aot_init(runevm_aot *engine, const runevm_aot_module *module, const uint8_t *c_stack_floor);

extern const runevm_engine runevm_engine_aot;

/* --- for compiled code ------------------------------------------------------------------------- */

typedef enum {
    AOT_TRAP_BOUNDS,
    AOT_TRAP_CONVERSION,
    AOT_TRAP_DIVIDE,
    AOT_TRAP_ELEMENT,
    AOT_TRAP_HOST,
    AOT_TRAP_NULL,
    AOT_TRAP_OVERFLOW,
    AOT_TRAP_SIGNATURE,
    AOT_TRAP_STACK,
    AOT_TRAP_TIME,
    AOT_TRAP_UNREACHABLE,
} runevm_aot_trap_kind;

extern uint32_t runevm_aot_steps; /* left until the next look at the clock */
extern const uint8_t *runevm_aot_c_stack_floor;

/* Leaves the module. */
_Noreturn void runevm_aot_trap(runevm_aot_trap_kind kind);

/* Returns the steps until the next look, or leaves the module if its time is over. */
uint32_t runevm_aot_look(void);

/* Leaves the module with the error of a host function. */
_Noreturn void runevm_aot_host_failed(runevm_error error);

extern runevm *runevm_aot_vm; /* whose rune is executed */

#ifdef __cplusplus
}
#endif
#endif
