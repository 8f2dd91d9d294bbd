/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of what executes WebAssembly. Engines implement it; applications pass one to runevm_config. */
#ifndef RUNEVM_ENGINE_H
#define RUNEVM_ENGINE_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A host function. `arguments` holds as many values as the import's `parameters`; `*result` is set where it has a result.
 * An error stops the rune: the engine returns it from call(). */
typedef runevm_error (*runevm_host_function)(runevm *vm, const uint32_t *arguments, uint32_t *result);

/* Those of docs/spec/rune.md, section 2.2. An engine whose code was compiled calls them by name, so that a firmware holds
 * what its rune calls. */
runevm_error runevm_host_debug(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_request_capability(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_request_capability_set_param(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_request_provider_response(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_rune_model_open(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_rune_model_infer(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_request_output(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_consume_output(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_rune_resource_open(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_rune_resource_read(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_host_rune_resource_close(runevm *vm, const uint32_t *arguments, uint32_t *result);

/* One function that a rune may import from `env`. */
typedef struct {
    const char *name;
    uint8_t parameters; /* all i32 */
    bool has_result; /* i32 */
    runevm_host_function function;
} runevm_import;

/* All of them, for engines that link a module when it is loaded. */
extern const runevm_import runevm_imports[];
extern const uint32_t runevm_import_count;

/* For engines, while code executes: is the time budget used up? */
bool runevm_time_is_over(runevm *vm);

typedef enum { RUNEVM_EXPORT_MANIFEST, RUNEVM_EXPORT_CALL } runevm_export;

/* Rules for every function of an engine:
 *  1. `context` is runevm_config.engine_context. It owns all memory that the engine uses.
 *  2. The .rune passed runevm_rune_read() and runevm does not validate the module: whoever made the firmware did
 *     (wasm-validate). The engine keeps every access inside `memory_bytes` for any valid module.
 *  3. `*detail` is set to a static text after an error.
 */
typedef struct runevm_engine {
    const char *name;

    /* Makes a module ready to be called.
     *  1. May be called again at any time; drops the instance before first.
     *  2. Links the imports of the module to runevm_imports by name and signature; refuses any other import.
     *  3. Does all compiling and allocating, so that call() allocates nothing.
     *  4. Linear memory is zero but for the module's data, and `memory_bytes` long at most.
     *  5. `code` stays where it is as long as the instance is used.
     *  6. Returns RUNEVM_ERR_HEAP when memory runs out, RUNEVM_ERR_ENGINE for a module that it does not execute. */
    runevm_error (*instantiate)(void *context, runevm *vm, const uint8_t *code, uint32_t code_bytes,
                                uint32_t memory_bytes, const char **detail);

    /* Calls an export. `_call` gets 0, `stage`, `stage`: one stage, counted from 1, or 0 for all of them. Of `_manifest`
     * `stage` is 0.
     *  1. Returns RUNEVM_OK and `*result`; the error of a host function unchanged; or RUNEVM_ERR_TRAP, _OUT_OF_BOUNDS,
     *     _STACK or _TIME.
     *  2. Asks runevm_time_is_over() at least once in RUNEVM_STEPS_BETWEEN_LOOKS turns of loops and calls, whatever the
     *     code does, and returns RUNEVM_ERR_TIME once it is true. Nothing else stops a rune that never ends.
     *  3. Bounds the C stack that it uses: RUNEVM_ERR_STACK. */
    runevm_error (*call)(void *context, runevm_export which, uint32_t stage, uint32_t *result, const char **detail);

    /* The linear memory as it is now, `*bytes` of it; NULL without an instance. Valid until the next wasm instruction. */
    uint8_t *(*memory)(void *context, uint32_t *bytes);

    /* The most that the engine used of its own memory since instantiate(), linear memory not counted. */
    uint32_t (*heap_used_bytes)(void *context);
} runevm_engine;

#ifdef __cplusplus
}
#endif
#endif
