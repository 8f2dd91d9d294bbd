/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of what executes models. Model engines implement it; applications pass one to runevm_config. */
#ifndef RUNEVM_MODEL_H
#define RUNEVM_MODEL_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rules for every function of a model engine:
 *  1. `context` is runevm_config.model_context. It owns all memory that the engine uses.
 *  2. `index` counts the models of the rune from 0, in the order of the graph.
 *  3. `*detail` is set to a static text after an error.
 */
typedef struct runevm_model_engine {
    const char *name;

    /* Prepares a model. Called once for each, in order, after close_all().
     *  1. `info->data` is the model's file, at a multiple of 16; it stays there and is not copied.
     *  2. Checks that the model has as many inputs and outputs as the graph, of the same element types and sizes:
     *     RUNEVM_ERR_MODEL. An operator that is not compiled in: RUNEVM_ERR_OPERATOR.
     *  3. Uses at most `info->arena_bytes`, rounded up to 16, of its arena: RUNEVM_ERR_ARENA. */
    runevm_error (*open)(void *context, uint32_t index, const runevm_rune *rune, const runevm_model_info *info,
                         const char **detail);

    /* Runs a model.
     *  1. Copies inputs in and outputs out. There is a pointer for each tensor of the graph, to as many bytes as its
     *     size, at any alignment.
     *  2. Clamps floats that the model converts to integers (docs/spec/rune.md, section 2.4).
     *  3. Writes nothing to `outputs` where it fails: RUNEVM_ERR_INVOKE.
     *  4. Is not interrupted: runevm looks at the time budget when it returns. */
    runevm_error (*invoke)(void *context, uint32_t index, const uint8_t *const *inputs, uint8_t *const *outputs,
                           const char **detail);

    /* Forgets every model, so that open() starts again from index 0. */
    void (*close_all)(void *context);

    /* The most of the arena that the open models used. */
    uint32_t (*arena_used_bytes)(void *context);
} runevm_model_engine;

#ifdef __cplusplus
}
#endif
#endif
