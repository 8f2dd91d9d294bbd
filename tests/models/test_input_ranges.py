"""Clamping of float inputs: docs/spec/rune.md, section 2.4."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from runec.diagnostics import UserFileError
from runec.models import InputRange, ModelFile

MakeModel = Callable[..., bytes]
TO_Q = ("QUANTIZE", "x", "q")


def quantised(kind: str, scale: float, zero_point: int) -> tuple[str, list[float], list[int]]:
    return kind, [scale], [zero_point]


@pytest.mark.parametrize(
    ("kind", "scale", "zero_point", "steps"),
    [
        ("INT8", 0.5, 0, (-128, 127)),
        ("INT8", 0.1, -128, (0, 255)),
        ("UINT8", 1e-3, 128, (-128, 127)),
        ("INT16", 1 / 3, -5, (-32763, 32772)),
        ("INT8", 1e-45, 127, (-255, 0)),
    ],
)
def test_a_range_is_what_the_integers_stand_for_in_f32(
    make_tflite: MakeModel, kind: str, scale: float, zero_point: int, steps: tuple[int, int]
) -> None:
    tensors = {"x": "FLOAT32", "q": quantised(kind, scale, zero_point)}
    (found,) = ModelFile(make_tflite(3, tensors, [TO_Q])).input_ranges
    least, most = (float(np.float32(step) * np.float32(scale)) for step in steps)
    assert found == InputRange(least, most)


def test_a_range_ends_at_the_largest_finite_float(make_tflite: MakeModel) -> None:
    tensors = {"x": "FLOAT32", "q": quantised("INT8", 1e37, -100)}
    (found,) = ModelFile(make_tflite(3, tensors, [TO_Q])).input_ranges
    largest = float(np.finfo(np.float32).max)
    assert found == InputRange(float(np.float32(-28) * np.float32(1e37)), largest)


def test_of_several_readers_the_widest_range_counts(make_tflite: MakeModel) -> None:
    tensors = {
        "x": "FLOAT32",
        "q": quantised("INT8", 1.0, 0),
        "u": quantised("UINT8", 0.5, 100),
        "w": quantised("UINT8", 0.25, 200),
    }
    operators = [TO_Q, ("QUANTIZE", "x", "u"), ("QUANTIZE", "x", "w")]
    assert ModelFile(make_tflite(3, tensors, operators)).input_ranges == (
        InputRange(-128.0, 127.0),
    )
    assert ModelFile(make_tflite(3, tensors, operators[1:])).input_ranges == (
        InputRange(-50.0, 77.5),
    )


def test_each_input_has_its_own_range(make_tflite: MakeModel) -> None:
    tensors = {
        "a": "FLOAT32",
        "x": "FLOAT32",
        "i": quantised("INT8", 1.0, 0),
        "q": quantised("INT8", 2.0, 0),
        "n": "FLOAT32",
    }
    model = make_tflite(3, tensors, [TO_Q, ("NEG", "a", "n")], inputs="aix", outputs="qn")
    assert ModelFile(model).input_ranges == (None, None, InputRange(-256.0, 254.0))


INT8 = quantised("INT8", 1.0, 0)
UNTOUCHED = {
    "no QUANTIZE": ({"x": "FLOAT32", "y": "FLOAT32"}, [("NEG", "x", "y")], "y"),
    "an operator beside it": (
        {"x": "FLOAT32", "y": "FLOAT32", "q": INT8},
        [TO_Q, ("NEG", "x", "y")],
        "yq",
    ),
    "an operator before it": (
        {"x": "FLOAT32", "y": "FLOAT32", "q": INT8},
        [("NEG", "x", "y"), ("QUANTIZE", "y", "q")],
        "q",
    ),
    "an output": ({"x": "FLOAT32", "q": INT8}, [TO_Q], "xq"),
    "integers": ({"x": INT8, "q": INT8}, [TO_Q], "q"),
    "another type": ({"x": "FLOAT32", "q": quantised("INT32", 1.0, 0)}, [TO_Q], "q"),
    "no scale": ({"x": "FLOAT32", "q": "INT8"}, [TO_Q], "q"),
    "a scale a channel": ({"x": "FLOAT32", "q": ("INT8", [1.0, 2.0], [0, 0])}, [TO_Q], "q"),
    "no zero point": ({"x": "FLOAT32", "q": ("INT8", [1.0], [])}, [TO_Q], "q"),
    "nobody reads it": ({"x": "FLOAT32", "q": INT8}, [], "q"),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_an_input_that_not_only_quantize_reads_stays_as_it_is(
    make_tflite: MakeModel, name: str
) -> None:
    tensors, operators, outputs = UNTOUCHED[name]
    assert ModelFile(make_tflite(2, tensors, operators, "x", outputs)).input_ranges == (None,)


@pytest.mark.parametrize(
    ("scale", "zero_point"),
    [(0.0, 0), (-1.0, 0), (math.nan, 0), (math.inf, 0), (1.0, 128), (1.0, -129), (1.0, 2**40)],
)
def test_a_scale_or_zero_point_that_cannot_be_is_damage(
    make_tflite: MakeModel, scale: float, zero_point: int
) -> None:
    tensors = {"x": "FLOAT32", "n": "FLOAT32", "q": quantised("INT8", scale, zero_point)}
    inside = [("NEG", "x", "n"), ("QUANTIZE", "n", "q")]
    for operators in ([TO_Q], inside):
        with pytest.raises(UserFileError) as caught:
            _ = ModelFile(make_tflite(3, tensors, operators)).input_ranges
        assert caught.value.code == "R0311"
        assert f"the zero point {zero_point}" in caught.value.message
