/* SPDX-License-Identifier: Apache-2.0 */
/* Serialises tensors as in section 4 of docs/spec/rune.md. */
#ifndef RUNEVM_OUTPUT_H
#define RUNEVM_OUTPUT_H

#include "runevm.h"

/* Before _call. */
void runevm_output_begin(runevm *vm);

/* The next tensor of output stage `index`. After an error, vm->detail may say why. */
runevm_error runevm_output_consume(runevm *vm, uint32_t index, const uint8_t *bytes, uint32_t length);

/* After _call: every output has got its tensors; ends the text. */
runevm_error runevm_output_end(runevm *vm);

#endif
