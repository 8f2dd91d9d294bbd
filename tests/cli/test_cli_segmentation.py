"""The labels of the classes that segment_output has seen, from the Runefile to the output."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Runec = Callable[..., Any]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  scores:
    capability: RAW
    outputs: [{{type: f32, dimensions: [1, 2, 2, 3]}}]
  segmentation_map:
    proc-block: hotg-ai/proc-blocks@v0.11.3#segment_output
    inputs: [scores]
    outputs:
      - {{type: u32, dimensions: [2, 2]}}
      - {{type: u32, dimensions: [{length}]}}
  label:
    proc-block: hotg-ai/proc-blocks@v0.11.3#label
    inputs: [segmentation_map.1]
    outputs: [{{type: utf8, dimensions: [{length}]}}]
    args: {{wordlist: [background, cat, dog]}}
  serial: {{out: SERIAL, inputs: [label, segmentation_map.0]}}
"""


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (3, ["background", "dog", ""]),
        (2, ["background", "dog"]),
        (5, ["background", "dog", "", "", ""]),
        (1, ["background"]),
    ],
)
def test_the_labels_of_the_classes_seen_are_printed(
    runec: Runec, tmp_path: Path, length: int, words: list[str]
) -> None:
    runefile, raw = tmp_path / "Runefile.yml", tmp_path / "in.bin"
    runefile.write_text(RUNEFILE.format(length=length))
    scores = [9, 1, 2, 9, 1, 2, 0, 1, 2, 9, 1, 2]
    raw.write_bytes(struct.pack("<12f", *scores))
    done = runec("run", runefile, "--raw", raw)
    assert done.code == 0, done.stderr
    (tensors,) = json.loads(done.stdout).values()
    assert [tensor["elements"] for tensor in tensors] == [words, [0, 0, 2, 0]]
