"""The example texts of the original platform, in both dialects, with models of the same types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runec.frontend import Analysis, analyse
from runec.pipeline import CapabilityKind, OutputKind, Pipeline

SINE_YAML = """
version: 1
image: runicos/base
pipeline:
  rand: {capability: RAW, args: {length: 4}, outputs: [{type: F32, dimensions: [1, 1]}]}
  mod360:
    proc-block: "hotg-ai/proc-blocks@v0.11.3#modulo"
    inputs: [rand]
    outputs: [{type: F32, dimensions: [1, 1]}]
    args: {modulus: 360.0}
  sine: {model: "./sinemodel.tflite", inputs: [mod360], outputs: [{type: F32, dimensions: [1, 1]}]}
  serial: {out: serial, inputs: [sine]}
"""

SINE_LEGACY = """FROM runicos/base

CAPABILITY<F32> rand RAND

PROC_BLOCK<F32,F32> mod360 hotg-ai/rune#proc_blocks/modulo --modulus 360.0

MODEL<F32, F32> sine ./sinemodel.tflite

OUT serial

RUN rand mod360 sine serial
"""

GESTURE_YAML = """
version: 1
image: runicos/base
pipeline:
  accelerometer:
    capability: ACCEL
    outputs:
      - type: F32
        dimensions: [1, 128, 3, 1]
    args:
      n: 128
  normalize:
    proc-block: "hotg-ai/proc-blocks@v0.11.3#normalize"
    inputs: [accelerometer]
    outputs: [{type: f32, dimensions: [1, 128, 3, 1]}]
  gesture:
    model: "./model.tflite"
    inputs: [normalize]
    outputs: [{type: f32, dimensions: [1, 4]}]
  most_confident_index:
    proc-block: "hotg-ai/proc-blocks@v0.11.3#most_confident_indices"
    inputs: [gesture]
    outputs: [{type: U32, dimensions: [1]}]
    args: {count: 1}
  label:
    proc-block: "hotg-ai/proc-blocks@v0.11.3#label"
    inputs: [most_confident_index]
    outputs: [{type: UTF8, dimensions: [1]}]
    args:
      wordlist: |
        Wing
        Ring
        Slope
        Unknown
  serial: {out: SERIAL, inputs: [label]}
"""

GESTURE_LEGACY = """FROM runicos/base
CAPABILITY<F32[128, 3]> accelerometer ACCEL -n 128
PROC_BLOCK<f32[128, 3],f32[128, 3]> normalize hotg-ai/rune#proc_blocks/normalize
MODEL<f32[128, 3],f32[4]> gesture ./model.tflite
PROC_BLOCK<F32[4], U32[1]> most_confident_index hotg-ai/rune#proc_blocks/most_confident_indices \\
    --count 1
PROC_BLOCK<U32[1], UTF8[1]> label hotg-ai/rune#proc_blocks/label --labels=Wing,Ring,Slope,Unknown
OUT SERIAL
RUN accelerometer normalize gesture most_confident_index label serial
"""

NOOP_YAML = """
version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: i32, dimensions: [4]}]}
  serial: {out: serial, inputs: [input]}
"""

NOOP_LEGACY = """FROM runicos/base
CAPABILITY<i32[4]> input RAW
OUT serial
RUN input serial
"""

TEXTS = {
    "sine yaml": (SINE_YAML, "Runefile.yml"),
    "sine legacy": (SINE_LEGACY, "Runefile"),
    "gesture yaml": (GESTURE_YAML, "Runefile.yml"),
    "gesture legacy": (GESTURE_LEGACY, "Runefile"),
    "noop yaml": (NOOP_YAML, "Runefile.yml"),
    "noop legacy": (NOOP_LEGACY, "Runefile"),
}


def tensor_types(pipeline: Pipeline) -> list[str]:
    return [str(tensor.type) for tensor in pipeline.tensors]


@pytest.mark.parametrize("example", TEXTS)
def test_example_texts_are_accepted_without_a_warning(
    example: str, analyse_in: Callable[..., Analysis]
) -> None:
    assert analyse_in(*TEXTS[example]).warnings == ()


@pytest.mark.parametrize(
    ("example", "types"),
    [
        ("sine yaml", ["f32[1, 1]"] * 3),
        ("sine legacy", ["f32[1]"] * 3),
        ("gesture yaml", ["f32[1, 128, 3, 1]"] * 2 + ["f32[1, 4]", "u32[1]", "utf8[1]"]),
        ("gesture legacy", ["f32[128, 3]"] * 2 + ["f32[4]", "u32[1]", "utf8[1]"]),
        ("noop yaml", ["i32[4]"]),
        ("noop legacy", ["i32[4]"]),
    ],
)
def test_a_tensor_has_the_type_that_its_producer_declares(
    example: str, types: list[str], analyse_in: Callable[..., Analysis]
) -> None:
    assert tensor_types(analyse_in(*TEXTS[example]).pipeline) == types


@pytest.mark.parametrize("dialect", ["yaml", "legacy"])
def test_gesture_means_the_same_in_both_dialects(
    dialect: str, analyse_in: Callable[..., Analysis]
) -> None:
    pipeline = analyse_in(*TEXTS[f"gesture {dialect}"]).pipeline
    (accelerometer,) = pipeline.capabilities
    assert accelerometer.kind is CapabilityKind.ACCEL
    assert accelerometer.parameters == {"n": 128}
    assert [stage.block.name for stage in pipeline.proc_blocks] == [
        "normalize",
        "most_confident_indices",
        "label",
    ]
    assert pipeline.proc_blocks[1].arguments == {"count": 1}
    words = ("Wing", "Ring", "Slope", "Unknown")
    assert pipeline.proc_blocks[2].arguments["wordlist"] == words
    # u32 length and the longest word, as docs/spec/rune.md lays utf8 out.
    assert pipeline.tensors[4].capacity_bytes == 4 + len("Unknown")
    (model,) = pipeline.models
    assert (model.name, model.resource, model.format) == ("gesture", "gesture", "tensorflow-lite")
    (out,) = pipeline.outputs
    assert (out.name, out.kind) == ("serial", OutputKind.SERIAL)
    assert out.inputs == (pipeline.tensors[4],)


def test_the_model_travels_as_a_resource_with_the_name_of_its_stage(
    analyse_in: Callable[..., Analysis], folder: Path
) -> None:
    pipeline = analyse_in(*TEXTS["sine yaml"]).pipeline
    assert list(pipeline.resources) == ["sine"]
    assert pipeline.resources["sine"].data == (folder / "sinemodel.tflite").read_bytes()


def test_block_paths_stand_as_written(analyse_in: Callable[..., Analysis]) -> None:
    yaml = analyse_in(*TEXTS["sine yaml"]).pipeline.proc_blocks[0]
    legacy = analyse_in(*TEXTS["sine legacy"]).pipeline.proc_blocks[0]
    assert yaml.path == "hotg-ai/proc-blocks@v0.11.3#modulo"
    assert legacy.path == "hotg-ai/rune#proc_blocks/modulo"
    assert yaml.arguments == legacy.arguments == {"modulus": 360.0}


def test_a_pipeline_is_called_like_its_folder_unless_named(folder: Path) -> None:
    place = folder / "my rune"
    place.mkdir()
    (place / "Runefile").write_text(NOOP_LEGACY)
    assert analyse(place / "Runefile").pipeline.name == "my rune"
    assert analyse(place / "Runefile", name="other").pipeline.name == "other"


def test_a_long_folder_name_is_cut_to_64_bytes(folder: Path) -> None:
    place = folder / ("x" * 63 + "\u00e9" * 20)
    place.mkdir()
    (place / "Runefile").write_text(NOOP_LEGACY)
    assert analyse(place / "Runefile").pipeline.name == "x" * 63


def test_files_are_looked_up_beside_the_runefile_unless_told_otherwise(folder: Path) -> None:
    place = folder / "elsewhere"
    place.mkdir()
    (place / "Runefile").write_text(SINE_LEGACY)
    (folder / "Runefile").write_text(SINE_LEGACY)
    here = analyse(folder / "Runefile").pipeline
    there = analyse(place / "Runefile", base_dir=folder).pipeline
    assert here.resources == there.resources


@pytest.mark.parametrize("name", ["Runefile", "Runefile.txt", "noop.rune"])
@pytest.mark.parametrize("text", [NOOP_LEGACY, NOOP_YAML, f"# comment\n\n{NOOP_YAML}"])
def test_the_content_tells_the_dialect_where_the_suffix_does_not(
    name: str, text: str, analyse_in: Callable[..., Analysis]
) -> None:
    assert tensor_types(analyse_in(text, name).pipeline) == ["i32[4]"]


@pytest.mark.parametrize("example", TEXTS)
def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(
    example: str, folder: Path
) -> None:
    text, name = TEXTS[example]
    (folder / name).write_bytes(text.encode())
    plain = analyse(folder / name, name="x").pipeline
    (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert analyse(folder / name, name="x").pipeline == plain
