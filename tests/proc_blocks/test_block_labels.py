"""label and ohv_label: from numbers to words."""

from __future__ import annotations

import math
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

WORDS = ("zero", "one", "two", "three")
ELEMENTS = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]


def test_label_gives_the_originals_vectors(use: Use) -> None:
    block = use("label", "u32[3]", wordlist=WORDS)
    assert block.words(np.array([2, 0, 1], "<u4").tobytes()) == ["two", "zero", "one"]
    assert block.words(np.array([3, 1, 2], "<u4").tobytes()) == ["three", "one", "two"]


def test_an_index_without_a_label_fails_the_stage_and_says_so(use: Use) -> None:
    block = use("label", "u32[1]", wordlist="a\nb\n")
    done = block.run(np.array([42], "<u4").tobytes())
    assert done.status == block.number
    assert done.outputs == []
    assert done.messages == [
        "the block: index out of bounds: there are 2 labels but label 42 was requested"
    ]


def test_what_fills_a_tensor_of_indices_gives_empty_texts(use: Use) -> None:
    words = ("background", "cat", "dog")
    block = use("label", "u32[4]", wordlist=words)
    indices = np.array([0, 2, 2**32 - 1, 2**32 - 1], "<u4").tobytes()
    assert block.words(indices) == ["background", "dog", "", ""]
    done = use("label", "u32[1]", wordlist=words).run(np.array([2**32 - 2], "<u4").tobytes())
    assert done.messages[0].endswith("label 4294967294 was requested")


@pytest.mark.parametrize(
    ("element", "value", "shown"),
    [
        ("i8", -1, "-1"),
        ("i64", -(2**63), "-9223372036854775808"),
        ("u64", 2**64 - 1, "18446744073709551615"),
        ("f32", float("nan"), "NaN"),
        ("f32", -1.0, "-1"),
        ("f64", float("inf"), "9223372036854775807"),
        ("f64", 4.0, "4"),
    ],
)
def test_the_message_shows_the_index_of_any_type(
    use: Use, dtypes: Mapping[str, str], element: str, value: float, shown: str
) -> None:
    block = use("label", f"{element}[1]", wordlist=WORDS)
    done = block.run(np.array([value], dtypes[element]).tobytes())
    assert done.status == block.number
    assert done.messages[0].endswith(f"there are 4 labels but label {shown} was requested")


@pytest.mark.parametrize("element", ELEMENTS)
@BRIEFLY
@given(data=st.data())
def test_label_of_any_type_is_the_word_or_the_fallback(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    dtype = np.dtype(dtypes[element])
    if dtype.kind == "f":
        widest = st.floats(width=32) if element == "f32" else st.floats()
        number: st.SearchStrategy[float] = widest | st.floats(-2, 5, width=32)
    else:
        info = np.iinfo(dtype)
        number = st.integers(int(info.min), int(info.max)) | st.integers(max(-2, int(info.min)), 5)
    values = np.array(data.draw(st.lists(number, min_size=3, max_size=3)), dtype)
    block = use("label", f"{element}[3]", wordlist=WORDS, fallback="?")
    indices = [math.trunc(v) if math.isfinite(v) else -1 for v in values.tolist()]
    nothing = 2**32 - 1 if element == "u32" else None
    words = [WORDS[i] if 0 <= i < 4 else "?" for i in indices]
    wanted = ["" if v == nothing else word for v, word in zip(values.tolist(), words, strict=True)]
    assert block.words(values.tobytes()) == wanted


def test_words_may_be_empty_or_hold_any_character(use: Use) -> None:
    words = ("", 'a "quote" \\ ??/ %s', "größer", "日本\x01\x7f")
    block = use("label", "u8[4]", wordlist=words)
    assert block.words(bytes([0, 1, 2, 3])) == list(words)


def test_a_thousand_words_are_told_apart(use: Use) -> None:
    words = tuple(f"class number {i}" for i in range(1000))
    block = use("label", "u16[3]", wordlist=words)
    indices = np.array([999, 0, 500], "<u2").tobytes()
    assert block.words(indices) == ["class number 999", "class number 0", "class number 500"]


@pytest.mark.parametrize(
    ("probabilities", "wanted"),
    [
        ([0, 1, 0, 0], "Ring"),
        ([0, 0, 0, 0], "<MISSING>"),
        ([-1, -2, -3, -0.5], "<MISSING>"),
        ([0.2, 0.4, 0.4, 0], "Ring"),
        ([0, float("nan"), 0.1, 0], "Slope"),
        ([float("nan")] * 4, "<MISSING>"),
        ([0.5, float("nan"), float("inf"), float("-inf")], "Slope"),
    ],
)
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_ohv_label_is_the_label_of_the_largest_probability(
    use: Use, dtypes: Mapping[str, str], element: str, probabilities: list[float], wanted: str
) -> None:
    block = use("ohv_label", f"{element}[1, 4]", labels=("Wing", "Ring", "Slope", "Unknown"))
    assert block.words(np.array(probabilities, dtypes[element]).tobytes()) == [wanted]


def test_ohv_label_has_a_word_of_ones_own_for_no_label(use: Use) -> None:
    block = use("ohv_label", "f32[2]", labels=("a", "b"), unknown_label="nothing")
    assert block.words(bytes(8)) == ["nothing"]
