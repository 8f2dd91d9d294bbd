"""Accelerometer recordings: a CSV with three numbers a row."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from runec.diagnostics import SourceFile, Span, UserFileError
from runec.files import read_file

_AXES = 3
_SEPARATORS = (",", ";", "\t")
_FIELDS = re.compile(r"[,;\t]")


def _error(source: SourceFile, start: int, end: int, what: str) -> UserFileError:
    return UserFileError(
        "R0703",
        what,
        span=Span(source, start, end),
        hint="write three numbers a row: x,y,z",
    )


def _rows(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield start, line.rstrip("\r\n")
        start += len(line)


def _numbers(source: SourceFile, start: int, line: str) -> tuple[float, ...]:
    separator = next((char for char in _SEPARATORS if char in line), ",")
    fields = line.split(separator)
    if len(fields) != _AXES:
        what = f"this row has {len(fields)} numbers instead of {_AXES}"
        raise _error(source, start, start + len(line), what)
    numbers = []
    for field in fields:
        try:
            number = float(field)
            struct.pack("<f", number)
        except (ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            end = start + max(len(field), 1)
            raise _error(source, start, end, f"{field.strip()!r} is not a number") from None
        numbers.append(number)
        start += len(field) + 1
    return tuple(numbers)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def read_recording(path: Path) -> bytes:
    """Return the rows of a recording as packed little-endian f32, twelve bytes a row.

    Fields are separated by comma, semicolon or tab. A first row without any number is a header and
    skipped, as are empty rows.

    Raises:
        UserFileError: R1003, no readable file; R0703, a row without three numbers.
    """
    data = read_file(path, "the recording")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserFileError(
            "R0703", f"{path} is no text", hint="name a CSV file with three numbers a row"
        ) from None
    source = SourceFile(str(path), text)
    rows = list(_rows(text))
    if rows and not any(map(_is_number, _FIELDS.split(rows[0][1]))):
        del rows[0]
    return b"".join(struct.pack("<3f", *_numbers(source, start, line)) for start, line in rows)
