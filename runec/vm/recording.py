"""Accelerometer recordings: a text table with three numbers per row, optionally a time."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runec.diagnostics import Diagnostic, SourceFile, Span, UserFileError
from runec.files import read_file
from runec.numbers import is_number, parse_number
from runec.vm.csv_text import (
    MINUS,
    SPACES,
    Field,
    Row,
    decode_table,
    read_comments,
    read_labelled_rows,
    read_rows,
    separator_of,
)
from runec.vm.recording_columns import (
    AXES,
    Columns,
    Groups,
    Quantity,
    contradict,
    find_columns,
    is_time,
)
from runec.vm.recording_loggers import E4, Device, e4_rate_hz, find_device, stated_rate_hz
from runec.vm.recording_times import TIMES_MAX, UNITS, fits, nearest, rates_hz
from runec.vm.recording_warnings import guesses, other_rate, reordered, thousands, warnings_of

_HINT = "write three numbers per row: x,y,z"
_HINT_NAMES = (
    "name the columns in the first row, for example timestamp,x,y,z; without names, write three "
    "numbers"
)
_HINT_COLUMNS = "rename the columns of the acceleration to x, y and z; keep the others"
_HINT_GROUPS = (
    "keep one group: remove the columns of the others, or rename them, for example to unused1, "
    "unused2, unused3"
)
_HINT_REMARKS = "remove the rows above the samples, and name the columns: timestamp,x,y,z"
_HINT_COMMA = "write decimal points, or put semicolons between the numbers: 1,5;2,5;-3,5"
_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]+,[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_NAMES_MAX = 12
_GROUPS_MAX = 4
# Loggers write up to 100 lines above the samples.
_REMARKS_MAX = 1000
# Rows of words above the first sample among which names are looked for, the nearest ones.
_ABOVE_MAX = 1000
# A row with more numbers is not a sample of sensors, but one axis over time.
_WIDE = 32


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


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows above the samples, which have names, units and remarks, and the samples.

    `above_text` is the text above the samples with its comments.
    """

    above: tuple[Row, ...]
    samples: Sequence[Row]
    above_text: str
    separator: str


def read_recording(path: Path, hz: int | None, warn: Callable[[Diagnostic], None]) -> bytes:
    """Return the rows of a recording as packed little-endian f32, twelve bytes a row.

    For what a file may look like see `csv_text` and docs/inputs.md. Rows without any number before
    the first one with numbers are names, units or remarks; so are rows with numbers above a row
    with the names of x, y and z, where they have fewer than three. `hz` is the rate that the
    capability asks for; `warn` takes R0746, the file states another rate, R0747, columns that
    were put in order, R0750, commas that may be between thousands, R1114, acceleration without
    gravity, R1115, numbers that seem to be no acceleration, and R1118, another unit than m/s².

    Raises:
        UserFileError: R1003, no readable file; R0703, a row without three numbers, or columns that
            cannot be distinguished.
    """
    text = decode_table(read_file(path, "the recording"))
    if text is None:
        raise UserFileError(
            "R0703", f"{path} is not text", hint="use a CSV file with three numbers per row"
        )
    source = SourceFile(str(path), text)
    table = _read_table(text)
    numbers = _Numbers(source, table.separator)
    if not table.samples and len(table.above) > 1 and re.search("[0-9]", text):
        last = table.above[-1]
        raise numbers.error(last.start, last.end, "no row of this file has numbers only")
    device = find_device(table.above_text)
    rate = stated_rate_hz(table.above_text), "the rate stated above its samples"
    samples = table.samples
    e4_rate = e4_rate_hz([_texts(row) for row in samples[:2]])
    if e4_rate is not None:
        device, samples = E4, samples[2:]
        rate = e4_rate, "its second row of numbers"
    if device is not None and device.has_counts:
        what = f"this file of {device.name} has counts of epochs, not samples"
        raise numbers.error(0, len(text.partition("\n")[0]), what, "export the raw samples")
    columns, width = _columns(table, device, numbers)
    if columns.axes != tuple(sorted(columns.axes)):
        warn(reordered(path, columns))
    packed = bytearray()
    times: list[tuple[str, ...]] = []
    axes: list[tuple[float, ...]] = []
    for row in samples:
        fields = _check_width(row, width, table, numbers)
        x, y, z = (numbers.read(fields[number]) for number in columns.axes)
        packed += struct.pack("<3f", x, y, z)
        if len(times) < TIMES_MAX:
            times.append(tuple(fields[number].text for number, _ in columns.times))
            axes.append((x, y, z))
    if not columns.are_named:
        for warning in guesses(source, samples, axes):
            warn(warning)
    sensor = _sensor(columns, samples, numbers)
    above = [_texts(row) for row in table.above]
    for warning in warnings_of(path, columns, above, device, sensor):
        warn(warning)
    if numbers.thousands is not None:
        warn(thousands(source, numbers.thousands))
    _check_rate(path, hz, columns, times, rate, warn=warn)
    return bytes(packed)


def _check_rate(
    path: Path,
    hz: int | None,
    columns: Columns,
    times: Sequence[tuple[str, ...]],
    stated: tuple[float | None, str],
    *,
    warn: Callable[[Diagnostic], None],
) -> None:
    """Warn where a recording states another rate than the capability's."""
    rates: list[float] = []
    rate, place = stated
    for (_, unit_s), texts in zip(columns.times, zip(*times, strict=True), strict=False):
        rates = rates or rates_hz(texts, unit_s)
        place = "its time column" if rates else place
    if not rates and rate is not None:
        rates = [rate]
    if hz is not None and rates and not fits(rates, hz):
        found = nearest(rates, hz)
        if len(rates) > 1:
            place += f", read as {UNITS[rates.index(found)]}"
        warn(other_rate(path, found, place, hz))


def _read_table(text: str) -> _Table:
    separator = separator_of(text)
    rows = list(read_rows(text, separator))
    while rows and not any(field.text for field in rows[-1].fields):
        rows.pop()  # spreadsheets write rows of separators at the end
    if rows and all(row.is_header for row in rows):
        labelled = read_labelled_rows(text)
        if labelled:
            names, *samples = labelled
            return _Table((names,), samples, text[: names.start], SPACES)
    start = _first_sample(text, rows)
    above, samples = rows[max(0, start - _ABOVE_MAX) : start], rows[start:]
    above_text = text[: samples[0].start] if samples else text
    if samples and not any(map(_names_axes, above)):
        above += _named_in_comment(above_text, separator, len(_trimmed(samples[0])))
    return _Table(tuple(above), samples, above_text, separator)


def _named_in_comment(text: str, separator: str, width: int) -> list[Row]:
    """Return the comment with names of x, y and z for so many columns, as NumPy writes it."""
    for each in dict.fromkeys((separator, *",;\t", SPACES)):
        for row in read_comments(text, each):
            if len(_trimmed(row)) == width and _names_axes(row):
                return [row]
    return []


def _first_sample(text: str, rows: Sequence[Row]) -> int:
    """Return the number of rows above the samples."""
    first = next((at for at, row in enumerate(rows) if not row.is_header), len(rows))
    if any(_names_axes(row) for row in rows[max(0, first - _ABOVE_MAX) : first]):
        return first
    for at, row in enumerate(islice(rows, first, first + _REMARKS_MAX), first):
        if _names_axes(row):
            below = (number for number, row in enumerate(rows[at:], at) if not row.is_header)
            return next(below, len(rows))
        if sum(field.looks_numeric for field in row.fields) >= len(AXES):
            device = find_device(text[: row.start])
            is_known = device is not None and len(_texts(row)) == len(device.names)
            return at if is_known else first
    return first


def _names_axes(row: Row) -> bool:
    if not row.is_header:
        return False
    found = find_columns(_texts(row))
    return isinstance(found, Groups) or (found is not None and found.are_named)


def _columns(table: _Table, device: Device | None, numbers: _Numbers) -> tuple[Columns, int]:
    """Return the columns of the axes, and how many columns there are."""
    rows = table.samples
    least = min(len(_trimmed(rows[0])) if rows else len(AXES), len(AXES))
    wide = [row for row in table.above if len(_trimmed(row)) >= least]  # the others are remarks
    found = [(find_columns(_texts(row)), row) for row in wide]
    for columns, row in found:
        if isinstance(columns, Columns) and columns.are_named:
            return columns, max(len(_trimmed(row)), len(AXES))
    if device is not None and device.names and rows and len(_trimmed(rows[0])) > len(AXES):
        named = find_columns(device.names)
        if isinstance(named, Columns):
            return named, len(device.names)
    if not wide:
        return Columns((0, 1, 2)), len(AXES)
    for columns, row in found:
        if isinstance(columns, Groups):
            raise _ambiguous(columns, row, numbers)
    # A row of units below the names is of no use, nor are remarks above them.
    wrong = [row for row in wide if contradict(_texts(row))]
    for columns, row in () if wrong else found:
        if isinstance(columns, Columns):
            return columns, max(len(_trimmed(row)), len(AXES))
    header = (*wrong, *wide)[0]
    names = _texts(header)
    what = f"x, y and z cannot be identified in these {len(names)} columns: {_listed(names)}"
    hint = _HINT_COLUMNS
    if len(names) == len(AXES) and any(map(is_time, names)):
        what = "one of these three columns is a time: two are left for x, y and z"
        hint = "add the column of the third axis"
    raise numbers.error(header.start, header.end, what, hint)


def _ambiguous(groups: Groups, row: Row, numbers: _Numbers) -> UserFileError:
    names = _texts(row)
    listed = "; ".join(
        f"{_listed([names[number] for number in axes])} (columns "
        f"{', '.join(str(number + 1) for number in axes)})"
        for axes in groups.axes[:_GROUPS_MAX]
    )
    if len(groups.axes) > _GROUPS_MAX:
        listed += "; ..."
    count = len(groups.axes)
    what = f"x, y and z may be {count} groups of columns: {listed}"
    if groups.quantity in (Quantity.GRAVITY, Quantity.OTHER):
        what = f"none of {count} groups of columns is named as acceleration: {listed}"
    return numbers.error(row.start, row.end, what, _HINT_GROUPS)


def _listed(names: Sequence[str]) -> str:
    shown = [f"{name[:40]!r}" for name in names[:_NAMES_MAX]]
    return ", ".join((*shown, "...") if len(names) > _NAMES_MAX else shown)


def _trimmed(row: Row) -> tuple[Field, ...]:
    """Return the fields without empty ones at the end, where lines end in a separator."""
    count = len(row.fields)
    while count > 1 and not row.fields[count - 1].text:
        count -= 1
    return row.fields[:count]


def _texts(row: Row) -> list[str]:
    return [field.text for field in _trimmed(row)]


def _check_width(row: Row, width: int, table: _Table, numbers: _Numbers) -> tuple[Field, ...]:
    """Return the fields of a row. Raises UserFileError R0703 where they are more or less."""
    first = table.samples[0]
    if row.labels != first.labels:
        what = f"the names in this row differ from the first row: {_listed(first.labels)}"
        raise numbers.error(row.start, row.end, what, "write the same names in each row")
    fields = row.fields
    while len(fields) > width and not fields[-1].text:
        fields = fields[:-1]
    if len(fields) == width:
        return fields
    hint = _HINT if width == len(AXES) else f"write {width} fields a row, as in the first row"
    are_numbers = all(field.looks_numeric or not field.text for field in fields)
    noun = "numbers" if width == len(AXES) and are_numbers else "fields"
    has_points = any("." in field.text for field in fields)
    if len(fields) == 2 * width and table.separator == "," and not has_points:
        hint = _HINT_COMMA
    elif row is first and fields[0].text and not fields[0].looks_numeric:
        hint = _HINT_REMARKS
    elif width == len(AXES) and len(fields) > _WIDE:
        hint = "write a row for each sample, x,y,z; a row here seems to be one axis over time"
    elif len(fields) > width == len(AXES):
        hint = _HINT_NAMES
    what = f"this row has {len(fields)} {noun} instead of {width}"
    raise numbers.error(row.start, row.end, what, hint)


def _sensor(columns: Columns, samples: Sequence[Row], numbers: _Numbers) -> str:
    """Return the sensor that a column names. Raises UserFileError R0703 where rows differ."""
    if columns.sensor is None or not samples:
        return ""
    first = samples[0].fields[columns.sensor].text
    for row in samples:
        field = row.fields[columns.sensor]
        if field.text != first:
            what = f"this row is of the sensor {field.text[:30]!r}, the first one of {first[:30]!r}"
            raise numbers.error(field.start, field.end, what, "keep the rows of one sensor only")
    return first
