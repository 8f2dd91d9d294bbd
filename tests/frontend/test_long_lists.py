"""Lists with more words than a Runefile may have are rejected before they are parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.diagnostics import RunefileError
from runec.frontend import analyse_text, yaml_nodes

HEAD = """\
version: 1
image: runicos/base
pipeline:
  raw: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}
  label:
    proc-block: hotg-ai/proc-blocks#label
    inputs: [raw]
    outputs: [{type: utf8, dimensions: [1]}]
"""
LISTS = {
    "flow": "[a, b, c, d, e, f, g, h]",
    "flow over lines": "[\n      " + ",\n      ".join("abcdefgh") + "]",
    "double quotes": '["a", "b, \\" c", "d", "e", "f", "g", "h", "i"]',
    "single quotes": "['a', 'it''s, b', 'd', 'e', 'f', 'g', 'h', 'i']",
    "block": "".join(f"\n        - {word}" for word in "abcdefgh"),
}
TAIL = "  serial: {out: SERIAL, inputs: [label]}\n"


def codes(text: str) -> list[str]:
    yaml_nodes._tree.cache_clear()
    try:
        analyse_text(text, "Runefile.yml", Path(), "x")
    except RunefileError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was parsed."""
    made: list[str] = []

    def tree(*arguments: object) -> object:
        made.append("a text")
        return original(*arguments)  # type: ignore[arg-type]

    original = yaml_nodes._Tree
    monkeypatch.setattr(yaml_nodes, "_Tree", tree)
    return made


@pytest.mark.parametrize("words", LISTS.values(), ids=LISTS)
def test_a_long_list_is_refused_before_it_is_parsed(
    words: str, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{HEAD}    args:\n      labels: {words}\n{TAIL}"
    assert codes(text) == []
    reads.clear()
    monkeypatch.setattr(yaml_nodes, "MAX_YAML_EVENTS", 6)
    assert codes(text) == ["R0019"]
    assert reads == []


@pytest.mark.parametrize(
    "text",
    [
        "# x: [a, b, c, d, e, f, g, h, i, j]\n",
        '"x: [a, b, c, d, e, f, g, h, i, j]"',
        "'x: [a, b, c, d, e, f, g, h, i, j]'",
        "|\n  x: [a, b, c, d, e, f, g, h, i, j]\n",
        ">-  # folded\n  - a\n  - b\n  - c\n  - d\n  - e\n  - f\n  - g\n",
        "a, b, c, d, e, f, g, h, i, j",
        "[a, b, c]",
    ],
)
def test_what_only_looks_like_a_long_list_is_parsed(
    text: str, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_YAML_EVENTS", 6)
    codes(f"x: {text}")
    assert reads == ["a text"]
