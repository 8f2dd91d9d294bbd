"""The operators that TensorFlow Lite Micro of July 2020 has kernels for."""

from __future__ import annotations

from collections.abc import Iterable

# Operator -> file of its kernel below tensorflow/lite/micro/kernels/. The registration function
# is Register_ and the operator's name.
KERNELS = {
    "ABS": "elementwise.cc",
    "ADD": "add.cc",
    "ARG_MAX": "arg_min_max.cc",
    "ARG_MIN": "arg_min_max.cc",
    "AVERAGE_POOL_2D": "pooling.cc",
    "CEIL": "ceil.cc",
    "CONCATENATION": "concatenation.cc",
    "CONV_2D": "conv.cc",
    "COS": "elementwise.cc",
    "DEPTHWISE_CONV_2D": "depthwise_conv.cc",
    "DEQUANTIZE": "dequantize.cc",
    "EQUAL": "comparisons.cc",
    "FLOOR": "floor.cc",
    "FULLY_CONNECTED": "fully_connected.cc",
    "GREATER": "comparisons.cc",
    "GREATER_EQUAL": "comparisons.cc",
    "L2_NORMALIZATION": "l2norm.cc",
    "LESS": "comparisons.cc",
    "LESS_EQUAL": "comparisons.cc",
    "LOG": "elementwise.cc",
    "LOGICAL_AND": "logical.cc",
    "LOGICAL_NOT": "elementwise.cc",
    "LOGICAL_OR": "logical.cc",
    "LOGISTIC": "logistic.cc",
    "MAXIMUM": "maximum_minimum.cc",
    "MAX_POOL_2D": "pooling.cc",
    "MEAN": "reduce.cc",
    "MINIMUM": "maximum_minimum.cc",
    "MUL": "mul.cc",
    "NEG": "neg.cc",
    "NOT_EQUAL": "comparisons.cc",
    "PACK": "pack.cc",
    "PAD": "pad.cc",
    "PADV2": "pad.cc",
    "PRELU": "prelu.cc",
    "QUANTIZE": "quantize.cc",
    "RELU": "activations.cc",
    "RELU6": "activations.cc",
    "RESHAPE": "reshape.cc",
    "RESIZE_NEAREST_NEIGHBOR": "resize_nearest_neighbor.cc",
    "ROUND": "round.cc",
    "RSQRT": "elementwise.cc",
    "SIN": "elementwise.cc",
    "SOFTMAX": "softmax.cc",
    "SPLIT": "split.cc",
    "SQRT": "elementwise.cc",
    "SQUARE": "elementwise.cc",
    "STRIDED_SLICE": "strided_slice.cc",
    "SUB": "sub.cc",
    "SVDF": "svdf.cc",
    "TANH": "tanh.cc",
    "UNPACK": "unpack.cc",
}


def missing_operators(operators: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that have no kernel, sorted."""
    return tuple(sorted({name for name in operators if name not in KERNELS}))
