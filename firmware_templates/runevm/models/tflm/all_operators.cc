// SPDX-License-Identifier: Apache-2.0
// Every operator that runevm has a kernel for. A copy with those of your models only saves flash.
#include <new>

#include "model_tflm.h"
#include "quantize_tflm.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using Operators = tflite::MicroMutableOpResolver<52>;

alignas(Operators) static unsigned char storage[sizeof(Operators)];

const void *runevm_tflm_operators(void)
{
    Operators *operators = ::new (storage) Operators;  // global: the class keeps its operator delete to itself
    const int any = tflite::MicroOpResolverAnyVersion();
    operators->AddBuiltin(tflite::BuiltinOperator_ABS, tflite::ops::micro::Register_ABS(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_ADD, tflite::ops::micro::Register_ADD(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_ARG_MAX, tflite::ops::micro::Register_ARG_MAX(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_ARG_MIN, tflite::ops::micro::Register_ARG_MIN(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_AVERAGE_POOL_2D, tflite::ops::micro::Register_AVERAGE_POOL_2D(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_CEIL, tflite::ops::micro::Register_CEIL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_CONCATENATION, tflite::ops::micro::Register_CONCATENATION(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_CONV_2D, tflite::ops::micro::Register_CONV_2D(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_COS, tflite::ops::micro::Register_COS(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, tflite::ops::micro::Register_DEPTHWISE_CONV_2D(),
                          any);
    operators->AddBuiltin(tflite::BuiltinOperator_DEQUANTIZE, tflite::ops::micro::Register_DEQUANTIZE(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_EQUAL, tflite::ops::micro::Register_EQUAL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_FLOOR, tflite::ops::micro::Register_FLOOR(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_FULLY_CONNECTED, tflite::ops::micro::Register_FULLY_CONNECTED(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_GREATER, tflite::ops::micro::Register_GREATER(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_GREATER_EQUAL, tflite::ops::micro::Register_GREATER_EQUAL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_L2_NORMALIZATION, tflite::ops::micro::Register_L2_NORMALIZATION(),
                          any);
    operators->AddBuiltin(tflite::BuiltinOperator_LESS, tflite::ops::micro::Register_LESS(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LESS_EQUAL, tflite::ops::micro::Register_LESS_EQUAL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LOG, tflite::ops::micro::Register_LOG(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LOGICAL_AND, tflite::ops::micro::Register_LOGICAL_AND(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LOGICAL_NOT, tflite::ops::micro::Register_LOGICAL_NOT(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LOGICAL_OR, tflite::ops::micro::Register_LOGICAL_OR(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_LOGISTIC, tflite::ops::micro::Register_LOGISTIC(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_MAXIMUM, tflite::ops::micro::Register_MAXIMUM(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_MAX_POOL_2D, tflite::ops::micro::Register_MAX_POOL_2D(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_MEAN, tflite::ops::micro::Register_MEAN(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_MINIMUM, tflite::ops::micro::Register_MINIMUM(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_MUL, tflite::ops::micro::Register_MUL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_NEG, tflite::ops::micro::Register_NEG(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_NOT_EQUAL, tflite::ops::micro::Register_NOT_EQUAL(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_PACK, tflite::ops::micro::Register_PACK(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_PAD, tflite::ops::micro::Register_PAD(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_PADV2, tflite::ops::micro::Register_PADV2(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_PRELU, tflite::ops::micro::Register_PRELU(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_QUANTIZE, runevm_tflm_quantize(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_RELU, tflite::ops::micro::Register_RELU(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_RELU6, tflite::ops::micro::Register_RELU6(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_RESHAPE, tflite::ops::micro::Register_RESHAPE(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR,
                          tflite::ops::micro::Register_RESIZE_NEAREST_NEIGHBOR(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_ROUND, tflite::ops::micro::Register_ROUND(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_RSQRT, tflite::ops::micro::Register_RSQRT(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SIN, tflite::ops::micro::Register_SIN(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SOFTMAX, tflite::ops::micro::Register_SOFTMAX(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SPLIT, tflite::ops::micro::Register_SPLIT(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SQRT, tflite::ops::micro::Register_SQRT(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SQUARE, tflite::ops::micro::Register_SQUARE(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_STRIDED_SLICE, tflite::ops::micro::Register_STRIDED_SLICE(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SUB, tflite::ops::micro::Register_SUB(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_SVDF, tflite::ops::micro::Register_SVDF(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_TANH, tflite::ops::micro::Register_TANH(), any);
    operators->AddBuiltin(tflite::BuiltinOperator_UNPACK, tflite::ops::micro::Register_UNPACK(), any);
    return static_cast<const tflite::MicroOpResolver *>(operators);
}
