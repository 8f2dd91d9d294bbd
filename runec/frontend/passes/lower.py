"""From everything the passes found to the `Pipeline`. Nothing can be wrong any more."""

from __future__ import annotations

from collections.abc import Mapping

from runec.frontend.ast import CapabilityNode, ModelNode, ProcBlockNode, ResourceRef
from runec.frontend.passes.arguments import block_argument_names
from runec.frontend.passes.resources import Resources
from runec.frontend.passes.types import Facts, Typed
from runec.frontend.passes.unused import used_resources
from runec.pipeline import (
    ArgumentValue,
    Capability,
    Model,
    Output,
    Pipeline,
    ProcBlock,
    Resource,
    ResourceWords,
    Stage,
    Tensor,
)
from runec.proc_blocks import split_words

# Words of a Runefile up to here are compiled into the module: they are found at once.
COMPILED_WORDS_BYTES = 1024


def lower(
    name: str, order: tuple[str, ...], facts: Facts, typed: Typed, resources: Resources
) -> Pipeline:
    """Build the pipeline: stages in execution order, tensors numbered in order of production."""
    tensors: dict[str, tuple[Tensor, ...]] = {}
    count = 0
    stages: list[Stage] = []
    carried = _carried(facts, resources)
    resolved: dict[str, Resource] = {}  # models that are resources
    files: dict[bytes, Resource] = {}  # models that are files: those with the same bytes are one
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
            number = len(stages) + 1
            block = facts.blocks[stage_name]
            arguments = _moved_to_flash(number, typed.arguments[stage_name], carried)
            stages.append(
                ProcBlock(
                    stage_name,
                    block,
                    f"./{block.name}" if block.is_own else node.path.text,
                    arguments,
                    inputs,
                    outputs,
                    node.span,
                )
            )
        elif isinstance(node, ModelNode):
            model = typed.models.get(stage_name) or facts.models[stage_name]
            resource = model.resource
            if not isinstance(node.model, ResourceRef) and resource.data is not None:
                resource = files.setdefault(resource.data, resource)
            elif resolved.setdefault(resource.name, resource) != resource:
                # Two models of one resource with other inputs, and so with other shapes.
                resource = Resource(f"{len(stages) + 1}.model", resource.data)
            carried[resource.name] = resource
            stages.append(
                Model(
                    stage_name,
                    resource.name,
                    model.format,
                    inputs,
                    outputs,
                    node.span,
                    model.file,
                )
            )
        else:
            kind_of_out, pin = facts.output_kinds[stage_name], facts.pins.get(stage_name)
            stages.append(Output(stage_name, kind_of_out, inputs, node.span, pin))
    by_name = {key: carried[key] for key in sorted(carried, key=str.encode)}
    return Pipeline(name, tuple(stages), by_name, _opened(order, facts))


def _moved_to_flash(
    number: int, arguments: Mapping[str, ArgumentValue], carried: dict[str, Resource]
) -> dict[str, ArgumentValue]:
    """Make a resource of each long list of words, so that it takes no RAM and no room in the graph.

    `number` is the stage's, counted from 1; the resource is called after it and the argument, with
    a dot, so that no resource of a Runefile has that name.
    """
    moved = dict(arguments)
    for name, value in arguments.items():
        if not isinstance(value, tuple):
            continue
        text = "\n".join(value)
        if len(text.encode()) <= COMPILED_WORDS_BYTES or split_words(text) != value:
            continue
        resource = Resource(f"{number}.{name}", text.encode())
        carried[resource.name] = resource
        moved[name] = ResourceWords(resource.name)
    return moved


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
