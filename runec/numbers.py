"""The one grammar of decimal numbers in text that people write: files, arguments, options.

Python's `int` and `float` take more: `1_000`, digits of every script, `infinity`, `nan`. Here a
number has ASCII digits, a sign, a point and an exponent at most.
"""

from __future__ import annotations

import math
import re

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# More than any type holds; Python itself rejects thousands of digits.
_DIGITS_MAX = 64


def parse_integer(text: str) -> int | None:
    """Return a whole number, None for another text or more than 64 characters.

    White space around it does not count.
    """
    text = text.strip()
    return int(text) if len(text) <= _DIGITS_MAX and _INTEGER.fullmatch(text) else None


def parse_number(text: str) -> float | None:
    """Return a finite number, None for another text. White space around it does not count."""
    text = text.strip()
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def is_number(text: str) -> bool:
    """Return whether a text is a number, which may be too large for `parse_number`."""
    return _NUMBER.fullmatch(text.strip()) is not None
