"""argmax and most_confident_indices: where the largest elements are."""

from __future__ import annotations

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

ELEMENTS = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
COUNT = 8

# Few values, so that equal ones, NaNs and infinities meet often.
NEAR = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, float("nan"), float("inf"), float("-inf")])


def descending(values: np.ndarray) -> list[int]:
    """Indices in descending order, equal elements in theirs, NaNs last."""
    known = [i for i, v in enumerate(values) if not np.isnan(v)]
    unknown = [i for i, v in enumerate(values) if np.isnan(v)]
    return sorted(known, key=lambda i: (-values[i].item(), i)) + unknown


def draw(data: st.DataObject, dtype: str) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return np.array(data.draw(st.lists(NEAR, min_size=COUNT, max_size=COUNT)), dtype)
    info = np.iinfo(dtype)
    number = st.integers(int(info.min), int(info.max)) | st.sampled_from([0, 1, int(info.max)])
    return np.array(data.draw(st.lists(number, min_size=COUNT, max_size=COUNT)), dtype)


def test_argmax_gives_the_originals_vector(use: Use) -> None:
    assert use("argmax", "f32[4]").array([2.3, 12.4, 55.1, 15.4]).tolist() == [2]


def test_argmax_of_negative_elements_is_the_largest_of_them(use: Use) -> None:
    assert use("argmax", "f32[4]").array([-5, -3, -4, -3]).tolist() == [1]


@pytest.mark.parametrize("element", ELEMENTS)
@BRIEFLY
@given(data=st.data())
def test_argmax_is_the_first_of_the_largest(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    assert use("argmax", f"{element}[2, 4]").array(values).tolist() == descending(values)[:1]


def test_most_confident_indices_gives_the_originals_vector(use: Use) -> None:
    block = use("most_confident_indices", "f32[1, 5, 1]", count=3)
    assert block.array([0, 0.5, 10, 3.5, -200]).tolist() == [2, 3, 1]


@pytest.mark.parametrize("element", ELEMENTS)
@BRIEFLY
@given(data=st.data())
def test_most_confident_indices_is_a_stable_descending_sort(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    values = draw(data, dtypes[element])
    block = use("most_confident_indices", f"{element}[{COUNT}]", count=3)
    assert block.array(values).tolist() == descending(values)[:3]


@pytest.mark.parametrize("count", [1, COUNT])
@BRIEFLY
@given(values=st.lists(NEAR, min_size=COUNT, max_size=COUNT))
def test_most_confident_indices_gives_as_many_as_asked(
    use: Use, count: int, values: list[float]
) -> None:
    array = np.array(values, "<f4")
    block = use("most_confident_indices", f"f32[1, {COUNT}]", count=count)
    assert block.array(array).tolist() == descending(array)[:count]
