#include "quantize_tflm.h"

#include <limits>

#include "tensorflow/lite/kernels/internal/cppmath.h"
#include "tensorflow/lite/kernels/internal/tensor_ctypes.h"
#include "tensorflow/lite/kernels/kernel_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"

namespace {

// A NaN fails both comparisons.
int32_t whole(float x) {
    return x >= -2147483648.0f && x < 2147483648.0f ? static_cast<int32_t>(x) : INT32_MIN;
}

template <typename T>
void quantize(const TfLiteTensor *input, TfLiteTensor *output) {
    const float *from = tflite::GetTensorData<float>(input);
    T *to = tflite::GetTensorData<T>(output);
    const int32_t lowest = std::numeric_limits<T>::min(), highest = std::numeric_limits<T>::max();
    const float scale = output->params.scale;
    const uint32_t zero_point = static_cast<uint32_t>(output->params.zero_point);
    const int64_t count = tflite::NumElements(input);
    for (int64_t i = 0; i < count; i++) {
        const uint32_t quotient = static_cast<uint32_t>(whole(tflite::TfLiteRound(from[i] / scale)));
        const int32_t sum = static_cast<int32_t>(quotient + zero_point);
        to[i] = static_cast<T>(sum < lowest ? lowest : sum > highest ? highest : sum);
    }
}

TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node) {
    const TfLiteTensor *input = tflite::GetInput(context, node, 0);
    TfLiteTensor *output = tflite::GetOutput(context, node, 0);
    if (input->type != kTfLiteFloat32) return tflite::ops::micro::Register_QUANTIZE()->invoke(context, node);
    TF_LITE_ENSURE_EQ(context, tflite::NumElements(input), tflite::NumElements(output));
    // Its Prepare() lets no other type pass.
    if (output->type == kTfLiteInt8) quantize<int8_t>(input, output);
    else quantize<uint8_t>(input, output);
    return kTfLiteOk;
}

}  // namespace

TfLiteRegistration *runevm_tflm_quantize() {
    static TfLiteRegistration registration = *tflite::ops::micro::Register_QUANTIZE();
    registration.invoke = invoke;
    return &registration;
}
