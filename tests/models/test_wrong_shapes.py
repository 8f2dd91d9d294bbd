"""Models whose files have other shapes, or scales, than what their operators compute."""

from __future__ import annotations

import numpy as np
import pytest

from runec.backends import tflm
from runec.diagnostics import RuneError, UserFileError
from runec.frontend.model_engines import find_engines
from runec.models import ModelFile, resolve_model
from runec.pipeline import TensorType
from runec.vm.host_model import HostModel
from tests import shape_models


def ran(data: bytes, *inputs: np.ndarray) -> list[list[float]]:
    model = HostModel("net", ModelFile(data), None, lambda *_: None)
    results = model.infer([item.tobytes() for item in inputs])
    return [np.frombuffer(item, "<f4").tolist() for item in results]


X = np.arange(1, 7, dtype="<f4")
CHANGED = {
    "concat": np.tile(X, 2),
    "pad": np.pad(X, (6, 6)),
    "tile": np.tile(X, 3),
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_operator_may_change_an_open_batch(name: str) -> None:
    if name == "tile":
        pytest.importorskip("ai_edge_litert.interpreter")
    data = shape_models.of_changing_batch(name)
    found = resolve_model(ModelFile(data))
    assert not found.is_learned
    sizes = [tensor.shape for tensor in found.model.info.outputs]
    assert sizes == [(CHANGED[name].size // 6, 6), (1, 6)]
    assert ModelFile(data).findings.objection
    assert found.model.findings.objection is None
    for model in (data, found.model.data):
        assert ran(model, X) == [CHANGED[name].tolist(), (X + 10).tolist()]


def test_blocks_in_the_batch_do_not_write_over_other_tensors() -> None:
    data = shape_models.of_changing_batch("blocks")
    x = np.arange(16, dtype="<f4")
    assert ran(data, x) == [(2 * x + 1.5).tolist()]
    assert ran(resolve_model(ModelFile(data)).model.data, x) == [(2 * x + 1.5).tolist()]


@pytest.mark.parametrize(
    ("name", "size", "computed"),
    [
        ("CONCATENATION", 4, [8]),
        ("CONCATENATION", 1, [8]),
        ("CONCATENATION", 9, [8]),
        ("PACK", 8, [2, 4]),
        ("PAD", 5, [6]),
        ("MUL", 1, [4]),
        ("MAXIMUM", 8, [4]),
    ],
)
def test_a_shape_that_no_operator_computes_is_rejected(
    name: str, size: int, computed: list[int]
) -> None:
    data = shape_models.with_wrong_shape(name, size)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    said = f"the shape [{size}] for the tensor 't2', but {name} computes {computed}"
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {said}")
    assert ModelFile(data).findings.wrong == (said,)
    assert ModelFile(data).findings.objection
    assert find_engines(ModelFile(data)).objections["devices"] == f"the file has {said}"
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"


def test_a_result_of_narrower_elements_is_rejected() -> None:
    """RELU would write 4 bytes to each element of 1."""
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.tensor("i1", [4], scale=1.0)
    sketch.operator("RELU", [given], [result])
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(sketch.written([given], [result])))
    assert caught.value.code == "R0324"
    assert "elements of int8 for the tensor 't1', but RELU computes float32" in caught.value.message


ONE_OPERATOR = [
    # Operator, elements of inputs, of the result in the file, what the operator computes, options.
    ("RELU", "f4", "i4", "float32", None),
    ("RELU", "i1", "f4", "int8", None),
    ("ADD", "f4 f4", "i4", "float32", None),
    ("ADD", "i1 i1", "i2", "int8", None),
    ("FLOOR", "f4", "i8", "float32", None),
    ("EQUAL", "f4 f4", "i4", "bool", None),
    ("LESS", "i4 i4", "i1", "bool", None),
    ("LOGICAL_NOT", "b1", "i1", "bool", None),
    ("DEQUANTIZE", "i1", "i4", "float32", None),
    ("ARG_MAX", "f4 axis", "i8", "int32", {"outputType": 2}),
    ("ARG_MAX", "f4 axis", "i4", "int64", {"outputType": 4}),
    ("ARG_MAX", "f4 axis", "i8", "int32", None),
    ("BATCH_MATMUL", "f4 f4", "i4", "float32", None),
    ("BATCH_MATMUL", "i1 i1", "i2", "int8 or int32", None),
]


def of_one_operator(
    name: str, given: str, result: str, options: dict[str, int] | None = None
) -> bytes:
    """An operator of [2, 2] to [2, 2], ARG_MAX to [2]."""
    sketch = shape_models.ModelSketch()
    sizes = [2] if name == "ARG_MAX" else [2, 2]
    inputs = [
        sketch.constant("i4", 0) if kind == "axis" else sketch.tensor(kind, [2, 2], scale=1.0)
        for kind in given.split()
    ]
    to = sketch.tensor(result, sizes, scale=1.0)
    sketch.operator(name, inputs, [to], options)
    return sketch.written(inputs[:1] if "axis" in given else inputs, [to])


@pytest.mark.parametrize(("name", "given", "result", "computed", "options"), ONE_OPERATOR)
def test_a_result_of_another_element_type_is_rejected(
    name: str, given: str, result: str, computed: str, options: dict[str, int] | None
) -> None:
    """A kernel that does not look writes its own elements: 1.0 would be 1065353216."""
    data = of_one_operator(name, given, result, options)
    (fact,) = ModelFile(data).findings.wrong
    assert fact.startswith("elements of ")
    assert fact.endswith(f", but {name} computes {computed}")
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code == "R0713"


@pytest.mark.parametrize(
    ("name", "given", "result", "options"),
    [
        ("RELU", "f4", "f4", None),
        ("EQUAL", "f4 f4", "b1", None),
        ("DEQUANTIZE", "i1", "f4", None),
        ("QUANTIZE", "f4", "i1", None),
        ("QUANTIZE", "i1", "i4", None),
        ("CAST", "f4", "i4", None),
        ("ARG_MAX", "f4 axis", "i8", {"outputType": 4}),
        ("BATCH_MATMUL", "i1 i1", "i4", None),
    ],
)
def test_a_result_may_have_the_types_of_its_operator(
    name: str, given: str, result: str, options: dict[str, int] | None
) -> None:
    assert ModelFile(of_one_operator(name, given, result, options)).findings.wrong == ()


def test_the_last_result_of_an_operator_has_its_type_as_well() -> None:
    sketch = shape_models.ModelSketch()
    given, axis = sketch.tensor("f4", [4]), sketch.constant("i4", 0)
    parts = [sketch.tensor("f4", [2]), sketch.tensor("i4", [2])]
    sketch.operator("SPLIT", [axis, given], parts, {"numSplits": 2})
    (fact,) = ModelFile(sketch.written([given], parts)).findings.wrong
    assert fact == "elements of int32 for the tensor 't3', but SPLIT computes float32"


def test_a_constant_that_an_operator_computes_is_rejected() -> None:
    """A device would write to flash."""
    sketch = shape_models.ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.constant("f4", [0.0] * 4)
    sketch.operator("RELU", [given], [result])
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(sketch.written([given], [result])))
    assert caught.value.code == "R0324"
    assert "constant elements for the tensor 't1'" in caught.value.message


def test_a_shape_that_decides_itself_at_run_time_is_not_taken_on_trust() -> None:
    """PAD by as much as an input says, with a shape in the file."""
    sketch = shape_models.ModelSketch()
    given, edges = sketch.tensor("f4", [4]), sketch.tensor("i4", [1, 2])
    result = sketch.tensor("f4", [6])
    sketch.operator("PAD", [given, edges], [result])
    data = sketch.written([given, edges], [result])
    assert ModelFile(data).findings.objection
    why = "the file does not have all shapes"
    assert [
        find_engines(ModelFile(data)).objections[name] for name in ("tflite-micro", "devices")
    ] == [why] * 2


def test_a_reshape_behind_a_shape_that_litert_finds_follows_the_batch() -> None:
    pytest.importorskip("ai_edge_litert.interpreter")
    found = resolve_model(ModelFile(shape_models.late_reshape()), [TensorType.parse("f32[3, 6]")])
    assert found.is_learned
    assert [item.shape for item in found.model.info.outputs] == [(3, 2, 2)]
    x = np.arange(18, dtype="<f4")
    assert ran(found.model.data, x) == [[5, 4, 3, 2, 11, 10, 9, 8, 17, 16, 15, 14]]


MOVING = ("BATCH_TO_SPACE_ND", "EXPAND_DIMS", "MAXIMUM", "MINIMUM", "PACK", "RESHAPE", "SPLIT")


@pytest.mark.parametrize("name", MOVING)
def test_elements_are_not_moved_to_another_scale(name: str) -> None:
    data = shape_models.of_two_scales(name)
    engines = find_engines(ModelFile(data))
    assert engines.takers == ()
    for library in ("tflite-micro", "LiteRT"):
        assert engines.objections[library] == f"it computes {name} with unequal scales wrong"
    graph = ModelFile(data).graph
    if name in tflm.KERNELS:
        assert tflm.objections(graph) == (f"{name} with unequal scales",)
    with pytest.raises(RuneError):
        HostModel(
            "net", ModelFile(resolve_model(ModelFile(data)).model.data), None, lambda *_: None
        )
