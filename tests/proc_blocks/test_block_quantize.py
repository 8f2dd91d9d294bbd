"""quantize and dequantize: between real numbers and the integers of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.pipeline import TensorType
from runec.proc_blocks import BlockMismatch, Catalogue

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=60)

ELEMENTS = ["u8", "i8", "u16", "i16", "i32"]
COUNT = 6


def quantized(values: np.ndarray, dtype: str, scale: float, zero_point: int) -> list[int]:
    info = np.iinfo(dtype)
    wanted = []
    with np.errstate(all="ignore"):
        steps = values.astype(np.float32) / np.float32(scale)
    for step in steps.astype(float):
        if math.isnan(step):
            whole = 0
        else:
            # f64 holds the sum with a half of any f32 that is not an integer already.
            bounded = min(max(step, -(2.0**31)), 2.0**31 - 1)
            whole = int(math.copysign(math.floor(abs(bounded) + 0.5), bounded))
            whole = min(max(whole, -(2**31)), 2**31 - 1)
        wanted.append(min(max(whole + zero_point, int(info.min)), int(info.max)))
    return wanted


def test_quantize_gives_the_vector_of_its_readme(use: Use) -> None:
    block = use("quantize", "f32[4]", declared=("i8[4]",), scale=0.5, zero_point=3)
    assert block.array([0, 0.25, -0.25, 100]).tolist() == [3, 4, 2, 127]


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("step", [(0.5, 3), (0.10196079, -128), (1e-3, 2**31 - 1)])
@BRIEFLY
@given(
    values=st.lists(
        st.floats(width=32)
        | st.integers(-70000, 70000).map(lambda i: i / 4)
        | st.sampled_from([0.24999999, 0.25, -0.25]),
        min_size=COUNT,
        max_size=COUNT,
    )
)
def test_quantize_rounds_half_away_from_zero_and_saturates(
    use: Use,
    dtypes: Mapping[str, str],
    element: str,
    step: tuple[float, int],
    values: list[float],
) -> None:
    scale, zero_point = step
    block = use(
        "quantize",
        f"f32[{COUNT}]",
        declared=(f"{element}[{COUNT}]",),
        scale=scale,
        zero_point=zero_point,
    )
    array = np.array(values, "<f4")
    assert block.array(array).tolist() == quantized(array, dtypes[element], scale, zero_point)


@pytest.mark.parametrize(
    ("given_as", "step"),
    [("u8", (1.0, -128)), ("i8", (0.5, 3)), ("u16", (257.0, -128)), ("i16", (1 / 255, 0))],
)
@BRIEFLY
@given(raw=st.binary(min_size=2 * COUNT, max_size=2 * COUNT))
def test_quantize_takes_pixels_and_samples_as_the_numbers_that_they_are(
    use: Use, dtypes: Mapping[str, str], given_as: str, step: tuple[float, int], raw: bytes
) -> None:
    values = np.frombuffer(raw, dtypes[given_as])[:COUNT]
    scale, zero_point = step
    block = use(
        "quantize",
        f"{given_as}[{COUNT}]",
        declared=(f"i8[{COUNT}]",),
        scale=scale,
        zero_point=zero_point,
    )
    assert block.array(values).tolist() == quantized(values, dtypes["i8"], scale, zero_point)


@pytest.mark.parametrize(
    ("declared", "code"), [(None, "R0414"), ("f32[2]", "R0414"), ("i8[3]", "R0415")]
)
def test_quantize_needs_to_be_told_an_integer_type(declared: str | None, code: str) -> None:
    block = Catalogue.builtin().find("quantize")
    assert block is not None
    wanted = [TensorType.parse(declared)] if declared else []
    with pytest.raises(BlockMismatch) as caught:
        block.resolve([TensorType.parse("f32[2]")], wanted, {"scale": 1})
    assert caught.value.code == code
    assert caught.value.hint


def test_dequantize_gives_the_vector_of_its_readme(use: Use) -> None:
    block = use("dequantize", "i8[3]", scale=1 / 256, zero_point=-128)
    assert block.array([-128, 0, 127]).tolist() == [0, 0.5, 0.99609375]


@pytest.mark.parametrize("element", ELEMENTS)
@BRIEFLY
@given(raw=st.binary(min_size=4 * COUNT, max_size=4 * COUNT))
def test_dequantize_is_numpys(
    use: Use, dtypes: Mapping[str, str], element: str, raw: bytes
) -> None:
    values = np.frombuffer(raw, dtypes[element])[:COUNT]
    block = use("dequantize", f"{element}[{COUNT}]", scale=0.1, zero_point=-7)
    wanted = (values.astype(np.int64) + 7).astype(np.float32) * np.float32(0.1)
    assert block.array(values).tolist() == wanted.tolist()
