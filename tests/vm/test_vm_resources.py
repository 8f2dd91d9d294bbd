"""Runes whose Runefile names resources: built and run, for the ids must agree in three rooms."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import tflite_micro

from runec.codegen import compile_pipeline
from runec.container import write_rune
from runec.frontend import analyse_text
from runec.vm import Inputs, run_rune

SINE = Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"
HEAD = """\
version: 1
image: runicos/base
resources:
  SINE: {type: binary, path: sine.tflite}
  LABELS: {inline: "low\\nhigh"}
  MORE: {inline: "unused"}
pipeline:
  input: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}
"""
LABEL = "{proc-block: label, inputs: [input], args: {wordlist: $LABELS}}"


def results(stages: str, folder: Path) -> dict[str, object]:
    (folder / "sine.tflite").write_bytes(SINE.read_bytes())
    (folder / "input.bin").write_bytes(struct.pack("<f", 1.0))
    pipeline = analyse_text(HEAD + stages, "Runefile.yml", folder, "test").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    (line,) = run_rune(rune, Inputs(raw=(folder / "input.bin",)))
    document: dict[str, object] = json.loads(line)
    return document


# Keys as in the original platform's tests: an opened resource takes an id (3 and 4).
@pytest.mark.parametrize(
    ("stages", "key"),
    [
        ("  net: {model: sine.tflite, inputs: [input]}\n", "3"),
        ("  net: {model: $SINE, inputs: [input]}\n", "4"),
        (f"  net: {{model: sine.tflite, inputs: [input]}}\n  label: {LABEL}\n", "4"),
        (f"  net: {{model: $SINE, inputs: [input]}}\n  label: {LABEL}\n", "5"),
        ("  first: {model: $SINE, inputs: [input]}\n  net: {model: $SINE, inputs: [first]}\n", "6"),
        # A block that does not take the argument opens nothing.
        (
            "  net: {proc-block: argmax, inputs: [input], args: {more: $MORE}}\n",
            "2",
        ),
    ],
)
def test_a_resource_named_in_the_runefile_moves_the_key_of_the_output(
    stages: str, key: str, tmp_path: Path
) -> None:
    out = "  serial: {out: serial, inputs: [net]}\n"
    assert list(results(stages + out, tmp_path)) == [key]


def test_a_model_out_of_a_resource_gives_what_it_gives_out_of_a_file(tmp_path: Path) -> None:
    out = "  serial: {out: serial, inputs: [net]}\n"
    by_file = results("  net: {model: sine.tflite, inputs: [input]}\n" + out, tmp_path)
    by_name = results("  net: {model: $SINE, inputs: [input]}\n" + out, tmp_path)
    assert by_name["4"] == by_file["3"]


def test_words_out_of_a_resource_label_the_input(tmp_path: Path) -> None:
    stages = f"  label: {LABEL}\n  serial: {{out: serial, inputs: [label]}}\n"
    assert results(stages, tmp_path) == {
        "3": [{"element_type": "utf8", "dimensions": [1, 1], "elements": ["high"]}]
    }
