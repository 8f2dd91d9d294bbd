from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli.graph_drawing import Drawing, Edge, Node, to_dot, to_mermaid

PROJECT = Path(__file__).resolve().parent.parent.parent
BRANCHES = """version: 1
image: runicos/base
pipeline:
  first: {capability: RAW, outputs: [{type: f32, dimensions: [1, 4]}]}
  second: {capability: RAW, outputs: [{type: u8}], args: {source: 1}}
  scaled: {proc-block: normalize, inputs: [first]}
  serial: {out: serial, inputs: [scaled, second, first]}
"""


@pytest.fixture
def branches(here: Path) -> Path:
    path = here / "Runefile.yml"
    path.write_text(BRANCHES)
    return path


def test_same_drawing_of_runefile_and_rune(runec: Callable[..., Any], branches: Path) -> None:
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


def test_dot_colours_and_direction(
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


@pytest.fixture
def dot(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a `dot` that runs the given lines of shell on the PATH."""

    def install(script: str) -> None:
        program = here / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    return install


def test_svg_by_graphviz(
    runec: Callable[..., Any], branches: Path, dot: Callable[[str], None]
) -> None:
    """`dot` gets the drawing in DOT; what it prints is the result, with a stamp in a file."""
    dot('echo "<svg><!-- $1"; cat "$2"; echo "--></svg>"')
    graph = runec("graph", branches).stdout.rstrip()
    assert runec("graph", branches, "-f", "svg").stdout == f"<svg><!-- -Tsvg\n{graph}--></svg>\n"
    for _ in range(2):  # an older drawing is replaced
        assert runec("graph", branches, "-o", "a.svg").code == 0
    text = (branches.parent / "a.svg").read_text()
    assert text.startswith(f"<svg><!-- -Tsvg\n{graph}--></svg>\n<!-- written by runec, sha256:")


def test_svg_without_graphviz(
    runec: Callable[..., Any], branches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = runec("graph", branches, "-o", "a.svg")
    assert done.code == 4
    assert "error[R1004]: the program 'dot' is not installed" in done.stderr
    assert "apt-get install graphviz" in done.stderr
    assert "--format mermaid" in done.stderr
    assert not (branches.parent / "a.svg").exists()


def test_failure_of_graphviz(
    runec: Callable[..., Any], branches: Path, dot: Callable[[str], None]
) -> None:
    dot("echo 'no memory \033[31m' >&2; exit 1")
    done = runec("graph", branches, "-o", "a.svg")
    assert done.code == 4
    assert "dot failed: no memory \ufffd[31m" in done.stderr
    assert not (branches.parent / "a.svg").exists()


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.dot", "digraph"),
        ("a.json", "{"),
        ("a.mmd", "%% runec graph\nflowchart TD\n"),
    ],
)
def test_format_by_suffix(runec: Callable[..., Any], branches: Path, name: str, start: str) -> None:
    for _ in range(2):  # an older drawing is replaced
        done = runec("graph", branches, "-o", name)
        assert (done.code, done.stdout) == (0, "")
    assert (branches.parent / name).read_text().startswith(start)


def test_unsupported_suffix(runec: Callable[..., Any], branches: Path) -> None:
    done = runec("graph", branches, "-o", "x.PNG")
    assert done.code == 2
    assert "cannot draw .png: use .svg or .mmd, or .dot and `dot -Tpng` (Graphviz)" in done.stderr
    assert not (branches.parent / "x.PNG").exists()
    assert runec("graph", branches, "-o", "x.png", "--format", "dot").code == 0


def test_runefile_of_the_folder(runec: Callable[..., Any], branches: Path) -> None:
    assert branches.is_file()
    assert runec("graph").stdout.startswith("digraph")


def test_wrong_files(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.rune").write_bytes(b"no rune")
    assert "error[R0601]" in runec("graph", "x.rune").stderr
    (here / "y").write_bytes(b"\0asm\1\0\0\0")
    assert runec("graph", "y").code == 1
    (here / "z").write_bytes(b"FROM a b\n")
    assert "error[R0001]" in runec("graph", "z").stderr


def test_mermaid(runec: Callable[..., Any], branches: Path) -> None:
    lines = runec("graph", branches, "-f", "mermaid").stdout.splitlines()
    assert lines[:4] == [
        "%% runec graph",
        "flowchart TD",
        '  n0["first<br>RAW"]',
        "  style n0 fill:#90ee90",
    ]
    assert lines[-1] == '  n0 -->|"f32[1, 4]"| n3'
    assert len(lines) == 2 + 2 * 4 + 4


# Markup of terminals, XML, DOT and Mermaid as names in an untrusted .rune.
EVIL = Drawing(
    '"><script>',
    (
        Node('"]\n</text><script>&', "capability", "\x1b[31m\\"),
        Node("b", "output", "`**<br>**`"),
    ),
    (Edge('"]\n</text><script>&', "b", 'u8["|]'),),
)


def test_untrusted_text_is_escaped() -> None:
    dot = to_dot(EVIL).splitlines()
    assert len(dot) == 7
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "T", dot[3]) == "  T [label=T, fillcolor=lightgreen];"
    # Neither a line's end nor ESC, which XML does not allow.
    assert '[label="\\"]\ufffd</text><script>&\\n\ufffd[31m\\\\"' in dot[3]
    assert to_mermaid(EVIL).splitlines()[2:] == [
        '  n0["#34;]#65533;#60;#47;text#62;#60;script#62;#38;<br>#65533;[31m#92;"]',
        "  style n0 fill:#90ee90",
        '  n1["b<br>#96;#42;#42;#60;br#62;#42;#42;#96;"]',
        "  style n1 fill:#ff6a6a",
        '  n0 -->|"u8[#34;#124;]"| n1',
    ]
