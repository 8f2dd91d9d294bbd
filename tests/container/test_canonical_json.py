from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.container import F32, F64, quote_output, spell_float


def as_f32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def f32_of_bits(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


# The rules of the specification's table, and serde_json's own results for some numbers.
F32_SPELLINGS = {
    120.0: "120.0",
    1.5: "1.5",
    0.0012: "0.0012",
    1.5e-7: "1.5e-7",
    1e20: "1e20",
    0.69727874: "0.69727874",
    -2.5: "-2.5",
    1e12: "1000000000000.0",
    1e13: "1e13",
    16777216.0: "16777216.0",
    123456789.0: "123456790.0",
    1e-5: "0.00001",
    1e-6: "0.000001",
    1e-7: "1e-7",
    3.4028235e38: "3.4028235e38",
    1e-45: "1e-45",
    1.1754944e-38: "1.1754944e-38",
    math.inf: "null",
    -math.inf: "null",
    math.nan: "null",
}

F64_SPELLINGS = {
    360.0: "360.0",
    0.1: "0.1",
    1e15: "1000000000000000.0",
    1e16: "1e16",
    1e-5: "0.00001",
    1e-6: "1e-6",
    0.3: "0.3",
    5e-324: "5e-324",
    1.7976931348623157e308: "1.7976931348623157e308",
    9007199254740993.0: "9007199254740992.0",
    1125899906842624.25: "1125899906842624.2",
}


@pytest.mark.parametrize("value", F32_SPELLINGS)
def test_f32_is_spelled_by_the_table(value: float) -> None:
    number = value if not math.isfinite(value) else as_f32(value)
    assert spell_float(number, F32) == F32_SPELLINGS[value]


@pytest.mark.parametrize("value", F64_SPELLINGS)
def test_f64_is_spelled_by_the_table(value: float) -> None:
    assert spell_float(value, F64) == F64_SPELLINGS[value]


def test_both_zeros_are_spelled() -> None:
    assert spell_float(0.0, F32) == "0.0"
    assert spell_float(-0.0, F64) == "-0.0"


def test_of_two_shortest_as_close_the_even_one_is_taken() -> None:
    assert spell_float(2097152.25, F32) == "2097152.2"
    assert spell_float(2097152.75, F32) == "2097152.8"


def digits(text: str) -> tuple[str, int]:
    """Return digits without zeros around, and the exponent of the last."""
    mantissa, _, exponent = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0) - len(fraction)
    number = (whole + fraction).lstrip("0")
    stripped = number.rstrip("0")
    return stripped, power + len(number) - len(stripped)


def f32_bit_patterns() -> list[int]:
    patterns = [exponent << 23 for exponent in range(255)]
    patterns += [pattern + 1 for pattern in patterns] + [
        max(1, pattern - 1) for pattern in patterns
    ]
    patterns += [(number * 2654435761) % 0x7F800000 for number in range(1, 4000)]
    return [pattern for pattern in patterns if 0 < pattern < 0x7F800000]


def test_f32_digits_are_numpys_shortest() -> None:
    for pattern in f32_bit_patterns():
        value = f32_of_bits(pattern)
        expected = np.format_float_scientific(np.float32(value), unique=True)
        assert digits(spell_float(value, F32)) == digits(expected), hex(pattern)


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
@settings(max_examples=500, deadline=None)
def test_f64_digits_are_those_of_pythons_repr(value: float) -> None:
    assert digits(spell_float(value, F64)) == digits(repr(value))
    assert math.copysign(1, float(spell_float(value, F64))) == math.copysign(1, value)


@given(st.integers(1, 0x7F7FFFFF))
@settings(max_examples=200, deadline=None)
def test_no_shorter_and_no_closer_f32_decimal_reads_back(pattern: int) -> None:
    value = Fraction(f32_of_bits(pattern))
    below, above = (
        Fraction(f32_of_bits(pattern - 1)),
        Fraction(f32_of_bits(pattern)) * 2 - Fraction(f32_of_bits(pattern - 1)),
    )
    if pattern < 0x7F7FFFFF:
        above = Fraction(f32_of_bits(pattern + 1))
    low, high = (value + below) / 2, (value + above) / 2
    is_even = pattern % 2 == 0

    def reads_back(decimal: Fraction) -> bool:
        return low < decimal < high or (is_even and decimal in (low, high))

    text, power = digits(spell_float(f32_of_bits(pattern), F32))
    unit = Fraction(10) ** power
    assert reads_back(int(text) * unit)
    best = min(
        (abs(n * unit - value), n % 2)
        for n in (value // unit, value // unit + 1)
        if reads_back(n * unit)
    )
    assert best[0] == abs(int(text) * unit - value)
    coarse = unit * 10
    assert not reads_back(value // coarse * coarse)
    assert not reads_back((value // coarse + 1) * coarse)


def test_output_strings_are_escaped_as_serde_json_does() -> None:
    assert quote_output('a"\\\b\t\n\f\r\x00\x1f\x7f\u00e9/') == (
        '"a\\"\\\\\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u00e9/"'
    )
