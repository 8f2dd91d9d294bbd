"""Spellings of floats against Python's repr, NumPy's unique digits and a search over decimals."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

SPECIAL = [0.0, -0.0, 1.0, 0.1, 120.0, 1.5, 0.0012, 1.5e-7, 1e20, 5e-324, 2.2250738585072014e-308]
SPECIAL += [1.7976931348623157e308, 9007199254740993.0, 1125899906842624.25, 1e22, 1e23, 2.0**-1074]
SPECIAL += [float("inf"), float("-inf"), float("nan"), 0.69727874, 1.0e-5, 9.9999e-6]
SPECIAL += [10.0**exponent for exponent in range(-320, 309)]
SPECIAL += [2.0**exponent for exponent in range(-1074, 1024)]
BITS32_MAX = 0x7F7FFFFF


def spell(text: str, point_min: int, point_max: int) -> str:
    """The table of docs/spec/rune.md, section 4, applied to digits that somebody else found."""
    value = Decimal(text)
    if not value.is_finite():
        return "null"
    sign, digits, exponent = value.normalize().as_tuple()
    assert isinstance(exponent, int)
    minus = "-" if sign else ""
    if value.is_zero():
        return f"{minus}0.0"
    d = "".join(map(str, digits))
    n, k = len(d), exponent
    p = n + k
    if k >= 0 and p <= point_max:
        return f"{minus}{d}{'0' * k}.0"
    if 0 < p <= point_max:
        return f"{minus}{d[:p]}.{d[p:]}"
    if point_min < p <= 0:
        return f"{minus}0.{'0' * -p}{d}"
    tail = f".{d[1:]}" if n > 1 else ""
    return f"{minus}{d[0]}{tail}e{p - 1}"


def expected_f64(value: float) -> str:
    return spell(repr(value), -5, 16)


def expected_f32(value: np.float32) -> str:
    if not np.isfinite(value):
        return "null"
    return spell(np.format_float_scientific(value, unique=True, trim="-"), -6, 13)


def check_f64(probe: Probe, values: list[float]) -> None:
    (line,) = probe("f64", [struct.pack(f"<{len(values)}d", *values)])
    assert line.split() == [expected_f64(value) for value in values]


def check_f32(probe: Probe, bits: np.ndarray) -> None:
    values = bits.astype("<u4").view("<f4")
    (line,) = probe("f32", [values.tobytes()])
    assert line.split() == [expected_f32(value) for value in values]


def test_examples_of_the_page(probe: Probe) -> None:
    values = [120.0, 1.5, 0.0012, 1.5e-7, 1e20, 0.69727874]
    spelled = "120.0 1.5 0.0012 1.5e-7 1e20 0.69727874 "
    assert probe("f32", [np.array(values, "<f4").tobytes()]) == [spelled]
    assert probe("f64", [np.array(values, "<f8").tobytes()]) == [spelled]


def test_f64_special_values_have_the_digits_of_repr(probe: Probe) -> None:
    near = [math.nextafter(value, side) for value in SPECIAL for side in (0.0, math.inf)]
    check_f64(probe, [*SPECIAL, *near])


def test_f32_special_values_have_the_digits_of_numpy(probe: Probe) -> None:
    powers = np.arange(1, 255, dtype=np.uint32) << 23
    denormals = np.concatenate([np.arange(300), 2 ** np.arange(23), [0x7FFFFF]])
    with np.errstate(over="ignore"):
        special = np.array(SPECIAL).astype(np.float32).view(np.uint32)
    bits = [special, powers, powers - 1, powers + 1, denormals, [BITS32_MAX, 0x80000000]]
    check_f32(probe, np.concatenate([np.asarray(item).astype(np.uint32) for item in bits]))


def test_f32_digits_of_numpy_over_the_whole_range(probe: Probe) -> None:
    chance = np.random.default_rng(20)
    check_f32(probe, chance.integers(0, 2**32, 30000, dtype=np.uint32))
    usual = chance.normal(0, 100, 20000).astype(np.float32)
    check_f32(probe, usual.view(np.uint32))


def test_f64_digits_of_repr_over_the_whole_range(probe: Probe) -> None:
    chance = np.random.default_rng(21)
    check_f64(probe, chance.integers(0, 2**64, 20000, dtype=np.uint64).view("<f8").tolist())
    check_f64(probe, chance.normal(0, 100, 10000).tolist())


def test_ties_between_two_shortest_go_to_the_even_digit(probe: Probe) -> None:
    # A quarter in a binade where an eighth is the last bit: .2 and .3 are as far away.
    assert probe("f32", [struct.pack("<f", 2097152.25)]) == ["2097152.2 "]
    check_f64(probe, [2.0**50 + n + q for n in range(0, 2000, 7) for q in (0.25, 0.75, 0.125)])


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.floats(), min_size=1, max_size=200))
def test_f64_digits_of_repr(probe: Probe, values: list[float]) -> None:
    check_f64(probe, values)


@pytest.mark.parametrize("seed", range(3))
def test_f32_spellings_read_back_and_no_shorter_one_does(probe: Probe, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, BITS32_MAX, 500, dtype=np.uint32).view("<f4")
    (line,) = probe("f32", [values.tobytes()])
    for value, text in zip(values, line.split(), strict=True):
        assert np.float32(text) == value
        exact = Decimal(float(value))
        digits = len(Decimal(text).normalize().as_tuple().digits)
        for shorter in range(1, digits):
            assert np.float32(f"{exact:.{shorter - 1}e}") != value
        closest = Decimal(f"{exact:.{digits - 1}e}")
        assert abs(Decimal(text) - exact) <= abs(closest - exact)
