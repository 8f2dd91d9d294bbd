"""A model whose shapes Keras left open, folded by the build: the host's bytes on boards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runec.boards import Board, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, run_bytes
from runec.frontend import analyse_text
from runec.vm import Inputs
from tests import shape_models

BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  x: {capability: RAW, outputs: [{type: f32, dimensions: [1, 12]}]}
  net: {model: ./net.tflite, inputs: [x]}
  out: {out: SERIAL, inputs: [net]}
"""
GIVEN = np.arange(12, dtype="<f4") / 4
RESULT = (
    b'{"3":[{"element-type":"f32","dimensions":[1,3,4],"elements":'
    b"[0.0,0.5,1.0,1.5,2.0,2.5,3.0,3.5,4.0,4.5,5.0,5.5]}]}\n"
)


@pytest.fixture
def rune(tmp_path: Path) -> Rune:
    (tmp_path / "net.tflite").write_bytes(shape_models.keras_reshape())
    (tmp_path / "x.bin").write_bytes(GIVEN.tobytes())
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", tmp_path, "shapes").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_a_folded_model_runs_on_every_board(rune: Rune, tmp_path: Path, board: Board) -> None:
    inputs = Inputs(raw=(tmp_path / "x.bin",))
    assert list(run_bytes(rune, inputs, Target("emulator", board))) == [RESULT]


def test_a_folded_model_runs_on_the_host_and_a_board(rune: Rune, tmp_path: Path) -> None:
    inputs = Inputs(raw=(tmp_path / "x.bin",))
    for target in (Target("host"), Target("emulator", load_board("netduinoplus2"))):
        assert list(run_bytes(rune, inputs, target)) == [RESULT]
