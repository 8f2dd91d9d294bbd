"""Labels and models that come from resources: built, carried in flash, given when the rune runs."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
import tflite_micro

from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.diagnostics import RunecError, UserFileError
from runec.frontend import analyse_text
from runec.pipeline import ResourceWords
from runec.vm import Inputs, run_rune_bytes

SINE = Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"
HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
INDEX = "  input: {capability: RAW, outputs: [{type: u32, dimensions: [2]}]}\n"
LABEL = "  label: {proc-block: label, inputs: [input], args: {wordlist: %s}}\n"
OUT = "  serial: {out: serial, inputs: [label]}\n"
LABELS = [f"n{number:08} a synset of ImageNet" for number in range(1001)]


def build(text: str, folder: Path) -> Rune:
    pipeline = analyse_text(text, "Runefile.yml", folder, "test").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def run(
    rune: Rune, folder: Path, data: bytes, resources: Mapping[str, bytes] | None = None
) -> list[object]:
    (folder / "input.bin").write_bytes(data)
    (line,) = run_rune_bytes(rune, Inputs(raw=(folder / "input.bin",)), resources=resources)
    ((tensor,),) = json.loads(line).values()
    elements: list[object] = tensor["elements"]
    return elements


@pytest.mark.parametrize("where", ["a file", "the Runefile"])
def test_a_thousand_labels_stay_in_flash(where: str, tmp_path: Path) -> None:
    if where == "a file":
        (tmp_path / "labels.txt").write_text("\n".join(LABELS))
        text = HEAD + INDEX + LABEL % "$LABELS" + OUT
        text += "resources:\n  LABELS: {path: labels.txt}\n"
    else:
        text = HEAD + INDEX + LABEL % json.dumps(LABELS) + OUT
    rune = build(text, tmp_path)
    graph = rune.require_graph()
    name = "LABELS" if where == "a file" else "2.wordlist"
    assert graph.proc_blocks["label"].arguments == {"wordlist": ResourceWords(name)}
    size = graph.resources[name].bytes
    assert size == len("\n".join(LABELS))
    assert size > 16 * 1024
    # The stack, and room for the input and two of the words.
    assert graph.memory_used < 1024 + 512
    assert graph.code_bytes < 4096
    assert run(rune, tmp_path, struct.pack("<2I", 1000, 7)) == [LABELS[1000], LABELS[7]]


def test_a_short_list_of_the_runefile_is_compiled_in(tmp_path: Path) -> None:
    graph = build(HEAD + INDEX + LABEL % "[low, high]" + OUT, tmp_path).require_graph()
    assert graph.proc_blocks["label"].arguments == {"wordlist": ("low", "high")}
    assert graph.resources == {}


def test_a_word_with_a_line_break_stays_one_word(tmp_path: Path) -> None:
    words = json.dumps(["first\nline", "x" * 2000])
    graph = build(HEAD + INDEX + LABEL % words + OUT, tmp_path).require_graph()
    assert graph.proc_blocks["label"].arguments == {"wordlist": ("first\nline", "x" * 2000)}


def test_labels_can_be_given_when_the_rune_runs(tmp_path: Path) -> None:
    text = HEAD + INDEX + LABEL % "$LABELS" + OUT + "resources:\n  LABELS:\n"
    rune = build(text, tmp_path)
    given = {"LABELS": b"low\nhigh\n"}
    assert run(rune, tmp_path, struct.pack("<2I", 1, 0), given) == ["high", "low"]
    with pytest.raises(UserFileError) as caught:
        run(rune, tmp_path, bytes(8))
    assert caught.value.code == "R0725"
    assert caught.value.hint is not None
    assert "--string-resource LABELS=TEXT" in caught.value.hint


def test_other_labels_can_be_given_for_those_of_the_runefile(tmp_path: Path) -> None:
    text = HEAD + INDEX + LABEL % "$LABELS" + OUT + 'resources:\n  LABELS: {inline: "aa\\nbb"}\n'
    rune = build(text, tmp_path)
    assert run(rune, tmp_path, struct.pack("<2I", 1, 0)) == ["bb", "aa"]
    given = {"LABELS": b"x\ny\nz"}
    assert run(rune, tmp_path, struct.pack("<2I", 2, 0), given) == ["z", "x"]
    with pytest.raises(RunecError, match="longer than the words that the rune was built with"):
        run(rune, tmp_path, bytes(8), {"LABELS": b"xyz"})


def test_a_model_can_be_given_when_the_rune_runs(tmp_path: Path) -> None:
    text = HEAD + "  input: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}\n"
    text += "  label: {model: $SINE, inputs: [input], outputs: [{type: f32, dimensions: [1, 1]}]}\n"
    rune = build(text + OUT + "resources:\n  SINE: {type: binary}\n", tmp_path)
    graph = rune.require_graph()
    assert (graph.models["label"].arena, graph.models["label"].operators) == (0, ())
    (near,) = run(rune, tmp_path, struct.pack("<f", 1.0), {"SINE": SINE.read_bytes()})
    assert isinstance(near, float)
    assert abs(near - 0.84) < 0.1
    with pytest.raises(RunecError) as caught:
        run(rune, tmp_path, struct.pack("<f", 1.0), {"SINE": b"no model"})
    assert caught.value.code == "R0713"


@pytest.mark.parametrize("model_format", ["onnx", "tensorflow", "tensorflow-js"])
def test_a_model_of_another_format_is_carried_and_not_run(
    model_format: str, tmp_path: Path
) -> None:
    (tmp_path / "net").write_bytes(b"nobody looks into it")
    text = HEAD + "  input: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  label: {model: ./net, inputs: [input], outputs: [{type: f32, dimensions: [2]}], "
    text += f"args: {{format: {model_format}}}}}\n"
    rune = build(text + OUT, tmp_path)
    assert rune.require_graph().models["label"].format == model_format
    assert rune.resources["label"] == b"nobody looks into it"
    with pytest.raises(RunecError) as caught:
        run(rune, tmp_path, bytes(4))
    assert caught.value.code == "R0726"
    assert model_format in caught.value.message
