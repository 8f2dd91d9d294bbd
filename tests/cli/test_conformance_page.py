"""docs/conformance.md is made of cells and sizes, and of nothing that changes with the day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import conformance_page as tool

CELLS = [
    {"example": "sine", "target": "host", "verdict": "ok, 7 runs", "seconds": 1.25},
    {"example": "sine", "target": "emulator:esp32", "verdict": "too little RAM", "seconds": 9.5},
    {"example": "sine/Runefile", "target": "host", "verdict": "ok, 7 runs", "seconds": 4.75},
]


def test_the_matrix_has_a_row_an_example_and_a_column_a_target() -> None:
    assert list(tool.matrix(CELLS)) == [
        "| example | host | esp32 |",
        "| --- | --- | --- |",
        "| sine | ok, 7 runs | too little RAM |",
        "| sine/Runefile | ok, 7 runs |  |",
    ]


def test_the_page_holds_sizes_and_no_times() -> None:
    text = tool.page(CELLS, [["sine", "esp32", "100", "200", "48", "too big"]])
    assert text.endswith("| sine | esp32 | 100 | 200 | 48 | too big |\n")
    assert "| example | board | flash | RAM | linear memory | arena |" in text
    for cell in CELLS:
        assert str(cell["seconds"]) not in text


def test_differences_make_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[object] = []
    monkeypatch.setattr(tool, "write_page", written.append)
    path = tmp_path / "cells.jsonl"
    path.write_text(json.dumps({**CELLS[0], "differences": []}) + "\n")
    assert tool.main([str(path)]) == 0
    assert len(written) == 1
    path.write_text(json.dumps({**CELLS[0], "differences": [{"got": []}]}) + "\n")
    assert tool.main([str(path)]) == 1
    assert len(written) == 1
    assert "bytes differ" in capsys.readouterr().err
