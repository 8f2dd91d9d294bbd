"""Operators that device kernels compute as the host does: types, shapes, quantisation.

Each rule is a difference that tests/backends/test_operator_sweep.py saw between the kernels of
July 2020 and the host's library: other bytes, a refusal when the model is opened or run, or a
check that ends in an endless loop. docs/operators.md shows the table.
"""

# ruff: noqa: D102 - the classes document the properties

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from runec.backends.tflm.operators import KERNELS, missing_operators

_F32 = frozenset({"float32"})
_BOOL = frozenset({"bool"})
_FLOAT_INT8 = frozenset({"float32", "int8"})
_COMMON = frozenset({"float32", "int8", "uint8"})
_COMPARED = frozenset({"float32", "int32", "int64", "bool"})
_ORDERED = frozenset({"float32", "int32", "int64"})
_PADDED = _COMMON | {"int32"}
_MOVED = _COMMON | {"int32", "int64"}

# Operator -> element types of its data that a kernel takes.
ELEMENTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("ABS", "CEIL", "COS", "FLOOR", "LOG", "MEAN", "NEG", "ROUND"), _F32),
    **dict.fromkeys(("RSQRT", "SIN", "SQRT", "SQUARE"), _F32),
    **dict.fromkeys(("LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"), _BOOL),
    **dict.fromkeys(("LOGISTIC", "SVDF", "TANH"), _FLOAT_INT8),
    **dict.fromkeys(("ADD", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "CONV_2D"), _COMMON),
    **dict.fromkeys(("DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "L2_NORMALIZATION"), _COMMON),
    **dict.fromkeys(("MAX_POOL_2D", "MUL", "PRELU", "RELU", "RELU6", "SOFTMAX", "SUB"), _COMMON),
    **dict.fromkeys(("RESIZE_NEAREST_NEIGHBOR", "STRIDED_SLICE"), _COMMON),
    **dict.fromkeys(("EQUAL", "NOT_EQUAL"), _COMPARED),
    **dict.fromkeys(("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"), _ORDERED),
    **dict.fromkeys(("PAD", "PADV2"), _PADDED),
    **dict.fromkeys(("CONCATENATION", "MAXIMUM", "MINIMUM", "PACK"), _MOVED),
    "DEQUANTIZE": frozenset({"int8", "uint8", "int16"}),
    "QUANTIZE": _F32,
    "RESHAPE": _MOVED | {"int16", "bool"},
    "SPLIT": _PADDED | {"int16"},
    "UNPACK": _PADDED,
}
# The library's shapes hold 5 dimensions; with more of them most kernels never end.
_MAX_RANK = 5
_MAX_RANKS = dict.fromkeys(("CONCATENATION", "PAD", "PADV2", "STRIDED_SLICE"), 4)
_ANY_RANK = frozenset({"ABS", "COS", "LOG", "PACK", "RESHAPE", "RSQRT", "SIN"})
_ANY_RANK |= {"LOGICAL_NOT", "SPLIT", "SQRT", "SQUARE", "UNPACK"}
_RELU = 1
# Of models that are converted as far as they can be, with what they count and compare.
_CONVERTED = frozenset({"float32", "int8", "int32", "int64", "bool"})
# Those whose size the library knows: it opens no model with another, even where nothing reads it.
_SIZED = frozenset({"float32", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64"})


class Tensor(Protocol):
    """What the rules ask of a tensor."""

    @property
    def type_name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def quantization(self) -> tuple[float, int] | None: ...
    @property
    def values(self) -> tuple[int, ...]: ...


class Use(Protocol):
    """What they ask of a use of an operator."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[int, ...]: ...
    @property
    def outputs(self) -> tuple[int, ...]: ...
    @property
    def has_half_pixel_centers(self) -> bool: ...
    @property
    def activation(self) -> int: ...


class Graph(Protocol):
    """And of a model."""

    @property
    def tensors(self) -> Sequence[Tensor]: ...
    @property
    def operators(self) -> Sequence[Use]: ...
    @property
    def subgraph_count(self) -> int: ...


_Tensors = Sequence[Tensor]


def _relu(_use: Use, inputs: _Tensors, outputs: _Tensors) -> str | None:
    if inputs[0].quantization != outputs[0].quantization:
        return "whose output has another scale than its input"
    return None


def _broadcast(_use: Use, inputs: _Tensors, _outputs: _Tensors) -> str | None:
    shapes = {item.shape for item in inputs}
    if len(shapes) > 1 and max(len(shape) for shape in shapes) > 4:
        return "that broadcasts tensors of more than 4 dimensions"
    return None


def _argument(_use: Use, _inputs: _Tensors, outputs: _Tensors) -> str | None:
    kind = outputs[0].type_name
    return f"with a result of {kind}" if kind != "int32" else None


def _mean(_use: Use, inputs: _Tensors, _outputs: _Tensors) -> str | None:
    axes = inputs[1].values if len(inputs) > 1 else ()
    if len(inputs[0].shape) != 4 or sorted(axes) != [1, 2]:
        return "over other axes than 1 and 2 of 4"
    return None


def _quantize(_use: Use, _inputs: _Tensors, outputs: _Tensors) -> str | None:
    kind = outputs[0].type_name
    return f"to {kind}" if kind not in ("int8", "uint8") else None


def _dequantize(_use: Use, _inputs: _Tensors, outputs: _Tensors) -> str | None:
    kind = outputs[0].type_name
    return f"to {kind}" if kind != "float32" else None


def _resize(use: Use, _inputs: _Tensors, _outputs: _Tensors) -> str | None:
    return "with half pixel centers" if use.has_half_pixel_centers else None


def _svdf(use: Use, inputs: _Tensors, _outputs: _Tensors) -> str | None:
    if inputs[0].type_name == "int8" and use.activation != _RELU:
        return "of int8 without RELU"
    return None


# Operators that move elements or choose among them, without regard to scales.
_MOVING = frozenset(
    ("AVERAGE_POOL_2D", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "PACK", "PAD", "PADV2", "RESHAPE")
)
_MOVING |= {"RESIZE_NEAREST_NEIGHBOR", "SPLIT", "STRIDED_SLICE", "UNPACK"}
_QUANTISED = frozenset({"int8", "uint8", "int16"})


def _has_unequal_scales(tensors: _Tensors) -> bool:
    kinds = {item.quantization for item in tensors if item.type_name in _QUANTISED}
    return len(kinds - {None}) > 1


_RULES: dict[str, Callable[[Use, _Tensors, _Tensors], str | None]] = {
    **dict.fromkeys(("ADD", "EQUAL", "GREATER", "GREATER_EQUAL", "LESS"), _broadcast),
    **dict.fromkeys(("LESS_EQUAL", "MUL", "NOT_EQUAL", "SUB"), _broadcast),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), _argument),
    **dict.fromkeys(("RELU", "RELU6"), _relu),
    "DEQUANTIZE": _dequantize,
    "MEAN": _mean,
    "QUANTIZE": _quantize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SVDF": _svdf,
}


def _objection(graph: Graph, use: Use) -> str | None:
    inputs = [graph.tensors[index] for index in use.inputs if index >= 0]
    outputs = [graph.tensors[index] for index in use.outputs if index >= 0]
    position = 1 if use.name == "SPLIT" else 0
    if len(inputs) <= position or not outputs:
        return "without inputs or outputs"
    kind = inputs[position].type_name
    if kind not in ELEMENTS[use.name]:
        return f"of {kind}"
    most = _MAX_RANKS.get(use.name, _MAX_RANK)
    rank = max(len(item.shape) for item in (*inputs, *outputs))
    if rank > most and use.name not in _ANY_RANK:
        return f"of more than {most} dimensions"
    if use.name in _MOVING and _has_unequal_scales((*inputs, *outputs)):
        return "with unequal scales"
    rule = _RULES.get(use.name)
    return None if rule is None else rule(use, inputs, outputs)


def objections(graph: Graph) -> tuple[str, ...]:
    """Return what in a model the devices' kernels do not compute as the host does, sorted.

    Each is an operator's name and what about its use is the matter. Operators without a kernel are
    those of `missing_operators`.
    """
    kinds = {tensor.type_name for tensor in graph.tensors}
    found = {f"a tensor of {kind}" for kind in kinds - _SIZED}
    if graph.subgraph_count > 1:
        found.add(f"a model of {graph.subgraph_count} subgraphs")
    for use in graph.operators:
        why = _objection(graph, use) if use.name in KERNELS else None
        if why is not None:
            found.add(f"{use.name} {why}")
    return tuple(sorted(found))


def device_objection(graph: Graph, operators: Iterable[str], hybrid: Sequence[str]) -> str | None:
    """Return why no device engine takes a model, or None when one does.

    `operators` are those of all its subgraphs; `hybrid` those that mix float inputs with weights
    of 8 bits. The device's library of 2020 does take uint8, which today's does not.
    """
    missing = missing_operators(operators)
    if missing:
        return f"it has no {', '.join(missing)}"
    if hybrid:
        return f"its {', '.join(hybrid)} cannot mix float inputs with weights of 8 bits"
    found = objections(graph)
    return f"it does not compute {', '.join(found)} as the host does" if found else None


def device_advice(graph: Graph, operators: Iterable[str], hybrid: Sequence[str]) -> str:
    """Return what makes a model with an objection one that devices take."""
    missing = missing_operators(operators)
    if missing:
        return f"use a model without {', '.join(missing)}"
    if hybrid or {tensor.type_name for tensor in graph.tensors} - _CONVERTED:
        return "convert the model to int8 or float32"
    return "convert the model without these uses (docs/operators.md)"
