"""Source stage of each input."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runec.diagnostics import Diagnostics, Label
from runec.frontend.ast import (
    CapabilityNode,
    Document,
    InputRef,
    OutNode,
    StageNode,
    stage_inputs,
)
from runec.frontend.passes.names import NameTable
from runec.suggestions import did_you_mean


class Edge(msgspec.Struct, frozen=True):
    """Output `index` of the stage `producer`; `ref` is the reference in the consumer."""

    producer: str
    index: int
    ref: InputRef


# The inputs of each stage, in their order; None for one that was reported.
Edges = dict[str, tuple[Edge | None, ...]]


def connect(document: Document, names: NameTable, diagnostics: Diagnostics) -> Edges:
    """Resolve every input to a stage that has outputs."""
    edges: Edges = {}
    for name, stage in names.stages.items():
        inputs = stage_inputs(stage)
        if not inputs and not isinstance(stage, CapabilityNode):
            _report_unconnected(document, stage, diagnostics)
            edges[name] = (None,)
            continue
        edges[name] = tuple(_edge(ref, stage, document, names, diagnostics) for ref in inputs)
    return edges


def upstream(outs: Iterable[str], edges: Edges) -> frozenset[str]:
    """The stages whose results reach one of `outs`, and those themselves."""
    needed: set[str] = set()
    waiting = list(outs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(edge.producer for edge in edges[name] if edge is not None)
    return frozenset(needed)


def _edge(
    ref: InputRef,
    stage: StageNode,
    document: Document,
    names: NameTable,
    diagnostics: Diagnostics,
) -> Edge | None:
    producer = names.stages.get(ref.name)
    if producer is None:
        if ref.name not in document.unreadable:
            hint = did_you_mean(
                ref.name, (name for name in names.stages if name != stage.name.text)
            )
            diagnostics.error(
                "R0102",
                f'Unable to find "{ref.name}" to use as an input for "{stage.name.text}"',
                ref.span,
                hint=hint or "name a stage of the pipeline",
            )
        return None
    if isinstance(producer, OutNode):
        diagnostics.error(
            "R0103",
            f'The "{ref.name}" in {stage.name.text}\'s "{ref.span.text}" input has no outputs',
            ref.span,
            hint="an out has no outputs: use its input stage",
            labels=[Label(producer.name.span, "declared as an out here")],
        )
        return None
    return Edge(ref.name, ref.index, ref)


def _report_unconnected(document: Document, stage: StageNode, diagnostics: Diagnostics) -> None:
    name = stage.name.text
    if name in document.unreadable:
        return
    hint = f"add inputs: [...] to {name}"
    if document.dialect == "legacy":
        hint = f"put {name} into a RUN line, after its input stage"
    diagnostics.error("R0118", f'The "{name}" stage has no inputs', stage.name.span, hint=hint)
