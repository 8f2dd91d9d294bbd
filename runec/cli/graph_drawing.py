"""Drawings of a pipeline: DOT, SVG (which Graphviz makes of DOT), Mermaid for Markdown, JSON.

Colours as in the original platform: capabilities green, blocks tan, models violet, outputs red.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runec.container import Graph
from runec.diagnostics import MachineError, printable
from runec.pipeline import Capability, Model, Output, Pipeline, ProcBlock
from runec.tools import find_tool, run_tool

# Names for Graphviz (X11), and the same colours for Mermaid.
_COLORS = {
    "capability": ("lightgreen", "#90ee90"),
    "proc-block": ("tan1", "#ffa54f"),
    "model": ("violet", "#ee82ee"),
    "output": ("indianred1", "#ff6a6a"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A stage: its kind (a key of the colours), and which of that kind."""

    name: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor between two stages, with its type."""

    source: str
    target: str
    type: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A pipeline as nodes in execution order, and edges."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def of_pipeline(pipeline: Pipeline) -> Drawing:
    """Return the drawing of a Runefile's pipeline."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    sources: dict[int, str] = {}
    for stage in pipeline.stages:
        if isinstance(stage, Capability):
            nodes.append(Node(stage.name, "capability", stage.kind.name))
        elif isinstance(stage, ProcBlock):
            nodes.append(Node(stage.name, "proc-block", stage.block.name))
        elif isinstance(stage, Model):
            nodes.append(Node(stage.name, "model", stage.format))
        else:
            nodes.append(Node(stage.name, "output", stage.kind.name))
        if not isinstance(stage, Capability):
            edges += [Edge(sources[t.id], stage.name, str(t.type)) for t in stage.inputs]
        if not isinstance(stage, Output):
            sources.update({tensor.id: stage.name for tensor in stage.outputs})
    return Drawing(pipeline.name, tuple(nodes), tuple(edges))


def of_graph(graph: Graph) -> Drawing:
    """Return the drawing of a .rune's graph."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    sources: dict[int, str] = {}
    for name in graph.stages:
        if name in graph.capabilities:
            nodes.append(Node(name, "capability", graph.capabilities[name].kind.name))
        elif name in graph.proc_blocks:
            nodes.append(Node(name, "proc-block", graph.proc_blocks[name].block))
        elif name in graph.models:
            nodes.append(Node(name, "model", graph.models[name].format))
        else:
            nodes.append(Node(name, "output", graph.outputs[name].kind.name))
        inputs, outputs = graph.stage_tensors(name)
        edges += [Edge(sources[tensor], name, str(graph.tensors[tensor])) for tensor in inputs]
        sources.update(dict.fromkeys(outputs, name))
    return Drawing(graph.name, tuple(nodes), tuple(edges))


def to_json(drawing: Drawing) -> str:
    """Return one line of JSON."""
    value = {
        "name": drawing.name,
        "nodes": [{"name": n.name, "kind": n.kind, "what": n.what} for n in drawing.nodes],
        "edges": [{"from": e.source, "to": e.target, "type": e.type} for e in drawing.edges],
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_dot(drawing: Drawing) -> str:
    """Return a digraph for Graphviz."""
    lines = [f"digraph {_dot(drawing.name)} {{", "  rankdir=TD;", "  node [style=filled];"]
    for node in drawing.nodes:
        label = _dot(node.name, node.what)
        lines.append(f"  {_dot(node.name)} [label={label}, fillcolor={_COLORS[node.kind][0]}];")
    lines += [
        f"  {_dot(edge.source)} -> {_dot(edge.target)} [label={_dot(edge.type)}];"
        for edge in drawing.edges
    ]
    return "\n".join([*lines, "}"])


def _dot(*lines: str) -> str:
    """Return a string of DOT that shows `lines`, without the characters that XML does not allow."""
    label = r"\n".join(re.sub(r'(["\\])', r"\\\1", printable(line)) for line in lines)
    return f'"{label}"'


def to_mermaid(drawing: Drawing) -> str:
    """Return a flowchart for Mermaid, which viewers of Markdown draw."""
    ids = {node.name: f"n{number}" for number, node in enumerate(drawing.nodes)}
    lines = ["%% runec graph", "flowchart TD"]
    for node in drawing.nodes:
        lines.append(f'  {ids[node.name]}["{_mermaid(node.name)}<br>{_mermaid(node.what)}"]')
        lines.append(f"  style {ids[node.name]} fill:{_COLORS[node.kind][1]}")
    lines += [
        f'  {ids[edge.source]} -->|"{_mermaid(edge.type)}"| {ids[edge.target]}'
        for edge in drawing.edges
    ]
    return "\n".join(lines)


def _mermaid(text: str) -> str:
    """Return a text in which Mermaid finds no markup: other characters by their number."""
    return re.sub(r"[^\w ,.\[\]-]", lambda found: f"#{ord(found[0])};", printable(text))


def to_svg(drawing: Drawing) -> str:
    """Return the picture that Graphviz makes of `to_dot`.

    Raises:
        MachineError: R1004, Graphviz is not installed, or rejects the drawing.
    """
    hint = "install Graphviz (apt-get install graphviz), or draw Mermaid: --format mermaid"
    dot = find_tool("dot", hint=hint)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "graph.dot"
        source.write_text(to_dot(drawing), encoding="utf-8")
        done = run_tool([dot, "-Tsvg", source], timeout_s=60)
    if done.returncode != 0:
        fact = f"{dot} failed: {printable(done.stderr.strip())}"
        raise MachineError("R1004", fact, hint="draw Mermaid: --format mermaid")
    return done.stdout.rstrip()
