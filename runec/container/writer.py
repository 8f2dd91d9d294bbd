"""Writing a .rune: docs/spec/rune.md. The same inputs result in the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from runec import __version__
from runec.container import limits
from runec.container.errors import inconsistent
from runec.container.graph import (
    Graph,
    GraphCapability,
    GraphModel,
    GraphOperator,
    GraphOutput,
    GraphProcBlock,
    GraphResource,
)
from runec.container.graph_json import encode_graph
from runec.container.module import WasmModule
from runec.container.reader import (
    DIGEST_SECTION,
    GRAPH_SECTION,
    PAD_SECTION,
    RESOURCE_SECTION,
    VERSION_SECTION,
    Rune,
    read_rune,
)
from runec.container.wasm import custom_section
from runec.pipeline import Model, Pipeline, Tensor


def _ids(tensors: tuple[Tensor, ...]) -> tuple[int, ...]:
    return tuple(tensor.id for tensor in tensors)


def _graph_model(stage: Model, stage_id: int) -> GraphModel:
    file = stage.file
    operators = () if file is None else file.info.operators
    return GraphModel(
        id=stage_id,
        format=stage.format,
        resource=stage.resource,
        inputs=_ids(stage.inputs),
        outputs=_ids(stage.outputs),
        arena=0 if file is None else file.arena_bytes,
        operators=tuple(GraphOperator(item.name, item.version) for item in operators),
    )


def build_graph(pipeline: Pipeline, module: WasmModule) -> Graph:
    """Return the graph of a pipeline and its module.

    Raises:
        UserFileError: R03xx, a model that cannot be read.
    """
    capabilities = {
        stage.name: GraphCapability(number, stage.kind, stage.parameters, stage.outputs[0].id)
        for number, stage in enumerate(pipeline.capabilities, 1)
    }
    first_model = 1 + len(capabilities) + len(pipeline.opened)
    models = {
        stage.name: _graph_model(stage, number)
        for number, stage in enumerate(pipeline.models, first_model)
    }
    outputs = {
        stage.name: GraphOutput(number, stage.kind, _ids(stage.inputs), stage.pin)
        for number, stage in enumerate(pipeline.outputs, first_model + len(models))
    }
    proc_blocks = {
        stage.name: GraphProcBlock(
            stage.block.name, stage.path, stage.arguments, _ids(stage.inputs), _ids(stage.outputs)
        )
        for stage in pipeline.proc_blocks
    }
    resources = {
        name: GraphResource(
            None if resource.data is None else len(resource.data),
            None if resource.data is None else hashlib.sha256(resource.data).hexdigest(),
        )
        for name, resource in sorted(
            pipeline.resources.items(), key=lambda item: item[0].encode("utf-8", "surrogatepass")
        )
    }
    return Graph(
        abi=limits.ABI,
        name=pipeline.name,
        code_bytes=len(module.code),
        code_sha256=hashlib.sha256(module.code).hexdigest(),
        memory_used=module.memory_bytes,
        memory_stack=module.stack_bytes,
        stages=tuple(stage.name for stage in pipeline.stages),
        capabilities=capabilities,
        proc_blocks=proc_blocks,
        models=models,
        outputs=outputs,
        resources=resources,
        tensors=tuple(tensor.type for tensor in pipeline.tensors),
        code_map=module.code_map,
    )


def _append_resource(file: bytearray, name: str, data: bytes) -> None:
    label = name.encode()
    entry = len(label).to_bytes(4, "big") + label + len(data).to_bytes(4, "big") + data
    section = custom_section(RESOURCE_SECTION, entry)
    empty_pad = custom_section(PAD_SECTION, b"")
    data_start = len(file) + len(empty_pad) + len(section) - len(data)
    file += custom_section(PAD_SECTION, bytes(-data_start % limits.RESOURCE_ALIGNMENT))
    file += section


def assemble(graph: Graph, code: bytes, resources: Mapping[str, bytes | None]) -> bytes:
    """Return the bytes of a .rune, unchecked but for the graph.

    Raises:
        RuneFileError: R0607 or R0608, the graph cannot be written.
    """
    file = bytearray(code)
    file += custom_section(VERSION_SECTION, f'{{"version":"{__version__}"}}'.encode())
    file += custom_section(GRAPH_SECTION, encode_graph(graph))
    for name in graph.resources:
        data = resources[name]
        if data is not None:
            _append_resource(file, name, data)
    file += custom_section(DIGEST_SECTION, hashlib.sha256(file).digest())
    return bytes(file)


def write_rune(pipeline: Pipeline, module: WasmModule) -> Rune:
    """Return a pipeline and its module as a .rune, read back from its bytes.

    Raises:
        UserFileError: R03xx, a model that cannot be read; R0607, the pipeline is larger than ABI 1
            allows; R0608 or R0609, the module does not fit the pipeline.
    """
    graph = build_graph(pipeline, module)
    data = assemble(
        graph, module.code, {name: item.data for name, item in pipeline.resources.items()}
    )
    models = {stage.resource: stage.file for stage in pipeline.models if stage.file is not None}
    rune = read_rune(data, models=models)
    if rune.graph != graph:
        raise inconsistent("the written file cannot be read")
    return rune
