"""The typed intermediate representation: what a Runefile means, with no trace of its syntax.

Everything is frozen. A `Pipeline` is only ever made by `runec.frontend`, after its passes found
no error, so the rooms behind it may rely on what the docstrings here promise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from runec.diagnostics import Span
from runec.values import ArgumentValue, ElementType, ParameterValue, ResourceWords, TensorType

if TYPE_CHECKING:
    from runec.models import ModelFile
    from runec.proc_blocks import Block

__all__ = [
    "EXECUTED_FORMAT",
    "MODEL_FORMATS",
    "PIN_NAME",
    "ArgumentValue",
    "Capability",
    "CapabilityKind",
    "ElementType",
    "Model",
    "Output",
    "OutputKind",
    "ParameterValue",
    "Pin",
    "Pipeline",
    "ProcBlock",
    "Resource",
    "ResourceWords",
    "Stage",
    "Tensor",
    "TensorType",
]


class Tensor(msgspec.Struct, frozen=True):
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


# Formats of the original platform: application/{onnx,tf,tfjs,tflite}-model.
MODEL_FORMATS = ("onnx", "tensorflow", "tensorflow-js", "tensorflow-lite")
EXECUTED_FORMAT = "tensorflow-lite"


class _Stage(msgspec.Struct, frozen=True, eq=False):
    """Stages are equal wherever in a text they stand, and whatever else is known of their files."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, field) == getattr(other, field)
            for field in self.__struct_fields__
            if field not in {"span", "file"}
        )

    __hash__ = None  # type: ignore[assignment] # parameters and arguments are dictionaries


class Capability(_Stage, frozen=True, eq=False):
    """A stage that asks the host for data. Its parameters go to the host as they are."""

    name: str
    kind: CapabilityKind
    parameters: Mapping[str, ParameterValue]
    outputs: tuple[Tensor]
    span: Span | None = None


class ProcBlock(_Stage, frozen=True, eq=False):
    """A stage computed by a processing block.

    `path` is what the Runefile says (`hotg-ai/proc-blocks@v0.11.3#modulo`); of a block of the
    user's own it is `./` and its name, so that a rune does not tell where it was built.
    `arguments` holds every argument of the block, typed, defaults filled in.
    """

    name: str
    block: Block
    path: str
    arguments: Mapping[str, ArgumentValue]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span | None = None


class Model(_Stage, frozen=True, eq=False):
    """A stage computed by a model. `resource` names the resource that holds its bytes.

    `format` is one of `MODEL_FORMATS`. `file` is what is known of the bytes: None for those that
    are given at run time, or are not of `EXECUTED_FORMAT`.
    """

    name: str
    resource: str
    format: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    span: Span | None = None
    file: ModelFile | None = None


# Of a pin: `LED`, `PA5`, `P0.13`, `13`.
PIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)


class Pin(msgspec.Struct, frozen=True):
    """What a PIN drives: a name of the board file or of the chip; high for 0 if `active_low`."""

    name: str
    active_low: bool = False


class Output(_Stage, frozen=True, eq=False):
    """A stage that hands its inputs to the host; `pin` is that of a PIN, else None."""

    name: str
    kind: OutputKind
    inputs: tuple[Tensor, ...]
    span: Span | None = None
    pin: Pin | None = None


Stage = Capability | ProcBlock | Model | Output


class Resource(msgspec.Struct, frozen=True):
    """Bytes that travel with the rune, in flash on a device. `data` None: given at run time."""

    name: str
    data: bytes | None


class Pipeline(msgspec.Struct, frozen=True):
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
