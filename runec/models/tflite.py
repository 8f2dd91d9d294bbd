"""Reader of .tflite files: inputs, outputs, operators, and the graph for the memory plan.

Field numbers are those of the schema of TensorFlow Lite (`schema.fbs`, version 3).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import msgspec

from runec.diagnostics import UserFileError
from runec.models.flatbuffer import MalformedError, Table, read_u32
from runec.models.operators import CUSTOM, operator_name
from runec.values import ELEMENT_OF_TFLITE, ElementType, TensorType

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

MAX_SUBGRAPHS = 64
MAX_TENSORS = 4096
MAX_OPERATORS = 4096
_OLD_CODE_MAX = 127
MAX_OPERATOR_TENSORS = 256
MAX_RANK = 16
MAX_CHANNELS = 65536
MAX_TENSOR_BYTES = 2**31 - 1

_8_BITS = (ElementType.I8, ElementType.U8)

# Of tensors that a rune has no type for: number in the schema, name, bytes of an element.
_OTHER_TYPES = {
    1: ("float16", 2),
    5: ("string", 0),
    6: ("bool", 1),
    8: ("complex64", 8),
    11: ("complex128", 16),
    13: ("resource", 0),
    14: ("variant", 0),
    17: ("int4", 1),
    18: ("bfloat16", 2),
}
_TENSOR_TYPES = _OTHER_TYPES | {
    code: (element.long_name, element.size_bytes) for code, element in ELEMENT_OF_TFLITE.items()
}


def type_name(code: int) -> str:
    """Return TensorFlow's name of an element type, by its number in the schema."""
    return _TENSOR_TYPES.get(code, (f"type {code}", 0))[0]


def is_open_to(signature: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Return whether a shape is one of those that a signature, with -1 for any size, allows."""
    return len(shape) == len(signature) and all(
        wanted in (-1, size) for wanted, size in zip(signature, shape, strict=True)
    )


class ModelTensor(msgspec.Struct, frozen=True):
    """An input or an output.

    `shape` is () for a scalar and None where the file has none: the library finds it when the
    model runs (`runec.models.resolve_model` asks it). `signature` has -1 for each dimension that
    the file leaves open and is () where none is. `scale` and `zero_point` are those of the whole
    tensor: None for one that is not quantised, or has a scale for each channel.
    """

    name: str
    element: ElementType
    shape: tuple[int, ...] | None
    signature: tuple[int, ...]
    scale: float | None
    zero_point: int | None

    @property
    def type(self) -> TensorType | None:
        """The type in a pipeline, where a scalar has the dimensions (1,); None: no shape."""
        return None if self.shape is None else TensorType(self.element, self.shape or (1,))

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Return whether the file leaves this shape open."""
        return self.shape is None or is_open_to(self.signature, shape)

    def __str__(self) -> str:
        """The type, `f32[...]` without a shape."""
        return f"{self.element.value}[...]" if self.type is None else str(self.type)

    @property
    def accepted(self) -> str:
        """What an input accepts: the type with `?` for each open dimension, `f32[?, 10]`."""
        sizes = ", ".join("?" if size < 0 else str(size) for size in self.signature)
        return f"{self.element.value}[{sizes}]" if sizes else str(self)


class Operator(msgspec.Struct, frozen=True):
    """An operator that a model uses: the schema's name, or the name of a custom operator."""

    name: str
    version: int


class ModelInfo(msgspec.Struct, frozen=True):
    """Facts about a model for a pipeline.

    `operators` holds each operator once, in order of first use; `operator_count` counts uses.
    """

    inputs: tuple[ModelTensor, ...]
    outputs: tuple[ModelTensor, ...]
    operators: tuple[Operator, ...]
    operator_count: int
    description: str


class GraphTensor(msgspec.Struct, frozen=True):
    """A tensor of the first subgraph, as the memory planner and a device's kernels see it.

    `values` are those of a small constant of int32, such as axes. `signature` is as in
    `ModelTensor`. `has_rank` says that an empty shape is a scalar's. `quantized_axis` has a
    scale for each index where there is more than one.
    """

    type_code: int
    shape: tuple[int, ...]
    is_variable: bool
    is_constant: bool
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    values: tuple[int, ...] = ()
    signature: tuple[int, ...] = ()
    has_rank: bool = False
    quantized_axis: int = 0

    @property
    def has_shape(self) -> bool:
        """False where the file has no shape: it is empty, and nothing says that it is a scalar."""
        return bool(self.shape) or self.has_rank or self.is_constant

    @property
    def quantization(self) -> tuple[float, int] | None:
        """The first scale and zero point."""
        return (self.scales[0], self.zero_points[0]) if self.scales and self.zero_points else None

    @property
    def type_name(self) -> str:
        """The element type in TensorFlow's words."""
        return type_name(self.type_code)

    @property
    def element(self) -> ElementType | None:
        """The element type, None where a rune has none for it."""
        return ELEMENT_OF_TFLITE.get(self.type_code)

    @property
    def size_bytes(self) -> int:
        """Bytes of the elements, 0 for types without a fixed size."""
        return self.element_bytes * math.prod(self.shape)

    @property
    def element_bytes(self) -> int:
        """Bytes of an element, 0 for types without a fixed size."""
        return _TENSOR_TYPES.get(self.type_code, ("", 0))[1]


class GraphOperator(msgspec.Struct, frozen=True):
    """A use of an operator: its name and the tensors it reads and writes (-1: none).

    `activation` is the number of a fused activation, 0 for none; known of SVDF alone.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    has_half_pixel_centers: bool = False
    activation: int = 0


class ModelGraph(msgspec.Struct, frozen=True):
    """A subgraph of a model."""

    tensors: tuple[GraphTensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[GraphOperator, ...]
    subgraph_count: int = 1


def damaged(error: MalformedError) -> UserFileError:
    """R0311: an error of the reader."""
    return UserFileError(
        "R0311",
        f"the model is damaged: {error}",
        hint="export the model again, or copy the file again",
    )


def _other_file(data: bytes, path: str) -> UserFileError | None:
    """R0310: the kind of a file that is not a model; None for a model."""
    if data[4:8] == IDENTIFIER and data[:2] != b"\0\0":
        return None
    from runec.models.other_files import identify  # noqa: PLC0415 - models do not need it

    other = identify(data, path)
    if other is not None:
        message = f"this is not a TensorFlow Lite model, but {other.what}"
        return UserFileError("R0310", message, hint=other.hint)
    if data[4:8] == IDENTIFIER:
        return None
    return UserFileError(
        "R0310",
        "this is not a TensorFlow Lite model (its bytes 4 to 7 are not 'TFL3')",
        hint="convert the model with TensorFlow's TFLiteConverter and name the .tflite file",
    )


def open_model(data: bytes, path: str = "FILE") -> Table:
    """Return the root table; `path` is how the user names the file.

    Raises:
        UserFileError: R0310, R0312.
        MalformedError: the file is damaged.
    """
    other = _other_file(data, path)
    if other is not None:
        raise other
    model = Table.open(data, read_u32(data, 0))
    version = model.integer(0, 4, signed=False)
    if version != SCHEMA_VERSION:
        raise UserFileError(
            "R0312",
            f"the model follows version {version} of the TensorFlow Lite schema,"
            f" not version {SCHEMA_VERSION}",
            hint="convert the model with a TensorFlow of 2019 or later",
        )
    return model


def subgraphs_of(model: Table) -> tuple[Table, ...]:
    """Return the tables of the subgraphs, at least one. Raises MalformedError."""
    subgraphs = model.tables(2, count_max=MAX_SUBGRAPHS)
    if not subgraphs:
        raise MalformedError("it has no graph")
    return subgraphs


def builtin_code(entry: Table) -> int:
    """Return the code of an OperatorCode's table, as TensorFlow Lite reads it.

    Models of before 2020 have only the first field, which is a byte. Raises MalformedError.
    """
    return max(entry.integer(3, 4, signed=True), entry.integer(0, 1, signed=True))


def old_code(entry: Table) -> int | None:
    """Return what the first field of an OperatorCode's table must be, or None where it is that.

    A library of 2020 reads that field alone: 127 stands for a code that it does not know.
    """
    wanted = min(builtin_code(entry), _OLD_CODE_MAX)
    return None if entry.integer(0, 1, signed=True) == wanted else wanted


def has_old_codes(model: Table) -> bool:
    """Return whether libraries of 2020, such as the devices', read the operators of a model right.

    Raises MalformedError.
    """
    return all(old_code(entry) is None for entry in model.tables(1, count_max=MAX_OPERATORS))


def _operator_codes(model: Table) -> tuple[Operator, ...]:
    codes = []
    for entry in model.tables(1, count_max=MAX_OPERATORS):
        code = builtin_code(entry)
        name = operator_name(code)
        if code == CUSTOM:
            name = entry.text(1, bytes_max=256) or name
        version = entry.integer(2, 4, signed=True, default=1)
        if version < 0:
            raise MalformedError(f"the operator {name} has the version {version}")
        codes.append(Operator(name, version))
    return tuple(codes)


def _used_operator(codes: Sequence[Operator], use: Table) -> Operator:
    index = use.integer(0, 4, signed=False)
    if index >= len(codes):
        raise MalformedError(f"an operator uses code {index} of {len(codes)}")
    return codes[index]


def _indices(values: tuple[int, ...], tensor_count: int, *, optional: bool) -> tuple[int, ...]:
    for value in values:
        if value >= tensor_count or value < (-1 if optional else 0):
            raise MalformedError(f"tensor {value} of {tensor_count} is used")
    return values


def _model_tensor(table: Table, role: str) -> ModelTensor:
    name = table.text(3, bytes_max=256)
    code = table.integer(1, 1, signed=True)
    element = ELEMENT_OF_TFLITE.get(code)
    if element is None:
        raise UserFileError(
            "R0313",
            f"the model's {role} {name!r} has elements of {type_name(code)}, "
            "which runec has no type for",
            hint="convert the model with inputs and outputs of float32, int8 or uint8",
        )
    shape = table.integers(0, "i", count_max=MAX_RANK)
    if any(size < 1 for size in shape) or math.prod(shape) * element.size_bytes > MAX_TENSOR_BYTES:
        raise UserFileError(
            "R0314",
            f"the model's {role} {name!r} has the shape {list(shape)}, which is not fixed",
            hint="convert the model with a fixed input shape, batch size 1",
        )
    scale: float | None = None
    zero_point: int | None = None
    quantization = table.table(4)
    if quantization is not None:
        scales = quantization.scalars(2, "f", count_max=MAX_CHANNELS)
        zero_points = quantization.integers(3, "q", count_max=MAX_CHANNELS)
        # More than one: a scale for each channel, which no single number stands for.
        if len(scales) == 1:
            scale = float(scales[0])
            zero_point = zero_points[0] if zero_points else 0
    has_shape = bool(shape) or _has_rank(table)
    signature = _signature(table, shape)
    return ModelTensor(name, element, shape if has_shape else None, signature, scale, zero_point)


def _has_rank(table: Table) -> bool:
    return table.integer(8, 1, signed=False) != 0


def _signature(table: Table, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape with -1 for the dimensions that are open; () where none is."""
    signature = table.integers(7, "i", count_max=MAX_RANK)
    if len(signature) != len(shape) or -1 not in signature:
        return ()
    return tuple(-1 if open_ < 0 else size for open_, size in zip(signature, shape, strict=True))


def read_info(model: Table) -> ModelInfo:
    """Return inputs, outputs and operators of a .tflite.

    Raises:
        UserFileError: R0313, an element type that runec lacks at an input or output; R0314, a
            shape that is not fixed there.
        MalformedError: the file is damaged.
    """
    codes = _operator_codes(model)
    subgraphs = subgraphs_of(model)
    operators: dict[Operator, None] = {}
    uses = 0
    for subgraph in subgraphs:
        for use in subgraph.tables(3, count_max=MAX_OPERATORS):
            operators[_used_operator(codes, use)] = None
            uses += 1
    main = subgraphs[0]
    tensors = main.tables(0, count_max=MAX_TENSORS)
    sides: list[tuple[ModelTensor, ...]] = []
    for number, role in ((1, "input"), (2, "output")):
        indices = main.integers(number, "i", count_max=MAX_OPERATOR_TENSORS)
        _indices(indices, len(tensors), optional=False)
        sides.append(tuple(_model_tensor(tensors[index], role) for index in indices))
    return ModelInfo(sides[0], sides[1], tuple(operators), uses, model.text(3, bytes_max=1024))


def hybrid_operators(graph: ModelGraph) -> tuple[str, ...]:
    """Return the operators of dynamic range, sorted: float inputs with constants of 8 bits."""
    found = set()
    for operator in graph.operators:
        used = [graph.tensors[index] for index in operator.inputs if index >= 0]
        is_float = any(not item.is_constant and item.element is ElementType.F32 for item in used)
        if is_float and any(item.is_constant and item.element in _8_BITS for item in used):
            found.add(operator.name)
    return tuple(sorted(found))


def _constant_buffers(model: Table) -> tuple[bytes | None, ...]:
    """Return the content of each buffer, cut off after a few integers; None for an empty one."""
    constant: list[bytes | None] = []
    for buffer in model.tables(4, count_max=4 * MAX_TENSORS):
        content = buffer.vector(0, 1)
        if content is None or content[1] == 0:
            constant.append(None)
        else:
            start, size = content
            constant.append(buffer.data[start : start + min(size, 4 * MAX_RANK + 1)])
    return tuple(constant)


def _graph_tensor(table: Table, constant: Sequence[bytes | None]) -> GraphTensor:
    buffer = table.integer(2, 4, signed=False)
    if buffer >= len(constant):
        raise MalformedError(f"a tensor uses buffer {buffer} of {len(constant)}")
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    quantized_axis = 0
    type_code = table.integer(1, 1, signed=True)
    content = constant[buffer]
    values: tuple[int, ...] = ()
    if (
        content is not None
        and ELEMENT_OF_TFLITE.get(type_code) is ElementType.I32
        and len(content) <= 4 * MAX_RANK
    ):
        values = struct.unpack(f"<{len(content) // 4}i", content[: len(content) // 4 * 4])
    shape = table.integers(0, "i", count_max=MAX_RANK)
    quantization = table.table(4)
    if quantization is not None:
        scales = quantization.scalars(2, "f", count_max=MAX_CHANNELS)
        zero_points = quantization.integers(3, "q", count_max=MAX_CHANNELS)
        quantized_axis = quantization.integer(6, 4, signed=True)
    tensor = GraphTensor(
        type_code=type_code,
        shape=shape,
        is_variable=table.integer(5, 1, signed=False) != 0,
        is_constant=content is not None,
        scales=scales,
        zero_points=zero_points,
        values=values,
        signature=_signature(table, shape),
        has_rank=_has_rank(table),
        quantized_axis=quantized_axis,
    )
    if any(size < 0 for size in tensor.shape) or tensor.size_bytes > MAX_TENSOR_BYTES:
        raise MalformedError(f"a tensor has the shape {list(tensor.shape)}")
    return tensor


def read_graph(model: Table, number: int = 0) -> ModelGraph:
    """Return a subgraph of a .tflite, the first one for planning its memory.

    Raises MalformedError.
    """
    codes = _operator_codes(model)
    subgraphs = subgraphs_of(model)
    main = subgraphs[number]
    constant = _constant_buffers(model)
    tensors = tuple(
        _graph_tensor(table, constant) for table in main.tables(0, count_max=MAX_TENSORS)
    )
    operators = []
    for use in main.tables(3, count_max=MAX_OPERATORS):
        inputs = use.integers(1, "i", count_max=MAX_OPERATOR_TENSORS)
        outputs = use.integers(2, "i", count_max=MAX_OPERATOR_TENSORS)
        name = _used_operator(codes, use).name
        # Both in the second field of their operator's options, a byte.
        second = 0
        if name in ("RESIZE_NEAREST_NEIGHBOR", "SVDF"):
            options = use.table(4)
            second = 0 if options is None else options.integer(1, 1, signed=False)
        operators.append(
            GraphOperator(
                name,
                _indices(inputs, len(tensors), optional=True),
                _indices(outputs, len(tensors), optional=True),
                has_half_pixel_centers=name == "RESIZE_NEAREST_NEIGHBOR" and second != 0,
                activation=second if name == "SVDF" else 0,
            )
        )
    sides = [
        _indices(
            main.integers(number, "i", count_max=MAX_OPERATOR_TENSORS), len(tensors), optional=False
        )
        for number in (1, 2)
    ]
    return ModelGraph(tensors, sides[0], sides[1], tuple(operators), len(subgraphs))


def tensor_name(model: Table, index: int, number: int = 0) -> str:
    """Return the name of a tensor of a subgraph of a .tflite that `read_graph` reads."""
    try:
        main = subgraphs_of(model)[number]
        name = main.tables(0, count_max=MAX_TENSORS)[index].text(3, bytes_max=256)
    except MalformedError:
        name = ""
    return name or f"tensor {index}"
