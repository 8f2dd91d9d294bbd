"""Devices make room for the shapes of a model's file: one that lacks them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.boards import load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.firmware import DeviceRune, StageError
from runec.firmware.memory_plan import plan_memory
from runec.frontend import analyse_text
from runec.frontend.passes import types
from runec.models import ResolvedModel
from tests import shape_models

RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  x: {capability: RAW, outputs: [{type: f32, dimensions: [64]}]}
  net: {model: ./net.tflite, inputs: [x], outputs: [{type: f32, dimensions: [64]}]}
  out: {out: SERIAL, inputs: [net]}
"""


def built(folder: Path, model: bytes | None = None) -> Rune:
    (folder / "net.tflite").write_bytes(model or shape_models.without_shape("ABS", 64))
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", folder, "shapes").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def test_what_runec_builds_has_its_shapes(tmp_path: Path) -> None:
    assert plan_memory(DeviceRune.of(built(tmp_path)), load_board("netduinoplus2")).operators == (
        "ABS",
    )


def test_a_rune_with_a_model_without_shapes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older runec wrote it: the kernel would write 64 floats to the room of one."""
    monkeypatch.setattr(types, "resolve_model", lambda model, _inputs: ResolvedModel(model))
    with pytest.raises(StageError) as caught:
        plan_memory(DeviceRune.of(built(tmp_path)), load_board("netduinoplus2"))
    assert (caught.value.code, caught.value.stage) == ("R0810", "net")
    assert "the shapes of its tensors are found at run time" in caught.value.message


def test_a_rune_with_a_model_of_wrong_shapes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older runec wrote it: the kernel would write 128 floats to the room of 64."""
    monkeypatch.setattr(types, "resolve_model", lambda model, _inputs: ResolvedModel(model))
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [64]), sketch.tensor("f4", [64])
    sketch.operator("CONCATENATION", [given, given], [result], {"axis": 0})
    with pytest.raises(StageError) as caught:
        plan_memory(
            DeviceRune.of(built(tmp_path, sketch.written([given], [result]))),
            load_board("netduinoplus2"),
        )
    assert (caught.value.code, caught.value.stage) == ("R0810", "net")
    assert "but CONCATENATION computes [128]" in caught.value.message


def test_a_rune_with_a_model_of_the_newer_code_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an older runec wrote it: devices would take the code for ADD's."""
    model = shape_models.with_codes(0, 41, count=64)
    assert plan_memory(
        DeviceRune.of(built(tmp_path, model)), load_board("netduinoplus2")
    ).operators == ("SUB",)
    monkeypatch.setattr(types, "resolve_model", lambda model, _inputs: ResolvedModel(model))
    with pytest.raises(StageError) as caught:
        plan_memory(DeviceRune.of(built(tmp_path, model)), load_board("netduinoplus2"))
    assert (caught.value.code, caught.value.stage) == ("R0810", "net")
    assert "reads as other operators" in caught.value.message
