"""Floats that no integer stands for, in models that make integers: the same on all boards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runec.boards import Board, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, run_bytes
from runec.frontend import analyse_text
from runec.vm import Inputs

MakeModel = Callable[..., bytes]
BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
VALUES = np.array(
    [np.nan, -np.nan, np.inf, -np.inf, 1e38, -1e38, 2**31, -(2**31), 3e9, -0.0, 0.75, -64.4],
    np.float32,
)
SCALE, ZERO = 0.5, -3
RUNEFILE = f"""
version: 1
image: runicos/base
pipeline:
  x: {{capability: RAW, outputs: [{{type: f32, dimensions: [1, {VALUES.size}]}}]}}
  first: {{model: ./first.tflite, inputs: [x]}}
  inside: {{model: ./inside.tflite, inputs: [x]}}
  out: {{out: TENSOR, inputs: [first, inside]}}
"""
# A NaN is 0.0; then 1.5 and -128.8 are rounded.
FIRST = [-3, -3, 127, -128, 127, -128, 127, -128, 127, -3, -1, -128]
# Negated; x86-64 gives -2^31 for what does not fit, and -2^31 - 3 is 2^31 - 3 modulo 2^32.
INSIDE = [127] * 9 + [-3, -5, 126]


@pytest.fixture
def rune(make_tflite: MakeModel, tmp_path: Path) -> Rune:
    """Two models: one quantises its input, the other what it computed."""
    quantised = ("INT8", [SCALE], [ZERO])
    first = make_tflite(VALUES.size, {"x": "FLOAT32", "q": quantised}, [("QUANTIZE", ["x"], ["q"])])
    inside = make_tflite(
        VALUES.size,
        {"x": "FLOAT32", "n": "FLOAT32", "q": quantised},
        [("NEG", ["x"], ["n"]), ("QUANTIZE", ["n"], ["q"])],
    )
    (tmp_path / "first.tflite").write_bytes(first)
    (tmp_path / "inside.tflite").write_bytes(inside)
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", tmp_path, "floats").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def integers(rune: Rune, folder: Path, target: Target) -> list[list[int]]:
    """What the two models make of VALUES."""
    (folder / "x.bin").write_bytes(VALUES.tobytes())
    (result,) = run_bytes(rune, Inputs(raw=(folder / "x.bin",)), target)
    text = f"i8[1, {VALUES.size}]".encode()
    empty, *parts = result.split(len(text).to_bytes(4, "little") + text)
    assert empty == b""
    return [np.frombuffer(part, np.int8).tolist() for part in parts]


def test_a_board_makes_of_every_float_what_the_rule_says(rune: Rune, tmp_path: Path) -> None:
    board = load_board("netduinoplus2")
    assert integers(rune, tmp_path, Target("emulator", board)) == [FIRST, INSIDE]
    assert integers(rune, tmp_path, Target("host"))[0] == FIRST


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_every_board_does(rune: Rune, tmp_path: Path, board: Board) -> None:
    assert integers(rune, tmp_path, Target("emulator", board)) == [FIRST, INSIDE]
