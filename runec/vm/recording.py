"""Accelerometer recordings: a table in text with three numbers a row, and perhaps a time."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from runec.diagnostics import Diagnostic, Severity, SourceFile, Span, UserFileError
from runec.files import read_file
from runec.numbers import is_number, parse_number
from runec.vm.csv_text import MINUS, Field, Row, decode_table, read_rows, separator_of
from runec.vm.recording_columns import AXES, Columns, contradict, find_columns, is_time
from runec.vm.recording_units import unit_warning

_HINT = "write three numbers a row: x,y,z"
_HINT_NAMES = (
    "name the columns in the first row, for example timestamp,x,y,z; without names a row has three "
    "numbers"
)
_HINT_COMMA = "write decimal points, or put semicolons between the numbers: 1,5;2,5;-3,5"
_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_NAMES_MAX = 12
# The times of so many rows are compared with the rate of the capability; a share of it.
_TIMES_MAX = 10_000
_TOLERANCE = 0.1
_UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)


class _Numbers:
    """Reads the fields of one file, whose numbers have a decimal point or a decimal comma.

    `thousands` is the first number, where all that have a comma could have it between thousands.
    """

    def __init__(self, source: SourceFile, separator: str) -> None:
        self._source = source
        self._separator = separator
        self._mark: str | None = None
        self._is_clear = False
        self.thousands: Field | None = None

    def read(self, field: Field) -> float:
        """Return an f32's number. Raises UserFileError R0703."""
        text = field.text.replace(MINUS, "-")
        mark = None
        if _DECIMAL_COMMA.fullmatch(text) and (field.is_quoted or self._separator != ","):
            self._look_for_thousands(field, text)
            mark, text = ",", text.replace(",", ".")
        elif "." in text:
            mark = "."
        number = parse_number(text)
        if number is None and is_number(text):
            number = math.inf
        if number is None:
            raise self.error(field.start, field.end, f"{field.text!r} is not a number")
        if not _fits_f32(number):
            raise self.error(
                field.start,
                field.end,
                f"{field.text!r} is out of the range of f32",
                "write a number from -3.4028235e38 to 3.4028235e38",
            )
        if mark is not None and self._mark not in (None, mark):
            raise self.error(
                field.start,
                field.end,
                f"{field.text!r} has a decimal {_NAMES[mark]}, numbers before it have a "
                f"decimal {_NAMES[self._mark or mark]}",
                "use decimal points in the whole file",
            )
        self._mark = self._mark or mark
        return number

    def _look_for_thousands(self, field: Field, text: str) -> None:
        if _THOUSANDS.fullmatch(text) is None:
            self._is_clear, self.thousands = True, None
        elif not self._is_clear and self.thousands is None:
            self.thousands = field

    def error(self, start: int, end: int, what: str, hint: str = _HINT) -> UserFileError:
        """R0703 at a place of the file."""
        return UserFileError(
            "R0703", what, span=Span(self._source, start, max(end, start + 1)), hint=hint
        )


_NAMES = {",": "comma", ".": "point"}


def _fits_f32(number: float) -> bool:
    try:
        return math.isfinite(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return False


def read_recording(path: Path, hz: int | None, warn: Callable[[Diagnostic], None]) -> bytes:
    """Return the rows of a recording as packed little-endian f32, twelve bytes a row.

    For what a file may look like see `csv_text` and docs/inputs.md. Rows without any number before
    the first one with numbers are names, units or remarks. `hz` is the rate that the capability
    asks for; `warn` takes R0746, the times in the file are of another rate, R0747, columns that
    were put in order, R0750, commas that may be between thousands, and R1118, columns in another
    unit than m/s².

    Raises:
        UserFileError: R1003, no readable file; R0703, a row without three numbers, or columns that
            cannot be told apart.
    """
    text = decode_table(read_file(path, "the recording"))
    if text is None:
        raise UserFileError(
            "R0703", f"{path} is not text", hint="name a CSV file with three numbers a row"
        )
    source = SourceFile(str(path), text)
    separator = separator_of(text)
    rows = list(read_rows(text, separator))
    while rows and not any(field.text for field in rows[-1].fields):
        rows.pop()  # spreadsheets write rows of separators at the end
    first = next((at for at, row in enumerate(rows) if not row.is_header), len(rows))
    numbers = _Numbers(source, separator)
    columns, width = _columns(rows[:first], rows[first:], numbers)
    if columns.axes != tuple(sorted(columns.axes)):
        warn(_reordered(path, columns))
    above = [[field.text for field in row.fields] for row in rows[:first]]
    wide = [texts for texts in above if len(texts) > max(columns.axes)]
    unit = unit_warning(path, [[texts[number] for number in columns.axes] for texts in wide])
    if unit is not None:
        warn(unit)
    packed = bytearray()
    times: list[str] = []
    for row in rows[first:]:
        fields = _check_width(row, width, separator, numbers)
        packed += struct.pack("<3f", *(numbers.read(fields[number]) for number in columns.axes))
        if columns.time is not None and len(times) < _TIMES_MAX:
            times.append(fields[columns.time].text)
    if numbers.thousands is not None:
        warn(_thousands(source, numbers.thousands))
    _check_rate(path, hz, times, columns.time_unit_s, warn)
    return bytes(packed)


def _columns(above: Sequence[Row], rows: Sequence[Row], numbers: _Numbers) -> tuple[Columns, int]:
    """Return the columns of the axes, and how many columns there are."""
    least = min(len(_trimmed(rows[0])) if rows else len(AXES), len(AXES))
    wide = [row for row in above if len(_trimmed(row)) >= least]  # the others are remarks
    if not wide:
        return Columns((0, 1, 2)), len(AXES)
    found = [(find_columns([field.text for field in _trimmed(row)]), row) for row in wide]
    decided = [(columns, row) for columns, row in found if columns is not None]
    # A row of units below the names is of no use, nor are remarks above them.
    wrong = [row for row in wide if contradict([field.text for field in _trimmed(row)])]
    by_place = [] if wrong else decided[:1]
    for columns, row in (*(pair for pair in decided if pair[0].are_named), *by_place):
        return columns, max(len(_trimmed(row)), len(AXES))
    header = (*wrong, *wide)[0]
    names = [field.text for field in _trimmed(header)]
    what = f"x, y and z cannot be identified in these {len(names)} columns: {_listed(names)}"
    if len(names) == len(AXES) and any(map(is_time, names)):
        what = "one of these three columns is a time: two are left for x, y and z"
    raise numbers.error(header.start, header.end, what, _HINT_NAMES)


def _listed(names: Sequence[str]) -> str:
    shown = [f"{name[:30]!r}" for name in names[:_NAMES_MAX]]
    return ", ".join((*shown, "...") if len(names) > _NAMES_MAX else shown)


def _trimmed(row: Row) -> tuple[Field, ...]:
    """Return the fields without empty ones at the end, where lines end in a separator."""
    count = len(row.fields)
    while count > 1 and not row.fields[count - 1].text:
        count -= 1
    return row.fields[:count]


def _check_width(row: Row, width: int, separator: str, numbers: _Numbers) -> tuple[Field, ...]:
    """Return the fields of a row. Raises UserFileError R0703 where they are more or less."""
    fields = row.fields
    while len(fields) > width and not fields[-1].text:
        fields = fields[:-1]
    if len(fields) == width:
        return fields
    hint = _HINT if width == len(AXES) else f"write {width} fields a row, as in the first row"
    noun = "numbers" if width == len(AXES) else "fields"
    has_points = any("." in field.text for field in fields)
    if len(fields) == 2 * width and separator == "," and not has_points:
        hint = _HINT_COMMA
    elif len(fields) > width == len(AXES):
        hint = _HINT_NAMES
    what = f"this row has {len(fields)} {noun} instead of {width}"
    raise numbers.error(row.start, row.end, what, hint)


def _thousands(source: SourceFile, field: Field) -> Diagnostic:
    return Diagnostic(
        "R0750",
        f"{field.text!r} is read with a decimal comma; every number with a comma has three digits "
        "after it, which may be thousands",
        Severity.WARNING,
        span=Span(source, field.start, max(field.end, field.start + 1)),
        hint="if thousands are meant, remove the commas; otherwise write decimal points",
    )


def _reordered(path: Path, columns: Columns) -> Diagnostic:
    places = ", ".join(
        f"{axis} from column {number + 1}" for axis, number in zip(AXES, columns.axes, strict=True)
    )
    return Diagnostic(
        "R0747",
        f"{path}: columns are taken by their names: {places}",
        Severity.WARNING,
        hint="if the order in the file is meant, remove the row with the names",
    )


def _check_rate(
    path: Path,
    hz: int | None,
    texts: Sequence[str],
    unit_s: float | None,
    warn: Callable[[Diagnostic], None],
) -> None:
    """Warn where the times of a recording are of another rate than the capability's."""
    times, unit = _times(texts, unit_s)
    steps = [after - before for before, after in pairwise(times) if after > before]
    if hz is None or not steps:
        return
    step = median(steps)
    rates = [1 / (step * each) for each in ((unit,) if unit is not None else _UNITS_S)]
    if any(abs(rate - hz) <= _TOLERANCE * hz for rate in rates):
        return
    nearest = min(rates, key=lambda rate: abs(math.log(rate / hz)))
    warn(
        Diagnostic(
            "R0746",
            f"{path} has {nearest:.4g} samples a second by its time column, the rune asks for {hz}",
            Severity.WARNING,
            hint=f"record at {hz} Hz, or resample the recording; the rows are used as they are",
        )
    )


def _times(texts: Sequence[str], unit_s: float | None) -> tuple[list[float], float | None]:
    """Return times and their unit [s], None where it is unknown."""
    numbers = [parse_number(text.replace(",", ".")) for text in texts]
    if all(number is not None for number in numbers):
        return [number for number in numbers if number is not None], unit_s
    try:
        moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]
        return [(moment - moments[0]).total_seconds() for moment in moments], 1.0
    except ValueError:
        return [], None
