"""What a model's float inputs are clamped to before the model turns them into integers.

The rule and its reasons: docs/spec/rune.md, section 2.4. On a device `model_tflm.cc` follows it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from runec.models.flatbuffer import MalformedError
from runec.models.tflite import (
    FLOAT32,
    INT8,
    INT16,
    UINT8,
    GraphOperator,
    GraphTensor,
    ModelGraph,
    damaged,
    read_graph,
)

# The ends of the types that QUANTIZE makes of floats.
_ENDS = {INT8: (-128, 127), UINT8: (0, 255), INT16: (-32768, 32767)}
_FLOAT_MAX: float = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


@dataclass(frozen=True, slots=True)
class InputRange:
    """The least and the most that the elements of an input may be; both are f32."""

    least: float
    most: float


def _f32(value: float) -> float:
    """Return the nearest f32, the largest finite one for what is beyond it."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(_FLOAT_MAX, value)
    return rounded


def _range(quantised: GraphTensor) -> InputRange:
    (scale,), (zero_point,) = quantised.scales, quantised.zero_points
    lowest, highest = _ENDS[quantised.type_code]
    if not (math.isfinite(scale) and scale > 0 and lowest <= zero_point <= highest):
        raise MalformedError(
            f"an operator QUANTIZE has the scale {scale} and the zero point {zero_point}"
        )
    # Exact in f64, so they are rounded once, as a product of two f32 is.
    return InputRange(_f32((lowest - zero_point) * scale), _f32((highest - zero_point) * scale))


def _quantised(graph: ModelGraph, operator: GraphOperator) -> GraphTensor | None:
    """Return what an operator writes if it is a QUANTIZE with one scale, to a type of `_ENDS`."""
    if operator.name != "QUANTIZE" or not operator.outputs or operator.outputs[0] < 0:
        return None
    tensor = graph.tensors[operator.outputs[0]]
    if tensor.type_code not in _ENDS or (len(tensor.scales), len(tensor.zero_points)) != (1, 1):
        return None
    return tensor


def _input_range(graph: ModelGraph, index: int) -> InputRange | None:
    if graph.tensors[index].type_code != FLOAT32 or index in graph.outputs:
        return None
    found: InputRange | None = None
    for operator in graph.operators:
        if index not in operator.inputs:
            continue
        quantised = _quantised(graph, operator)
        if quantised is None:
            return None
        other = _range(quantised)
        found = found or other
        found = InputRange(min(found.least, other.least), max(found.most, other.most))
    return found


def input_ranges(data: bytes) -> tuple[InputRange | None, ...]:
    """Return for each input of a .tflite what its elements are clamped to; None: they are not.

    Raises:
        UserFileError: R0310, R0311 or R0312, as `read_model`; R0311 as well for a scale that is not
            above zero or a zero point outside of the type.
    """
    graph = read_graph(data)
    try:
        return tuple(_input_range(graph, index) for index in graph.inputs)
    except MalformedError as error:
        raise damaged(error) from None
