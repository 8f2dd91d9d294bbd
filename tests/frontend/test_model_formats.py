"""Models of every format that the original packed, files and folders (its compile-pass tests)."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.diagnostics import Diagnostic, RunefileError, Severity
from runec.frontend import Analysis
from runec.pipeline import EXECUTED_FORMAT, MODEL_FORMATS

Analyse = Callable[..., Analysis]

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
RAND = "  rand: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}\n"
SERIAL = "  serial: {out: serial, inputs: [net]}\n"
# hotg-ai/rune, integration-tests/compile-pass/known-model-formats: an image of another name, no
# out, and a tensor that the .tflite does not take.
KNOWN_MODEL_FORMATS = (
    "version: 1\nimage: asdf\npipeline:\n"
    "  rand: {capability: RAND, outputs: [{type: f32, dimensions: [128]}]}\n"
) + "".join(
    f"  {name.replace('-', '_')}: {{model: ./sine.tflite, args: {{format: {name}}}, "
    "inputs: [rand], outputs: [{type: f32, dimensions: [1]}]}\n"
    for name in MODEL_FORMATS
)


def folder_model(arguments: str = ", args: {format: tensorflow-js}") -> str:
    model = "  net: {model: ./saved_model/, inputs: [rand], outputs: [{type: F32}]%s}\n"
    return HEAD + RAND + model % arguments + SERIAL


def fill(folder: Path) -> Path:
    model = folder / "saved_model"
    (model / "weights").mkdir()
    (model / "model.json").write_text("{}")
    (model / "weights" / "b.bin").write_bytes(b"\x01\x02")
    (model / "weights" / "a.bin").write_bytes(b"")
    (model / "A.txt").write_text("capital letters come first")
    return model


def test_compile_pass_known_model_formats(analyse_in: Analyse, folder: Path) -> None:
    analysis = analyse_in(KNOWN_MODEL_FORMATS)
    formats = {model.name: model.format for model in analysis.pipeline.models}
    assert formats == {name.replace("-", "_"): name for name in MODEL_FORMATS}
    data = (folder / "sine.tflite").read_bytes()
    # The same bytes, whatever each stage calls them.
    assert [item.data for item in analysis.pipeline.resources.values()] == [data]
    assert {model.resource for model in analysis.pipeline.models} == {*analysis.pipeline.resources}
    assert {item.code for item in analysis.warnings} == {"R0110", "R0304", "R0306", "R0408"}


def test_each_format_that_is_not_executed_is_warned_of(analyse_in: Analyse) -> None:
    warned = [item.message for item in analyse_in(KNOWN_MODEL_FORMATS).warnings]
    for name in MODEL_FORMATS:
        about = [text for text in warned if f"is {name}: the rune will contain" in text]
        assert len(about) == (name != EXECUTED_FORMAT)


def test_a_mismatch_is_an_error_where_a_result_reaches_an_out(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    text = KNOWN_MODEL_FORMATS + "  serial: {out: serial, inputs: [tensorflow_lite]}\n"
    severities = [item.severity for item in diagnose(text) if item.code == "R0304"]
    assert severities == [Severity.ERROR]


def test_compile_pass_directories_are_zipped_when_used_for_models(
    analyse_in: Analyse, folder: Path
) -> None:
    fill(folder)
    pipeline = analyse_in(folder_model()).pipeline
    assert pipeline.models[0].format == "tensorflow-js"
    data = pipeline.resources["net"].data
    assert data is not None
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["A.txt", "model.json", "weights/a.bin", "weights/b.bin"]
        assert archive.read("weights/b.bin") == b"\x01\x02"


def test_times_and_modes_of_a_folder_change_nothing(analyse_in: Analyse, folder: Path) -> None:
    model = fill(folder)
    before = analyse_in(folder_model()).pipeline.resources
    for path in model.rglob("*"):
        os.utime(path, (1, 2_000_000_000))
        if path.is_file():
            path.chmod(0o755)
    text = (model / "model.json").read_text()
    (model / "model.json").unlink()
    (model / "model.json").write_text(text)
    assert analyse_in(folder_model()).pipeline.resources == before


@pytest.mark.parametrize(
    ("name", "guess"), [("model.json", "tensorflow-js"), ("saved_model.pb", "tensorflow")]
)
def test_a_folder_without_a_format_is_asked_what_it_is(
    name: str, guess: str, analyse_in: Analyse, folder: Path
) -> None:
    (folder / "saved_model" / name).write_text("{}")
    with pytest.raises(RunefileError) as caught:
        analyse_in(folder_model(""))
    (problem,) = caught.value.diagnostics
    assert problem.code == "R0307"
    assert problem.hint is not None
    assert f"format: {guess}}}" in problem.hint


def test_links_to_folders_are_not_followed(analyse_in: Analyse, folder: Path) -> None:
    model = fill(folder)
    (model / "again").symlink_to(model)
    data = analyse_in(folder_model()).pipeline.resources["net"].data
    assert data is not None
    assert b"again" not in data


@pytest.mark.parametrize("what", ["broken link", "pipe", "too many"])
def test_a_folder_that_cannot_be_packed_is_reported(
    what: str, analyse_in: Analyse, folder: Path
) -> None:
    model = folder / "saved_model"
    if what == "broken link":
        (model / "weights.bin").symlink_to(model / "nothing")
    elif what == "pipe":
        os.mkfifo(model / "weights.bin")
    else:
        for number in range(1001):
            (model / f"{number}").touch()
    with pytest.raises(RunefileError) as caught:
        analyse_in(folder_model())
    (problem,) = (item for item in caught.value.diagnostics if item.severity is Severity.ERROR)
    assert problem.code == "R0114"
    assert 'Unable to read "./saved_model/" for "net"' in problem.message


def test_a_model_that_only_run_time_knows_keeps_its_declared_types(analyse_in: Analyse) -> None:
    text = HEAD + RAND
    text += "  net: {model: $NET, inputs: [rand], outputs: [{type: u8, dimensions: [4]}]}\n"
    pipeline = analyse_in(text + SERIAL + "resources:\n  NET: {type: binary}\n").pipeline
    assert [str(tensor.type) for tensor in pipeline.models[0].outputs] == ["u8[4]"]
    assert pipeline.resources["NET"].data is None
    assert pipeline.models[0].format == EXECUTED_FORMAT
