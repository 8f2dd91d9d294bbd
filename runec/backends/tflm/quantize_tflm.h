// The operator QUANTIZE with a result for every float: docs/spec/rune.md, section 2.4.
#ifndef RUNEVM_QUANTIZE_TFLM_H
#define RUNEVM_QUANTIZE_TFLM_H

#include "tensorflow/lite/c/common.h"

// The library's, which leaves open what becomes of a NaN and of what does not fit 32 bits, but for that: as on
// the host's processor (x86-64), such a quotient counts as -2^31.
TfLiteRegistration *runevm_tflm_quantize();

#endif
