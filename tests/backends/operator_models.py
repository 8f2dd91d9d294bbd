"""Models of a single operator, written through the schema's own object interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Array = NDArray[Any]

_TYPES = {
    "float32": "FLOAT32",
    "float16": "FLOAT16",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "uint32": "UINT32",
    "int64": "INT64",
    "bool": "BOOL",
}
# RUNEVM_F32 and so on. Booleans are bytes.
_ELEMENTS = {
    "float32": 8,
    "int8": 1,
    "uint8": 0,
    "bool": 0,
    "float16": 9,
    "int16": 3,
    "int32": 5,
    "int64": 7,
}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a model; one with `data` is a constant.

    More than one scale: one for each index of `axis`.
    """

    dtype: str
    shape: tuple[int, ...]
    data: Array | None = None
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    is_variable: bool = False

    @property
    def harness_name(self) -> str:
        """Element and bytes, as model_harness takes them."""
        size = int(np.prod(self.shape, dtype=int)) * np.dtype(self.dtype).itemsize
        return f"{_ELEMENTS[self.dtype]}:{size}"


def constant(data: Array, **quantization: Any) -> Tensor:
    """Return a tensor that the model holds."""
    return Tensor(str(data.dtype), data.shape, data, **quantization)


@dataclass(frozen=True)
class Model:
    """A model of one operator. An input that is None is an optional one that is left out."""

    operator: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any = None
    version: int = 1
    facts: Mapping[str, object] = field(default_factory=dict)
    intermediates: tuple[Tensor, ...] = ()

    @property
    def given(self) -> tuple[Tensor, ...]:
        """The inputs that are not constants, in order."""
        return tuple(
            item
            for item in self.inputs
            if item is not None and item.data is None and not item.is_variable
        )

    def write(self) -> bytes:
        """Return the .tflite."""
        graph, model = schema.SubGraphT(), schema.ModelT()
        model.version = 3
        model.buffers = [Buffer()]
        graph.tensors, graph.inputs = [], []
        sides: list[list[int]] = [[], []]
        for places, items in zip(sides, (self.inputs, self.outputs), strict=True):
            for item in items:
                if item is None:
                    places.append(-1)
                    continue
                places.append(len(graph.tensors))
                graph.tensors.append(_tensor(item, f"t{len(graph.tensors)}", model.buffers))
        graph.inputs = [
            index
            for index, item in zip(sides[0], self.inputs, strict=True)
            if item is not None and item.data is None and not item.is_variable
        ]
        graph.outputs = sides[1]
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = sides
        if self.intermediates:
            first = len(graph.tensors)
            graph.tensors += [
                _tensor(item, "between", model.buffers) for item in self.intermediates
            ]
            operator.intermediates = list(range(first, len(graph.tensors)))
        if self.options is not None:
            operator.builtinOptions = self.options
            kind = type(self.options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        graph.operators = [operator]
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, self.operator)
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
        code.version = self.version
        model.operatorCodes, model.subgraphs = [code], [graph]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class Buffer(schema.BufferT):  # type: ignore[misc]
    """A buffer that starts at a multiple of 16, as the schema wants and its Python side forgets."""

    def Pack(self, builder: Any) -> int:  # noqa: N802 - the name that the schema calls
        if self.data is not None:
            builder.StartVector(1, len(self.data), 16)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            data = builder.EndVector()
        schema.BufferStart(builder)
        if self.data is not None:
            schema.BufferAddData(builder, data)
        end: int = schema.BufferEnd(builder)
        return end


def _tensor(item: Tensor, name: str, buffers: list[Buffer]) -> Any:
    tensor = schema.TensorT()
    tensor.name = name
    tensor.shape = list(item.shape)
    tensor.type = getattr(schema.TensorType, _TYPES[item.dtype])
    tensor.isVariable = item.is_variable
    tensor.buffer = 0
    if item.data is not None:
        tensor.buffer = len(buffers)
        buffers.append(Buffer())
        buffers[-1].data = np.ascontiguousarray(item.data).tobytes()
    if item.scales:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(item.scales)
        tensor.quantization.zeroPoint = list(item.zero_points or [0] * len(item.scales))
        tensor.quantization.quantizedDimension = item.axis
    return tensor
