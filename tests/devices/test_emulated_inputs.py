"""Sounds and pictures over the link, tensors back: the same bytes on boards as on the host."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runec.boards import Board, load_boards
from runec.codegen import compile_pipeline
from runec.container import write_rune
from runec.devices import Target, run_bytes
from runec.frontend import analyse_text
from runec.vm import Inputs

BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  picture:
    capability: IMAGE
    args: {width: 3, height: 2, pixel_format: "@PixelFormat::BGR"}
    outputs: [{type: U8, dimensions: [1, 2, 3, 3]}]
  floats:
    capability: FLOAT_IMAGE
    args: {width: 2, height: 2, pixel_format: "@PixelFormat::GrayScale"}
    outputs: [{type: F32, dimensions: [1, 2, 2, 1]}]
  sound:
    capability: SOUND
    args: {hz: 8000, sample_duration_ms: 40}
    outputs: [{type: I16, dimensions: [1, 320]}]
  out: {out: TENSOR, inputs: [picture, sound, floats]}
"""


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (9, 11, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with wave.open(str(tmp_path / "a.wav"), "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(44100)
        writer.writeframes(random.integers(-9999, 9999, 2 * 4410).astype("<i2").tobytes())
    return Inputs(image=(tmp_path / "a.png",), sound=(tmp_path / "a.wav",))


def results(inputs: Inputs, target: Target) -> list[bytes]:
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", Path(), "inputs").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    return list(run_bytes(rune, inputs, target, repeats=2))


def test_sounds_and_pictures_come_back_as_tensors_on_the_host(inputs: Inputs) -> None:
    first, second = results(inputs, Target("host"))
    assert first == second
    types = (b"u8[1, 2, 3, 3]", b"i16[1, 320]", b"f32[1, 2, 2, 1]")
    sizes = (18, 640, 16)
    assert len(first) == sum(map(len, types)) + sum(sizes) + 4 * len(types)
    assert [first.count(text) for text in types] == [1, 1, 1]


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_a_board_gives_the_hosts_bytes(board: Board, inputs: Inputs) -> None:
    expected = results(inputs, Target("host"))
    assert results(inputs, Target("emulator", board)) == expected
