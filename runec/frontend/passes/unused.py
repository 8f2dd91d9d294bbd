"""Warnings for unused stages, outputs and resources; outs of two kinds."""

from __future__ import annotations

from runec.diagnostics import Diagnostics, Label
from runec.frontend.ast import ModelNode, OutNode, ResourceRef, Text
from runec.frontend.passes.arguments import Arguments
from runec.frontend.passes.edges import Edges, upstream
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.types import Typed
from runec.pipeline import OutputKind


def used_resources(names: NameTable, arguments: Arguments) -> frozenset[str]:
    """The names of the resources that a model or an argument refers to."""
    models = {
        stage.model.name
        for stage in names.stages.values()
        if isinstance(stage, ModelNode) and isinstance(stage.model, ResourceRef)
    }
    return arguments.used_resources | models


def _is_binary(kind: Text) -> bool:
    return kind.text.upper() == OutputKind.TENSOR.name


def _warn_mixed_outs(names: NameTable, diagnostics: Diagnostics) -> None:
    kinds = [stage.kind for stage in names.stages.values() if isinstance(stage, OutNode)]
    for kind in kinds[1:]:
        if _is_binary(kind) != _is_binary(kinds[0]):
            diagnostics.warning(
                "R0409",
                "The pipeline has TENSOR outs and others, which `runec run` can't write together",
                kind.span,
                hint="use TENSOR for all outs or for none",
                labels=[Label(kinds[0].span, "the other kind is here")],
            )
            return


def warn_unused_parts(
    names: NameTable, edges: Edges, typed: Typed, arguments: Arguments, diagnostics: Diagnostics
) -> None:
    """Warn of stages that reach no out, outputs without a reader, resources without a user."""
    for name in sorted(set(names.resources) - used_resources(names, arguments)):
        diagnostics.warning(
            "R0117",
            f'The resource "{name}" is never used, and not included in the rune',
            names.resources[name].name.span,
            hint=f"use it as ${name}, or remove it",
        )
    outs = [name for name, stage in names.stages.items() if isinstance(stage, OutNode)]
    if not outs:
        first = next(iter(names.stages.values()))
        diagnostics.warning(
            "R0408",
            "The pipeline has no out: its results are lost",
            first.name.span,
            hint="add a stage with out: serial",
        )
        return
    _warn_mixed_outs(names, diagnostics)
    needed = upstream(outs, edges)
    read = {
        (edge.producer, edge.index)
        for inputs in edges.values()
        for edge in inputs
        if edge is not None
    }
    for name, stage in names.stages.items():
        if name not in needed:
            diagnostics.warning(
                "R0404",
                f'The "{name}" stage is never used: its outputs reach no out',
                stage.name.span,
                hint="remove it, or add it to the inputs of a stage",
            )
            continue
        outputs = typed.outputs.get(name, ())
        lost = [str(index) for index in range(len(outputs)) if (name, index) not in read]
        if lost:
            diagnostics.warning(
                "R0403",
                f'Output {", ".join(lost)} of "{name}" is never used',
                stage.name.span,
                hint=f"read it as {name}.{lost[0]}, or ignore this warning",
            )
