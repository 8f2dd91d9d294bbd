"""Devices allocate memory for the shapes in a model's file: a model without them is rejected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.backends import tflm
from runec.boards import load_board
from runec.codegen import compile_pipeline
from runec.container import GraphOperator, Rune, write_rune
from runec.firmware import DeviceRune, StageError
from runec.firmware.memory_plan import plan_memory
from runec.frontend import analyse_text
from runec.frontend.passes import types
from runec.models import ModelFile, ResolvedModel
from runec.models.custom_rules import CUSTOM_RULES
from runec.models.operators import BUILTIN_OPERATORS
from runec.models.shape_rules import RULES
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
    assert "as other operators" in caught.value.message


def with_model(rune: Rune, data: bytes, *, lies: bool = False) -> Rune:
    """Return a rune with another model, as another program may write it.

    With `lies` its graph has the operators of the model that it had.
    """
    graph = rune.require_graph()
    model = ModelFile(data)
    uses = tuple(GraphOperator(use.name, use.version) for use in model.info.operators)
    listed = graph.models["net"]
    models = {"net": listed if lies else replace(listed, operators=uses)}
    return replace(
        rune,
        graph=replace(graph, models=models),
        resources={**rune.resources, listed.resource: data},
        models={listed.resource: model},
    )


@pytest.fixture(scope="module")
def rune(tmp_path_factory: pytest.TempPathFactory) -> Rune:
    return built(tmp_path_factory.mktemp("rune"))


def refused(rune: Rune, data: bytes) -> StageError:
    """Why a rune with this model is rejected for a device."""
    found = []
    for lies in (False, True):
        with pytest.raises(StageError) as caught:
            DeviceRune.of(with_model(rune, data, lies=lies))
        assert (caught.value.code, caught.value.stage) == ("R0810", "net")
        found.append(caught.value)
    return found[0]


WITHOUT_RULE = sorted({name for name in BUILTIN_OPERATORS if name not in RULES} - {"CUSTOM"})
# Reserved numbers and those that the wheel's schema does not have.
WITHOUT_RULE = [name for name in WITHOUT_RULE if hasattr(schema.BuiltinOperator, name)]


@pytest.mark.parametrize("name", [*WITHOUT_RULE, *sorted(CUSTOM_RULES), "TFLM_DECODE", "ethos-u"])
def test_an_operator_without_a_rule_is_refused(rune: Rune, name: str) -> None:
    """The device's C code compares no shapes: what no rule computes is not built."""
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [64]), sketch.tensor("f4", [64])
    if name in WITHOUT_RULE:
        sketch.operator(name, [given], [result])
    else:
        sketch.operator("CUSTOM", [given], [result], custom_code=name.encode())
    assert f"no kernel for {name}" in refused(rune, sketch.written([given], [result])).message


def test_what_devices_have_has_rules() -> None:
    assert len(WITHOUT_RULE) > 40
    assert tflm.KERNELS.keys() <= RULES.keys()


def test_a_further_subgraph_is_refused(rune: Rune) -> None:
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [64]), sketch.tensor("f4", [64])
    sketch.operator("ABS", [given], [result])
    other = sketch.subgraph()
    x, y = other.tensor("f4", [4]), other.tensor("f4", [4])
    other.operator("ABS", [x], [y])
    other.ends([x], [y])
    error = refused(rune, sketch.written([given], [result]))
    assert "a model of 2 subgraphs" in error.message


@pytest.mark.parametrize("kind", ["short", "narrow", "unset"])
def test_what_would_be_read_outside_of_the_tensors_is_refused(rune: Rune, kind: str) -> None:
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [64]), sketch.tensor("f4", [64])
    other = {
        "short": lambda: sketch.constant("f4", [1.0], [64]),
        "narrow": lambda: sketch.constant("b1", [True] * 64),
        "unset": lambda: sketch.tensor("f4", [64]),
    }[kind]()
    sketch.operator("ADD", [given, other], [result])
    error = refused(rune, sketch.written([given], [result]))
    assert "a device would compute something else, or write other memory" in error.message
