"""parse: utf8_decode's text becomes numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=30)

INTEGERS = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"]


def parse(use: Use, text: str, declared: str) -> bytes | str:
    """The bytes that the block gives for a text, or its message."""
    block = use("parse", "u8[128]", declared=(declared,), before=("utf8_decode", ()))
    done = block.run(text.encode().ljust(128, b"\0"))
    if done.status == 0:
        return done.outputs[0]
    assert done.status == block.number
    (message,) = done.messages
    return message


def test_gives_the_originals_vectors(use: Use) -> None:
    assert parse(use, "5\n6\n7", "i32[3]") == np.array([5, 6, 7], "<i4").tobytes()
    labels = ("label", (("wordlist", ("2", "3", "4", "5 6\t7")),))
    block = use("parse", "u8[4]", declared=("f64[6]",), before=labels)
    assert block.array([0, 1, 2, 3]).tolist() == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("text", "declared", "part"),
    [
        ("1 a", "f64[2]", 'Unable to parse "a" as a f64'),
        ("256", "u8[1]", 'Unable to parse "256" as a u8'),
        ("-1", "u64[1]", 'Unable to parse "-1" as a u64'),
        ("-129", "i8[1]", "as a i8"),
        ("1.5", "i32[1]", "as a i32"),
        ("é" * 60, "i16[1]", f'"{"é" * 24}" as a i16'),
        ("1 2", "f32[3]", "the output has 3 elements, but the numbers in the texts are 2"),
        ("1 2 3 4", "f32[3]", "numbers in the texts are 4"),
        ("", "f32[1]", "are 0"),
        ("7\0 8", "u8[2]", "are 1"),
        ("7 ", "u8[2]", "are 1"),
    ],
)
def test_says_what_it_cannot_read(use: Use, text: str, declared: str, part: str) -> None:
    message = parse(use, text, declared)
    assert isinstance(message, str)
    assert part in message


@pytest.mark.parametrize(
    "word", ["+", "-", ".", "e5", "1e", "1e+", "--1", "1..", "0x1", "infin", "1" * 41]
)
def test_a_word_that_is_no_number_is_refused(use: Use, word: str) -> None:
    assert isinstance(parse(use, word, "f32[1]"), str)
    assert isinstance(parse(use, word, "i64[1]"), str)


@pytest.mark.parametrize("element", INTEGERS)
@BRIEFLY
@given(data=st.data())
def test_every_integer_of_a_type_and_none_beside_it(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    info = np.iinfo(dtypes[element])
    low, high = int(info.min), int(info.max)
    edges = st.sampled_from([low, high, low - 1, high + 1, 10 * high, 0])
    number = data.draw(st.integers(low, high) | edges)
    spelling = data.draw(st.sampled_from(["{}", "{:+}", " {} ", "{:030}"]))
    got = parse(use, spelling.format(number), f"{element}[1]")
    if low <= number <= high:
        assert got == np.array([number], dtypes[element]).tobytes()
    else:
        assert isinstance(got, str)


def nearest(word: str, dtype: str) -> bytes:
    """The nearest float, ties to even; for f32 out of exact fractions, not by way of f64."""
    if dtype == "<f8" or float(word) == 0 or not math.isfinite(float(word)):
        return np.array([float(word)], dtype).tobytes()
    from fractions import Fraction

    exact = abs(Fraction(word))
    with np.errstate(over="ignore"):  # the neighbour above the largest number is infinity
        guess = np.float32(abs(float(word)))
        candidates = {
            guess,
            np.nextafter(guess, np.float32(0)),
            np.nextafter(guess, np.float32(np.inf)),
        }
    # An infinity stands for 2^128 when it is rounded to.
    exacts = {c: Fraction(2**128) if np.isinf(c) else Fraction(float(c)) for c in candidates}
    best = min(candidates, key=lambda c: (abs(exacts[c] - exact), int(c.view(np.uint32)) & 1))
    return np.array([math.copysign(float(best), float(word))], dtype).tobytes()


@pytest.mark.parametrize("element", ["f32", "f64"])
@settings(deadline=None, max_examples=100)
@given(
    word=st.from_regex(
        r"[+-]?([0-9]{1,20}(\.[0-9]{0,19})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?", fullmatch=True
    ).filter(str.isascii)
    | st.floats(allow_nan=False).map(repr)
    | st.floats(width=32, allow_nan=False).map(repr)
    | st.integers(0, 2**23).map(lambda i: f"{16777216 + i}.5")
)
@example(word="16777217")
@example(word="16777217.0000000000001")
@example(word="9007199254740993")
@example(word="1.401298464324817e-45")
@example(word="7.006492321624085e-46")
@example(word="7.1e-46")
@example(word="2.4703282292062328e-324")
@example(word="2.4703282292062327e-324")
@example(word="1.7976931348623159e308")
@example(word="3.4028235677973366e38")
@example(word="3.4028235677973365e38")
@example(word="2.2250738585072011e-308")
@example(word="3.402823364973241e+38")
@example(word="-0.0")
@example(word="1e999999999999")
@example(word="1e-999999999999")
@example(word="Infinity")
@example(word="-inf")
def test_a_float_is_the_nearest_one(
    use: Use, dtypes: Mapping[str, str], element: str, word: str
) -> None:
    assert parse(use, word, f"{element}[1]") == nearest(word, dtypes[element])


def test_nan_is_the_canonical_one(use: Use) -> None:
    assert parse(use, "NaN nan", "f32[2]") == bytes.fromhex("0000c07f0000c07f")
