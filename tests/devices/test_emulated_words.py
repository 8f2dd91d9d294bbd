"""A thousand labels in a board's flash: read there as on the host, run after run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runec.boards import Board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, run_bytes
from runec.frontend import analyse_text
from runec.vm import Inputs

BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
LABELS = [f"n{number:08} a synset of ImageNet" for number in range(1001)]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: u32, dimensions: [3]}]}
  label: {proc-block: label, inputs: [input], args: {wordlist: $LABELS}}
  serial: {out: serial, inputs: [label]}
resources:
  LABELS: {path: labels.txt}
"""


def labelled(folder: Path) -> tuple[Rune, Inputs]:
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    (folder / "input.bin").write_bytes(np.array([300, 0, 7], "<u4").tobytes())
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", folder, "words").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    return rune, Inputs(raw=(folder / "input.bin",))


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_a_board_finds_the_words_that_the_host_finds(board: Board, tmp_path: Path) -> None:
    rune, inputs = labelled(tmp_path)
    expected = list(run_bytes(rune, inputs, Target("host"), repeats=2))
    assert LABELS[300].encode() in expected[0]
    assert list(run_bytes(rune, inputs, Target("emulator", board), repeats=2)) == expected
