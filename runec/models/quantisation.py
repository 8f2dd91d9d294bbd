"""Scales and zero points that kernels do not compute with, by TensorFlow Lite's specification.

Kernels read one scale of a tensor, or one for each channel of weights, take zero points of int16
for 0, and give LOGISTIC and the like one scale of their own. Few compare what the file says, and
some end the process at a scale that is not above 0. Operators that only LiteRT has are left to it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping

import msgspec

from runec.models.engines import MOVING
from runec.models.flatbuffer import Table
from runec.models.tflite import GraphOperator, GraphTensor, ModelGraph
from runec.values import ElementType

_RANGES: Mapping[ElementType | None, tuple[int, int]] = {
    ElementType.I8: (-128, 127),
    ElementType.U8: (0, 255),
    ElementType.I16: (-32768, 32767),
}
# These compute with the scales of their quantised tensors; of others elements alone count.
_SCALED_NAMES = """
    ADD BATCH_MATMUL CONV_2D CUMSUM DEPTHWISE_CONV_2D DEQUANTIZE DIV ELU FULLY_CONNECTED HARD_SWISH
    L2_NORMALIZATION LEAKY_RELU LOGISTIC LOG_SOFTMAX MEAN MUL PRELU QUANTIZE RELU RELU6 RSQRT
    SOFTMAX SQUARED_DIFFERENCE SUB SUM SVDF TANH TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM
"""
_SCALED = frozenset(_SCALED_NAMES.split())
# These also take tensors without a scale: they rescale, or compare, only where there are scales.
_COMPARED_NAMES = """
    ABS AVERAGE_POOL_2D CONCATENATION EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL MAXIMUM
    MAX_POOL_2D MINIMUM NOT_EQUAL
"""
_COMPARED = frozenset(_COMPARED_NAMES.split())
# Operator -> position of weights, and their axis that may have a scale for each index. Biases have
# as many scales, which no kernel reads.
_WEIGHTS: Mapping[str, tuple[int, int, int]] = {
    "CONV_2D": (1, 0, 2),
    "DEPTHWISE_CONV_2D": (1, 3, 2),
    "FULLY_CONNECTED": (1, 0, 2),
    "TRANSPOSE_CONV": (1, 0, 3),
}
# Their weights of int8 have the zero point 0; FULLY_CONNECTED subtracts another.
_SYMMETRIC = frozenset(_WEIGHTS) - {"FULLY_CONNECTED"}
# Operator -> element type -> scale and zero point of its result.
_GIVEN: Mapping[str, Mapping[ElementType | None, tuple[float, int]]] = {
    "L2_NORMALIZATION": {ElementType.I8: (2**-7, 0), ElementType.U8: (2**-7, 128)},
    "LOGISTIC": {
        ElementType.I8: (2**-8, -128),
        ElementType.U8: (2**-8, 0),
        ElementType.I16: (2**-15, 0),
    },
    "LOG_SOFTMAX": {ElementType.I8: (2**-4, 127), ElementType.U8: (2**-4, 255)},
    "SOFTMAX": {
        ElementType.I8: (2**-8, -128),
        ElementType.U8: (2**-8, 0),
        ElementType.I16: (2**-15, 0),
    },
    "TANH": {
        ElementType.I8: (2**-7, 0),
        ElementType.U8: (2**-7, 128),
        ElementType.I16: (2**-15, 0),
    },
}
# By how much converters may have rounded one of these.
_TOLERANCE = 1e-3
# ADD, SUB: the sum is computed in steps of 2 * max(scales) / 2**shift, and the result's must be
# wider. SOFTMAX: an exponent's, beta * scale * 2**26, must be above 1.
_SHIFTS = {ElementType.I8: 20, ElementType.U8: 20, ElementType.I16: 15}
_SUMS = frozenset({"ADD", "CUMSUM", "SUB"})
_SOFTMAX_SHIFT = 26


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a tensor's quantisation: `what` for the tensor, and `why`, or ''."""

    tensor: int
    what: str
    why: str = ""


def quantisation_faults(
    graph: ModelGraph, use: GraphOperator, options: Table | None
) -> Iterator[Fault]:
    """Yield what is wrong with the quantisation of an operator's tensors.

    Raises MalformedError.
    """
    if use.name not in _SCALED | _COMPARED | MOVING:
        return
    weights_at, axis, bias_at = _WEIGHTS.get(use.name, (-1, 0, -1))
    sides = [*enumerate(use.inputs), *((-1, index) for index in use.outputs)]
    is_from_floats = use.name == "QUANTIZE" and any(
        graph.tensors[index].element is ElementType.F32 for index in use.inputs if index >= 0
    )
    is_sound = True
    for position, index in sides:
        if index < 0 or (position == bias_at and position >= 0):
            continue
        tensor = graph.tensors[index]
        if tensor.element not in _RANGES or _is_hybrid(graph, use):
            continue
        is_weight = position == weights_at and position >= 0
        at = axis if is_weight else None
        for fault in _of_tensor(use, index, tensor, at, is_from_floats=is_from_floats):
            is_sound = False
            yield fault
    if is_sound:
        yield from _of_result(graph, use, options)


def _is_hybrid(graph: ModelGraph, use: GraphOperator) -> bool:
    """Return whether the data are floats, and weights are scaled by the kernel: LiteRT alone."""
    if use.name in ("DEQUANTIZE", "QUANTIZE"):
        return False
    return any(
        index >= 0 and graph.tensors[index].element is ElementType.F32
        for index in (*use.inputs, *use.outputs)
    )


def _of_tensor(
    use: GraphOperator, index: int, tensor: GraphTensor, axis: int | None, *, is_from_floats: bool
) -> Iterator[Fault]:
    """Yield what is wrong with a tensor; `axis` is that of weights."""
    if tensor.quantization is None:
        if use.name in _SCALED:
            yield Fault(index, "no scale", f", which {use.name} computes with")
        return
    count = len(tensor.scales)
    if use.name in MOVING - _COMPARED:
        # The elements alone are moved; constants may be weights.
        if count > 1 and not tensor.is_constant:
            yield Fault(index, f"{count} scales", f", of which {use.name} reads one")
        return
    for scale in tensor.scales:
        if not (math.isfinite(scale) and scale > 0):
            yield Fault(index, f"the scale {scale:g}")
            return
    low, high = _RANGES[tensor.element]
    for point in tensor.zero_points:
        if not low <= point <= high:
            yield Fault(index, f"the zero point {point}", f" of {tensor.type_name}")
            return
    # From floats any zero point is computed with.
    is_symmetric = (tensor.element is ElementType.I16 and not is_from_floats) or (
        axis is not None and tensor.element is ElementType.I8 and use.name in _SYMMETRIC
    )
    if is_symmetric and any(tensor.zero_points):
        point = next(filter(None, tensor.zero_points))
        yield Fault(index, f"the zero point {point}", f", which {use.name} reads as 0")
    if count == 1 or (use.name == "DEQUANTIZE" and tensor.is_constant):
        return
    if axis is None:
        yield Fault(index, f"{count} scales", f", of which {use.name} reads one")
    elif axis != tensor.quantized_axis or axis >= len(tensor.shape) or tensor.shape[axis] != count:
        yield Fault(
            index,
            f"{count} scales along axis {tensor.quantized_axis}",
            f", which {use.name} reads along axis {axis} of {list(tensor.shape)}",
        )


def _of_result(graph: ModelGraph, use: GraphOperator, options: Table | None) -> Iterator[Fault]:
    """Yield what does not fit between an operator's tensors, each of which is sound."""
    given, results = (
        [graph.tensors[index] for index in side if index >= 0] for side in (use.inputs, use.outputs)
    )
    if not given or not results or results[0].quantization is None:
        return
    scale, zero_point = results[0].quantization
    expected = _GIVEN.get(use.name, {}).get(results[0].element)
    if expected is not None:
        is_given = math.isclose(scale, expected[0], rel_tol=_TOLERANCE)
        if not is_given or zero_point != expected[1]:
            what = f"the scale {scale:g} and the zero point {zero_point}"
            why = f", but {use.name} gives {expected[0]:g} and {expected[1]}"
            yield Fault(use.outputs[0], what, why)
    shift = _SHIFTS.get(results[0].element) if results[0].element else None
    scales = [item.quantization[0] for item in given if item.quantization]
    is_sum = use.name in _SUMS and shift is not None and bool(scales)
    if is_sum and 2 * max(scales) >= 2.0 ** (shift or 0) * scale:
        what = f"the scale {scale:g}"
        yield Fault(use.outputs[0], what, f", too small for {use.name} of {max(scales):g}")
    if use.name in ("SOFTMAX", "LOG_SOFTMAX") and results[0].element is not ElementType.I16:
        beta = 1.0
        if use.name == "SOFTMAX":
            beta = 0.0 if options is None else _real(options)
        if not beta * scales[0] * 2.0**_SOFTMAX_SHIFT > 1:
            yield Fault(use.inputs[0], f"the scale {scales[0]:g}", f", too small for {use.name}")


def _real(options: Table) -> float:
    """Return the first field of an operator's options, a float."""
    bits = options.integer(0, 4, signed=False)
    (number,) = struct.unpack("<f", struct.pack("<I", bits))
    return float(number)


def has_channels_dequantised(graph: ModelGraph, use: GraphOperator) -> bool:
    """Return whether an operator is DEQUANTIZE of a scale for each channel: LiteRT's alone."""
    return (
        use.name == "DEQUANTIZE"
        and bool(use.inputs)
        and use.inputs[0] >= 0
        and len(graph.tensors[use.inputs[0]].scales) > 1
    )
