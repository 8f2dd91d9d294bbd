/* What executes a model: tflm | aot. */
#ifndef RUNEVM_MODEL_H
#define RUNEVM_MODEL_H

#include "runevm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Contract:
 *  - open() is called once for each model of the rune, `index` counting from 0 in the order of the
 *    graph; it checks that the model's tensors have the element types and the byte sizes of the
 *    graph (RUNEVM_ERR_MODEL) and takes its arena (RUNEVM_ERR_ARENA). `info->data` stays in flash.
 *  - close_all() forgets every model, so that open() may start again from index 0.
 *  - invoke() copies inputs in and outputs out; the pointers are checked for their graph sizes.
 *    Floats that the model turns into integers are clamped on their way (docs/spec/rune.md, section 2.4).
 *  - `detail` points to a static text after an error.
 */
typedef struct runevm_model_engine {
    const char *name;
    runevm_error (*open)(void *context, uint32_t index, const runevm_rune *rune, const runevm_model_info *info, const char **detail);
    runevm_error (*invoke)(void *context, uint32_t index, const uint8_t *const *inputs, uint8_t *const *outputs, const char **detail);
    void (*close_all)(void *context);
    uint32_t (*arena_used_bytes)(void *context);
} runevm_model_engine;

#ifdef __cplusplus
}
#endif
#endif
