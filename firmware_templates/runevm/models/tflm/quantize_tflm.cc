// SPDX-License-Identifier: Apache-2.0
#include "quantize_tflm.h"

#include <cfloat>

#include "tensorflow/lite/kernels/internal/cppmath.h"
#include "tensorflow/lite/kernels/internal/tensor_ctypes.h"
#include "tensorflow/lite/kernels/kernel_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"

namespace
{

struct Ends {
    int32_t lowest, highest;
};

// Prepare() lets no other type pass.
Ends ends_of(const TfLiteTensor *quantized)
{
    return quantized->type == kTfLiteInt8 ? Ends{-128, 127} : Ends{0, 255};
}

// --- the operator ----------------------------------------------------------------------------------

TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node)
{
    TF_LITE_ENSURE_STATUS(tflite::ops::micro::Register_QUANTIZE()->prepare(context, node));
    const TfLiteTensor *output = tflite::GetOutput(context, node, 0);
    const Ends ends = ends_of(output);
    const float scale = output->params.scale;
    // A NaN fails both comparisons.
    if (!(scale > 0.0f && scale <= FLT_MAX) || output->params.zero_point < ends.lowest
        || output->params.zero_point > ends.highest) {
        TF_LITE_KERNEL_LOG(context, "QUANTIZE has no scale or zero point that can be");
        return kTfLiteError;
    }
    return kTfLiteOk;
}

// A NaN fails both comparisons.
int32_t whole(float x)
{
    return x >= -2147483648.0f && x < 2147483648.0f ? static_cast<int32_t>(x) : INT32_MIN;
}

TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node)
{
    const TfLiteTensor *input = tflite::GetInput(context, node, 0);
    TfLiteTensor *output = tflite::GetOutput(context, node, 0);
    if (input->type != kTfLiteFloat32) return tflite::ops::micro::Register_QUANTIZE()->invoke(context, node);
    const Ends ends = ends_of(output);
    const float scale = output->params.scale;
    const uint32_t zero_point = static_cast<uint32_t>(output->params.zero_point);
    const size_t count = input->bytes / sizeof(float);
    TF_LITE_ENSURE_EQ(context, count, output->bytes);
    for (size_t i = 0; i < count; i++) {
        const uint32_t quotient = static_cast<uint32_t>(whole(tflite::TfLiteRound(input->data.f[i] / scale)));
        const int32_t sum = static_cast<int32_t>(quotient + zero_point);
        const int32_t result = sum < ends.lowest ? ends.lowest : sum > ends.highest ? ends.highest : sum;
        output->data.uint8[i] = static_cast<uint8_t>(result);
    }
    return kTfLiteOk;
}

// --- the inputs ------------------------------------------------------------------------------------

struct Range {
    float least, most;
};

float finite(float value)
{
    return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : value;
}

// False: the input is unchanged.
bool find_range(tflite::MicroInterpreter *interpreter, const TfLiteTensor *input, Range *range)
{
    bool is_found = false;
    for (size_t i = 0; i < interpreter->outputs_size(); i++) {
        if (interpreter->output(i) == input) return false;
    }
    for (size_t i = 0; i < interpreter->operators_size(); i++) {
        const tflite::NodeAndRegistration use = interpreter->node_and_registration(static_cast<int>(i));
        for (int k = 0; k < use.node.inputs->size; k++) {
            const int index = use.node.inputs->data[k];
            if (index < 0 || interpreter->tensor(static_cast<size_t>(index)) != input) continue;
            if (use.registration->builtin_code != tflite::BuiltinOperator_QUANTIZE) return false;
            const TfLiteTensor *output = interpreter->tensor(static_cast<size_t>(use.node.outputs->data[0]));
            const Ends ends = ends_of(output);
            const float scale = output->params.scale;
            const float least = finite(static_cast<float>(ends.lowest - output->params.zero_point) * scale);
            const float most = finite(static_cast<float>(ends.highest - output->params.zero_point) * scale);
            if (!is_found || least < range->least) range->least = least;
            if (!is_found || most > range->most) range->most = most;
            is_found = true;
        }
    }
    return is_found;
}

// The ranges are computed each time: stored, they would take 2 KiB of RAM.
void clamp_inputs(tflite::MicroInterpreter *interpreter)
{
    for (size_t i = 0; i < interpreter->inputs_size(); i++) {
        TfLiteTensor *input = interpreter->input(i);
        Range range = {0.0f, 0.0f};
        if (input->type != kTfLiteFloat32 || !find_range(interpreter, input, &range)) continue;
        for (size_t k = 0; k < input->bytes / sizeof(float); k++) {
            float *x = &input->data.f[k];
            if (*x != *x)
                *x = 0.0f;
            else if (*x < range.least)
                *x = range.least;
            else if (*x > range.most)
                *x = range.most;
        }
    }
}

}  // namespace

TfLiteRegistration *runevm_tflm_quantize()
{
    static TfLiteRegistration registration;
    registration = *tflite::ops::micro::Register_QUANTIZE();
    registration.prepare = prepare;
    registration.invoke = invoke;
    runevm_tflm_clamp_inputs = clamp_inputs;
    return &registration;
}
