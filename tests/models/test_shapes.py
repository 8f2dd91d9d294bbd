"""Shapes that a file leaves open, and what is computed from shapes alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.diagnostics import MachineError, UserFileError
from runec.models import ModelFile, resolve_model
from runec.pipeline import TensorType
from tests import shape_models
from tests.shape_models import ModelSketch

Arrays = list[np.ndarray[Any, Any]]


def in_litert(data: bytes, *inputs: np.ndarray[Any, Any]) -> Arrays:
    """Run a model in LiteRT's reference kernels, its inputs resized to those given."""
    engine = Interpreter(
        model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    for detail, values in zip(engine.get_input_details(), inputs, strict=True):
        engine.resize_tensor_input(detail["index"], values.shape)
    engine.allocate_tensors()
    for detail, values in zip(engine.get_input_details(), inputs, strict=True):
        engine.set_tensor(detail["index"], values)
    engine.invoke()
    return [engine.get_tensor(detail["index"]) for detail in engine.get_output_details()]


def in_tflm(data: bytes, *inputs: np.ndarray[Any, Any]) -> Arrays:
    engine = runtime.Interpreter.from_bytes(data, arena_size=1 << 20)
    for index, values in enumerate(inputs):
        engine.set_input(values, index)
    engine.invoke()
    count = len(ModelFile(data).info.outputs)
    return [np.array(engine.get_output(index)) for index in range(count)]


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(
        a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True)
    )


def values(shape: Sequence[int], kind: str = "f4") -> np.ndarray[Any, Any]:
    random = np.random.default_rng(7)
    numbers = random.normal(size=shape) * (1 if kind == "f4" else 40)
    return numbers.astype(kind)


def outputs(data: bytes) -> list[str]:
    return [str(tensor) for tensor in ModelFile(data).info.outputs]


def operators(data: bytes) -> list[str]:
    return [use.name for use in ModelFile(data).graph.operators]


def test_a_scalar_and_a_tensor_without_a_shape_are_told_apart() -> None:
    sketch = ModelSketch()
    given = sketch.tensor("f4", [], is_scalar=True)
    results = [sketch.tensor("f4", []), sketch.tensor("f4", None)]
    for result in results:
        sketch.operator("CUSTOM", [given], [result])
    info = ModelFile(sketch.written([given], results)).info
    assert info.inputs[0].shape == ()
    assert str(info.inputs[0].type) == "f32[1]"
    assert [tensor.shape for tensor in info.outputs] == [None, None]
    assert [tensor.type for tensor in info.outputs] == [None, None]
    assert str(info.outputs[0]) == "f32[...]"


def test_shapes_that_the_file_lacks_are_those_that_litert_finds() -> None:
    data = shape_models.top_k()
    assert ModelFile(data).findings.objection
    found = resolve_model(ModelFile(data))
    assert found.is_learned
    assert outputs(found.model.data) == ["f32[400]", "i32[400]"]
    assert not found.model.findings.is_shapeless
    given = values([512])
    assert same(in_litert(found.model.data, given), in_litert(data, given))


def test_a_detectors_shapes_are_those_of_its_options() -> None:
    """As the public SSD models and mobile_object_localizer; TensorFlow Lite Micro has it too."""
    data = shape_models.detector()
    found = resolve_model(ModelFile(data))
    assert not found.is_learned
    assert outputs(found.model.data) == ["f32[1, 4, 4]", "f32[1, 4]", "f32[1, 4]", "f32[1]"]
    random = np.random.default_rng(3)
    given = [random.normal(size=(1, 6, 4)).astype("f4"), random.random((1, 6, 3)).astype("f4")]
    expected = in_litert(data, *given)
    assert expected[3][0] > 0
    assert same(in_litert(found.model.data, *given), expected)
    assert same(in_tflm(found.model.data, *given), expected)


def test_a_result_whose_shape_depends_on_data_has_none() -> None:
    data = shape_models.places()
    found = resolve_model(ModelFile(data))
    assert outputs(found.model.data) == ["i64[...]"]
    assert found.model.findings.objection
    for count in (1, 3, 8):
        given = np.where(np.arange(8) < count, 1, -1).astype("f4")
        assert same(in_litert(found.model.data, given), [np.arange(count).reshape(count, 1)])


def shaped_by_an_input(name: str) -> bytes:
    """An operator whose second input, or first, decides its result's shape when it runs."""
    sketch = ModelSketch()
    given, numbers = sketch.tensor("f4", [2, 6]), sketch.tensor("i4", [2])
    result = sketch.tensor("f4", [1, 1], open_=[-1, -1])
    ones = sketch.constant("i4", [1, 1])
    inputs = {
        "FILL": [numbers, sketch.constant("f4", 1)],
        "SLICE": [given, sketch.constant("i4", [0, 0]), numbers],
        "STRIDED_SLICE": [given, sketch.constant("i4", [0, 0]), numbers, ones],
    }
    sketch.operator(name, inputs.get(name, [given, numbers]), [result])
    return sketch.written([given, numbers], [result])


@pytest.mark.parametrize("name", ["FILL", "RESHAPE", "SLICE", "STRIDED_SLICE", "TILE"])
def test_a_shape_that_an_input_decides_is_not_known(name: str) -> None:
    data = shaped_by_an_input(name)
    resolved = resolve_model(ModelFile(data))
    found = resolved.model.data
    assert (resolved.is_learned, outputs(found)) == (False, ["f32[...]"])
    two = np.array([3, 4] if name == "RESHAPE" else [1, 2], "i4")
    assert same(in_litert(found, values([2, 6]), two), in_litert(data, values([2, 6]), two))


@pytest.mark.parametrize("operator", ["ABS", "EXP", "LOGISTIC"])
def test_an_elementwise_result_without_a_shape_runs_in_tensorflow_lite_micro(operator: str) -> None:
    """ABS of it would write 512 floats to where the library has made room for one."""
    data = shape_models.without_shape(operator)
    assert ModelFile(data).findings.objection
    found = resolve_model(ModelFile(data))
    assert (found.is_learned, outputs(found.model.data)) == (False, ["f32[512]"])
    assert found.model.findings.objection is None
    given = values([512])
    assert same(in_tflm(found.model.data, given), in_litert(data, given))


def test_a_sum_over_all_axes_is_a_scalar_without_asking_anybody() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [3, 4]), sketch.tensor("f4", [])
    sketch.operator("SUM", [given, sketch.constant("i4", [0, -1])], [result], {"keepDims": 0})
    data = sketch.written([given], [result])
    found = resolve_model(ModelFile(data))
    assert not found.is_learned
    assert found.model.info.outputs[0].shape == ()
    assert same(in_tflm(found.model.data, values([3, 4])), in_litert(data, values([3, 4])))


def test_open_inputs_take_the_shape_that_they_are_given() -> None:
    data = shape_models.keras_reshape()
    (given,) = ModelFile(data).info.inputs
    assert given.accepted == "f32[?, 12]"
    assert given.accepts((5, 12))
    assert not given.accepts((5, 11))
    found = resolve_model(ModelFile(data), [TensorType.parse("f32[5, 12]")])
    assert outputs(found.model.data) == ["f32[5, 3, 4]"]
    assert operators(found.model.data) == ["RESHAPE", "ADD"]
    five = values([5, 12])
    assert same(in_tflm(found.model.data, five), in_litert(data, five))


@pytest.mark.parametrize("kind", ["f4", "i1"])
def test_keras_reshape_is_folded_and_computes_the_same(kind: str) -> None:
    data = shape_models.keras_reshape(kind=kind)
    found = resolve_model(ModelFile(data))
    assert found.folded == ("PACK", "SHAPE", "STRIDED_SLICE")
    assert not found.is_learned
    assert operators(found.model.data) == ["RESHAPE", "ADD"]
    assert {item.name for item in found.model.info.operators} == {"RESHAPE", "ADD"}
    given = values([1, 12], kind)
    results = [in_litert(data, given), in_tflm(data, given), in_tflm(found.model.data, given)]
    assert all(same(in_litert(found.model.data, given), result) for result in results)


def test_operators_that_only_copy_become_reshape() -> None:
    data = shape_models.moved_axes()
    found = resolve_model(ModelFile(data))
    assert found.folded == ("EXPAND_DIMS", "SQUEEZE", "TRANSPOSE")
    assert operators(found.model.data) == ["RESHAPE", "RESHAPE", "RESHAPE", "NEG"]
    given = values([4, 6])
    results = [in_litert(data, given), in_tflm(data, given), in_tflm(found.model.data, given)]
    assert all(same(in_litert(found.model.data, given), result) for result in results)


def test_a_transpose_that_moves_elements_stays() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [2, 3]), sketch.tensor("f4", [3, 2])
    sketch.operator("TRANSPOSE", [given, sketch.constant("i4", [1, 0])], [result])
    data = sketch.written([given], [result])
    assert resolve_model(ModelFile(data)).model.data is data


# Arithmetic on the shape of f32[2, 3, 4]: operator, its inputs behind the shape, options.
ARITHMETIC: list[tuple[str, list[Any], dict[str, int]]] = [
    ("ADD", [[5, 6, 7]], {}),
    ("SUB", [10], {}),
    ("MUL", [[2, 2, 1]], {}),
    ("FLOOR_DIV", [[2, -2, 3]], {}),
    ("FLOOR_MOD", [[2, -2, 3]], {}),
    ("MAXIMUM", [3], {}),
    ("MINIMUM", [3], {}),
    ("DIV", [[-2, 2, -3]], {}),
    ("GATHER", [[2, 0]], {}),
    ("SLICE", [[1], [-1]], {}),
    ("STRIDED_SLICE", [[-1], [0], [-1]], {"endMask": 1}),
    ("STRIDED_SLICE", [[0], [2], [1]], {"beginMask": 1}),
    ("CONCATENATION", [[9]], {}),
    ("SUM", [[0]], {}),
    ("REDUCE_PROD", [[0]], {}),
]


@pytest.mark.parametrize(("name", "operands", "options"), ARITHMETIC, ids=str)
def test_arithmetic_on_shapes_is_that_of_litert(
    name: str, operands: list[Any], options: dict[str, int]
) -> None:
    sketch = ModelSketch()
    given, shape = sketch.tensor("f4", [2, 3, 4]), sketch.tensor("i4", [3])
    sketch.operator("SHAPE", [given], [shape], {"outType": schema.TensorType.INT32})
    constants = [sketch.constant("i4", item) for item in operands]
    value = sketch.tensor("i4", [])
    sketch.operator(name, [shape, *constants], [value], options)
    # A graph's output is not folded, so that this one is computed from what was.
    result = sketch.tensor("i4", [])
    sketch.operator("ADD", [value, sketch.constant("i4", 0)], [result])
    data = sketch.written([given], [result])
    found = resolve_model(ModelFile(data))
    assert operators(found.model.data) == ["ADD"]
    assert same(in_litert(found.model.data, values([2, 3, 4])), in_litert(data, values([2, 3, 4])))


def test_a_model_with_all_its_shapes_stays_as_it_is(sine: bytes) -> None:
    assert resolve_model(ModelFile(sine)).model.data is sine


def test_what_was_resolved_is_resolved() -> None:
    for data in (shape_models.top_k(), shape_models.places(), shape_models.keras_reshape()):
        found = resolve_model(ModelFile(data)).model.data
        assert resolve_model(ModelFile(found)).model.data == found


def test_weights_keep_their_place_and_alignment() -> None:
    sketch = ModelSketch()
    given = sketch.tensor("f4", [1, 4])
    weights = sketch.constant("f4", np.arange(8).reshape(2, 4))
    expanded, result = sketch.tensor("f4", [1, 1, 4]), sketch.tensor("f4", [1, 2])
    sketch.operator("EXPAND_DIMS", [given, sketch.constant("i4", 0)], [expanded])
    sketch.operator("FULLY_CONNECTED", [expanded, weights], [result])
    data = sketch.written([given], [result])
    found = resolve_model(ModelFile(data)).model.data
    assert found.endswith(data)
    assert (len(found) - len(data)) % 16 == 0


def test_inputs_without_a_shape_take_the_one_that_they_are_given() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", []), sketch.tensor("f4", [])
    sketch.operator("TOPK_V2", [given, sketch.constant("i4", 2)], [result, sketch.tensor("i4", [])])
    data = sketch.written([given], [result])
    assert outputs(resolve_model(ModelFile(data)).model.data) == ["f32[...]"], (
        "nothing is known of its input"
    )
    found = resolve_model(ModelFile(data), [TensorType.parse("f32[3, 9]")]).model.data
    assert [str(tensor) for tensor in ModelFile(found).info.inputs] == ["f32[3, 9]"]
    assert outputs(found) == ["f32[3, 2]"]


def test_a_scalar_input_of_an_older_file_is_one() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", []), sketch.tensor("f4", [])
    sketch.operator("NEG", [given], [result])
    data = sketch.written([given], [result])
    found = resolve_model(ModelFile(data), [TensorType.parse("f32[1]")])
    assert not found.is_learned
    assert [tensor.shape for tensor in found.model.info.inputs] == [()]
    assert same(in_tflm(found.model.data, np.array(3, "f4")), [np.array(-3, "f4")])


def test_without_litert_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MachineError) as caught:
        resolve_model(ModelFile(shape_models.top_k()))
    assert caught.value.code == "R0321"
    assert "pip install 'runec[litert]'" in (caught.value.hint or "")
    # What is computed here needs no library.
    assert resolve_model(ModelFile(shape_models.keras_reshape())).folded


def test_what_litert_refuses_is_said() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [4]), sketch.tensor("f4", [])
    sketch.operator("CUSTOM", [given], [result])
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(sketch.written([given], [result])))
    assert caught.value.code == "R0320"


@pytest.mark.parametrize("answer", ["", "[]", '{"shapes":{"1":[-1]}}', '{"shapes":{"1":7}}', "{}"])
def test_an_answer_that_is_not_one_is_refused(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    class Done:
        stdout = answer.encode()
        returncode = -9

    run: Callable[..., Done] = lambda *_, **__: Done()  # noqa: E731
    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(shape_models.top_k()))
    assert caught.value.code == "R0320"
