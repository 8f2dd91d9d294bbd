"""The original platform's own integration tests of running: its Runefiles, inputs and results.

What was `run-pass` and `run-fail` there, for the stages that exist here. Expectations are
substrings of the output after floats are cut to five decimals, as its harness did.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOTG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hotg"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
BLOCKS = "hotg-ai/proc-blocks@v0.11.3"

NOOP = """
  input:
    capability: RAW
    outputs:
      - type: i32
        dimensions: [4]
  serial:
    out: serial
    inputs: [input]
"""
SINE = f"""
  rand:
    capability: RAW
    args: {{length: 4}}
    outputs: [{{type: F32, dimensions: [1, 1]}}]
  mod360:
    proc-block: "{BLOCKS}#modulo"
    inputs: [rand]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
    args: {{modulus: 360.0}}
  sine:
    model: MODEL
    inputs: [mod360]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
  serial:
    out: serial
    inputs: [sine]
"""
MULTIPLE_OUTPUTS = """
  bytes:
    capability: RAW
    outputs: [{type: u8, dimensions: [16]}]
  words:
    capability: RAW
    outputs: [{type: i32, dimensions: [4]}]
  serial:
    out: serial
    inputs: [bytes, words]
"""
GESTURE = f"""
  accelerometer:
    capability: ACCEL
    outputs: [{{type: F32, dimensions: [1, 128, 3, 1]}}]
    args: {{n: 128}}
  normalize:
    proc-block: "{BLOCKS}#normalize"
    inputs: [accelerometer]
    outputs: [{{type: f32, dimensions: [1, 128, 3, 1]}}]
  gesture:
    model: "./model.tflite"
    inputs: [normalize]
    outputs: [{{type: f32, dimensions: [1, 4]}}]
  most_confident_index:
    proc-block: "{BLOCKS}#most_confident_indices"
    inputs: [gesture]
    outputs: [{{type: U32, dimensions: [1]}}]
    args: {{count: 1}}
  label:
    proc-block: "{BLOCKS}#label"
    inputs: [most_confident_index]
    outputs: [{{type: UTF8, dimensions: [1]}}]
    args:
      wordlist: LABELS
  serial:
    out: SERIAL
    inputs: [label]
"""
GESTURES = "|\n        Wing\n        Ring\n        Slope\n        Unknown\n"
PERSON = f"""
  image:
    capability: IMAGE
    outputs: [{{type: U8, dimensions: [1, 96, 96, 1]}}]
    args:
      pixel-format: "@PixelFormat::GrayScale"
      height: 96
      width: 96
  person_detection:
    model: "./model.tflite"
    inputs: [image]
    outputs: [{{type: U8, dimensions: [1, 1, 1, 3]}}]
  most_confident_index:
    proc-block: "{BLOCKS}#most_confident_indices"
    inputs: [person_detection]
    outputs: [{{type: U32, dimensions: [1]}}]
    args: {{count: 1}}
  label:
    proc-block: "{BLOCKS}#label"
    inputs: [most_confident_index]
    outputs: [{{type: UTF8, dimensions: [1]}}]
    args:
      wordlist: |
        unknown
        person_prob
        not_person_prob
  serial:
    out: SERIAL
    inputs: [label]
"""
DEBUGGING = f"""
  rand:
    capability: RAND
    outputs: [{{type: F32, dimensions: [1, 1]}}]
  mod360:
    proc-block: "{BLOCKS}#modulo"
    inputs: [rand]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
    args: {{modulus: 360.0}}
  sine:
    model: "./sinemodel.tflite"
    inputs: [mod360]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
  serial:
    out: serial
    inputs: [rand]
  identity:
    proc-block: "{BLOCKS}#identity"
    inputs: [mod360, sine]
    outputs: [{{type: F32, dimensions: [1, 1]}}, {{type: F32, dimensions: [1, 1]}}]
  debug_output:
    out: serial
    inputs: [rand, identity.0, identity.1]
"""
RING = '{"3":[{"element_type":"utf8","dimensions":[1],"elements":["Ring"]}]}'


def cut(text: str) -> str:
    """Cut floats to five decimals."""
    return re.sub(r"(\d+\.\d{5})\d+", r"\1", text)


Golden = Callable[..., Any]


@pytest.fixture
def golden(runec: Callable[..., Any], tmp_path: Path) -> Golden:
    """Build a pipeline in a folder of its own, with files beside it, and run it."""

    def call(
        stages: str, *arguments: str | Path, resources: str = "", beside: tuple[Path, ...] = ()
    ) -> Any:
        for path in beside:
            if not path.is_file():
                pytest.skip(f"{path.name} of ../shared/data/hotg is not there")
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / "Runefile.yml").write_text(HEAD + stages + resources)
        rune = tmp_path / "golden.rune"
        built = runec(
            *("build", tmp_path / "Runefile.yml", "--output", rune, "--current-dir", tmp_path)
        )
        assert built.code == 0, built.stderr
        return runec("run", rune, *arguments, "--engine", "wasm3")

    return call


def binary(folder: Path, content: bytes) -> Path:
    path = folder / "input.bin"
    path.write_bytes(content)
    return path


def test_noop(golden: Golden, tmp_path: Path) -> None:
    done = golden(NOOP, "--raw", binary(tmp_path, struct.pack("<4i", 0, 1, 2, 3)))
    expected = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}'
    assert (done.code, done.stdout) == (0, f"{expected}\n")
    assert "Running rune: golden.rune" in done.stderr


SINE_OF_0_8 = '"element-type":"f32","dimensions":[1,1],"elements":[0.69727874]'


def test_sine(golden: Golden, tmp_path: Path) -> None:
    done = golden(
        SINE.replace("MODEL", '"./sinemodel.tflite"'),
        *("--raw", binary(tmp_path, b"\xcd\xcc\x4c\x3f")),
        beside=(HOTG / "sine" / "sinemodel.tflite",),
    )
    assert done.code == 0, done.stderr
    assert cut('{"3":[{' + SINE_OF_0_8) in cut(done.stdout)


def test_model_from_resource(golden: Golden, tmp_path: Path) -> None:
    done = golden(
        SINE.replace("MODEL", "$SINE_MODEL"),
        *("--raw", binary(tmp_path, b"\xcd\xcc\x4c\x3f")),
        resources="resources:\n  SINE_MODEL:\n    type: binary\n    path: ./sinemodel.tflite\n",
        beside=(HOTG / "sine" / "sinemodel.tflite",),
    )
    assert done.code == 0, done.stderr
    assert cut('{"4":[{' + SINE_OF_0_8) in cut(done.stdout)


def test_multiple_outputs(golden: Golden, tmp_path: Path) -> None:
    done = golden(MULTIPLE_OUTPUTS, "--raw", binary(tmp_path, struct.pack("<4i", 0, 1, 2, 3)))
    numbers = "0,0,0,0,1,0,0,0,2,0,0,0,3,0,0,0"
    assert done.stdout == (
        f'{{"3":[{{"element-type":"u8","dimensions":[16],"elements":[{numbers}]}},'
        '{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}\n'
    )


def test_gesture_ring(golden: Golden) -> None:
    folder = HOTG / "gesture"
    done = golden(
        GESTURE.replace("LABELS", GESTURES),
        *("--accelerometer", folder / "example_ring.csv"),
        beside=(folder / "model.tflite",),
    )
    assert done.code == 0, done.stderr
    assert done.stdout == f"{RING}\n"


def test_resources_in_proc_block_args(golden: Golden) -> None:
    folder = HOTG / "gesture"
    done = golden(
        GESTURE.replace("LABELS", "$LABELS"),
        *("--accelerometer", folder / "example_ring.csv"),
        resources="resources:\n  LABELS:\n    inline: " + GESTURES,
        beside=(folder / "model.tflite",),
    )
    assert done.code == 0, done.stderr
    assert done.stdout == f"{RING.replace('3', '4')}\n", "the resource takes an id"


def test_person_detection(golden: Golden) -> None:
    folder = HOTG / "person_detection"
    done = golden(
        PERSON,
        *("--image", folder / "image.png"),
        beside=(folder / "model.tflite",),
    )
    assert done.code == 0, done.stderr
    assert done.stdout == f"{RING.replace('Ring', 'person_prob')}\n"
    assert "warning[R0722]" in done.stderr


def test_debugging_has_an_output_for_the_user_and_one_for_the_developer(golden: Golden) -> None:
    done = golden(DEBUGGING, "--random", "42", beside=(EXAMPLES / "sine" / "sinemodel.tflite",))
    assert done.code == 0, done.stderr
    (serial,), (rand, mod360, sine) = json.loads(done.stdout).values()
    assert serial == rand == mod360, "a number from 0 to 1 is its own remainder"
    (angle,), (answer,) = rand["elements"], sine["elements"]
    assert 0 < angle < 1
    assert answer == pytest.approx(math.sin(angle), abs=0.02), "the model's own error is 0.017"


def test_missing_raw_capability(golden: Golden) -> None:
    done = golden(NOOP)
    assert (done.code, done.stdout) == (1, "")
    assert 'Error: Unable to load the "RAW" input' in done.stderr
