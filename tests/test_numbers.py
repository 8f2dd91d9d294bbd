from __future__ import annotations

import pytest

from runec.numbers import parse_integer, parse_number

NOT_PYTHON = (
    *("1_2", "1e5_0", "1_0.5", "infinity", "inf", "-inf", "nan", "NaN", "0x10", "0b1", "1j", ""),
    *("\u0661", "\uff11", "1\u0660", "\u00b2", "\u2212" + "1", "1,5", "1 2", "--1", "+", ".", "e5"),
    *("1e", "1e+", "1.5.2", "True", "1L", "1e999", "1f", "0x1p3", "1\n2", "'1'"),
)


@pytest.mark.parametrize("text", NOT_PYTHON)
def test_what_python_or_other_languages_take_is_no_number(text: str) -> None:
    assert parse_number(text) is None
    assert parse_integer(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0.0), ("-0", 0.0), ("+7", 7.0), (" 1.5 ", 1.5), (".5", 0.5), ("5.", 5.0)),
        *(("1e3", 1000.0), ("-2.5E-1", -0.25), ("007", 7.0), ("1.7e308", 1.7e308), ("1e-999", 0)),
    ],
)
def test_decimal_numbers(text: str, number: float) -> None:
    assert parse_number(text) == number


def test_whole_numbers() -> None:
    assert [parse_integer(text) for text in ("12", "-3", "+4", " 5\t", "0006")] == [12, -3, 4, 5, 6]
    assert parse_integer("1.0") is None
    assert parse_integer("9" * 5000) is None, "Python refuses to convert it"
    assert parse_integer("9" * 64) == 10**64 - 1
