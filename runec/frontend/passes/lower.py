"""From everything the passes found to the `Pipeline`. Nothing can be wrong any more."""

from __future__ import annotations

from runec.frontend.ast import CapabilityNode, ModelNode, ProcBlockNode, ResourceRef
from runec.frontend.passes.arguments import block_argument_names
from runec.frontend.passes.resources import Resources
from runec.frontend.passes.types import Facts, Typed
from runec.frontend.passes.unused import used_resources
from runec.pipeline import (
    Capability,
    Model,
    Output,
    Pipeline,
    ProcBlock,
    Resource,
    Stage,
    Tensor,
)

MODEL_FORMAT = "tensorflow-lite"


def lower(
    name: str, order: tuple[str, ...], facts: Facts, typed: Typed, resources: Resources
) -> Pipeline:
    """Build the pipeline: stages in execution order, tensors numbered in order of production."""
    tensors: dict[str, tuple[Tensor, ...]] = {}
    count = 0
    stages: list[Stage] = []
    carried = _carried(facts, resources)
    for stage_name in order:
        node = facts.names.stages[stage_name]
        edges = [edge for edge in facts.edges[stage_name] if edge is not None]
        inputs = tuple(tensors[edge.producer][edge.index] for edge in edges)
        given = typed.outputs.get(stage_name, ())
        outputs = tuple(
            Tensor(count + index, output.type, output.capacity_bytes)
            for index, output in enumerate(given)
        )
        count += len(outputs)
        tensors[stage_name] = outputs
        if isinstance(node, CapabilityNode):
            kind = facts.kinds[stage_name]
            parameters = dict(facts.parameters[stage_name])
            stages.append(Capability(stage_name, kind, parameters, (outputs[0],), node.span))
        elif isinstance(node, ProcBlockNode):
            block = facts.blocks[stage_name]
            stages.append(
                ProcBlock(
                    stage_name,
                    block.name,
                    f"./{block.name}" if block.is_own else node.path.text,
                    typed.arguments[stage_name],
                    inputs,
                    outputs,
                    node.span,
                    block.own_path,
                )
            )
        elif isinstance(node, ModelNode):
            resource = facts.models[stage_name].resource
            carried[resource.name] = resource
            stages.append(
                Model(stage_name, resource.name, MODEL_FORMAT, inputs, outputs, node.span)
            )
        else:
            stages.append(Output(stage_name, facts.output_kinds[stage_name], inputs, node.span))
    by_name = {key: carried[key] for key in sorted(carried, key=str.encode)}
    return Pipeline(name, tuple(stages), by_name, _opened(order, facts))


def _opened(order: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """The resource of each `$NAME` of a block, then of each model, in execution order."""
    of_blocks = [
        argument.value
        for name in order
        if name in facts.blocks
        for argument in facts.names.stages[name].arguments
        if argument.name in block_argument_names(facts.blocks[name])
    ]
    stages = (facts.names.stages[name] for name in order)
    of_models = [stage.model for stage in stages if isinstance(stage, ModelNode)]
    return tuple(value.name for value in (*of_blocks, *of_models) if isinstance(value, ResourceRef))


def _carried(facts: Facts, resources: Resources) -> dict[str, Resource]:
    """The declared resources that something uses."""
    used = used_resources(facts.names, facts.arguments)
    return {
        name: Resource(name, resource.data)
        for name, resource in resources.loaded.items()
        if name in used
    }
