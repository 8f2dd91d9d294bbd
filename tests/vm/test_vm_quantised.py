"""A quantised model between quantize and dequantize: floats in, floats out, nothing to look up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from runec.codegen import compile_pipeline
from runec.container import write_rune
from runec.frontend import analyse_text
from runec.vm import Inputs, run_rune
from tests.originals import EXAMPLES

MODEL = EXAMPLES / "microspeech" / "model.tflite"
# From LiteRT.
SCALE_IN, ZERO_IN = np.float32(0.1), -128
SCALE_OUT, ZERO_OUT = np.float32(0.00390625), -128
TEXT = """\
version: 1
image: runicos/base
pipeline:
  sound: {capability: RAW, outputs: [{type: f32, dimensions: [1, 49, 40, 1]}]}
  small: {proc-block: quantize, inputs: [sound]}
  net: {model: ./model.tflite, inputs: [small]}
  real: {proc-block: dequantize, inputs: [net]}
  serial: {out: serial, inputs: [real, net]}
"""


def test_floats_go_through_an_int8_model_as_numpy_and_the_library_say(tmp_path: Path) -> None:
    from tflite_micro import runtime

    (tmp_path / "model.tflite").write_bytes(MODEL.read_bytes())
    sound = np.random.default_rng(3).uniform(-1, 27, (1, 49, 40, 1)).astype(np.float32)
    (tmp_path / "sound.bin").write_bytes(sound.tobytes())
    pipeline = analyse_text(TEXT, "Runefile.yml", tmp_path, "test").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    (line,) = run_rune(rune, Inputs(raw=(tmp_path / "sound.bin",)))
    ((real, net),) = json.loads(line).values()

    whole = np.trunc(sound / SCALE_IN + np.copysign(np.float32(0.5), sound))
    small = np.clip(whole + ZERO_IN, -128, 127).astype(np.int8)
    library: Any = runtime.Interpreter.from_bytes(MODEL.read_bytes())
    library.set_input(small, 0)
    library.invoke()
    expected = np.asarray(library.get_output(0)).ravel()
    assert net["elements"] == expected.tolist()
    floats = (expected.astype(np.float32) - ZERO_OUT) * SCALE_OUT
    assert [np.float32(value) for value in real["elements"]] == floats.tolist()
    assert abs(sum(real["elements"]) - 1) < 0.02
