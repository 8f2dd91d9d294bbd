// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D: the library's kernel plus what it lacks: the bounds of a fused activation for int8, and
// the dilation where padding is computed.
#define Register_DEPTHWISE_CONV_2D Register_DEPTHWISE_CONV_2D_without_bounds
#include "tensorflow/lite/micro/kernels/depthwise_conv.cc"
#undef Register_DEPTHWISE_CONV_2D

#include <algorithm>

#include "tensorflow/lite/kernels/padding.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"

namespace
{

namespace library = tflite::ops::micro::depthwise_conv;

TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node)
{
    // The library would take the tensor before the first for a bias that is left out by -1.
    for (int i = 0; i < node->inputs->size; i++) TF_LITE_ENSURE(context, node->inputs->data[i] >= 0);
    TF_LITE_ENSURE_STATUS(library::Prepare(context, node));
    const auto *options = static_cast<const TfLiteDepthwiseConvParams *>(node->builtin_data);
    const TfLiteTensor *input = tflite::GetInput(context, node, 0);
    const TfLiteTensor *filter = tflite::GetInput(context, node, 1);
    int height, width;
    static_cast<library::OpData *>(node->user_data)->padding = tflite::ComputePaddingHeightWidth(
        options->stride_height, options->stride_width, options->dilation_height_factor, options->dilation_width_factor,
        tflite::SizeOfDimension(input, 1), tflite::SizeOfDimension(input, 2), tflite::SizeOfDimension(filter, 1),
        tflite::SizeOfDimension(filter, 2), options->padding, &height, &width);
    return kTfLiteOk;
}

// What the library clamps to, -128 and 127, lies outside the bounds: to clamp again gives what to
// clamp once would.
TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node)
{
    const TfLiteStatus status = library::Eval(context, node);
    TfLiteTensor *output = tflite::GetOutput(context, node, 0);
    if (status != kTfLiteOk || output->type != kTfLiteInt8) return status;
    const auto *options = static_cast<const TfLiteDepthwiseConvParams *>(node->builtin_data);
    int32_t least, most;
    TF_LITE_ENSURE_STATUS(
        tflite::CalculateActivationRangeQuantized(context, options->activation, output, &least, &most));
    int8_t *values = output->data.int8;
    for (size_t i = 0; i < output->bytes; i++) {
        const int32_t value = std::min(std::max<int32_t>(values[i], least), most);
        values[i] = static_cast<int8_t>(value);
    }
    return status;
}

}  // namespace

namespace tflite
{
namespace ops
{
namespace micro
{

TfLiteRegistration *Register_DEPTHWISE_CONV_2D()
{
    static TfLiteRegistration registration = *Register_DEPTHWISE_CONV_2D_without_bounds();
    registration.prepare = prepare;
    registration.invoke = invoke;
    return &registration;
}

}  // namespace micro
}  // namespace ops
}  // namespace tflite
