"""NaNs of any sign and payload, given or computed: one NaN comes out, of every board."""

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

BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
# Quiet and signalling, with and without sign and payload; infinities; what SQRT has no root of.
BITS = [0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFFFFFFF, 0x7F800000, 0xFF800000, 0xBF800000]
GIVEN = [0x7FC00000] * 4 + BITS[4:]
ROOTS = [0x7FC00000] * 4 + [0x7F800000, 0x7FC00000, 0x7FC00000]
RUNEFILE = f"""
version: 1
image: runicos/base
pipeline:
  x: {{capability: RAW, outputs: [{{type: f32, dimensions: [1, {len(BITS)}]}}]}}
  root: {{model: ./root.tflite, inputs: [x]}}
  out: {{out: TENSOR, inputs: [x, root]}}
"""


@pytest.fixture
def rune(make_tflite: Callable[..., bytes], tmp_path: Path) -> Rune:
    model = make_tflite(len(BITS), {"x": "FLOAT32", "y": "FLOAT32"}, [("SQRT", "x", "y")])
    (tmp_path / "root.tflite").write_bytes(model)
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", tmp_path, "nans").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def bits(rune: Rune, folder: Path, target: Target) -> list[list[int]]:
    """What comes out of the capability and of the model."""
    (folder / "x.bin").write_bytes(np.array(BITS, "<u4").tobytes())
    (result,) = run_bytes(rune, Inputs(raw=(folder / "x.bin",)), target)
    text = f"f32[1, {len(BITS)}]".encode()
    empty, *parts = result.split(len(text).to_bytes(4, "little") + text)
    assert empty == b""
    return [np.frombuffer(part, "<u4").tolist() for part in parts]


def test_the_host_and_a_board_give_the_one_nan(rune: Rune, tmp_path: Path) -> None:
    for target in (Target("host"), Target("emulator", load_board("netduinoplus2"))):
        assert bits(rune, tmp_path, target) == [GIVEN, ROOTS]


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_every_board_does(rune: Rune, tmp_path: Path, board: Board) -> None:
    assert bits(rune, tmp_path, Target("emulator", board)) == [GIVEN, ROOTS]
