"""Ranges of a model's float inputs that it converts to integers, for clamping.

The rule and its reasons: docs/spec/rune.md, section 2.4. On a device `model_tflm.cc` follows it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from runec.models.flatbuffer import MalformedError
from runec.models.tflite import (
    GraphOperator,
    GraphTensor,
    ModelGraph,
)
from runec.values import ElementType, as_f32

# The ends of the types that QUANTIZE makes of floats.
_QUANTISED = (ElementType.I8, ElementType.U8, ElementType.I16)
_ENDS = {kind.tflite_code: kind.ends for kind in _QUANTISED}
_FLOAT_MAX = float.fromhex("0x1.fffffep127")


class InputRange(msgspec.Struct, frozen=True):
    """The least and the most that the elements of an input may be; both are f32."""

    least: float
    most: float


def _f32(value: float) -> float:
    """Return the nearest f32, the largest finite one for what is beyond it."""
    return max(-_FLOAT_MAX, min(_FLOAT_MAX, as_f32(value)))


def _range(quantised: GraphTensor) -> InputRange:
    (scale,), zero_point = quantised.scales, quantised.zero_points[0]
    lowest, highest = _ENDS[quantised.type_code]
    if not (math.isfinite(scale) and scale > 0 and lowest <= zero_point <= highest):
        raise MalformedError(
            f"an operator QUANTIZE has the scale {scale} and the zero point {zero_point}"
        )
    # Exact in f64, so they are rounded once, as a product of two f32 is.
    return InputRange(_f32((lowest - zero_point) * scale), _f32((highest - zero_point) * scale))


def _quantised(graph: ModelGraph, operator: GraphOperator) -> GraphTensor | None:
    """Return the result of a QUANTIZE with one scale to a type of `_ENDS`, else None."""
    if operator.name != "QUANTIZE" or not operator.outputs or operator.outputs[0] < 0:
        return None
    tensor = graph.tensors[operator.outputs[0]]
    has_one_scale = len(tensor.scales) == 1 and tensor.zero_points
    return tensor if tensor.type_code in _ENDS and has_one_scale else None


def _input_range(
    graph: ModelGraph, made: Sequence[InputRange | None], index: int
) -> InputRange | None:
    """Return the range of an input; `made`: those of what the operators write."""
    readers = [
        bounds
        for operator, bounds in zip(graph.operators, made, strict=True)
        if index in operator.inputs
    ]
    ranges = [bounds for bounds in readers if bounds is not None]
    is_float = graph.tensors[index].element is ElementType.F32
    if not is_float or index in graph.outputs or not ranges or len(ranges) < len(readers):
        return None
    return InputRange(min(item.least for item in ranges), max(item.most for item in ranges))


def input_ranges(graph: ModelGraph) -> tuple[InputRange | None, ...]:
    """Return for each input of a model what its elements are clamped to; None: they are not.

    Raises:
        MalformedError: an operator QUANTIZE whose scale is not above zero or whose zero point is
            outside of its type.
    """
    quantised = [_quantised(graph, operator) for operator in graph.operators]
    made = [None if tensor is None else _range(tensor) for tensor in quantised]
    return tuple(_input_range(graph, made, index) for index in graph.inputs)
