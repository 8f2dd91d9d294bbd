"""Models whose files leave shapes open: what a Runefile may declare for them."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.diagnostics import Diagnostic, RunefileError, Severity
from runec.frontend import Analysis
from runec.models import ModelFile
from tests import shape_models

Analyse = Callable[..., Analysis]
Diagnose = Callable[..., tuple[Diagnostic, ...]]

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
INPUT = "  x: {{capability: RAW, outputs: [{{type: f32, dimensions: {shape}}}]}}\n"
NET = "  net: {{model: ./net.tflite, inputs: [x]{outputs}}}\n"


def runefile(shape: str, outputs: str = "", results: str = "net") -> str:
    declared = f", outputs: [{outputs}]" if outputs else ""
    out = f"  serial: {{out: SERIAL, inputs: [{results}]}}\n"
    return HEAD + INPUT.format(shape=shape) + NET.format(outputs=declared) + out


TRUE = "{type: f32, dimensions: [400]}, {type: i32, dimensions: [400]}"


@pytest.mark.parametrize("declared", ["", TRUE])
def test_the_shape_that_litert_finds_is_the_outputs(
    folder: Path, analyse_in: Analyse, declared: str
) -> None:
    (folder / "net.tflite").write_bytes(shape_models.top_k())
    pipeline = analyse_in(runefile("[512]", declared, "net.0, net.1")).pipeline
    (net,) = pipeline.models
    assert [str(tensor.type) for tensor in net.outputs] == ["f32[400]", "i32[400]"]
    data = pipeline.resources["net"].data
    assert data is not None
    assert [str(tensor) for tensor in ModelFile(data).info.outputs] == ["f32[400]", "i32[400]"]


def test_another_shape_is_rejected(folder: Path, diagnose: Diagnose) -> None:
    (folder / "net.tflite").write_bytes(shape_models.top_k())
    wrong = "{type: f32, dimensions: [1]}, {type: i32, dimensions: [400]}"
    (found,) = diagnose(runefile("[512]", wrong, "net.0, net.1"))
    assert (found.code, found.hint) == ("R0301", "declare f32[400]")
    assert "The Rune said tensors would be f32[1], but the model said they would be f32[400]" in (
        found.message
    )


def test_a_shape_that_depends_on_data_is_the_runefiles(
    folder: Path, analyse_in: Analyse, diagnose: Diagnose
) -> None:
    (folder / "net.tflite").write_bytes(shape_models.places())
    found = analyse_in(runefile("[8]", "{type: i64, dimensions: [3, 1]}"))
    assert str(found.pipeline.models[0].outputs[0].type) == "i64[3, 1]"
    (warning,) = found.warnings
    assert (warning.code, warning.severity) == ("R0322", Severity.WARNING)
    assert warning.span is not None
    assert warning.span.text == "i64"
    (error,) = diagnose(runefile("[8]"))
    assert error.code == "R0204"
    assert "depends on the data" in error.message
    (error,) = diagnose(runefile("[8]", "{type: f32, dimensions: [3, 1]}"))
    assert error.code == "R0301"
    assert "but the model said they would be i64[...]" in error.message


def test_an_open_batch_is_the_runefiles(folder: Path, analyse_in: Analyse) -> None:
    (folder / "net.tflite").write_bytes(shape_models.keras_reshape())
    for rows in (1, 5):
        (net,) = analyse_in(runefile(f"[{rows}, 12]")).pipeline.models
        assert [str(tensor.type) for tensor in net.outputs] == [f"f32[{rows}, 3, 4]"]


def test_what_is_not_open_stays_closed(folder: Path, diagnose: Diagnose) -> None:
    (folder / "net.tflite").write_bytes(shape_models.keras_reshape())
    (found,) = diagnose(runefile("[5, 11]"))
    assert found.code == "R0304"
    assert found.message == '"x" provides f32[5, 11], but the model of "net" takes f32[?, 12]'
    assert found.hint == "declare f32[1, 12] for x, or convert with a proc block"


def test_one_resource_with_two_batches_becomes_two(folder: Path, analyse_in: Analyse) -> None:
    (folder / "net.tflite").write_bytes(shape_models.keras_reshape())
    text = (
        HEAD
        + INPUT.format(shape="[1, 12]")
        + "  y: {capability: RAW, outputs: [{type: f32, dimensions: [2, 12]}]}\n"
        + "  one: {model: $NET, inputs: [x]}\n  two: {model: $NET, inputs: [y]}\n"
        + "  serial: {out: SERIAL, inputs: [one, two]}\n"
        + "resources:\n  NET: {type: binary, path: ./net.tflite}\n"
    )
    pipeline = analyse_in(text).pipeline
    files = [pipeline.resources[model.resource].data for model in pipeline.models]
    inputs = [str(ModelFile(data or b"").info.inputs[0]) for data in files]
    assert inputs == ["f32[1, 12]", "f32[2, 12]"]
    assert pipeline.models[0].resource == "NET"


def test_a_model_with_its_shapes_starts_no_process(
    folder: Path, analyse_in: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library takes a second to start: `check` asks it only where the file lacks a shape."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", refuse)
    (folder / "net.tflite").write_bytes(shape_models.keras_reshape())
    assert analyse_in(runefile("[1, 12]")).pipeline.models


def test_without_litert_the_model_is_pointed_at(
    folder: Path, analyse_in: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    (folder / "net.tflite").write_bytes(shape_models.top_k())
    with pytest.raises(RunefileError) as caught:
        analyse_in(runefile("[512]", TRUE, "net.0, net.1"))
    (error,) = caught.value.diagnostics
    assert (error.code, error.hint) == ("R0321", "pip install 'runec[litert]'")
    assert error.span is not None
    assert error.span.text == "./net.tflite"
