"""docs/conformance.md is made of cells and sizes, and of nothing that changes with the day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import conformance_page as tool


def cell(example: str, target: str, engine: str, verdict: str, seconds: float) -> dict[str, object]:
    return {
        "example": example,
        "target": target,
        "engine": engine,
        "verdict": verdict,
        "seconds": seconds,
    }


CELLS = [
    cell("sine", "host", "wasm3", "ok, 7 runs", 1.25),
    cell("sine", "emulator:esp32", "wasm3", "too little RAM", 9.5),
    cell("sine", "emulator:esp32", "aot", "ok, 3 runs", 8.5),
    cell("sine/Runefile", "host", "wasm3", "ok, 7 runs", 4.75),
]


def test_the_matrix_has_a_row_an_engine_and_a_column_a_target() -> None:
    assert tool.matrix(CELLS) == [
        ["example", "engine", "host", "esp32"],
        ["sine", "wasm3", "ok, 7 runs", "too little RAM"],
        ["sine", "aot", "", "ok, 3 runs"],
        ["sine/Runefile", "wasm3", "ok, 7 runs", ""],
    ]


def test_the_page_holds_sizes_and_no_times() -> None:
    text = tool.page(CELLS, [["sine", "aot", "esp32", "100", "200", "48", "too big"]])
    assert text.endswith("| sine | aot | esp32 | 100 | 200 | 48 | too big |\n")
    assert "| example | engine | board | flash | RAM | linear memory | arena |" in text
    for each in CELLS:
        assert str(each["seconds"]) not in text


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
