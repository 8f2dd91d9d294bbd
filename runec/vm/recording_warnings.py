"""Warnings about recordings whose numbers are used unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from runec.diagnostics import Diagnostic, Severity, SourceFile, Span
from runec.vm.csv_text import Field, Row
from runec.vm.recording_columns import AXES, Columns, Quantity, quantity_of
from runec.vm.recording_loggers import Device
from runec.vm.recording_units import ACCELERATION_UNITS, listed, stated_units

# What pandas writes above columns without names.
_NUMBERED = ["0", "1", "2"]
# So many rows of motion never go up in each one.
_COUNTING_MIN = 64
_TRAINED = "ignore this if the model was trained with these numbers"


def warnings_of(
    path: Path,
    columns: Columns,
    above: Sequence[Sequence[str]],
    device: Device | None,
    sensor: str,
) -> Iterator[Diagnostic]:
    """Yield R1118 where x, y and z are not in m/s², and R1114 where they are without gravity.

    Args:
        path: The recording; its name counts where no column names what is measured.
        columns: Those of x, y and z.
        above: The texts of the rows above the samples.
        device: What wrote the file.
        sensor: The name of the sensor in a column of the samples, empty without.
    """
    wide = [texts for texts in above if len(texts) > max(columns.axes)]
    axes = [[texts[number] for number in columns.axes] for texts in wide]
    units = stated_units(axes)
    unit = listed(units)
    quantity, named = _quantity(path, columns, wide, sensor)
    if unit:
        yield _other_unit(path, f"the columns of x, y and z are in {unit}")
    elif device is not None and not units:
        yield _other_unit(path, f"the samples of {device.name} are in {device.unit}")
    elif quantity is Quantity.OTHER and not _is_acceleration(columns.stem, units):
        yield Diagnostic(
            "R1118",
            f"{path}: {named} {quantity.value}, ACCEL is in m/s²: the numbers are not converted",
            Severity.WARNING,
            hint=f"use a recording of an accelerometer, or {_TRAINED}",
        )
    if quantity in (Quantity.WITHOUT_GRAVITY, Quantity.GRAVITY):
        yield Diagnostic(
            "R1114",
            f"{path}: {named} {quantity.value}, ACCEL is acceleration with gravity: the numbers "
            "are not a changed",
            Severity.WARNING,
            hint=f"record the acceleration with gravity, or {_TRAINED}",
        )


def _quantity(
    path: Path, columns: Columns, wide: Sequence[Sequence[str]], sensor: str
) -> tuple[Quantity, str]:
    """Return what is measured, and what has a name that says so, for a message."""
    if columns.stem != "":
        names = ", ".join(repr(wide[0][number][:40]) for number in columns.axes) if wide else ""
        return columns.quantity, f"the columns {names} are named as"
    if sensor:
        return quantity_of(sensor), f"the sensor {sensor[:30]!r} is named as"
    # The other file of Sensor Logger is TotalAcceleration.csv.
    if path.stem.casefold() == "accelerometer" and any("seconds_elapsed" in row for row in wide):
        return Quantity.WITHOUT_GRAVITY, "Accelerometer.csv of Sensor Logger is"
    return quantity_of(path.stem), "this file is named as"


def guesses(
    source: SourceFile, samples: Sequence[Row], axes: Sequence[Sequence[float]]
) -> Iterator[Diagnostic]:
    """Yield R1115 where numbers without names do not look like three axes.

    Args:
        source: The file.
        samples: Its rows of numbers.
        axes: The x, y and z of the first of them.
    """
    if not samples:
        return
    first, last = ([field.text for field in row.fields] for row in (samples[0], samples[-1]))
    if first == _NUMBERED and all("." in text for text in last):
        yield _guess(
            source,
            samples[0],
            "the first row 0, 1, 2 is read as a sample, it seems to number the columns",
            "if so, remove it, or write x,y,z in its place",
        )
        axes = axes[1:]
    if len(axes) < _COUNTING_MIN:
        return
    counting = [
        number
        for number, column in enumerate(zip(*axes, strict=True), 1)
        if all(before < after for before, after in pairwise(column))
    ]
    if len(counting) == 1:
        yield _guess(
            source,
            samples[0],
            f"column {counting[0]} of the three goes up in each row, as a time or a number of rows "
            "does; it is read as an axis",
            "if so, name the columns in the first row, for example time,x,y,z",
        )


def _guess(source: SourceFile, row: Row, what: str, hint: str) -> Diagnostic:
    span = Span(source, row.start, max(row.end, row.start + 1))
    return Diagnostic("R1115", what, Severity.WARNING, span=span, hint=hint)


def _is_acceleration(stem: str, units: Sequence[str]) -> bool:
    """Return whether units decide what a single letter, the g of gx, leaves open."""
    return len(stem) == 1 and bool(units) and ACCELERATION_UNITS.issuperset(units)


def _other_unit(path: Path, what: str) -> Diagnostic:
    return Diagnostic(
        "R1118",
        f"{path}: {what}, ACCEL is in m/s²: the numbers are not converted",
        Severity.WARNING,
        hint=f"convert the recording (1 g is 9.80665 m/s²), or {_TRAINED}",
    )


def reordered(path: Path, columns: Columns) -> Diagnostic:
    """Return R0747: the columns are in another order than x, y, z."""
    places = ", ".join(
        f"{axis} from column {number + 1}" for axis, number in zip(AXES, columns.axes, strict=True)
    )
    return Diagnostic(
        "R0747",
        f"{path}: columns are taken by their names: {places}",
        Severity.WARNING,
        hint="to use the order in the file, remove the row with the names",
    )


def other_rate(path: Path, rate_hz: float, place: str, hz: int) -> Diagnostic:
    """Return R0746: the recording states another rate than the wanted one [Hz]."""
    return Diagnostic(
        "R0746",
        f"{path} has {rate_hz:.4g} samples a second by {place}, the rune requests {hz}",
        Severity.WARNING,
        hint=f"record at {hz} Hz, or resample the recording; the rows are used unchanged",
    )


def thousands(source: SourceFile, field: Field) -> Diagnostic:
    """Return R0750: commas that may be between thousands, the first of them in a field."""
    return Diagnostic(
        "R0750",
        f"{field.text!r} is read with a decimal comma; every number with a comma has three digits "
        "after it, which may be thousands",
        Severity.WARNING,
        span=Span(source, field.start, max(field.end, field.start + 1)),
        hint="remove the commas if they separate thousands; otherwise write decimal points",
    )
