"""The integration tests of the original platform: `compile-pass`, by the command line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.container import read_rune
from tests.frontend.test_model_formats import KNOWN_MODEL_FORMATS

SINE = Path(__file__).resolve().parents[2] / "examples" / "sine" / "sinemodel.tflite"
BLOCKS = "hotg-ai/proc-blocks@refs/heads/master"

DIRECTORIES = f"""\
version: 1
image: runicos/base
pipeline:
  rand: {{capability: RAW, outputs: [{{type: F32, dimensions: [1, 1]}}]}}
  mod360:
    proc-block: "{BLOCKS}#modulo"
    inputs: [rand]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
    args: {{modulus: 360.0}}
  sine:
    model: "./sine-wave/"
    args: {{format: tensorflow-js}}
    inputs: [mod360]
    outputs: [{{type: F32, dimensions: [1, 1]}}]
  serial: {{out: serial, inputs: [sine]}}
"""
UNUSED_ARGUMENTS = """\
image: runicos/base
version: 1
pipeline:
  input: {capability: RAND, outputs: [{type: i32, dimensions: [4]}]}
  some_model:
    model: $MODEL
    inputs: [input]
    outputs: [{type: i32, dimensions: [4]}]
    args: {unused_argument: asdfg, another_unused_argument: asd42}
  serial: {out: serial, inputs: [input]}
resources:
  MODEL: {type: binary}
"""
SEVERAL_INPUTS = """\
version: 1
image: asdf
pipeline:
  rand: {capability: RAND, outputs: [{type: f32, dimensions: [128]}]}
  model: {model: ./sine.tflite, inputs: [rand, rand], outputs: [{type: f32, dimensions: [1]}]}
"""
# Its block was a Rust crate beside the Runefile; runec takes its own of that name.
SEVERAL_OUTPUTS = """\
version: 1
image: runicos/base
pipeline:
  rand: {capability: RAND, outputs: [{type: f32, dimensions: [1, 1]}]}
  audio: {capability: SOUND, outputs: [{type: i16, dimensions: [16000]}], args: {hz: 16000}}
  identity:
    proc-block: "./identity"
    inputs: [rand, audio]
    outputs: [{type: f32, dimensions: [1, 1]}, {type: i16, dimensions: [16000]}]
  serial: {out: serial, inputs: [identity.0, identity.1]}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KNOWN_MODEL_FORMATS, ""),
        (DIRECTORIES, ""),
        (
            UNUSED_ARGUMENTS,
            "warning: Unused arguments for some_model: unused_argument, another_unused_argument",
        ),
        (SEVERAL_INPUTS, ""),
        (SEVERAL_OUTPUTS, "warning[R0124]"),
    ],
    ids=[
        "known-model-formats",
        "directories-are-zipped-when-used-for-models",
        "model-arguments-should-be-used",
        "models-with-multiple-inputs",
        "proc-block-with-multiple-inputs-and-outputs",
    ],
)
def test_compile_pass(
    text: str,
    said: str,
    runec: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Runefile.yml").write_text(text)
    (tmp_path / "sine.tflite").write_bytes(SINE.read_bytes())
    (tmp_path / "identity").mkdir()
    (tmp_path / "identity" / "Cargo.toml").write_text("[package]\n")
    (tmp_path / "sine-wave").mkdir()
    (tmp_path / "sine-wave" / "model.json").write_text("{}")
    (tmp_path / "sine-wave" / "group1-shard1of1.bin").write_bytes(b"\x01\x02")
    done = runec("build", "Runefile.yml", "-o", "test.rune")
    assert done.code == 0, done.stderr
    assert said in done.stderr
    rune = read_rune((tmp_path / "test.rune").read_bytes())
    if text == SEVERAL_OUTPUTS:
        graph = rune.require_graph()
        types = [str(graph.tensors[number]) for number in graph.outputs["serial"].inputs]
        assert types == ["f32[1, 1]", "i16[16000]"]
    if text == DIRECTORIES:
        data = rune.resources["sine"]
        assert data is not None
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.namelist() == ["group1-shard1of1.bin", "model.json"]


def test_a_rune_that_no_device_can_run_makes_no_firmware(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "sine-wave").mkdir()
    (here / "open.yml").write_text(UNUSED_ARGUMENTS)
    (here / "folder.yml").write_text(DIRECTORIES)
    for name, code in (("open", "R0814"), ("folder", "R0815")):
        assert runec("build", f"{name}.yml", "-o", f"{name}.rune").code == 0
        done = runec("firmware", "new", f"{name}.rune", "--board", "esp32c3", "-d", "project")
        assert done.code == 1
        assert f"error[{code}]" in done.stderr
        assert not (here / "project").exists()
