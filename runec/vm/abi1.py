"""The host interface of ABI 1: docs/spec/rune.md, section 2.2.

The graph is authoritative: ids, kinds, lengths and order of a rune's requests must be the
graph's, or the call traps.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runec.container import Graph, GraphCapability, GraphOutput, Rune
from runec.pipeline import ElementType, TensorType
from runec.values import as_f32
from runec.vm.errors import bad_host_call, model_missing
from runec.vm.host_model import HostModel
from runec.vm.messages import Outputs
from runec.vm.output import split_text, text_size
from runec.vm.rune_imports import Imports, Surroundings, Typed

# Value types of request_capability_set_param.
_VALUE_TYPES: Mapping[int, ElementType] = {
    1: ElementType.I32,
    2: ElementType.F32,
    5: ElementType.U8,
    6: ElementType.I16,
    7: ElementType.I8,
}


def parameter_value(function: str, content: bytes, value_type: int) -> int | float:
    """Decode a capability parameter. Raises RuneError R0710."""
    kind = _VALUE_TYPES.get(value_type)
    if kind is None or kind.size_bytes != len(content):
        raise bad_host_call(function, f"{len(content)} bytes of the value type {value_type}")
    value: int | float = struct.unpack(f"<{kind.struct_code}", content)[0]
    return value


def _same(given: float, listed: float) -> bool:
    if isinstance(listed, float):
        listed = as_f32(listed)
    return given == listed and math.isfinite(listed)


@dataclass
class _Model:
    name: str
    engine: HostModel
    inputs: list[TensorType]
    outputs: list[TensorType]


class Abi1Imports(Imports):
    """Imports functions for a rune with a graph."""

    def __init__(self, rune: Rune, surroundings: Surroundings) -> None:
        super().__init__(rune, surroundings)
        self._graph: Graph = rune.require_graph()
        self._capabilities: dict[int, tuple[str, GraphCapability]] = {}
        self._outputs: dict[int, tuple[str, GraphOutput]] = {}
        self._models: dict[int, _Model] = {}
        self._consumed: dict[int, list[tuple[TensorType, bytes]]] = {}
        # Index of the stage that began last; -1 before the first.
        self._reached = -1
        self._is_inside = False
        self._given: list[Typed] = []
        self._first_id_of_calls: int | None = None

    def memory_limit(self, size: int) -> int:
        """A rune may name no more than the memory that its graph declares."""
        return min(size, self._graph.memory_used)

    def begin_run(self) -> None:
        """Forget what belongs to the run before."""
        super().begin_run()
        self._restart_ids()
        self._consumed = {}
        self._reached = -1
        self._is_inside = False

    def _restart_ids(self) -> None:
        """Take back the ids of the run before; after any number of runs there are ids left."""
        if self._first_id_of_calls is None:
            self._first_id_of_calls = self._next_id
        self._next_id = self._first_id_of_calls
        self._resources = {
            number: item for number, item in self._resources.items() if number < self._next_id
        }

    def take_outputs(self) -> Outputs:
        """Return the output of the run. Raises RuneError R0710 when an output is incomplete."""
        for name, output in self._graph.outputs.items():
            if len(self._consumed.get(output.id, ())) != len(output.inputs):
                raise bad_host_call("consume_output", f"the output {name} is incomplete")
        return list(self._consumed.items())

    def stage_name(self, number: int) -> str:
        """Return the name of the n-th stage, counted from 1."""
        stages = self._graph.stages
        return stages[number - 1] if 0 < number <= len(stages) else f"number {number}"

    def place(self) -> str:
        """Name the stage in which the rune is, if the host knows it."""
        if self.in_manifest:
            return "while it was set up"
        return f"in the stage {self._graph.stages[self._reached]}" if self._is_inside else ""

    # --- stages ------------------------------------------------------------------------------

    @property
    def step_count(self) -> int:
        """How many stages `_call` runs one by one: all, or none in a rune without a code map."""
        return 0 if self._graph.code_map is None else len(self._graph.stages)

    def begin_step(self, number: int) -> None:
        """The n-th stage is about to run."""
        self._reached = number - 1
        self._is_inside = True
        stage = self._graph.stages[self._reached]
        if self.is_traced and stage in self._graph.proc_blocks:
            # Now: a block that works in place overwrites its input.
            self._given = self._peek(self._graph.stage_tensors(stage)[0])
            self.lap()

    def end_step(self) -> None:
        """The stage that began last has returned."""
        self._is_inside = False
        stage = self._graph.stages[self._reached]
        if self.is_traced and stage in self._graph.proc_blocks:
            spent_ms = self.lap()
            made = self._peek(self._graph.stage_tensors(stage)[1])
            block = self._graph.proc_blocks[stage].block
            self.trace([stage], block, self._given, made, spent_ms)

    def _enter(self, stage: str) -> None:
        """A host function was called for a stage; without a code map this locates the rune."""
        if self.step_count:
            return
        index = self._graph.stages.index(stage)
        passed = self._graph.stages[self._reached + 1 : index]
        blocks = [name for name in passed if name in self._graph.proc_blocks]
        if blocks:
            kinds = dict.fromkeys(self._graph.proc_blocks[name].block for name in blocks)
            self.trace(blocks, ", ".join(kinds))
        self._reached = index
        self._is_inside = True

    def _leave(self) -> None:
        if not self.step_count:
            self._is_inside = False

    def _peek(self, tensors: Sequence[int]) -> list[Typed]:
        """Return the bytes at the addresses of the code map; text may be partly outside."""
        code_map = self._graph.code_map
        if code_map is None:
            return []
        memory = self._memory()[: self._graph.memory_used]
        found: list[Typed] = []
        for tensor in tensors:
            kind, at = self._graph.tensors[tensor], code_map.addresses[tensor]
            size = kind.size_bytes
            if kind.element is ElementType.UTF8:
                size = text_size(memory[at:], kind.element_count)
            data = bytes(memory[at : at + size])
            if len(data) == size:
                found.append((kind, data))
        return found

    def _only(self, function: str, *, in_manifest: bool) -> None:
        if self.in_manifest != in_manifest:
            where = "_manifest" if in_manifest else "_call"
            raise bad_host_call(function, f"it may be called from {where} only")

    # --- capabilities ------------------------------------------------------------------------

    def request_capability(self, kind: int) -> int:
        """Assign an id to the next capability of the graph."""
        self._only("request_capability", in_manifest=True)
        wanted = self.capability_kind(kind)
        stage_id = self.take_id()
        for name, capability in self._graph.capabilities.items():
            if capability.id == stage_id and capability.kind is wanted:
                self._capabilities[stage_id] = (name, capability)
                return stage_id
        raise bad_host_call(
            "request_capability", f"the graph lists no {wanted.name} with the id {stage_id}"
        )

    def request_capability_set_param(  # noqa: PLR0917 - the host function's own
        self, stage_id: int, key: int, key_length: int, value: int, length: int, value_type: int
    ) -> int:
        """Check a parameter against the graph, which is what hosts and devices go by."""
        function = "request_capability_set_param"
        self._only(function, in_manifest=True)
        _, capability = self._capability(function, stage_id)
        name = self.name(function, key, key_length)
        if length > 4:
            raise bad_host_call(function, f"a value of {length} bytes")
        given = parameter_value(function, self.read(function, value, length), value_type)
        listed = capability.parameters.get(name)
        if listed is None or not _same(given, listed):
            raise bad_host_call(function, f"{name} = {given}, which the graph does not list")
        return 0

    def request_provider_response(self, buffer: int, length: int, stage_id: int) -> int:
        """Fill a capability's tensor."""
        function = "request_provider_response"
        self._only(function, in_manifest=False)
        name, capability = self._capability(function, stage_id)
        self._enter(name)
        kind = self._graph.tensors[capability.tensor]
        if kind.element is not ElementType.UTF8 and length != kind.size_bytes:
            raise bad_host_call(function, f"{length} bytes for a tensor {kind}")
        self.read(function, buffer, length)
        data = self._surroundings.need(capability.kind, capability.parameters, length, kind.element)
        self.write(function, buffer, data)
        self.trace([name], capability.kind.name, outputs=[(kind, data)])
        self._leave()
        return length

    def _capability(self, function: str, stage_id: int) -> tuple[str, GraphCapability]:
        if stage_id not in self._capabilities:
            raise bad_host_call(function, f"{stage_id} is not a capability's id")
        return self._capabilities[stage_id]

    # --- models ------------------------------------------------------------------------------

    def rune_model_open(self, name: int, length: int) -> int:
        """Open the model that the graph lists under a stage's name."""
        function = "rune_model_open"
        self._only(function, in_manifest=True)
        stage = self.name(function, name, length)
        model = self._graph.models.get(stage)
        stage_id = self.take_id()
        if model is None or model.id != stage_id:
            raise bad_host_call(
                function, f"the graph lists no model {stage!r} with the id {stage_id}"
            )
        file = self._rune.models.get(model.resource)
        if file is None:
            raise model_missing(stage, model.resource)
        inputs = [self._graph.tensors[index] for index in model.inputs]
        outputs = [self._graph.tensors[index] for index in model.outputs]
        engine = HostModel(stage, file, (inputs, outputs), self._surroundings.warn)
        self._models[stage_id] = _Model(stage, engine, inputs, outputs)
        return stage_id

    def rune_model_infer(self, stage_id: int, inputs: int, outputs: int) -> int:
        """Run a model from and to linear memory."""
        function = "rune_model_infer"
        self._only(function, in_manifest=False)
        model = self._models.get(stage_id)
        if model is None:
            raise bad_host_call(function, f"{stage_id} is not a model's id")
        self._enter(model.name)
        sources = self.pointers(function, inputs, len(model.inputs))
        targets = self.pointers(function, outputs, len(model.outputs))
        given = [
            self.read(function, at, kind.size_bytes)
            for at, kind in zip(sources, model.inputs, strict=True)
        ]
        for at, kind in zip(targets, model.outputs, strict=True):
            self.read(function, at, kind.size_bytes)
        results = model.engine.infer(given)
        for at, data in zip(targets, results, strict=True):
            self.write(function, at, data)
        self.trace(
            [model.name],
            "model",
            list(zip(model.inputs, given, strict=True)),
            list(zip(model.outputs, results, strict=True)),
        )
        self._leave()
        return 0

    # --- outputs -----------------------------------------------------------------------------

    def request_output(self, kind: int) -> int:
        """Assign an id to the next output of the graph."""
        self._only("request_output", in_manifest=True)
        wanted = self.output_kind(kind)
        stage_id = self.take_id()
        for name, output in self._graph.outputs.items():
            if output.id == stage_id and output.kind is wanted:
                self._outputs[stage_id] = (name, output)
                return stage_id
        raise bad_host_call(
            "request_output", f"the graph lists no {wanted.name} with the id {stage_id}"
        )

    def consume_output(self, stage_id: int, buffer: int, length: int) -> int:
        """Take the next tensor of an output."""
        function = "consume_output"
        self._only(function, in_manifest=False)
        if stage_id not in self._outputs:
            raise bad_host_call(function, f"{stage_id} is not an output's id")
        name, output = self._outputs[stage_id]
        self._enter(name)
        taken = self._consumed.setdefault(stage_id, [])
        if len(taken) == len(output.inputs):
            raise bad_host_call(function, f"more tensors for {name} than the graph lists")
        kind = self._graph.tensors[output.inputs[len(taken)]]
        if kind.element is not ElementType.UTF8 and length != kind.size_bytes:
            raise bad_host_call(function, f"{length} bytes for a tensor {kind}")
        data = self.read(function, buffer, length)
        if kind.element is ElementType.UTF8:
            try:
                split_text(data, kind.element_count)
            except ValueError as error:
                raise bad_host_call(function, str(error)) from None
        taken.append((kind, data))
        self.trace([name], output.kind.name, [(kind, data)])
        self._leave()
        return 0
