"""An original rune (2020 to 2022) for devices: its module, and beside it what it asks for.

docs/spec/rune.md, section 5. What it asks for is found out by running its `_manifest`
(`runec.vm.device_rune`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from runec.container import limits
from runec.container.errors import inconsistent
from runec.container.graph import (
    Graph,
    GraphCapability,
    GraphModel,
    GraphOperator,
    GraphOutput,
    GraphResource,
)
from runec.container.reader import Rune, read_rune
from runec.container.wasm import CUSTOM, MAGIC
from runec.container.writer import assemble
from runec.diagnostics import UserFileError
from runec.models import ModelFile, ModelTensor
from runec.pipeline import EXECUTED_FORMAT, CapabilityKind, OutputKind, ParameterValue, TensorType

_NO_NAME = "original"


@dataclass(frozen=True)
class Recorded:
    """What `_manifest` of an original asks for, by the ids that it got.

    `models` holds their files, `memory_pages` what its linear memory is to grow to.
    """

    first_id: int
    capabilities: Mapping[int, tuple[CapabilityKind, Mapping[str, ParameterValue]]]
    models: Mapping[int, bytes]
    outputs: Mapping[int, OutputKind]
    memory_pages: int


def _resources(rune: Rune, models: Mapping[int, bytes]) -> tuple[dict[str, bytes], dict[int, str]]:
    """Return all resources by name, in order, and which of them holds each model."""
    found = {name: data for name, data in rune.resources.items() if data is not None}
    held: dict[bytes, str] = {}
    for number, data in models.items():
        name = f"model {number}"
        while data not in held and name in found:
            name += "'"
        held.setdefault(data, name)
        found[held[data]] = data
    ordered = sorted(found.items(), key=lambda item: item[0].encode())
    return dict(ordered), {number: held[data] for number, data in models.items()}


def _shaped(tensor: ModelTensor) -> TensorType:
    if tensor.type is None:
        raise UserFileError(
            "R0323",
            f"its model has no shape for the tensor {tensor.name!r}, which a device must know",
            hint="run the rune on this computer, or build it again from its Runefile",
        )
    return tensor.type


def write_described(rune: Rune, recorded: Recorded) -> bytes:
    """Return the bytes of an original with its description; its module stays as it is.

    Raises:
        UserFileError: R03xx, a model that cannot be read; R0607, it asks for more than a device has
            tables for; R0608 or R0609, its module is no rune's.
    """
    standard = [section for section in rune.sections if section.id != CUSTOM]
    code = MAGIC + b"".join(rune.data[section.start : section.end] for section in standard)
    resources, held = _resources(rune, recorded.models)
    tensors: list[TensorType] = []
    models = {}
    for number, data in sorted(recorded.models.items()):
        model = ModelFile(data)
        info = model.info
        numbers = []
        for side in (info.inputs, info.outputs):
            numbers.append(tuple(range(len(tensors), len(tensors) + len(side))))
            tensors += [_shaped(tensor) for tensor in side]
        models[f"model {number}"] = GraphModel(
            id=number,
            format=EXECUTED_FORMAT,
            resource=held[number],
            inputs=numbers[0],
            outputs=numbers[1],
            arena=model.arena_bytes,
            operators=tuple(GraphOperator(item.name, item.version) for item in info.operators),
        )
    capabilities = {
        f"capability {number}": GraphCapability(number, kind, dict(parameters), None)
        for number, (kind, parameters) in sorted(recorded.capabilities.items())
    }
    outputs = {
        f"output {number}": GraphOutput(number, kind, ())
        for number, kind in sorted(recorded.outputs.items())
    }
    ids = {
        name: stage.id for group in (capabilities, models, outputs) for name, stage in group.items()
    }
    graph = Graph(
        abi=limits.ORIGINAL_ABI,
        name=rune.name or _NO_NAME,
        code_bytes=len(code),
        code_sha256=hashlib.sha256(code).hexdigest(),
        memory_used=recorded.memory_pages * limits.PAGE_BYTES,
        memory_stack=0,
        stages=tuple(sorted(ids, key=lambda name: ids[name])),
        capabilities=capabilities,
        proc_blocks={},
        models=models,
        outputs=outputs,
        resources={
            name: GraphResource(len(data), hashlib.sha256(data).hexdigest())
            for name, data in resources.items()
        },
        tensors=tuple(tensors),
        first_id=recorded.first_id,
    )
    data = assemble(graph, code, resources)
    if read_rune(data).graph != graph:
        raise inconsistent("what was written does not read back")
    return data
