"""Floats that a model turns into integers: docs/spec/rune.md, section 2.4, on the host."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from runec.diagnostics import RuneError
from runec.models import ModelFile
from runec.vm.host_model import HostModel

MakeModel = Callable[..., bytes]
Floats = np.ndarray[Any, np.dtype[np.float32]]
TYPES: dict[str, Any] = {"INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16}
EXTREMES = np.array(
    [np.nan, -np.nan, np.inf, -np.inf, 1e38, -1e38, 3.4028235e38, 2.0**31, -(2.0**31), -0.0, 1e-45],
    np.float32,
)


def to_integers(make_tflite: MakeModel, kind: str, scale: float, zero: int, count: int) -> bytes:
    tensors = {"x": "FLOAT32", "q": (kind, [scale], [zero])}
    return make_tflite(count, tensors, [("QUANTIZE", "x", "q")])


def quiet(_warning: str, _hint: str) -> None:
    """Warnings for uint8: test_vm_litert.py."""


def on_host(model: bytes, values: Floats, kind: str) -> Any:
    (result,) = HostModel("m", ModelFile(model), None, quiet).infer([values.tobytes()])
    return np.frombuffer(result, TYPES[kind])


def in_library(model: bytes, values: Floats, kind: str) -> Any:
    """What the library does by itself."""
    if kind == "UINT8":
        from ai_edge_litert import interpreter as litert

        interpreter: Any = litert.Interpreter(
            model_content=model, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values[None])
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=4 * 1024 * 1024)
    interpreter.set_input(values[None], 0)
    interpreter.invoke()
    return interpreter.get_output(0)[0]


def rule(values: Floats, scale: float, zero: int, kind: str) -> Any:
    """x / scale in f32, half away from zero, cut off at the ends; a NaN is 0.0."""
    ends = np.iinfo(TYPES[kind])
    with np.errstate(all="ignore"):
        quotients = (values / np.float32(scale)).astype(np.float64)
        whole = np.trunc(quotients + np.copysign(0.5, quotients)) + zero
        whole[np.isnan(values)] = zero
    return np.clip(whole, ends.min, ends.max).astype(TYPES[kind])


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("scale", [1e-40, 0.003, 0.5, 1.0, 1e30])
@pytest.mark.parametrize("part", [0, 0.3, 1], ids=["lowest", "inside", "highest"])
def test_every_float_has_an_integer(
    make_tflite: MakeModel, kind: str, scale: float, part: float
) -> None:
    ends = np.iinfo(TYPES[kind])
    zero = round(ends.min + part * (ends.max - ends.min))
    model = to_integers(make_tflite, kind, scale, zero, EXTREMES.size)
    found = on_host(model, EXTREMES, kind)
    assert found.tolist() == rule(EXTREMES, scale, zero, kind).tolist()
    assert found[:4].tolist() == [zero, zero, ends.max, ends.min]


def test_where_an_end_is_beyond_all_floats_infinity_is_the_largest_float(
    make_tflite: MakeModel,
) -> None:
    values = np.array([np.inf, -np.inf, np.nan], np.float32)
    model = to_integers(make_tflite, "INT8", 1e37, 0, 3)
    assert on_host(model, values, "INT8").tolist() == [34, -34, 0]


def around(value: float, steps: int) -> Floats:
    """All floats that are at most so many steps from one."""
    with np.errstate(over="ignore"):
        middle = int(np.float32(value).view(np.int32))
    return np.arange(middle - steps, middle + steps + 1, dtype=np.int32).view(np.float32)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("scale", [1e-38, 0.003, 0.1, 1 / 3, 1.0, 12345.678])
def test_what_had_an_integer_keeps_it_at_every_float_near_a_border(
    make_tflite: MakeModel, kind: str, scale: float
) -> None:
    ends = np.iinfo(TYPES[kind])
    for zero in (ends.min, ends.min + (ends.max - ends.min) // 3, ends.max):
        steps = [end - zero + half for end in (ends.min, ends.max) for half in (-0.5, 0, 0.5)]
        # The last ones that C++ gives an integer, with a zero point added.
        steps += [2.0**31 - 2.0**17, -(2.0**31 - 2.0**17)]
        values = np.concatenate([around(step * scale, 2000) for step in steps if step])
        values = values[np.abs(values / np.float32(scale)) <= steps[-2]]
        model = to_integers(make_tflite, kind, scale, zero, values.size)
        found = on_host(model, values, kind)
        assert np.array_equal(found, in_library(model, values, kind))
        assert np.array_equal(found, rule(values, scale, zero, kind))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_had_an_integer_keeps_it(make_tflite: MakeModel, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["INT8", "INT16"]))
    ends = np.iinfo(TYPES[kind])
    zero = data.draw(st.integers(int(ends.min), int(ends.max)))
    scale = data.draw(st.floats(2.0**-60, 2.0**60, width=32))
    limit = float(np.nextafter(np.float32(2**30 * scale), np.float32(0)))
    floats = st.floats(-limit, limit, width=32)
    values = data.draw(np_st.arrays(np.float32, 64, elements=floats))
    model = to_integers(make_tflite, kind, scale, zero, values.size)
    found = on_host(model, values, kind)
    assert found.tolist() == in_library(model, values, kind).tolist()
    assert found.tolist() == rule(values, scale, zero, kind).tolist()


def test_uint8_is_made_of_floats_in_litert_and_devices_do_it_too(make_tflite: MakeModel) -> None:
    warnings: list[str] = []
    model = to_integers(make_tflite, "UINT8", 0.5, 3, 1)
    HostModel(
        "m", ModelFile(model), None, lambda message, hint: warnings.append(f"{message}: {hint}")
    )
    (warning,) = warnings
    assert "has no QUANTIZE from float32 to uint8" in warning
    assert "devices run it in their own library, with the same result" in warning


def test_another_operator_beside_quantize_gets_every_float(make_tflite: MakeModel) -> None:
    tensors = {"x": "FLOAT32", "q": ("INT8", [1.0], [0]), "n": "FLOAT32"}
    operators = [("QUANTIZE", "x", "q"), ("NEG", "x", "n")]
    model = make_tflite(EXTREMES.size, tensors, operators)
    (result,) = HostModel("m", ModelFile(model), None, quiet).infer([EXTREMES.tobytes()])
    found = np.frombuffer(result, np.float32)
    assert np.array_equal(found, -EXTREMES, equal_nan=True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the figures are those of x86-64")
@pytest.mark.parametrize("kind", ["INT8", "INT16"])
@pytest.mark.parametrize("zero", [-7, 0, 7])
def test_a_quantize_inside_a_model_is_the_processors(
    make_tflite: MakeModel, kind: str, zero: int
) -> None:
    tensors = {"x": "FLOAT32", "n": "FLOAT32", "q": (kind, [0.5], [zero])}
    model = make_tflite(4, tensors, [("NEG", ["x"], ["n"]), ("QUANTIZE", ["n"], ["q"])])
    values = np.array([np.nan, np.inf, -np.inf, 2.0**30], np.float32)
    ends = np.iinfo(TYPES[kind])
    # -2^31, to which a negative zero point is added modulo 2^32.
    end = ends.max if zero < 0 else ends.min
    assert on_host(model, values, kind).tolist() == [int(end)] * 4


def test_a_model_whose_scale_cannot_be_is_refused(make_tflite: MakeModel) -> None:
    with pytest.raises(RuneError) as caught:
        HostModel("m", ModelFile(to_integers(make_tflite, "INT8", 0.0, 0, 1)), None, quiet)
    assert caught.value.code == "R0713"
    assert "the scale 0 for the tensor 'q'" in caught.value.message
