"""The typed intermediate representation: what a Runefile means, with no trace of its syntax.

Everything is frozen. A `Pipeline` is only ever made by `runec.frontend`, after its passes found
no error, so the rooms behind it may rely on what the docstrings here promise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from runec.diagnostics import Span

_TYPE_PATTERN = re.compile(r"^([a-z0-9]+)\[([0-9]+(?:, ?[0-9]+)*)\]$")


class ElementType(Enum):
    """The element types of a tensor; the value is the spelling in every file format."""

    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    UTF8 = "utf8"

    @property
    def size_bytes(self) -> int:
        """Bytes of one element in linear memory; 0 for UTF8, whose elements vary."""
        return 0 if self is ElementType.UTF8 else int(self.value[1:]) // 8

    @property
    def is_float(self) -> bool:
        """True for f32 and f64."""
        return self in (ElementType.F32, ElementType.F64)

    @property
    def is_integer(self) -> bool:
        """True for the eight integer types."""
        return not self.is_float and self is not ElementType.UTF8


STRUCT_CODES = {
    ElementType.U8: "B",
    ElementType.I8: "b",
    ElementType.U16: "H",
    ElementType.I16: "h",
    ElementType.U32: "I",
    ElementType.I32: "i",
    ElementType.U64: "Q",
    ElementType.I64: "q",
    ElementType.F32: "f",
    ElementType.F64: "d",
}
"""How `struct` spells each type but utf8."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """An element type and a shape. Spelled `f32[1, 128, 3, 1]` everywhere."""

    element: ElementType
    dimensions: tuple[int, ...]

    @property
    def element_count(self) -> int:
        """The product of the dimensions."""
        return math.prod(self.dimensions)

    @property
    def size_bytes(self) -> int:
        """Bytes of the packed little-endian elements; 0 for utf8."""
        return self.element_count * self.element.size_bytes

    def __str__(self) -> str:
        return f"{self.element.value}[{', '.join(map(str, self.dimensions))}]"

    @classmethod
    def parse(cls, text: str) -> TensorType:
        """Read the spelling that `str()` writes. Raises ValueError."""
        match = _TYPE_PATTERN.match(text)
        if match is None:
            raise ValueError(f"not a tensor type: {text!r}")
        dimensions = tuple(int(number) for number in match[2].split(","))
        return cls(ElementType(match[1]), dimensions)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that flows along an edge.

    `id` is unique in the pipeline and counts from 0 in order of production. `capacity_bytes` is
    the room the tensor needs in linear memory: `type.size_bytes`, or for utf8 the largest
    possible sum of 4 + byte length over the elements.
    """

    id: int
    type: TensorType
    capacity_bytes: int


class CapabilityKind(Enum):
    """A source of data; the number is the one of the host interface."""

    RAND = 1
    SOUND = 2
    ACCEL = 3
    IMAGE = 4
    RAW = 5
    FLOAT_IMAGE = 6


class OutputKind(Enum):
    """A sink; the number is the one of the host interface."""

    SERIAL = 1
    BLE = 2
    PIN = 3
    WIFI = 4
    TENSOR = 5


@dataclass(frozen=True, slots=True)
class ResourceWords:
    """A list of words, one a line of a resource, that a block reads when it runs.

    They stay in flash, and may be given at run time only.
    """

    resource: str

    def __str__(self) -> str:
        return f"${self.resource}"


# The original's formats, which it handed to the host as application/{onnx,tf,tfjs,tflite}-model.
MODEL_FORMATS = ("onnx", "tensorflow", "tensorflow-js", "tensorflow-lite")
EXECUTED_FORMAT = "tensorflow-lite"

ParameterValue = int | float
ArgumentValue = int | float | str | tuple[str, ...] | ResourceWords


@dataclass(frozen=True, slots=True)
class Capability:
    """A stage that asks the host for data. Its parameters go to the host as they are."""

    name: str
    kind: CapabilityKind
    parameters: Mapping[str, ParameterValue]
    outputs: tuple[Tensor]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ProcBlock:
    """A stage computed by a processing block.

    `block` is the name in the catalogue (`modulo`), `path` what the Runefile says
    (`hotg-ai/proc-blocks@v0.11.3#modulo`). `arguments` holds every argument of the block, typed,
    defaults filled in. A block of the user's own has its `folder`; its `path` is `./` and its
    name, so that a rune does not tell where it was built.
    """

    name: str
    block: str
    path: str
    arguments: Mapping[str, ArgumentValue]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span | None = field(default=None, compare=False)
    folder: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Model:
    """A stage computed by a model. `resource` names the resource that holds its bytes.

    `format` is one of `MODEL_FORMATS`. Only the bytes of `EXECUTED_FORMAT` are looked into.
    """

    name: str
    resource: str
    format: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span | None = field(default=None, compare=False)


# Of a pin: `LED`, `PA5`, `P0.13`, `13`.
PIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pin:
    """What a PIN drives: a name of the board file or of the chip; high for 0 if `active_low`."""

    name: str
    active_low: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A stage that hands its inputs to the host; `pin` is that of a PIN, else None."""

    name: str
    kind: OutputKind
    inputs: tuple[Tensor, ...]
    span: Span | None = field(default=None, compare=False)
    pin: Pin | None = None


Stage = Capability | ProcBlock | Model | Output


@dataclass(frozen=True, slots=True)
class Resource:
    """Bytes that travel with the rune, in flash on a device. `data` None: given at run time."""

    name: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A checked pipeline: `stages` in execution order, every edge typed and equal at both ends.

    `opened` names a resource once for each `$NAME` in the Runefile: those in arguments of blocks,
    then those that are models, each in execution order. The rune opens them in `_manifest` as the
    runes of 2020 to 2022 did, for each takes an id and so moves the keys of the outputs.
    """

    name: str
    stages: tuple[Stage, ...]
    resources: Mapping[str, Resource]
    opened: tuple[str, ...] = ()

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The capability stages, in execution order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Capability))

    @property
    def proc_blocks(self) -> tuple[ProcBlock, ...]:
        """The processing-block stages, in execution order."""
        return tuple(stage for stage in self.stages if isinstance(stage, ProcBlock))

    @property
    def models(self) -> tuple[Model, ...]:
        """The model stages, in execution order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Model))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The output stages, in execution order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Output))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor, by id."""
        produced = [
            tensor
            for stage in self.stages
            if not isinstance(stage, Output)
            for tensor in stage.outputs
        ]
        return tuple(sorted(produced, key=lambda tensor: tensor.id))
