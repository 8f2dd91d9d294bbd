from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.cli.graph_drawing import Drawing, Edge, Node, to_dot, to_mermaid, to_svg

PROJECT = Path(__file__).resolve().parent.parent.parent
BRANCHES = """version: 1
image: runicos/base
pipeline:
  first: {capability: RAW, outputs: [{type: f32, dimensions: [1, 4]}]}
  second: {capability: RAW, outputs: [{type: u8}], args: {source: 1}}
  scaled: {proc-block: normalize, inputs: [first]}
  serial: {out: serial, inputs: [scaled, second, first]}
"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def branches(here: Path) -> Path:
    path = here / "Runefile.yml"
    path.write_text(BRANCHES)
    return path


def test_a_runefile_and_its_rune_are_drawn_alike(runec: Callable[..., Any], branches: Path) -> None:
    assert runec("build", branches, "-o", "x.rune", "--name", "x").code == 0
    drawn = [json.loads(runec("graph", p, "-f", "json").stdout) for p in (branches, "x.rune")]
    assert drawn[0]["nodes"] == drawn[1]["nodes"]
    assert drawn[0]["edges"] == drawn[1]["edges"]
    assert {(node["name"], node["kind"], node["what"]) for node in drawn[0]["nodes"]} == {
        ("first", "capability", "RAW"),
        ("second", "capability", "RAW"),
        ("scaled", "proc-block", "normalize"),
        ("serial", "output", "SERIAL"),
    }
    assert {(edge["from"], edge["to"], edge["type"]) for edge in drawn[0]["edges"]} == {
        ("first", "scaled", "f32[1, 4]"),
        ("scaled", "serial", "f32[1, 4]"),
        ("second", "serial", "u8[1]"),
        ("first", "serial", "f32[1, 4]"),
    }


def test_dot_has_the_colours_and_the_direction_of_the_original(
    runec: Callable[..., Any],
) -> None:
    done = runec("graph", PROJECT / "examples/gesture/Runefile.yml")
    assert (done.code, done.stderr) == (0, "")
    dot = done.stdout
    assert dot.startswith('digraph "gesture" {\n  rankdir=TD;\n')
    assert dot.endswith("}\n")
    for name, color in [
        ("accelerometer", "lightgreen"),
        ("normalize", "tan1"),
        ("gesture", "violet"),
        ("serial", "indianred1"),
    ]:
        assert re.search(rf'"{name}" \[label="{name}\\n[^"]+", fillcolor={color}\];', dot)
    assert '"accelerometer" -> "normalize" [label="f32[1, 128, 3, 1]"];' in dot


def test_svg_shows_every_stage_once_below_what_it_takes_from(
    runec: Callable[..., Any], branches: Path
) -> None:
    root = ET.fromstring(runec("graph", branches, "-f", "svg").stdout)  # noqa: S314 - our own
    boxes = [box for box in root.iter(f"{SVG}rect") if box.get("rx")]
    assert len(boxes) == 4
    spaces = sorted(
        (int(b.get("y", "")), int(b.get("x", "")), int(b.get("width", ""))) for b in boxes
    )
    width = int(root.get("width", ""))
    for (y, x, w), (next_y, next_x, _) in itertools.pairwise(spaces):
        assert y < next_y or x + w < next_x, "two boxes lie on each other"
        assert x >= 0
        assert x + w <= width
    texts = {text.text: int(text.get("y", "")) for text in root.iter(f"{SVG}text")}
    assert texts["first"] < texts["scaled"] < texts["serial"]
    assert {"f32[1, 4]", "u8[1]", "RAW", "SERIAL", "normalize"} <= texts.keys()
    assert sum(path.get("marker-end") is not None for path in root.iter(f"{SVG}path")) == 4


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.svg", "<svg"),
        ("a.dot", "digraph"),
        ("a.json", "{"),
        ("a.mmd", "%% runec graph\nflowchart TD\n"),
    ],
)
def test_the_end_of_the_output_says_the_format(
    runec: Callable[..., Any], branches: Path, name: str, start: str
) -> None:
    for _ in range(2):  # an older drawing is replaced
        done = runec("graph", branches, "-o", name)
        assert (done.code, done.stdout) == (0, "")
    assert (branches.parent / name).read_text().startswith(start)


def test_a_picture_that_only_graphviz_draws_is_not_promised(
    runec: Callable[..., Any], branches: Path
) -> None:
    done = runec("graph", branches, "-o", "x.PNG")
    assert done.code == 2
    assert "no .png can be drawn: take .svg, or .dot and `dot -Tpng` of Graphviz" in done.stderr
    assert not (branches.parent / "x.PNG").exists()
    assert runec("graph", branches, "-o", "x.png", "--format", "dot").code == 0


def test_the_runefile_of_the_folder_is_drawn(runec: Callable[..., Any], branches: Path) -> None:
    assert branches.is_file()
    assert runec("graph").stdout.startswith("digraph")


def test_what_is_no_rune_and_no_runefile_is_told(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.rune").write_bytes(b"no rune")
    assert "error[R0601]" in runec("graph", "x.rune").stderr
    (here / "y").write_bytes(b"\0asm\1\0\0\0")
    assert runec("graph", "y").code == 1
    (here / "z").write_bytes(b"FROM a b\n")
    assert "error[R0001]" in runec("graph", "z").stderr


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    count = draw(st.integers(1, 14))
    names = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(names, names), max_size=24))
    widths = draw(st.lists(st.integers(1, 20), min_size=count, max_size=count))
    return Drawing(
        "any",
        tuple(Node(f"n{number}", "model", "y" * width) for number, width in enumerate(widths)),
        tuple(Edge(f"n{one}", f"n{two}", "f32[1, 2]") for one, two in pairs if one < two),
    )


@settings(max_examples=60, deadline=None)
@given(drawing=drawings())
def test_nothing_is_drawn_upon_anything_else(drawing: Drawing) -> None:
    root = ET.fromstring(to_svg(drawing))  # noqa: S314 - our own
    places = [
        tuple(int(box.get(key, "")) for key in ("x", "y", "width", "height"))
        for box in root.iter(f"{SVG}rect")
        if box.get("rx")
    ]
    places += [
        (int(text.get("x", "")) - 4 * len(words), int(text.get("y", "")) - 12, 8 * len(words), 16)
        for text in root.iter(f"{SVG}text")
        if "[" in (words := text.text or "")
    ]
    assert len(places) == len(drawing.nodes) + len(drawing.edges)
    for (ax, ay, aw, ah), (bx, by, bw, bh) in itertools.combinations(places, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay
    width, height = (int(root.get(key, "")) for key in ("width", "height"))
    assert all(x >= 0 and x + w <= width and y + h <= height for x, y, w, h in places)
    # Beside boxes and labels lines go straight down: there is nothing to cross.
    for path in root.iter(f"{SVG}path"):
        if path.get("fill") is None:  # the arrow's own shape
            continue
        for x, y, below in verticals(path.get("d", "")):
            for bx, by, bw, bh in places:
                assert not (bx < x < bx + bw and y < by + bh and by < below)


def verticals(path: str) -> list[tuple[int, int, int]]:
    """The straight parts of a path: x, top, bottom."""
    found = []
    points = [
        tuple(map(int, part.split()[-1].split(","))) for part in re.findall(r"[MLC]([^MLC]+)", path)
    ]
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        if x == next_x:
            found.append((x, y, next_y))
    return found


def test_mermaid_has_every_stage_and_type(runec: Callable[..., Any], branches: Path) -> None:
    lines = runec("graph", branches, "-f", "mermaid").stdout.splitlines()
    assert lines[:4] == [
        "%% runec graph",
        "flowchart TD",
        '  n0["first<br>RAW"]',
        "  style n0 fill:#90ee90",
    ]
    assert lines[-1] == '  n0 -->|"f32[1, 4]"| n3'
    assert len(lines) == 2 + 2 * 4 + 4


# What a terminal, XML, DOT and Mermaid would obey, as the names of a .rune that somebody made.
EVIL = Drawing(
    '"><script>',
    (
        Node('"]\n</text><script>&', "capability", "\x1b[31m\\"),
        Node("b", "output", "`**<br>**`"),
    ),
    (Edge('"]\n</text><script>&', "b", 'u8["|]'),),
)


def test_no_text_leaves_its_place_in_svg() -> None:
    root = ET.fromstring(to_svg(EVIL))  # noqa: S314 - our own
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "defs", "marker", "path", "rect", "text"),
    }
    assert [text.text for text in root.iter(f"{SVG}text")] == [
        'u8["|]',
        '"]\ufffd</text><script>&',
        "\ufffd[31m\\",
        "b",
        "`**<br>**`",
    ]
    assert [title.text for title in root.iter(f"{SVG}title")] == ['"><script>']


def test_no_text_leaves_its_place_in_dot_and_mermaid() -> None:
    dot = to_dot(EVIL).splitlines()
    assert len(dot) == 7
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "T", dot[3]) == "  T [label=T, fillcolor=lightgreen];"
    assert to_mermaid(EVIL).splitlines()[2:] == [
        '  n0["#34;]#65533;#60;#47;text#62;#60;script#62;#38;<br>#65533;[31m#92;"]',
        "  style n0 fill:#90ee90",
        '  n1["b<br>#96;#42;#42;#60;br#62;#42;#42;#96;"]',
        "  style n1 fill:#ff6a6a",
        '  n0 -->|"u8[#34;#124;]"| n1',
    ]


def test_a_name_that_a_terminal_would_obey_makes_no_broken_picture(
    runec: Callable[..., Any], branches: Path
) -> None:
    assert runec("build", branches, "-o", "x.rune", "--name", "a\x1b[31m\x07世").code == 0
    root = ET.fromstring(runec("graph", "x.rune", "-f", "svg").stdout)  # noqa: S314 - our own
    assert [title.text for title in root.iter(f"{SVG}title")] == ["a\ufffd[31m\ufffd世"]
