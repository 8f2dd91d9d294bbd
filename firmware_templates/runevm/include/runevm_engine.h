/* What executes WebAssembly: wasm3 | wamr | aot. */
#ifndef RUNEVM_ENGINE_H
#define RUNEVM_ENGINE_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One function that the rune imports from `env`. `arguments` holds as many values as `parameters`
 * says. An error stops the rune; the engine returns it from call(). */
typedef runevm_error (*runevm_host_function)(runevm *vm, const uint32_t *arguments, uint32_t *result);

typedef struct {
    const char *name;
    uint8_t parameters;              /* all i32 */
    bool has_result;                 /* i32 */
    runevm_host_function function;
} runevm_host_import;

/* All host functions of docs/spec/rune.md, section 2.2, of ABI 1. */
extern const runevm_host_import runevm_host_imports[];
extern const uint32_t runevm_host_import_count;

/* For engines, while code is executed: has it used up its time? They ask every RUNEVM_STEPS_BETWEEN_LOOKS
 * steps, which is the only thing that stops a rune that never ends. */
bool runevm_time_is_over(runevm *vm);

typedef enum { RUNEVM_EXPORT_MANIFEST, RUNEVM_EXPORT_CALL } runevm_export;

/* Contract:
 *  - Nothing here is called before the .rune passed runevm_rune_read(); the host has validated the
 *    module, so an engine need not, but it must keep every access inside `memory_bytes`.
 *  - instantiate() may be called again at any time: it drops the old instance first. All memory comes
 *    from the context that the firmware reserved; an engine that runs out returns RUNEVM_ERR_HEAP.
 *  - instantiate() does all compiling, so that call() allocates nothing.
 *  - call() with RUNEVM_EXPORT_CALL passes 0, `stage`, `stage`: one stage counted from 1, or 0 for all of them. With
 *    RUNEVM_EXPORT_MANIFEST `stage` is 0.
 *  - call() returns RUNEVM_OK and *result, the host function's error, or RUNEVM_ERR_TRAP,
 *    _OUT_OF_BOUNDS, _STACK, _TIME; `detail` then points to a static text.
 *  - call() asks runevm_time_is_over() again and again, whatever the code does, and returns RUNEVM_ERR_TIME
 *    once it says so.
 *  - memory() gives the linear memory as it is now, *bytes of it.
 */
typedef struct runevm_engine {
    const char *name;
    runevm_error (*instantiate)(void *context, runevm *vm, const uint8_t *code, uint32_t code_bytes, uint32_t memory_bytes, const char **detail);
    runevm_error (*call)(void *context, runevm_export which, uint32_t stage, uint32_t *result, const char **detail);
    uint8_t *(*memory)(void *context, uint32_t *bytes);
    uint32_t (*heap_used_bytes)(void *context);
} runevm_engine;

#ifdef __cplusplus
}
#endif
#endif
