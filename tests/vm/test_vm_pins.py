"""A PIN on the host: no pin is driven; the line has its level."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.codegen import compile_pipeline
from runec.container import write_rune
from runec.frontend import analyse_text
from runec.vm import Inputs, run_rune

LEGACY = """FROM runicos/base
CAPABILITY<u8> input RAW
OUT pin --pin LED
RUN input pin
"""
YAML = """version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: u8}]}
  serial: {out: SERIAL, inputs: [input]}
  lamp: {out: pin, inputs: [input], args: {pin: P0.13, active_low: True}}
"""
SERIAL = '"2":[{"element-type":"u8","dimensions":[1],"elements":[%d]}]'


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        (LEGACY, 0, '{"2":{"pin":"LED","level":0}}'),
        (LEGACY, 7, '{"2":{"pin":"LED","level":1}}'),
        (YAML, 0, f'{{{SERIAL % 0},"3":{{"pin":"P0.13","level":1}}}}'),
        (YAML, 7, f'{{{SERIAL % 7},"3":{{"pin":"P0.13","level":0}}}}'),
    ],
)
def test_a_runefile_with_a_pin_prints_its_level(
    tmp_path: Path, text: str, value: int, line: str
) -> None:
    pipeline = analyse_text(text, "Runefile", tmp_path, "lamp").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    (tmp_path / "input").write_bytes(bytes((value,)))
    assert list(run_rune(rune, Inputs(raw=(tmp_path / "input",)))) == [line]
