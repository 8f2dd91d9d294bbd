"""The typed form of `.rune_graph`: docs/spec/rune.md, section 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runec.container import limits
from runec.container.module import CodeMap
from runec.pipeline import (
    ArgumentValue,
    CapabilityKind,
    OutputKind,
    ParameterValue,
    Pin,
    ResourceWords,
    TensorType,
)


@dataclass(frozen=True, slots=True)
class GraphCapability:
    """A capability: the id that `request_capability` returns, and the tensor it fills."""

    id: int
    kind: CapabilityKind
    parameters: Mapping[str, ParameterValue]
    tensor: int


@dataclass(frozen=True, slots=True)
class GraphProcBlock:
    """A processing block, for documentation and tools; not needed to run the rune."""

    block: str
    path: str
    arguments: Mapping[str, ArgumentValue]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GraphOperator:
    """An operator of TensorFlow Lite, by the schema's name."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class GraphModel:
    """A model: its resource, and facts that a device needs before it opens it."""

    id: int
    format: str
    resource: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arena: int
    operators: tuple[GraphOperator, ...]


@dataclass(frozen=True, slots=True)
class GraphOutput:
    """An output: the id that `request_output` returns, and the tensors it consumes in order.

    `pin` is the pin of a PIN, else None.
    """

    id: int
    kind: OutputKind
    inputs: tuple[int, ...]
    pin: Pin | None = None


@dataclass(frozen=True, slots=True)
class GraphResource:
    """Length and SHA-256 of a resource; both None for one that is given at run time."""

    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of a .rune. Maps have execution order, resources the order of names.

    `code_map` is None in a rune of runec 0.1, and where another tool left it out.
    """

    abi: int
    name: str
    code_bytes: int
    code_sha256: str
    memory_used: int
    memory_stack: int
    stages: tuple[str, ...]
    capabilities: Mapping[str, GraphCapability]
    proc_blocks: Mapping[str, GraphProcBlock]
    models: Mapping[str, GraphModel]
    outputs: Mapping[str, GraphOutput]
    resources: Mapping[str, GraphResource]
    tensors: tuple[TensorType, ...]
    code_map: CodeMap | None = None

    def read_resources(self) -> frozenset[str]:
        """Return the resources that the rune reads when it runs: models, and words of blocks."""
        words = (
            value.resource
            for stage in self.proc_blocks.values()
            for value in stage.arguments.values()
            if isinstance(value, ResourceWords)
        )
        return frozenset((*words, *(model.resource for model in self.models.values())))

    def stage_tensors(self, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the ids of a stage's inputs and outputs."""
        if name in self.capabilities:
            return (), (self.capabilities[name].tensor,)
        if name in self.outputs:
            return self.outputs[name].inputs, ()
        stage = self.models[name] if name in self.models else self.proc_blocks[name]
        return stage.inputs, stage.outputs


def _argument(value: ArgumentValue) -> Any:
    if isinstance(value, ResourceWords):
        return {"resource": value.resource}
    return list(value) if isinstance(value, tuple) else value


def _pin(pin: Pin | None) -> dict[str, Any]:
    return {} if pin is None else {"pin": pin.name, "active-low": int(pin.active_low)}


def _code_map(code_map: CodeMap | None) -> dict[str, Any]:
    if code_map is None:
        return {}
    return {"functions": dict(code_map.functions), "addresses": list(code_map.addresses)}


def graph_document(graph: Graph) -> dict[str, Any]:
    """Return a graph as the JSON value that `encode_graph` writes."""
    return {
        "abi": graph.abi,
        **({} if graph.code_map is None else {"minor": limits.CODE_MAP_MINOR}),
        "rune": {"name": graph.name},
        "code": {"bytes": graph.code_bytes, "sha256": graph.code_sha256},
        "memory": {"used": graph.memory_used, "stack": graph.memory_stack},
        "stages": list(graph.stages),
        "capabilities": {
            name: {
                "id": stage.id,
                "kind": stage.kind.name,
                "parameters": dict(stage.parameters),
                "outputs": [stage.tensor],
            }
            for name, stage in graph.capabilities.items()
        },
        "proc-blocks": {
            name: {
                "block": stage.block,
                "path": stage.path,
                "arguments": {key: _argument(value) for key, value in stage.arguments.items()},
                "inputs": list(stage.inputs),
                "outputs": list(stage.outputs),
            }
            for name, stage in graph.proc_blocks.items()
        },
        "models": {
            name: {
                "id": stage.id,
                "format": stage.format,
                "resource": stage.resource,
                "inputs": list(stage.inputs),
                "outputs": list(stage.outputs),
                "arena": stage.arena,
                "operators": [
                    {"name": operator.name, "version": operator.version}
                    for operator in stage.operators
                ],
            }
            for name, stage in graph.models.items()
        },
        "outputs": {
            name: {
                "id": stage.id,
                "kind": stage.kind.name,
                "inputs": list(stage.inputs),
                **_pin(stage.pin),
            }
            for name, stage in graph.outputs.items()
        },
        "resources": {
            name: {"bytes": None}
            if resource.bytes is None
            else {"bytes": resource.bytes, "sha256": resource.sha256}
            for name, resource in graph.resources.items()
        },
        "tensors": [
            {"element-type": tensor.element.value, "dimensions": list(tensor.dimensions)}
            for tensor in graph.tensors
        ],
        **_code_map(graph.code_map),
    }
