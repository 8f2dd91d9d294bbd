"""Every name once, and no more of anything than the file format holds (docs/spec/rune.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runec.diagnostics import Diagnostics, Label, Span
from runec.frontend.ast import (
    CapabilityNode,
    Document,
    ModelNode,
    OutNode,
    ResourceNode,
    StageNode,
    Text,
    declared_outputs,
    stage_inputs,
)

MAX_NAME_BYTES = 64
MAX_STAGES = 32
MAX_OF_A_KIND = 8
MAX_RESOURCES = 16
MAX_TENSORS = 64
MAX_SIDE = 32
MAX_DIMENSIONS = 8


class NameTable(msgspec.Struct, frozen=True):
    """Stages and resources by name, in source order; where one is defined twice, the first."""

    stages: dict[str, StageNode]
    resources: dict[str, ResourceNode]


def check_names(document: Document, diagnostics: Diagnostics) -> NameTable:
    """Report names that are defined twice or too long; return what each name means."""
    table = NameTable({}, {})
    seen: dict[str, Text] = {}
    for item in (*document.stages, *document.resources):
        name = item.name
        if len(name.text) > MAX_NAME_BYTES:
            hint = f"shorten the name to {MAX_NAME_BYTES} letters, here and where it is used"
            what = f"{len(name.text)} bytes in a name"
            _limit(diagnostics, name.span, what, MAX_NAME_BYTES, hint)
        if name.text in seen:
            diagnostics.error(
                "R0101",
                f'The name "{name.text}" is defined multiple times',
                name.span,
                hint="rename one of them",
                labels=[Label(seen[name.text].span, "The first definition is here")],
            )
            continue
        seen[name.text] = name
        if isinstance(item, ResourceNode):
            table.resources[name.text] = item
        else:
            table.stages[name.text] = item
    return table


def check_limits(table: NameTable, diagnostics: Diagnostics) -> None:
    """Report exceeded limits of the file format."""
    stages = tuple(table.stages.values())
    capabilities = [stage for stage in stages if isinstance(stage, CapabilityNode)]
    models = [stage for stage in stages if isinstance(stage, ModelNode)]
    outs = [stage for stage in stages if isinstance(stage, OutNode)]
    for found, what, limit in (
        (stages, "stages", MAX_STAGES),
        (capabilities, "capabilities", MAX_OF_A_KIND),
        (models, "models", MAX_OF_A_KIND),
        (outs, "outs", MAX_OF_A_KIND),
    ):
        if len(found) > limit:
            _limit(diagnostics, found[limit].name.span, f"{len(found)} {what}", limit)
    held = [item.name.span for item in table.resources.values()]
    held += [stage.name.span for stage in models]
    if len(held) > MAX_RESOURCES:
        place = held[MAX_RESOURCES]
        _limit(diagnostics, place, f"{len(held)} resources and models", MAX_RESOURCES)
    for stage in stages:
        inputs, outputs = stage_inputs(stage), declared_outputs(stage) or ()
        for side, what in ((inputs, "inputs"), (outputs, "outputs")):
            if len(side) > MAX_SIDE:
                text = f'{len(side)} {what} of "{stage.name.text}"'
                _limit(diagnostics, side[MAX_SIDE].span, text, MAX_SIDE)
        for type_ in outputs:
            if len(type_.dimensions) > MAX_DIMENSIONS:
                place = type_.dimensions[MAX_DIMENSIONS].span
                what = f"{len(type_.dimensions)} dimensions"
                hint = "write the same elements in fewer dimensions"
                _limit(diagnostics, place, what, MAX_DIMENSIONS, hint)


def check_tensor_count(
    table: NameTable, outputs: Mapping[str, Sequence[object]], diagnostics: Diagnostics
) -> None:
    """Report the stage whose outputs are more tensors than the file format has room for."""
    count = 0
    for name, stage in table.stages.items():
        before = count
        count += len(outputs.get(name, ()))
        if before <= MAX_TENSORS < count:
            _limit(diagnostics, stage.name.span, f"{count} tensors up to here", MAX_TENSORS)


def _limit(
    diagnostics: Diagnostics,
    span: Span,
    what: str,
    limit: int,
    hint: str = "simplify the pipeline, or split it",
) -> None:
    diagnostics.error(
        "R0120",
        f"{what}: a rune holds at most {limit}",
        span,
        hint=hint,
    )
