// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED, in place of the library's: int8 weights may have a scale for each row.
//
// Today's converter quantises dense layers so; the library of 2020 would take the first row's scale
// for all of them, without a word. The arithmetic is that of TensorFlow Lite's 8-bit quantization
// specification: an accumulator of 32 bits, times input scale * weight scale / output scale as a
// fixed-point number, rounded as the host's libraries round.
#include <algorithm>
#include <cstdint>

#include "tensorflow/lite/c/builtin_op_data.h"
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/kernels/internal/common.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/kernels/internal/reference/fully_connected.h"
#include "tensorflow/lite/kernels/internal/tensor_ctypes.h"
#include "tensorflow/lite/kernels/kernel_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"

namespace
{

constexpr int kInput = 0;
constexpr int kWeights = 1;
constexpr int kBias = 2;
constexpr int kOutput = 0;

// A positive factor: multiplier * 2^(shift - 31).
struct Factor {
    int32_t multiplier;
    int shift;
};

// runec/models/arena.py counts these bytes and those of `rows`.
struct State {
    Factor factor;
    int32_t least;
    int32_t most;
    const Factor *rows;  // one each, or null where `factor` is that of all
};

struct Tensors {
    const TfLiteTensor *input;
    const TfLiteTensor *weights;
    const TfLiteTensor *bias;  // may be null
    TfLiteTensor *output;
};

Tensors tensors_of(TfLiteContext *context, TfLiteNode *node)
{
    return {tflite::GetInput(context, node, kInput), tflite::GetInput(context, node, kWeights),
            tflite::GetOptionalInputTensor(context, node, kBias), tflite::GetOutput(context, node, kOutput)};
}

const TfLiteAffineQuantization *quantization_of(const TfLiteTensor *tensor)
{
    if (tensor->quantization.type != kTfLiteAffineQuantization) return nullptr;
    return static_cast<const TfLiteAffineQuantization *>(tensor->quantization.params);
}

void *init(TfLiteContext *context, const char *, size_t)
{
    void *state = nullptr;
    return context->AllocatePersistentBuffer(context, sizeof(State), &state) == kTfLiteOk ? state : nullptr;
}

TfLiteStatus prepare_rows(TfLiteContext *context, const Tensors &of, const TfLiteFloatArray &scales, State *state)
{
    void *room = nullptr;
    TF_LITE_ENSURE_STATUS(
        context->AllocatePersistentBuffer(context, static_cast<size_t>(scales.size) * sizeof(Factor), &room));
    Factor *rows = static_cast<Factor *>(room);
    const double input_scale = static_cast<double>(of.input->params.scale);
    const double output_scale = static_cast<double>(of.output->params.scale);
    for (int row = 0; row < scales.size; row++) {
        const double scale = static_cast<double>(scales.data[row]);
        tflite::QuantizeMultiplier(input_scale * scale / output_scale, &rows[row].multiplier, &rows[row].shift);
    }
    state->rows = rows;
    return kTfLiteOk;
}

// Otherwise the kernel would access memory beyond a tensor.
bool do_shapes_match(const Tensors &of)
{
    if (of.weights->dims->size != 2) return false;
    const int64_t rows = of.weights->dims->data[0];
    const int64_t columns = of.weights->dims->data[1];
    if (rows <= 0 || columns <= 0) return false;
    const int64_t batches = tflite::NumElements(of.output) / rows;
    return tflite::NumElements(of.output) == batches * rows && tflite::NumElements(of.input) == batches * columns
           && (of.bias == nullptr || tflite::NumElements(of.bias) == rows);
}

TfLiteStatus refuse(TfLiteContext *context, const char *why)
{
    context->ReportError(context, why);
    return kTfLiteError;
}

TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node)
{
    State *state = static_cast<State *>(node->user_data);
    const auto *options = static_cast<const TfLiteFullyConnectedParams *>(node->builtin_data);
    const Tensors of = tensors_of(context, node);
    if (of.input->type != of.output->type || of.input->type != of.weights->type) {
        return refuse(context, "FULLY_CONNECTED mixes element types");
    }
    if (!do_shapes_match(of)) return refuse(context, "FULLY_CONNECTED has shapes that do not go together");
    state->rows = nullptr;
    if (of.input->type == kTfLiteFloat32) return kTfLiteOk;

    const TfLiteAffineQuantization *quantization = quantization_of(of.weights);
    if (quantization != nullptr && quantization->scale->size > 1) {
        if (of.input->type != kTfLiteInt8 || quantization->quantized_dimension != 0
            || quantization->scale->size != of.weights->dims->data[0]) {
            return refuse(context, "FULLY_CONNECTED has scales that are not one for each row of int8");
        }
        TF_LITE_ENSURE_STATUS(prepare_rows(context, of, *quantization->scale, state));
    } else {
        double factor = 0.0;
        TF_LITE_ENSURE_STATUS(
            tflite::GetQuantizedConvolutionMultipler(context, of.input, of.weights, of.bias, of.output, &factor));
        tflite::QuantizeMultiplier(factor, &state->factor.multiplier, &state->factor.shift);
        if (state->factor.shift > 30) return refuse(context, "FULLY_CONNECTED has scales that are too far apart");
    }
    return tflite::CalculateActivationRangeQuantized(context, options->activation, of.output, &state->least,
                                                     &state->most);
}

// Of int8 the host's library rounds twice, of uint8 (LiteRT) once.
int32_t times(int32_t sum, const Factor &factor, bool rounds_once)
{
    if (!rounds_once) return tflite::MultiplyByQuantizedMultiplier(sum, factor.multiplier, factor.shift);
    const int shift = 31 - factor.shift;
    const int64_t product = static_cast<int64_t>(sum) * factor.multiplier;
    return static_cast<int32_t>((product + (static_cast<int64_t>(1) << (shift - 1))) >> shift);
}

template <typename Element> void multiply(const Tensors &of, const State &state, bool rounds_once)
{
    const int rows = of.weights->dims->data[0];
    const int columns = of.weights->dims->data[1];
    const int batches = static_cast<int>(of.output->bytes) / rows;
    const int32_t input_offset = -of.input->params.zero_point;
    // Weights with a scale for each row are symmetric.
    const int32_t weights_offset = state.rows == nullptr ? -of.weights->params.zero_point : 0;
    const int32_t *bias = of.bias == nullptr ? nullptr : of.bias->data.i32;
    const Element *input = tflite::GetTensorData<Element>(of.input);
    Element *output = tflite::GetTensorData<Element>(of.output);
    for (int batch = 0; batch < batches; batch++, input += columns) {
        const Element *weights = tflite::GetTensorData<Element>(of.weights);
        for (int row = 0; row < rows; row++, weights += columns) {
            int32_t sum = bias == nullptr ? 0 : bias[row];
            for (int column = 0; column < columns; column++) {
                sum += (weights[column] + weights_offset) * (input[column] + input_offset);
            }
            sum = times(sum, state.rows == nullptr ? state.factor : state.rows[row], rounds_once);
            sum += of.output->params.zero_point;
            *output++ = static_cast<Element>(std::min(std::max(sum, state.least), state.most));
        }
    }
}

TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node)
{
    const State &state = *static_cast<const State *>(node->user_data);
    const auto *options = static_cast<const TfLiteFullyConnectedParams *>(node->builtin_data);
    const Tensors of = tensors_of(context, node);
    switch (of.input->type) {
    case kTfLiteFloat32: {
        tflite::FullyConnectedParams parameters = {};
        tflite::CalculateActivationRange(options->activation, &parameters.float_activation_min,
                                         &parameters.float_activation_max);
        tflite::reference_ops::FullyConnected(
            parameters, tflite::GetTensorShape(of.input), tflite::GetTensorData<float>(of.input),
            tflite::GetTensorShape(of.weights), tflite::GetTensorData<float>(of.weights),
            tflite::GetTensorShape(of.bias), tflite::GetTensorData<float>(of.bias), tflite::GetTensorShape(of.output),
            tflite::GetTensorData<float>(of.output));
        return kTfLiteOk;
    }
    case kTfLiteInt8: multiply<int8_t>(of, state, false); return kTfLiteOk;
    case kTfLiteUInt8: multiply<uint8_t>(of, state, true); return kTfLiteOk;
    default: return refuse(context, "FULLY_CONNECTED has elements of another type than float32, int8 and uint8");
    }
}

}  // namespace

namespace tflite
{
namespace ops
{
namespace micro
{

TfLiteRegistration *Register_FULLY_CONNECTED()
{
    static TfLiteRegistration registration = {init, nullptr, prepare, invoke, nullptr, 0, nullptr, 0};
    return &registration;
}

}  // namespace micro
}  // namespace ops
}  // namespace tflite
