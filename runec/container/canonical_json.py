"""Canonical JSON and the shortest decimal of a float: docs/spec/rune.md, sections 3 and 4."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_GRAPH_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_SERDE_ESCAPES = {**_GRAPH_ESCAPES, "\b": "\\b", "\f": "\\f", "\r": "\\r"}
_SPECIAL = re.compile(r'["\\\x00-\x1f]')


def _quote(text: str, escapes: Mapping[str, str]) -> str:
    def escape(match: re.Match[str]) -> str:
        char = match[0]
        return escapes.get(char) or f"\\u{ord(char):04x}"

    return f'"{_SPECIAL.sub(escape, text)}"'


def quote_output(text: str) -> str:
    """Return a JSON string as `serde_json` escapes it (section 4)."""
    return _quote(text, _SERDE_ESCAPES)


def spell_json(value: Any) -> str:
    """Return JSON in the graph's canonical form (section 3)."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return _quote(value, _GRAPH_ESCAPES)
    if isinstance(value, float):
        return spell_float(value, F64)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        members = (f"{_quote(key, _GRAPH_ESCAPES)}:{spell_json(v)}" for key, v in value.items())
        return f"{{{','.join(members)}}}"
    return f"[{','.join(map(spell_json, value))}]"


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """A binary format and the bounds of its form without an exponent."""

    precision: int
    exponent_min: int
    point_max: int
    point_min: int


F32 = FloatFormat(precision=24, exponent_min=-149, point_max=13, point_min=-6)
F64 = FloatFormat(precision=53, exponent_min=-1074, point_max=16, point_min=-5)


def _shortest(value: float, form: FloatFormat) -> tuple[str, int]:
    """Return digits d and exponent k, value ~ d * 10**k, of a positive number of the format.

    Free-format printing of Burger and Dybvig, "Printing Floating-Point Numbers Quickly and
    Accurately" (PLDI 1996), in exact integers: the shortest digits inside the interval of
    numbers that round to `value`, of those the closest, of two as close the even. The interval
    includes its ends when the significand is even, as reading rounds half to even.
    """
    fraction, binary_point = math.frexp(value)
    exponent = max(binary_point - form.precision, form.exponent_min)
    significand = int(math.ldexp(fraction, binary_point - exponent))
    is_even = significand % 2 == 0
    # Below a power of two the neighbour is only half as far away.
    is_narrow = significand == 1 << (form.precision - 1) and exponent > form.exponent_min
    shift = 2 if is_narrow else 1
    upper = (1 << max(exponent, 0)) << (shift - 1)
    lower = 1 << max(exponent, 0)
    numerator = (significand << max(exponent, 0)) << shift
    denominator = (1 << max(-exponent, 0)) << shift

    point = math.ceil(math.log10(value) - 1e-10)
    if point >= 0:
        denominator *= 10**point
    else:
        scale = 10**-point
        numerator, upper, lower = numerator * scale, upper * scale, lower * scale
    above = numerator + upper
    if above > denominator or (is_even and above == denominator):
        point += 1
    else:
        numerator, upper, lower = numerator * 10, upper * 10, lower * 10

    digits = []
    while True:
        digit, numerator = divmod(numerator, denominator)
        low = numerator < lower or (is_even and numerator == lower)
        above = numerator + upper
        high = above > denominator or (is_even and above == denominator)
        if low or high:
            break
        digits.append(digit)
        numerator, upper, lower = numerator * 10, upper * 10, lower * 10
    double = 2 * numerator
    round_up = (
        double > denominator or (double == denominator and digit % 2 == 1) if low and high else high
    )
    digits.append(digit + 1 if round_up else digit)
    text = "".join(map(str, digits))
    return text, point - len(text)


def spell_float(value: float, form: FloatFormat) -> str:
    """Return a float in the form of section 4; `value` must be a number of the format."""
    if not math.isfinite(value):
        return "null"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    digits, exponent = _shortest(abs(value), form)
    point = len(digits) + exponent
    if exponent >= 0 and point <= form.point_max:
        return f"{sign}{digits}{'0' * exponent}.0"
    if 0 < point <= form.point_max:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if form.point_min < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1}"
