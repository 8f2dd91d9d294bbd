"""Pictures of a pipeline: DOT for Graphviz, SVG without it, JSON for programs.

Colours as in the original platform: capabilities green, blocks tan, models violet, outputs red.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from runec.container import Graph
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
_CHAR_WIDTH, _NODE_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 8, 44, 40, 56, 20


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
            nodes.append(Node(stage.name, "proc-block", stage.block))
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
    places, width, height = _layout(drawing)
    size = f'width="{width}" height="{height}"'
    view = f'viewBox="0 0 {width} {height}" font-family="monospace" font-size="13"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
            f"<title>{escape(drawing.name)}</title>",
            _ARROW,
            f'<rect {size} fill="white"/>',
            *_svg_edges(drawing, places),
            *_svg_nodes(drawing, places),
            "</svg>",
        ]
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The middle of a box's upper side, and its width."""

    x: int
    y: int
    width: int


def _layout(drawing: Drawing) -> tuple[dict[str, _Place], int, int]:
    """Rows by the longest way from a capability; within a row in execution order."""
    rows: dict[str, int] = {}
    for node in drawing.nodes:
        before = [rows[edge.source] for edge in drawing.edges if edge.target == node.name]
        rows[node.name] = max(before, default=-1) + 1
    widths = {
        node.name: _CHAR_WIDTH * (max(len(node.name), len(node.what)) + 3) for node in drawing.nodes
    }
    lines = [
        [name for name, row in rows.items() if row == number]
        for number in range(max(rows.values(), default=0) + 1)
    ]
    totals = [sum(widths[name] for name in line) + _GAP_X * (len(line) - 1) for line in lines]
    labels = max((len(edge.type) for edge in drawing.edges), default=0) * _CHAR_WIDTH
    width = max([*totals, 2 * labels]) + 2 * _MARGIN
    places = {}
    for number, (line, total) in enumerate(zip(lines, totals, strict=True)):
        left = (width - total) // 2
        for name in line:
            top = _MARGIN + number * (_NODE_HEIGHT + _GAP_Y)
            places[name] = _Place(left + widths[name] // 2, top, widths[name])
            left += widths[name] + _GAP_X
    height = 2 * _MARGIN + len(lines) * (_NODE_HEIGHT + _GAP_Y) - _GAP_Y
    return places, width, height


def _svg_edges(drawing: Drawing, places: dict[str, _Place]) -> Iterator[str]:
    for edge in drawing.edges:
        start, end = places[edge.source], places[edge.target]
        top, half = start.y + _NODE_HEIGHT, _GAP_Y // 2
        yield (
            f'<path d="M{start.x},{top} C{start.x},{top + half} {end.x},{end.y - half} '
            f'{end.x},{end.y}" fill="none" stroke="black" marker-end="url(#arrow)"/>'
        )
        middle_x, middle_y = (start.x + end.x) // 2 + 6, (top + end.y) // 2 + 4
        yield f'<text x="{middle_x}" y="{middle_y}">{escape(edge.type)}</text>'


def _svg_nodes(drawing: Drawing, places: dict[str, _Place]) -> Iterator[str]:
    for node in drawing.nodes:
        place = places[node.name]
        yield (
            f'<rect x="{place.x - place.width // 2}" y="{place.y}" width="{place.width}" '
            f'height="{_NODE_HEIGHT}" rx="8" fill="{_COLORS[node.kind][1]}" stroke="black"/>'
        )
        for line, text in ((18, node.name), (35, node.what)):
            yield (
                f'<text x="{place.x}" y="{place.y + line}" text-anchor="middle">'
                f"{escape(text)}</text>"
            )
