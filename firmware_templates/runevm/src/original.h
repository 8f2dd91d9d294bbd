/* What original runes (2020 to 2022) call besides, and otherwise: section 5 of docs/spec/rune.md. */
#ifndef RUNEVM_ORIGINAL_H
#define RUNEVM_ORIGINAL_H

#include "runevm.h"

#if RUNEVM_ORIGINALS

#define RUNEVM_ORIGINAL_TEXT_BYTES 240

/* Their messages to `_debug` are JSON: copies the member `message` to the room, ended with a zero. False where there is
 * none that can be read. */
bool runevm_original_message(const char *json, uint32_t length, char room[RUNEVM_ORIGINAL_TEXT_BYTES]);

/* A model's bytes are a resource that the rune did not bring, and cannot open. */
bool runevm_is_originals_model(const runevm_rune *rune, uint32_t resource);

/* Hands a document to the computer, which reads it. */
runevm_error runevm_original_consume(runevm *vm, uint32_t index, const uint8_t *bytes, uint32_t length);
runevm_error runevm_original_end(runevm *vm);

/* Host functions. */
runevm_error runevm_tfm_preload_model(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_tfm_model_invoke(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_rune_model_load(runevm *vm, const uint32_t *arguments, uint32_t *result);
runevm_error runevm_log_backtrace(runevm *vm, const uint32_t *arguments, uint32_t *result);

#endif
#endif
