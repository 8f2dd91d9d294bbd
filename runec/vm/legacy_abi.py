"""The host functions of legacy runes (2020 to 2022), both generations of models.

They carry no graph that can be relied on: types come with each call, outputs as JSON. Counted
from 0 up to v0.10, from 1 since v0.11.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable
from typing import Any

from runec.container import Rune
from runec.diagnostics import UserFileError
from runec.models import ModelFile, ModelTensor
from runec.pipeline import CapabilityKind, ElementType, OutputKind, TensorType
from runec.vm.abi1 import parameter_value
from runec.vm.errors import (
    bad_host_call,
    no_model,
    too_much_output,
    unsupported_legacy,
    unsupported_model,
)
from runec.vm.host_model import HostModel
from runec.vm.messages import Consumed, Document, Outputs, minified_json
from runec.vm.output import parse_output_bytes
from runec.vm.rune_imports import OUTPUT_KINDS, Imports, Surroundings, Typed

_OUTPUT_BYTES_MAX = 64 * 1024 * 1024
_VALUE_BYTES_MAX = 4
_TENSORS_MAX = 32
_CHANNEL_MAX = 2**31 - 1
_FIRST_ID_ONE = (0, 11)


def _pack(element: ElementType, value: Any) -> bytes:
    if element is ElementType.UTF8:
        if not isinstance(value, str):
            raise ValueError("a text element that is not text")
        text = value.encode("utf-8", "replace")
        return len(text).to_bytes(4, "little") + text
    if value is None and element.is_float:
        value = math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("an invalid number")  # noqa: TRY004 - as below
    try:
        return struct.pack(f"<{element.struct_code}", float(value) if element.is_float else value)
    except (struct.error, OverflowError):
        raise ValueError(f"{value} as {element.value}") from None


def parse_output(document: Any) -> tuple[int, TensorType, bytes]:
    """Read one tensor of a legacy rune's output: its channel, type, and packed elements.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of mistake, one exception
    name, dimensions = document.get("type_name"), document.get("dimensions")
    elements, channel = document.get("elements"), document.get("channel")
    if not isinstance(dimensions, list) or not isinstance(elements, list):
        raise ValueError("no dimensions or elements")  # noqa: TRY004
    if type(channel) is not int or not 0 <= channel <= _CHANNEL_MAX:
        raise ValueError("no channel")
    if not dimensions or not all(type(size) is int and size >= 0 for size in dimensions):
        raise ValueError("no dimensions")
    spelling = "utf8" if name in ("&str", "utf8") else str(name).lower()
    kind = TensorType(ElementType(spelling), tuple(dimensions))
    if kind.element_count != len(elements):
        raise ValueError(f"{len(elements)} elements for {kind}")
    return channel, kind, b"".join(_pack(kind.element, value) for value in elements)


def _sized(tensor: ModelTensor, size_bytes: int) -> TensorType:
    """Return the type of a model's tensor; one without a shape takes the rune's bytes."""
    if tensor.type is not None:
        return tensor.type
    return TensorType(tensor.element, (max(1, size_bytes // tensor.element.size_bytes),))


def _first_id(version: str | None) -> int:
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    if numbers is None:
        return 0
    return 1 if (int(numbers[1]), int(numbers[2])) >= _FIRST_ID_ONE else 0


def read_documents(kind: OutputKind, stage_id: int, content: bytes) -> list[tuple[int, Consumed]]:
    """Return what an output is handed at once, with the channels that it is for.

    For TENSOR these are tensors in binary. Else it is JSON: one tensor, a list of them, or, as
    runes of 2020 write, anything at all, which is for the output itself.

    Raises:
        RuneError: R0710, it is none of these.
    """
    try:
        if kind is OutputKind.TENSOR:
            return [(stage_id, (tensor, data)) for tensor, data in parse_output_bytes(content)]
        text = minified_json(content)
        document = json.loads(text)
        items = document if isinstance(document, list) else [document]
        if not items or not all(_is_tensor(item) for item in items):
            return [(stage_id, Document(text))]
        tensors = [parse_output(item) for item in items]
    except (ValueError, RecursionError) as error:
        raise bad_host_call("consume_output", f"an output that cannot be read: {error}") from None
    return [(channel, (tensor, data)) for channel, tensor, data in tensors]


def _is_tensor(document: Any) -> bool:
    """Whether a document is meant to be one, right or wrong."""
    return isinstance(document, dict) and "type_name" in document


def by_channel(consumed: Iterable[tuple[int, Consumed]]) -> Outputs:
    """Return what was consumed as the outputs of a run: channels in the order of their firsts."""
    found: dict[int, list[Consumed]] = {}
    for channel, item in consumed:
        found.setdefault(channel, []).append(item)
    return list(found.items())


class LegacyImports(Imports):
    """Host functions for a rune without our graph."""

    # A legacy rune does not name a pin: PIN was a number without a use.
    output_kinds = OUTPUT_KINDS - {OutputKind.PIN}

    def __init__(self, rune: Rune, surroundings: Surroundings) -> None:
        super().__init__(rune, surroundings)
        self._next_id = _first_id(rune.version)
        self._capabilities: dict[int, tuple[CapabilityKind, dict[str, int | float]]] = {}
        self._outputs: dict[int, OutputKind] = {}
        self._models: dict[int, tuple[HostModel, list[TensorType], list[TensorType]]] = {}
        self._model_files: dict[int, ModelFile] = {}
        self._consumed: list[tuple[int, Consumed]] = []
        self._consumed_bytes = 0

    def begin_run(self) -> None:
        """Forget what belongs to the run before."""
        super().begin_run()
        self._consumed = []
        self._consumed_bytes = 0

    def take_outputs(self) -> Outputs:
        """Return the output of the run."""
        return by_channel(self._consumed)

    def log_backtrace(self) -> None:
        """Versions of 2021 request a backtrace when they panic; it is ignored."""

    # --- capabilities ------------------------------------------------------------------------

    def request_capability(self, kind: int) -> int:
        """Assign an id to a capability."""
        wanted = self.capability_kind(kind)
        capability = self.take_id()
        self._capabilities[capability] = (wanted, {})
        return capability

    def request_capability_set_param(  # noqa: PLR0917 - the host function's own
        self, stage_id: int, key: int, key_length: int, value: int, length: int, value_type: int
    ) -> int:
        """Keep a parameter for the provider."""
        function = "request_capability_set_param"
        name = self.name(function, key, key_length)
        if length > _VALUE_BYTES_MAX:
            raise bad_host_call(function, f"a value of {length} bytes")
        content = self.read(function, value, length)
        given = parameter_value(function, content, value_type)
        parameters = self._capability(function, stage_id)[1]
        parameters[name] = given
        return 0

    def request_provider_response(self, buffer: int, length: int, stage_id: int) -> int:
        """Fill a buffer with a capability's data."""
        function = "request_provider_response"
        kind, parameters = self._capability(function, stage_id)
        self.read(function, buffer, length)
        data = self._surroundings.need(kind, parameters, length, None)
        self.write(function, buffer, data)
        self.trace([f"number {stage_id}"], kind.name, outputs=[(None, data)])
        return length

    def _capability(
        self, function: str, stage_id: int
    ) -> tuple[CapabilityKind, dict[str, int | float]]:
        if stage_id not in self._capabilities:
            raise bad_host_call(function, f"{stage_id} is not a capability's id")
        return self._capabilities[stage_id]

    # --- models, first generation ------------------------------------------------------------

    def tfm_preload_model(self, model: int, length: int, _inputs: int, _outputs: int) -> int:
        """Keep a model of one input and one output.

        The last two arguments are numbers of elements in 2020, later of tensors: the file decides.
        """
        function = "tfm_preload_model"
        file = ModelFile(self.read(function, model, length))
        try:
            info = file.info
        except UserFileError as error:
            raise no_model(f"with the id {self._next_id}", error) from None
        if (len(info.inputs), len(info.outputs)) != (1, 1):
            what = f"{len(info.inputs)} inputs and {len(info.outputs)} outputs"
            raise unsupported_legacy(f"a model with {what}")
        stage_id = self.take_id()
        self._model_files[stage_id] = file
        return stage_id

    def tfm_model_invoke(
        self, stage_id: int, source: int, source_bytes: int, target: int, target_bytes: int
    ) -> int:
        """Run a model; the sizes of the buffers must be those of its tensors."""
        function = "tfm_model_invoke"
        if stage_id not in self._model_files:
            raise bad_host_call(function, f"{stage_id} is not a model's id")
        if stage_id not in self._models:
            file = self._model_files[stage_id]
            info = file.info
            said = (
                [_sized(info.inputs[0], source_bytes)],
                [_sized(info.outputs[0], target_bytes)],
            )
            name = f"with the id {stage_id}"
            engine = HostModel(name, file, said, self._surroundings.warn)
            self._models[stage_id] = (engine, engine.inputs, engine.outputs)
        engine, inputs, outputs = self._models[stage_id]
        sizes = (inputs[0].size_bytes, outputs[0].size_bytes)
        if (source_bytes, target_bytes) != sizes:
            raise bad_host_call(
                function, f"{source_bytes} and {target_bytes} bytes for tensors of {sizes}"
            )
        data = self.read(function, source, source_bytes)
        self.read(function, target, target_bytes)
        (result,) = engine.infer([data])
        self.write(function, target, result)
        self.trace([f"number {stage_id}"], "model", [(inputs[0], data)], [(outputs[0], result)])
        return 0

    # --- models, second generation -----------------------------------------------------------

    def _descriptions(self, at: int, count: int) -> list[TensorType]:
        function = "rune_model_load"
        if count > _TENSORS_MAX:
            raise bad_host_call(function, f"{count} tensors")
        words = self.pointers(function, at, 2 * count)
        texts = [
            self.name(function, start, length)
            for start, length in zip(words[::2], words[1::2], strict=True)
        ]
        try:
            return [TensorType.parse(text.strip().lower()) for text in texts]
        except ValueError as error:
            raise bad_host_call(function, str(error)) from None

    def rune_model_load(  # noqa: PLR0917 - the host function's own
        self,
        mime: int,
        mime_length: int,
        model: int,
        length: int,
        inputs: int,
        input_count: int,
        outputs: int,
        output_count: int,
    ) -> int:
        """Open a model in linear memory."""
        function = "rune_model_load"
        kind = self.name(function, mime, mime_length)
        if not kind.endswith("tflite-model"):
            raise unsupported_model(kind)
        file = ModelFile(self.read(function, model, length))
        said = self._descriptions(inputs, input_count), self._descriptions(outputs, output_count)
        stage_id = self.take_id()
        engine = HostModel(f"with the id {stage_id}", file, said, self._surroundings.warn)
        self._models[stage_id] = (engine, *said)
        return stage_id

    def rune_model_infer(self, stage_id: int, inputs: int, outputs: int) -> int:
        """Run a model from and to linear memory."""
        function = "rune_model_infer"
        if stage_id not in self._models:
            raise bad_host_call(function, f"{stage_id} is not a model's id")
        engine, input_types, output_types = self._models[stage_id]
        sources = self.pointers(function, inputs, len(input_types))
        targets = self.pointers(function, outputs, len(output_types))
        given = [
            self.read(function, at, kind.size_bytes)
            for at, kind in zip(sources, input_types, strict=True)
        ]
        results = engine.infer(given)
        for at, data in zip(targets, results, strict=True):
            self.write(function, at, data)
        self.trace(
            [f"number {stage_id}"],
            "model",
            list(zip(input_types, given, strict=True)),
            list(zip(output_types, results, strict=True)),
        )
        return 0

    # --- outputs -----------------------------------------------------------------------------

    def request_output(self, kind: int) -> int:
        """Assign an id to an output."""
        wanted = self.output_kind(kind)
        output = self.take_id()
        self._outputs[output] = wanted
        return output

    def consume_output(self, stage_id: int, buffer: int, length: int) -> int:
        """Take what is written as JSON, or for TENSOR in binary."""
        function = "consume_output"
        if stage_id not in self._outputs:
            raise bad_host_call(function, f"{stage_id} is not an output's id")
        content = self.read(function, buffer, length)
        self._consumed_bytes += length
        if self._consumed_bytes > _OUTPUT_BYTES_MAX:
            raise too_much_output(f"more than {_OUTPUT_BYTES_MAX} bytes of output in a run")
        found = read_documents(self._outputs[stage_id], stage_id, content)
        self._consumed += found
        taken: list[Typed] = [
            (None, item.text.encode()) if isinstance(item, Document) else item for _, item in found
        ]
        self.trace([f"number {stage_id}"], self._outputs[stage_id].name, taken)
        return 0
