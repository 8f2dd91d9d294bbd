"""Pictures of a pipeline: DOT for Graphviz, SVG without it, JSON for programs.

Colours as in the original platform: capabilities green, blocks tan, models violet, outputs red.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from runec.cli.graph_layout import NODE_HEIGHT, Box, Layout, Line, lay_out
from runec.container import Graph
from runec.diagnostics import printable
from runec.pipeline import Capability, Model, Output, Pipeline, ProcBlock

# Names for Graphviz (X11), and the same colours for SVG.
_COLORS = {
    "capability": ("lightgreen", "#90ee90"),
    "proc-block": ("tan1", "#ffa54f"),
    "model": ("violet", "#ee82ee"),
    "output": ("indianred1", "#ff6a6a"),
}
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)
_CHAR_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Node:
    """A stage: what it is (a key of the colours), and which of that kind."""

    name: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way, with its type."""

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
        label = _dot(f"{node.name}\n{node.what}")
        lines.append(f"  {_dot(node.name)} [label={label}, fillcolor={_COLORS[node.kind][0]}];")
    lines += [
        f"  {_dot(edge.source)} -> {_dot(edge.target)} [label={_dot(edge.type)}];"
        for edge in drawing.edges
    ]
    return "\n".join([*lines, "}"])


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def to_svg(drawing: Drawing) -> str:
    """Return a picture: each stage below everything that it takes from."""
    boxes = [
        Box(node.name, _CHAR_WIDTH * (max(_columns(node.name), _columns(node.what)) + 3))
        for node in drawing.nodes
    ]
    lines = [
        Line(edge.source, edge.target, _CHAR_WIDTH * _columns(edge.type)) for edge in drawing.edges
    ]
    layout = lay_out(boxes, lines)
    size = f'width="{layout.width}" height="{layout.height}"'
    view = f'viewBox="0 0 {layout.width} {layout.height}" font-family="monospace" font-size="13"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
            f"<title>{_xml(drawing.name)}</title>",
            _ARROW,
            f'<rect {size} fill="white"/>',
            *_svg_edges(drawing, layout),
            *_svg_nodes(drawing, boxes, layout),
            "</svg>",
        ]
    )


def _columns(text: str) -> int:
    """How wide a text is in a font whose letters are all alike: East Asian ones count twice."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _xml(text: str) -> str:
    return escape(printable(text))


def _svg_edges(drawing: Drawing, layout: Layout) -> Iterator[str]:
    for edge, route in zip(drawing.edges, layout.routes, strict=True):
        (x, y), *others = route.points
        path = f"M{x},{y}"
        for next_x, next_y in others:
            middle = (y + next_y) // 2
            curve = f" C{x},{middle} {next_x},{middle} {next_x},{next_y}"
            path += f" L{next_x},{next_y}" if x == next_x else curve
            x, y = next_x, next_y
        yield f'<path d="{path}" fill="none" stroke="black" marker-end="url(#arrow)"/>'
        label_x, label_y = route.label
        yield f'<text x="{label_x}" y="{label_y}">{_xml(edge.type)}</text>'


def _svg_nodes(drawing: Drawing, boxes: Sequence[Box], layout: Layout) -> Iterator[str]:
    for node, box in zip(drawing.nodes, boxes, strict=True):
        x, y = layout.boxes[node.name]
        yield (
            f'<rect x="{x - box.width // 2}" y="{y}" width="{box.width}" '
            f'height="{NODE_HEIGHT}" rx="8" fill="{_COLORS[node.kind][1]}" stroke="black"/>'
        )
        for line, text in ((18, node.name), (35, node.what)):
            yield f'<text x="{x}" y="{y + line}" text-anchor="middle">{_xml(text)}</text>'
