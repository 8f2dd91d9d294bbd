"""Rules of a graph: limits of ABI 1, order, ids."""

from __future__ import annotations

import math

from runec.container import limits
from runec.container.errors import inconsistent, over_limit
from runec.container.graph import Graph, GraphOutput
from runec.container.module import CodeMap
from runec.pipeline import PIN_NAME, ElementType, OutputKind, ResourceWords


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise over_limit(f"{count} {what}, {most} are allowed")


def _check_name(name: str, what: str) -> None:
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > limits.MAX_NAME_BYTES:
        raise over_limit(
            f"the name of {what} has {size} bytes, {limits.MAX_NAME_BYTES} are allowed"
        )
    if not name:
        raise inconsistent(f"{what} has no name")


def _check_sizes(graph: Graph) -> None:
    for items, most, what in (
        (graph.stages, limits.MAX_STAGES, "stages"),
        (graph.capabilities, limits.MAX_CAPABILITIES, "capabilities"),
        (graph.models, limits.MAX_MODELS, "models"),
        (graph.outputs, limits.MAX_OUTPUTS, "outputs"),
        (graph.resources, limits.MAX_RESOURCES, "resources"),
        (graph.tensors, limits.MAX_TENSORS, "tensors"),
    ):
        _check_count(len(items), most, what)
    _check_name(graph.name, "the rune")
    for name in graph.stages:
        _check_name(name, "a stage")
    for name in graph.resources:
        _check_name(name, "a resource")
    for capability in graph.capabilities.values():
        _check_count(len(capability.parameters), limits.MAX_PARAMETERS, "capability parameters")
        for name in capability.parameters:
            _check_name(name, "a capability parameter")
    for model in graph.models.values():
        _check_name(model.format, "a model's format")
        _check_count(model.arena, limits.MAX_INTEGER, "bytes of arena")
        for operator in model.operators:
            _check_name(operator.name, "an operator")
        if len(set(model.operators)) != len(model.operators):
            raise inconsistent("duplicate operator of a model")
    for tensor in graph.tensors:
        _check_count(len(tensor.dimensions), limits.MAX_RANK, "dimensions")
        is_too_large = tensor.element_count > limits.MAX_ELEMENTS
        if not tensor.dimensions or 0 in tensor.dimensions or is_too_large:
            raise inconsistent(f"a tensor of the type {tensor}")
    for value in (
        number
        for values in (
            *(stage.parameters for stage in graph.capabilities.values()),
            *(stage.arguments for stage in graph.proc_blocks.values()),
        )
        for number in values.values()
    ):
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise over_limit("an integer of more than 64 bits")
        if isinstance(value, float) and not math.isfinite(value):
            raise inconsistent(f"the number {value}")


def _check_stages(graph: Graph) -> None:
    groups = (graph.capabilities, graph.proc_blocks, graph.models, graph.outputs)
    if len(set(graph.stages)) != len(graph.stages):
        raise inconsistent("duplicate stage")
    if sum(len(group) for group in groups) != len(graph.stages):
        raise inconsistent("'stages' does not list every stage")
    for group in groups:
        if list(group) != [name for name in graph.stages if name in group]:
            raise inconsistent("the stages are not in execution order")
    produced = 0
    for name in graph.stages:
        inputs, outputs = graph.stage_tensors(name)
        _check_count(len(inputs), limits.MAX_STAGE_TENSORS, f"inputs of the stage {name!r}")
        _check_count(len(outputs), limits.MAX_STAGE_TENSORS, f"outputs of the stage {name!r}")
        if any(tensor >= produced for tensor in inputs):
            raise inconsistent(f"the stage {name!r} reads a tensor before it is written")
        if outputs != tuple(range(produced, produced + len(outputs))):
            raise inconsistent(f"the outputs of the stage {name!r} are not numbered in order")
        if (name in graph.models or name in graph.outputs) and not inputs:
            raise inconsistent(f"the stage {name!r} has no inputs")
        if name not in graph.outputs and not outputs:
            raise inconsistent(f"the stage {name!r} has no outputs")
        produced += len(outputs)
    if produced != len(graph.tensors):
        raise inconsistent(f"{len(graph.tensors)} tensors are listed, {produced} are produced")


def _check_ids(graph: Graph) -> None:
    capabilities = [stage.id for stage in graph.capabilities.values()]
    if capabilities != list(range(1, len(capabilities) + 1)):
        raise inconsistent("the ids of the capabilities are not numbered from 1")
    later = [stage.id for stage in graph.models.values()]
    later += [stage.id for stage in graph.outputs.values()]
    if not later:
        return
    # The rune opens resources between the capabilities and the models.
    opened = later[0] - (len(capabilities) + 1)
    if not 0 <= opened <= limits.MAX_RESOURCES * limits.MAX_STAGES:
        raise inconsistent("the ids do not continue those of the capabilities")
    if later != list(range(later[0], later[0] + len(later))):
        raise inconsistent("the ids of models and outputs are not consecutive")


def _check_pin(graph: Graph, name: str, output: GraphOutput) -> None:
    if (output.pin is not None) != (output.kind is OutputKind.PIN):
        raise inconsistent(
            f"the output {name!r} has a pin but is not a PIN, or is a PIN without a pin"
        )
    if output.pin is None:
        return
    if not PIN_NAME.fullmatch(output.pin.name):
        raise inconsistent(f"the output {name!r} has a pin without a name")
    tensors = [graph.tensors[number] for number in output.inputs]
    if [tensor.element_count for tensor in tensors] != [1] or tensors[
        0
    ].element is ElementType.UTF8:
        raise inconsistent(f"the PIN {name!r} does not have one number")


def _check_code_map(graph: Graph, code_map: CodeMap) -> None:
    if list(code_map.functions) != list(graph.proc_blocks):
        raise inconsistent("'functions' does not list every block in execution order")
    if len(set(code_map.functions.values())) != len(code_map.functions):
        raise inconsistent("two blocks have the same function")
    if len(code_map.addresses) != len(graph.tensors):
        raise inconsistent(f"{len(graph.tensors)} tensors have {len(code_map.addresses)} addresses")
    for number, (address, tensor) in enumerate(zip(code_map.addresses, graph.tensors, strict=True)):
        if address % limits.TENSOR_ALIGNMENT:
            raise inconsistent(
                f"the address of tensor {number} is not a multiple of {limits.TENSOR_ALIGNMENT}"
            )
        if address + tensor.size_bytes > graph.memory_used:
            raise inconsistent(f"tensor {number} lies outside the memory in use")


def check_graph(graph: Graph) -> None:
    """Check the consistency of a graph.

    Raises:
        RuneFileError: R0607, a limit of ABI 1; R0608, another rule.
    """
    _check_sizes(graph)
    _check_stages(graph)
    _check_ids(graph)
    for name, model in graph.models.items():
        if model.resource not in graph.resources:
            raise inconsistent(f"the model {name!r} uses no resource of the rune")
    for name, stage in graph.proc_blocks.items():
        for value in stage.arguments.values():
            if isinstance(value, ResourceWords) and value.resource not in graph.resources:
                raise inconsistent(f"the block {name!r} reads no resource of the rune")
    for name, output in graph.outputs.items():
        _check_pin(graph, name, output)
    by_bytes = sorted(graph.resources, key=lambda name: name.encode("utf-8", "surrogatepass"))
    if list(graph.resources) != by_bytes:
        raise inconsistent("the resources are not in order of name")
    if graph.memory_stack > graph.memory_used:
        raise inconsistent("the stack is larger than the memory")
    if graph.code_map is not None:
        _check_code_map(graph, graph.code_map)
