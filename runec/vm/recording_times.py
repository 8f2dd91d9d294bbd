"""The rate of a recording, by its column of times."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from runec.numbers import parse_number

TIMES_MAX = 10_000
"""The times of so many rows are enough."""
_TOLERANCE = 0.1  # a share of the rate
UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
"""The units that times without one may have, in the order of their rates."""
_UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)
# Whatever stands before it is a date, in one of the orders of days, months and years.
_CLOCK = re.compile(r"(?:.*[\sT])?([0-9]{1,2}):([0-9]{2}):([0-9]{2}(?:[.,:][0-9]+)?)(?![0-9:]).*")
_DAY_S = 86_400.0


def rates_hz(texts: Sequence[str], unit_s: float | None) -> list[float]:
    """Return the rate [Hz] by the times of successive rows; one for each unit they may have.

    Empty where the texts are neither numbers nor times of day, or the time never passes.
    """
    times, unit = _times(texts, unit_s)
    step = _step(times)
    if step is None:
        return []
    return [1 / (step * each) for each in ((unit,) if unit is not None else _UNITS_S)]


def fits(rates: Sequence[float], hz: int) -> bool:
    """Return whether one of the rates is the wanted one."""
    return any(abs(rate - hz) <= _TOLERANCE * hz for rate in rates)


def nearest(rates: Sequence[float], hz: int) -> float:
    """Return the rate that is the nearest to the wanted one by their quotient."""
    return min(rates, key=lambda rate: abs(math.log(rate / hz)))


def _step(times: Sequence[float]) -> float | None:
    """Return the time from one row to the next."""
    steps = [after - before for before, after in pairwise(times)]
    passing = [at for at, step in enumerate(steps) if step > 0]
    if not passing:
        return None
    if 2 * len(passing) >= len(steps):
        return median(steps[at] for at in passing)
    # Several rows have one time, of whole seconds or of a packet: count the rows between changes.
    first, last = passing[0], passing[-1]
    passed = sum(steps[at] for at in passing[1:])
    return passed / (last - first) if last > first else None


def _times(texts: Sequence[str], unit_s: float | None) -> tuple[list[float], float | None]:
    """Return times and their unit [s], None where it is unknown."""
    numbers = [parse_number(text.replace(",", ".")) for text in texts]
    if all(number is not None for number in numbers):
        return [number for number in numbers if number is not None], unit_s
    clocks = [_CLOCK.fullmatch(text) for text in texts]
    if not all(clocks):
        return [], None
    times: list[float] = []
    for clock in clocks:
        assert clock is not None  # noqa: S101 - all of them matched
        second = float(clock[3].replace(",", ".").replace(":", "."))
        time = 3600 * int(clock[1]) + 60 * int(clock[2]) + second
        while times and time < times[-1] - _DAY_S / 2:
            time += _DAY_S  # midnight
        times.append(time)
    return times, 1.0
