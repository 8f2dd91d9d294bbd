/* SPDX-License-Identifier: Apache-2.0 */
/* The TensorFlow Lite Micro model engine: runevm_model.h over its interpreter, static memory only. */
#ifndef RUNEVM_MODEL_TFLM_H
#define RUNEVM_MODEL_TFLM_H

#include "runevm_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for one interpreter object: 256 bytes on 32-bit processors. Checked when model_tflm.cc is compiled. */
typedef union {
    void *words[64];
    uint64_t alignment;
} runevm_tflm_slot;

/* The arena is aligned to 16. Models take their pieces of it one after another, each as many bytes
 * as the graph says, rounded up to 16. `operators` is the registry of the firmware (generated:
 * only what its models use), a tflite::MicroOpResolver. */
typedef struct {
    uint8_t *arena;
    uint32_t arena_bytes;
    runevm_tflm_slot *slots;
    uint32_t slot_count;
    const void *operators;
    /* private from here */
    const runevm_rune *rune;
    const runevm_model_info *models[RUNEVM_MAX_MODELS];
    uint32_t open_count;
    uint32_t taken_bytes;
    uint32_t used_bytes;
} runevm_tflm;

extern const runevm_model_engine runevm_model_engine_tflm;

void runevm_tflm_init(runevm_tflm *engine, uint8_t *arena, uint32_t arena_bytes, runevm_tflm_slot *slots,
                      uint32_t slot_count, const void *operators);

/* Makes the registry in static storage (generated with the firmware). */
const void *runevm_tflm_operators(void);

#ifdef __cplusplus
}
#endif
#endif
