/* SPDX-License-Identifier: Apache-2.0 */
// Floats that become integers, with a result for every float: docs/spec/rune.md, section 2.4.
#ifndef RUNEVM_QUANTIZE_TFLM_H
#define RUNEVM_QUANTIZE_TFLM_H

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

// The operator QUANTIZE: the library's, but that a quotient which does not fit 32 bits, or a NaN, counts as
// -2^31, as on the host's processor (x86-64). Sets the pointer below.
TfLiteRegistration *runevm_tflm_quantize();

// Clamps the inputs of a model that nothing but QUANTIZE reads; called before the model runs. NULL in a
// firmware without that operator. On the host runec/models/input_ranges.py follows the same rule.
extern void (*runevm_tflm_clamp_inputs)(tflite::MicroInterpreter *interpreter);

#endif
