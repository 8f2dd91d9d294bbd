// What a float input is clamped to before the model turns it into integers: docs/spec/rune.md, section 2.4.
// On the host runec/models/input_ranges.py follows the same rule.
#ifndef RUNEVM_INPUT_RANGE_H
#define RUNEVM_INPUT_RANGE_H

#include <cstdint>

#include "tensorflow/lite/schema/schema_generated.h"

enum class InputRangeKind {
    kNone,      // the elements stay as they are
    kClamped,
    kDamaged,   // a scale that is not above zero, or a zero point outside of the type
};

struct InputRange {
    InputRangeKind kind;
    float least, most;
};

// Walks the operators of a model that has been checked, whose input is f32.
InputRange find_input_range(const tflite::Model *model, uint32_t input);

// NaN becomes 0.
void clamp_input(const InputRange &range, float *elements, uint32_t count);

#endif
