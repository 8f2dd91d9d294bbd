"""Pictures of a pipeline: DOT for Graphviz, SVG, Mermaid for Markdown, JSON for programs.

Colours as in the original platform: capabilities green, blocks tan, models violet, outputs red.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from grandalf.graphs import Edge as Wire
from grandalf.graphs import Graph as Layered
from grandalf.graphs import Vertex
from grandalf.layouts import SugiyamaLayout, VertexViewer

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
_MARGIN = 20
_NODE_HEIGHT = 44
_LABEL_HEIGHT = 18
_GAP = (24, 32)
_BEND = 12
_ORDER_ROUNDS = 6

_Path = list[tuple[int, int]]


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
    """Return a picture: each stage below everything that it takes from."""
    boxes = {
        node.name: _vertex(max(_width(node.name), _width(node.what)) + 24, _NODE_HEIGHT)
        for node in drawing.nodes
    }
    labels = [_vertex(_width(edge.type), _LABEL_HEIGHT) for edge in drawing.edges]
    # A label is a place that its edge passes, so that it lies upon nothing else.
    wires = [
        Wire(*ends)
        for edge, label in zip(drawing.edges, labels, strict=True)
        for ends in ((boxes[edge.source], label), (label, boxes[edge.target]))
    ]
    paths, width, height = _lay_out([*boxes.values(), *labels], wires)
    size = f'width="{width}" height="{height}"'
    view = f'viewBox="0 0 {width} {height}" font-family="monospace" font-size="13"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
            f"<title>{_xml(drawing.name)}</title>",
            _ARROW,
            f'<rect {size} fill="white"/>',
            *(_svg_path(path, arrow=number % 2 == 1) for number, path in enumerate(paths)),
            *(
                _svg_text(label.view.xy, 5, edge.type)
                for edge, label in zip(drawing.edges, labels, strict=True)
            ),
            *(line for node in drawing.nodes for line in _svg_node(node, boxes[node.name])),
            "</svg>",
        ]
    )


def _vertex(width: int, height: int) -> Any:
    vertex = Vertex()
    vertex.view = VertexViewer(width, height)
    return vertex


def _lay_out(vertices: list[Any], wires: list[Any]) -> tuple[list[_Path], int, int]:
    """Place the vertices; return the path of each wire, and the size of the whole."""
    paths: dict[Any, _Path] = {}
    right, bottom = 0, 0
    # Parts that nothing connects stand side by side.
    for part in Layered(vertices, wires, directed=True).C:
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = _GAP
        layout.dw = layout.dh = _BEND
        layout.init_all(optimize=True)
        layout.draw(_ORDER_ROUNDS)
        for layer in layout.layers:
            # Its compaction of blocks leaves some overlaps.
            for before, after in pairwise(vertex.view for vertex in layer):
                least = before.xy[0] + (before.w + after.w) / 2 + layout.xspace
                after.xy = (max(after.xy[0], least), after.xy[1])
        views = [vertex.view for layer in layout.layers for vertex in layer]
        left = min(view.xy[0] - view.w / 2 for view in views)
        for view in views:
            x, y = view.xy
            view.xy = (round(x - left) + right + _MARGIN, round(y) + _MARGIN)
        right = max(view.xy[0] + view.w // 2 for view in views)
        # A wire goes straight down beside the boxes and the labels of a row.
        heights = [max(vertex.view.h for vertex in layer) // 2 for layer in layout.layers]
        bottom = max(bottom, layout.layers[-1][0].view.xy[1] + heights[-1])
        for wire in part.sE:
            passed = layout.ctrls.get(wire) or {layout.grx[v].rank: v for v in wire.v}
            paths[wire] = [
                (vertex.view.xy[0], vertex.view.xy[1] + side * heights[rank])
                for rank, vertex in sorted(passed.items())
                for side in (-1, 1)
            ][1:-1]
    return [paths[wire] for wire in wires], right + _MARGIN, bottom + _MARGIN


def _width(text: str) -> int:
    """Return the width in pixels in a monospaced font: East Asian characters count twice."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return _CHAR_WIDTH * (len(text) + wide)


def _xml(text: str) -> str:
    return html.escape(printable(text))


def _svg_path(points: _Path, *, arrow: bool) -> str:
    (x, y), *others = points
    path = f"M{x},{y}"
    for next_x, next_y in others:
        middle = (y + next_y) // 2
        curve = f" C{x},{middle} {next_x},{middle} {next_x},{next_y}"
        path += f" L{next_x},{next_y}" if x == next_x else curve
        x, y = next_x, next_y
    end = ' marker-end="url(#arrow)"' if arrow else ""
    return f'<path d="{path}" fill="none" stroke="black"{end}/>'


def _svg_text(center: tuple[int, int], down: int, text: str) -> str:
    x, y = center
    return f'<text x="{x}" y="{y + down}" text-anchor="middle">{_xml(text)}</text>'


def _svg_node(node: Node, box: Any) -> Iterator[str]:
    x, y = box.view.xy
    yield (
        f'<rect x="{x - box.view.w // 2}" y="{y - _NODE_HEIGHT // 2}" width="{box.view.w}" '
        f'height="{_NODE_HEIGHT}" rx="8" fill="{_COLORS[node.kind][1]}" stroke="black"/>'
    )
    yield _svg_text(box.view.xy, -4, node.name)
    yield _svg_text(box.view.xy, 13, node.what)
