"""Models whose scales or zero points are not those that kernels compute with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from runec.diagnostics import RuneError, UserFileError
from runec.frontend.model_engines import DEVICES, find_engines
from runec.models import ModelFile, resolve_model
from runec.vm.host_model import HostModel
from tests.shape_models import ModelSketch

Quantisation = tuple[float, int] | None


def of_one_operator(
    name: str,
    given: Sequence[Quantisation],
    result: Quantisation,
    options: Mapping[str, Any] | None = None,
    kind: str = "i1",
) -> bytes:
    """An operator of [1, 4] to [1, 4]; quantisations are a scale and a zero point."""
    sketch = ModelSketch()
    tensors = []
    for each in (*given, result):
        scale, point = each or (None, 0)
        tensors.append(sketch.tensor(kind, [1, 4], scale=scale, zero_point=point))
    sketch.operator(name, tensors[:-1], tensors[-1:], options)
    return sketch.written(tensors[:-1], tensors[-1:])


def is_rejected(data: bytes, fact: str) -> None:
    """Assert that no library opens a model, and that its file has this fact."""
    assert ModelFile(data).findings.wrong[0] == fact
    with pytest.raises(UserFileError) as caught:
        resolve_model(ModelFile(data))
    assert (caught.value.code, caught.value.message) == ("R0324", f"the model's file has {fact}")
    with pytest.raises(RuneError) as refused:
        HostModel("net", ModelFile(data), None, lambda *_: None)
    assert refused.value.code in ("R0713", "R0311")
    engines = find_engines(ModelFile(data)).objections
    assert engines["tflite-micro"]
    assert engines[DEVICES]


def ran(data: bytes, *inputs: Any) -> list[int]:
    host = HostModel("net", ModelFile(data), None, lambda *_: None)
    return list(np.frombuffer(host.infer([np.asarray(x, "i1").tobytes() for x in inputs])[0], "i1"))


ONE = (1.0, 0)
SUMS = ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE")


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    ("quantisation", "what"),
    [
        (None, "no scale for the tensor 't{at}', which {name} computes with"),
        ((0.0, 0), "the scale 0 for the tensor 't{at}'"),
        ((-1.0, 0), "the scale -1 for the tensor 't{at}'"),
        ((math.nan, 0), "the scale nan for the tensor 't{at}'"),
        ((math.inf, 0), "the scale inf for the tensor 't{at}'"),
        ((1.0, 128), "the zero point 128 for the tensor 't{at}' of int8"),
        ((1.0, -129), "the zero point -129 for the tensor 't{at}' of int8"),
        ((1.0, 2**40), "the zero point 1099511627776 for the tensor 't{at}' of int8"),
    ],
)
def test_a_scale_that_kernels_end_the_process_at_is_rejected(
    name: str, at: int, quantisation: Quantisation, what: str
) -> None:
    each: list[Quantisation] = [ONE, ONE, ONE]
    each[at] = quantisation
    data = of_one_operator(name, each[:2], each[2])
    is_rejected(data, what.format(at=at, name=name))


@pytest.mark.parametrize(
    "name", ["SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "RELU", "DEQUANTIZE", "LEAKY_RELU"]
)
@pytest.mark.parametrize("scale", [None, 0.0, -1.0, math.nan])
def test_operators_of_one_input_need_its_scale(name: str, scale: float | None) -> None:
    sketch = ModelSketch()
    given = sketch.tensor("i1", [1, 4], scale=scale)
    if name == "DEQUANTIZE":
        result = sketch.tensor("f4", [1, 4])
    else:
        result = sketch.tensor("i1", [1, 4], scale=2**-8, zero_point=-128)
    sketch.operator(name, [given], [result], {"beta": 1.0} if name == "SOFTMAX" else None)
    data = sketch.written([given], [result])
    if scale is None:
        is_rejected(data, f"no scale for the tensor 't0', which {name} computes with")
    else:
        is_rejected(data, f"the scale {scale:g} for the tensor 't0'")


def test_sums_run_as_long_as_their_result_has_a_step() -> None:
    """The kernels end the process where 2 * max(scales) / (2**20 * scale) is 1 or more."""
    least = 2 * 1.0 / 2**20
    data = of_one_operator("ADD", [ONE, ONE], (least * 1.01, 0))
    assert ran(data, [1, 0, -1, 0], [0] * 4) == [127, 0, -128, 0]
    is_rejected(
        of_one_operator("ADD", [ONE, ONE], (least, 0)),
        f"the scale {least:g} for the tensor 't2', too small for ADD of 1",
    )
    is_rejected(
        of_one_operator("SUB", [ONE, ONE], (1e-38, 0)),
        "the scale 1e-38 for the tensor 't2', too small for SUB of 1",
    )


@pytest.mark.parametrize(("scale", "beta"), [(1e-9, 1.0), (1.0, 0.0), (1.0, 1e-9), (1.0, math.nan)])
def test_an_exponent_without_a_step_is_rejected(scale: float, beta: float) -> None:
    data = of_one_operator("SOFTMAX", [(scale, 0)], (2**-8, -128), {"beta": beta})
    is_rejected(data, f"the scale {scale:g} for the tensor 't0', too small for SOFTMAX")


def test_a_softmax_of_a_small_step_runs() -> None:
    data = of_one_operator("SOFTMAX", [(2**-25, 0)], (2**-8, -128), {"beta": 1.0})
    assert ran(data, [0, 0, 0, 0]) == [-64] * 4


@pytest.mark.parametrize(
    ("name", "right", "kind"),
    [
        ("TANH", (2**-7, 0), "i1"),
        ("LOGISTIC", (2**-8, -128), "i1"),
        ("SOFTMAX", (2**-8, -128), "i1"),
        ("LOG_SOFTMAX", (2**-4, 127), "i1"),
        ("L2_NORMALIZATION", (2**-7, 0), "i1"),
        ("TANH", (2**-15, 0), "i2"),
        ("LOGISTIC", (2**-15, 0), "i2"),
    ],
)
def test_a_result_has_the_scale_that_its_kernel_gives(
    name: str, right: tuple[float, int], kind: str
) -> None:
    """TANH of int8 in steps of 0.05 would be written in steps of 1/128 all the same."""
    options = {"beta": 1.0} if name == "SOFTMAX" else None
    data = of_one_operator(name, [(0.05, 0)], right, options, kind)
    assert ModelFile(data).findings.wrong == ()
    scale, point = right
    others: list[tuple[float, int]] = [(0.05, point)]
    if kind == "i1":
        others.append((scale, point - 3 if point > 0 else point + 3))
    for other in others:
        is_rejected(
            of_one_operator(name, [(0.05, 0)], other, options, kind),
            f"the scale {other[0]:g} and the zero point {other[1]} for the tensor 't1', "
            f"but {name} gives {scale:g} and {point}",
        )


def test_the_hyperbolic_tangent_of_int8_is_in_steps_of_its_own() -> None:
    data = of_one_operator("TANH", [(0.05, 0)], (2**-7, 0))
    steps = np.rint(np.tanh(0.05 * np.array([0, 10, -20, 100])) * 128).clip(-128, 127)
    assert np.abs(np.array(ran(data, [0, 10, -20, 100])) - steps).max() <= 1


def convolution(
    scales: Sequence[float],
    points: Sequence[int],
    *,
    axis: int = 0,
    name: str = "CONV_2D",
    data: Quantisation = (1.0, 0),
    kind: str = "i1",
) -> bytes:
    """A convolution by 1 x 1 of [1, 2, 2, 2] to [1, 2, 2, 2]."""
    sketch = ModelSketch()
    scale, point = data or (None, 0)
    given = sketch.tensor(kind, [1, 2, 2, 2], scale=scale, zero_point=point)
    sizes = (1, 1, 1, 2) if name == "DEPTHWISE_CONV_2D" else (2, 1, 1, 2)
    weights = sketch.constant("i1", np.ones(sizes))
    sketch.quantise(weights, scales, points, axis=axis)
    bias = sketch.constant("i8" if kind == "i2" else "i4", [0, 0])
    result = sketch.tensor(kind, [1, 2, 2, 2], scale=1.0)
    options = {"strideW": 1, "strideH": 1}
    if name == "DEPTHWISE_CONV_2D":
        options["depthMultiplier"] = 1
    sketch.operator(name, [given, weights, bias], [result], options)
    return sketch.written([given], [result])


def test_weights_may_have_a_scale_for_each_channel() -> None:
    x = np.arange(8)
    sums = x.reshape(4, 2).sum(1)
    expected = np.stack([sums, sums * 2], 1).ravel().tolist()
    assert ran(convolution([1.0, 2.0], [0, 0]), x) == expected
    depthwise = convolution([1.0, 2.0], [0, 0], axis=3, name="DEPTHWISE_CONV_2D")
    assert ran(depthwise, x) == (x * np.tile([1, 2], 4)).tolist()


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (
            convolution([1.0, 1.0], [0, 5]),
            "the zero point 5 for the tensor 't1', which CONV_2D reads as 0",
        ),
        (
            convolution([1.0], [5]),
            "the zero point 5 for the tensor 't1', which CONV_2D reads as 0",
        ),
        (
            convolution([1.0], [0], data=(1.0, 3), kind="i2"),
            "the zero point 3 for the tensor 't0', which CONV_2D reads as 0",
        ),
        (
            convolution([1.0, 1.0], [0, 0], axis=3),
            (
                "2 scales along axis 3 for the tensor 't1', "
                "which CONV_2D reads along axis 0 of [2, 1, 1, 2]"
            ),
        ),
        (
            convolution([1.0, 1.0, 1.0], [0, 0, 0]),
            (
                "3 scales along axis 0 for the tensor 't1', "
                "which CONV_2D reads along axis 0 of [2, 1, 1, 2]"
            ),
        ),
        (
            convolution([1.0, 1.0], [0, 0], axis=0, name="DEPTHWISE_CONV_2D"),
            (
                "2 scales along axis 0 for the tensor 't1', "
                "which DEPTHWISE_CONV_2D reads along axis 3 of [1, 1, 1, 2]"
            ),
        ),
        (
            convolution([1.0, 0.0], [0, 0]),
            "the scale 0 for the tensor 't1'",
        ),
    ],
)
def test_weights_that_kernels_scale_otherwise_are_rejected(data: bytes, fact: str) -> None:
    is_rejected(data, fact)


@pytest.mark.parametrize("name", ["ADD", "CONCATENATION", "MAXIMUM", "RELU", "RESHAPE"])
def test_data_have_one_scale(name: str) -> None:
    sketch = ModelSketch()
    given, other = (sketch.tensor("i1", [2, 4], scale=1.0) for _ in range(2))
    result = sketch.tensor("i1", [4, 4] if name == "CONCATENATION" else [2, 4], scale=1.0)
    sketch.quantise(given, [1.0, 2.0], [0, 0])
    inputs = {"RELU": [given], "RESHAPE": [given, sketch.constant("i4", [2, 4])]}
    used = inputs.get(name, [given, other])
    sketch.operator(name, used, [result])
    data = sketch.written([given] if name in inputs else [given, other], [result])
    is_rejected(data, f"2 scales for the tensor 't0', of which {name} reads one")


def test_a_constant_with_a_scale_for_each_channel_is_dequantised_by_litert_alone() -> None:
    """TensorFlow Lite Micro takes the first scale for all."""
    pytest.importorskip("ai_edge_litert.interpreter")
    sketch = ModelSketch()
    weights = sketch.constant("i1", [[10] * 4, [10] * 4])
    sketch.quantise(weights, [1.0, 2.0], [0, 0])
    given, real, result = (sketch.tensor("f4", [2, 4]) for _ in range(3))
    sketch.operator("DEQUANTIZE", [weights], [real])
    sketch.operator("ADD", [given, real], [result])
    data = sketch.written([given], [result])
    engines = find_engines(ModelFile(data))
    assert engines.takers == ("LiteRT",)
    assert "DEQUANTIZE with a scale for each channel" in (engines.objections[DEVICES] or "")
    host = HostModel("net", ModelFile(data), None, lambda *_: None)
    (sums,) = host.infer([np.zeros((2, 4), "<f4").tobytes()])
    assert np.frombuffer(sums, "<f4").tolist() == [10.0] * 4 + [20.0] * 4


@pytest.mark.parametrize("kind", ["f4", "i2"])
def test_int16_of_floats_may_have_a_zero_point(kind: str) -> None:
    sketch = ModelSketch()
    given = sketch.tensor(kind, [4], scale=None if kind == "f4" else 1.0)
    result = sketch.tensor("i2", [4], scale=0.5, zero_point=7)
    sketch.operator("QUANTIZE", [given], [result])
    data = sketch.written([given], [result])
    if kind == "i2":
        is_rejected(data, "the zero point 7 for the tensor 't1', which QUANTIZE reads as 0")
        return
    host = HostModel("net", ModelFile(data), None, lambda *_: None)
    (steps,) = host.infer([np.array([0, 1, -2, 3], "<f4").tobytes()])
    assert np.frombuffer(steps, "<i2").tolist() == [7, 9, 3, 13]


def test_operators_that_move_elements_need_no_scale() -> None:
    sketch = ModelSketch()
    given, result = sketch.tensor("i1", [2, 2]), sketch.tensor("i1", [4])
    sketch.operator("RESHAPE", [given, sketch.constant("i4", [4])], [result])
    data = sketch.written([given], [result])
    assert ModelFile(data).findings.objection is None
    assert ran(data, [1, 2, 3, 4]) == [1, 2, 3, 4]
