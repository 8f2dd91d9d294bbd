"""Floats that a model turns into integers, in the device's engine: docs/spec/rune.md, 2.4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runec.models import ModelFile
from runec.vm.host_model import HostModel

F32, U8, I8, MODEL = 8, 0, 1, 207
Floats = np.ndarray[Any, np.dtype[np.float32]]
MakeModel = Callable[..., bytes]
OnDevice = Callable[..., tuple[str, str]]
EXTREMES = np.array(
    [np.nan, -np.nan, np.inf, -np.inf, 1e38, -1e38, 2.0**31, -(2.0**31), 3e9, -0.0, 1e-45, 63.2],
    np.float32,
)


@pytest.fixture
def on_device(run_model: Callable[..., list[str]], tmp_path: Path) -> OnDevice:
    """Return what the device's engine says when it opens a model, and when it runs it on values."""

    def run(model: bytes, values: Floats, output: str = f"{I8}:{EXTREMES.size}") -> tuple[str, str]:
        path = tmp_path / "model.tflite"
        path.write_bytes(model)
        opened, answer, *_ = run_model(path, (f"{F32}:{values.nbytes}", output), values.tobytes())
        return opened, answer

    return run


def quiet(_warning: str, _hint: str) -> None:
    """What uint8 warns of is not a matter here."""


@pytest.mark.parametrize("kind", ["INT8", "UINT8"])
@pytest.mark.parametrize("scale", [1e-40, 0.1, 1e37])
def test_they_are_clamped_as_on_the_host(
    on_device: OnDevice, make_tflite: MakeModel, kind: str, scale: float
) -> None:
    code, lowest = {"INT8": (I8, -128), "UINT8": (U8, 0)}[kind]
    ends = [number * scale for number in range(-256, 257) if abs(number * scale) < 3.4e38]
    values = np.concatenate([EXTREMES, np.array(ends, np.float32)])
    for zero in (lowest, lowest + 100, lowest + 255):
        tensors = {"x": "FLOAT32", "q": (kind, [scale], [zero])}
        model = make_tflite(values.size, tensors, [("QUANTIZE", ["x"], ["q"])])
        (expected,) = HostModel("m", ModelFile(model), None, quiet).infer([values.tobytes()])
        said = on_device(model, values, f"{code}:{values.size}")
        assert said == ("0 ", f"0 {expected.hex()}")


@pytest.mark.parametrize("zero", [-7, 7])
def test_a_quantize_inside_a_model_is_that_of_x86_64(
    on_device: OnDevice, make_tflite: MakeModel, zero: int
) -> None:
    tensors = {"x": "FLOAT32", "n": "FLOAT32", "q": ("INT8", [0.5], [zero])}
    operators = [("NEG", ["x"], ["n"]), ("QUANTIZE", ["n"], ["q"])]
    _, answer = on_device(make_tflite(EXTREMES.size, tensors, operators), EXTREMES)
    # -2^31, to which the zero point is added modulo 2^32; then three that fit.
    end = 127 if zero < 0 else -128
    expected = np.array([end] * 9 + [zero, zero, zero - 126], np.int64).clip(-128, 127)
    assert answer == f"0 {expected.astype(np.int8).tobytes().hex()}"


def test_another_operator_beside_quantize_gets_every_float(
    on_device: OnDevice, make_tflite: MakeModel
) -> None:
    tensors = {"x": "FLOAT32", "n": "FLOAT32", "q": ("INT8", [1.0], [0])}
    tensors |= {"d": "FLOAT32", "most": "FLOAT32"}
    operators = [("NEG", ["x"], ["n"]), ("QUANTIZE", ["x"], ["q"])]
    operators += [("DEQUANTIZE", ["q"], ["d"]), ("MAXIMUM", ["d", "n"], ["most"])]
    values = np.array([-np.inf, -1e38, -(2.0**31), -5, 7], np.float32)
    model = make_tflite(values.size, tensors, operators)
    _, answer = on_device(model, values, f"{F32}:{values.nbytes}")
    expected = np.array([np.inf, 1e38, 2.0**31, 5, 7], np.float32)
    assert answer == f"0 {expected.tobytes().hex()}"


def test_of_several_quantize_the_widest_range_counts(
    on_device: OnDevice, make_tflite: MakeModel
) -> None:
    tensors = {"x": "FLOAT32", "narrow": ("UINT8", [0.5], [8]), "wide": ("INT8", [1.0], [0])}
    tensors |= {"n": "FLOAT32", "w": "FLOAT32", "most": "FLOAT32"}
    values = np.array([np.nan, np.inf, -np.inf, 1e38, -1e38, 2.0**31, -3], np.float32)
    expected = np.array([0, 127, -4, 127, -4, 127, -3], np.float32)
    for names in (("narrow", "wide"), ("wide", "narrow")):
        operators = [("QUANTIZE", ["x"], [name]) for name in names]
        operators += [("DEQUANTIZE", [name], [name[0]]) for name in names]
        operators += [("MAXIMUM", ["n", "w"], ["most"])]
        model = make_tflite(values.size, tensors, operators)
        _, answer = on_device(model, values, f"{F32}:{values.nbytes}")
        assert answer == f"0 {expected.tobytes().hex()}"


@pytest.mark.parametrize(
    ("scale", "zero"), [(0.0, 0), (-1.0, 0), (np.nan, 0), (np.inf, 0), (1.0, 128), (1.0, -129)]
)
def test_a_scale_or_zero_point_that_cannot_be_is_refused(
    on_device: OnDevice, make_tflite: MakeModel, scale: float, zero: int
) -> None:
    tensors = {"x": "FLOAT32", "q": ("INT8", [scale], [zero])}
    model = make_tflite(EXTREMES.size, tensors, [("QUANTIZE", ["x"], ["q"])])
    opened, _ = on_device(model, EXTREMES)
    assert opened == f"{MODEL} QUANTIZE has no scale or zero point that can be"
