"""normalize: (x - min) / (max - min) in f32."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=40)

COUNT = 6
SPECIAL = [0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan"), 3.4028235e38, 1e-45]


def expected(values: np.ndarray) -> bytes:
    with np.errstate(all="ignore"):
        x = values.astype(np.float32)
        known = x[~np.isnan(x)]
        if known.size == 0:
            scaled = x
        else:
            low, high = known[np.argmin(known)], known[np.argmax(known)]
            scaled = (x - low) / np.float32(high - low)
            if low == high:
                scaled = np.where(np.isnan(x), x, np.float32(0))
    scaled = scaled.astype("<f4")
    return np.where(np.isnan(scaled), np.uint32(0x7FC00000), scaled.view("<u4")).tobytes()


def test_gives_the_originals_vectors(use: Use) -> None:
    assert use("normalize", "f32[3]").array([0, 1, 2]).tolist() == [0.0, 0.5, 1.0]
    zeros = use("normalize", "f32[1, 384]").run(bytes(384 * 4))
    assert zeros.outputs == [bytes(384 * 4)]


@pytest.mark.parametrize("value", [7.5, -3.0, float("inf"), float("-inf")])
def test_equal_elements_become_positive_zeros(use: Use, value: float) -> None:
    assert use("normalize", "f32[3]").array([value] * 3).tobytes() == bytes(12)


@pytest.mark.parametrize("alive", [False, True])
@BRIEFLY
@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=COUNT, max_size=COUNT))
def test_f32_equals_numpy_for_every_bit_pattern(use: Use, alive: bool, bits: list[int]) -> None:
    data = struct.pack(f"<{COUNT}I", *bits)
    done = use("normalize", f"f32[{COUNT}]", alive=alive).run(data)
    assert done.outputs == [expected(np.frombuffer(data, "<f4"))]


@BRIEFLY
@given(values=st.lists(st.sampled_from(SPECIAL), min_size=COUNT, max_size=COUNT))
def test_f32_equals_numpy_for_special_values(use: Use, values: list[float]) -> None:
    array = np.array(values, "<f4")
    done = use("normalize", f"f32[{COUNT}]").run(array.tobytes())
    assert done.outputs == [expected(array)]


@BRIEFLY
@given(raw=st.binary(min_size=768, max_size=768))
def test_an_accelerometers_window_lies_between_0_and_1(use: Use, raw: bytes) -> None:
    array = (np.frombuffer(raw, "<i2") / np.float32(8192)).astype("<f4")
    scaled = use("normalize", "f32[1, 128, 3, 1]").array(array)
    assert scaled.tobytes() == expected(array)
    assert scaled.min() == 0
    assert scaled.max() in (0, 1)


@pytest.mark.parametrize("element", ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f64"])
@BRIEFLY
@given(raw=st.binary(min_size=8 * COUNT, max_size=8 * COUNT))
def test_other_types_are_converted_to_f32_first(
    use: Use, dtypes: Mapping[str, str], element: str, raw: bytes
) -> None:
    values = np.frombuffer(raw, dtypes[element])[:COUNT]
    done = use("normalize", f"{element}[{COUNT}]").run(values.tobytes())
    assert done.outputs == [expected(values)]
