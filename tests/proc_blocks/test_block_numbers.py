"""Blocks that compute an element from an element, or one number from all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=30)

INTEGERS = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"]
FLOATS = ["f32", "f64"]
COUNT = 7
SPECIAL = st.sampled_from([0.0, -0.0, 1.0, 0.5, math.inf, -math.inf, math.nan, 3e38, 1e-45])


def draw(data: st.DataObject, dtype: str, count: int = COUNT) -> np.ndarray:
    """Elements of any type: any bits of an integer, any f32 value and often a special one."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        return np.frombuffer(data.draw(st.binary(min_size=8 * count, max_size=8 * count)), kind)[
            :count
        ]
    numbers = st.floats(width=32) | SPECIAL
    return np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), kind)


def canonical(values: np.ndarray) -> bytes:
    """The bytes, with every NaN the canonical one."""
    nan = np.array(math.nan, values.dtype)
    return np.where(np.isnan(values), np.abs(nan), values).astype(values.dtype).tobytes()


def test_audio_float_conversion_gives_the_originals_vectors(use: Use) -> None:
    block = use("audio_float_conversion", "i16[1, 3]")
    wanted = np.array([0, 0.49998474, -0.50001526], np.float32)
    assert block.array([0, 16383, -16384]).tolist() == wanted.tolist()
    assert block.array([32767, -32768, -32767]).tolist() == [1, -1, -1]


def test_audio_float_conversion_of_every_sample_is_numpys(use: Use) -> None:
    samples = np.arange(-32768, 32768, dtype=np.int16)
    wanted = np.clip(samples.astype(np.float32) / np.float32(32767), -1, 1)
    got = use("audio_float_conversion", "i16[65536]").array(samples)
    assert got.tobytes() == wanted.astype("<f4").tobytes()


def test_image_normalization_gives_the_originals_vector(use: Use) -> None:
    got = use("image-normalization", "u8[1, 1, 1, 3]").array([0, 127, 255])
    assert got.tolist() == [0, float(np.float32(127) / np.float32(255)), 1]


@pytest.mark.parametrize("element", INTEGERS)
@BRIEFLY
@given(data=st.data())
def test_image_normalization_scales_the_range_of_the_type(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    info = np.iinfo(values.dtype)
    width = float(int(info.max) - int(info.min))
    wanted = [np.float32(float(int(v) - int(info.min)) / width) for v in values]
    assert use("image-normalization", f"{element}[{COUNT}]").array(values).tolist() == wanted


def test_softmax_gives_the_originals_vector(use: Use) -> None:
    got = use("softmax", "f32[3]").array([2.3, 12.4, 5.1])
    wanted = [4.1050153e-5, 0.99928397, 6.7505526e-4]
    np.testing.assert_allclose(got, np.array(wanted, np.float32), rtol=2e-7)


def test_softmax_of_large_scores_does_not_overflow(use: Use) -> None:
    assert use("softmax", "f32[2]").array([1000, 0]).tolist() == [1, 0]
    assert use("softmax", "f32[2]").array([-1000, -1000]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("alive", [False, True])
@pytest.mark.parametrize("element", FLOATS)
@BRIEFLY
@given(data=st.data())
def test_softmax_is_numpys(
    use: Use, dtypes: Mapping[str, str], element: str, alive: bool, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    got = use("softmax", f"{element}[{COUNT}]", alive=alive).array(values)
    with np.errstate(all="ignore"):
        powers = np.exp(values.astype(float) - values.astype(float).max())
        wanted = powers / powers.sum()
    smallest = float(np.finfo(values.dtype).smallest_subnormal)
    np.testing.assert_allclose(
        got, wanted, rtol=3 * float(np.finfo(values.dtype).eps), atol=smallest
    )
    assert canonical(got) == got.tobytes()


def test_binary_classification_gives_the_originals_vector(use: Use) -> None:
    assert use("binary_classification", "f32[1]").array([0.7]).tolist() == [1]
    assert use("binary_classification", "f32[2]").array([0.5, 9]).tolist() == [0]


@pytest.mark.parametrize("element", FLOATS)
@BRIEFLY
@given(data=st.data())
def test_binary_classification_compares_the_first_element(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    block = use("binary_classification", f"{element}[{COUNT}]", threshold=0.25)
    assert block.array(values).tolist() == [int(values[0] > 0.25)]


@pytest.mark.parametrize("element", INTEGERS + FLOATS)
@BRIEFLY
@given(data=st.data())
def test_threshold_compares_every_element(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    got = use("threshold", f"{element}[{COUNT}]", threshold=1.0).array(values)
    assert got.tolist() == (values > 1).astype(int).tolist()


def test_mean_gives_the_originals_vector(use: Use) -> None:
    assert use("mean", "i32[6]").array([1, 2, 3, 4, 5, 6]).tolist() == [3.5]


def test_std_dev_gives_the_originals_vector(use: Use) -> None:
    got = use("std_dev", "f32[10]").array([70, 96, 58, 74, 38, 69, 76, 44, 23, 82])
    assert got.tolist() == [float(np.float32(21.061813))]


def in_order(values: np.ndarray, ddof: int) -> tuple[Any, Any]:
    """The mean and the deviation, summed in f64 from the first to the last."""
    with np.errstate(all="ignore"):
        numbers = values.astype(float)
        mean = np.add.accumulate(numbers)[-1] / np.float64(len(values))
        squares = np.add.accumulate((numbers - mean) ** 2)[-1]
        return mean, np.sqrt(squares / np.float64(len(values) - ddof))


@pytest.mark.parametrize("element", INTEGERS + FLOATS)
@BRIEFLY
@given(data=st.data())
def test_mean_and_stats_are_numpys(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    mean, deviation = in_order(values, 1)
    with np.errstate(all="ignore"):
        wanted = [canonical(np.array([x], "<f4")) for x in (mean, deviation)]
    assert use("mean", f"{element}[{COUNT}]").run(values.tobytes()).outputs == wanted[:1]
    assert use("stats", f"{element}[{COUNT}]").run(values.tobytes()).outputs == wanted


@pytest.mark.parametrize("element", FLOATS)
@BRIEFLY
@given(data=st.data())
def test_std_dev_is_numpys(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    with np.errstate(all="ignore"):
        wanted = canonical(np.array([in_order(values, 0)[1]]).astype(values.dtype))
    assert use("std_dev", f"{element}[{COUNT}]").run(values.tobytes()).outputs == [wanted]


def test_the_deviation_of_a_single_element_is_not_a_number(use: Use) -> None:
    done = use("stats", "u8[1]").run(b"\x05")
    assert done.outputs == [np.float32(5).tobytes(), bytes.fromhex("0000c07f")]


@pytest.mark.parametrize("count", [1, 4, COUNT])
@pytest.mark.parametrize("element", INTEGERS + FLOATS)
@BRIEFLY
@given(data=st.data())
def test_median_is_numpys(
    use: Use, dtypes: Mapping[str, str], element: str, count: int, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element], count)
    got = use("median", f"{element}[{count}]").array(values)
    if np.isnan(values).any():
        assert got.tobytes().hex() == "0000c07f"
        return
    ordered = sorted(values.tolist())
    low, high = float(ordered[(count - 1) // 2]), float(ordered[count // 2])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, np.float32(np.float64(low) * 0.5 + 0.5 * high))


def test_rolling_average_keeps_its_state_between_runs(use: Use) -> None:
    block = use("rolling_average", "f64[3, 1]").restart()
    random = np.random.default_rng(3)
    runs = random.uniform(-100, 100, (20, 3))
    for k, values in enumerate(runs, start=1):
        np.testing.assert_allclose(block.array(values), runs[:k].mean(axis=0), rtol=1e-12)


def test_rolling_average_takes_a_nan_in_for_good(use: Use) -> None:
    block = use("rolling_average", "f32[2]").restart()
    assert block.array([5, 5]).tolist() == [5, 5]
    assert block.array([11, math.nan]).tobytes().hex() == "000000410000c07f"
    assert block.array([2, 1]).tobytes().hex() == "0000c0400000c07f"
