"""Which columns of a recording are x, y, z and time, by the names in its first row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

AXES = ("x", "y", "z")
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_UNIT_WORDS = frozenset({"g", "mg", "ms", "m", "s", "s²", "ms²", "axis", "value", "in"})
_SQUARED = frozenset({"s", "ms"})  # before the 2 of m/s2
# The number of a sensor may follow: x1, y1, z1, x2, y2, z2.
_AXIS_LAST = re.compile(r"(.*?)([xyz])(?:axis)?([0-9]*)")
_AXIS_FIRST = re.compile(r"([xyz])((?:acc|gyr|mag|rot|lin)[a-z]*[0-9]*|[a-z])")
# What numbers the rows, or names what they show.
_NO_AXIS = re.compile(
    r"samples?|index|idx|id|n|no|nr|number|row|frame|seq|sequence|count|counter|label|class"
)
_TIME = re.compile(
    r".*(?:time|timestamp|elapsed|epoch)(?:ns|us|ms|s|sec|seconds|millis|micros)?|timestamp.*|time.*"
    r"|t|ts|ms|us|s|sec|secs|seconds|millis|millisecond|milliseconds|micros|date|clock"
    r"|seconds?elapsed"
)
_UNITS_S = {
    1e-9: ("ns", "nanos", "nanoseconds"),
    1e-6: ("us", "µs", "μs", "micros", "microseconds"),
    1e-3: ("ms", "msec", "millis", "milliseconds"),
    1.0: ("s", "sec", "secs", "second", "seconds"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Numbers of columns, from 0. `time_unit_s` is the unit that the name states [s].

    `are_named` says whether the names decide, else it is their number.
    """

    axes: tuple[int, int, int]
    are_named: bool = False
    time: int | None = None
    time_unit_s: float | None = None


def find_columns(names: Sequence[str]) -> Columns | None:
    """Return the columns of x, y and z and, where there is one, of the time.

    Of several groups x, y, z it is the one that is called acceleration. Three columns beside at
    most one of time are x, y and z in this order, unless their names contradict it. None for
    others.
    """
    times = [number for number, name in enumerate(names) if is_time(name)]
    time = times[0] if times else None
    unit = None if time is None else _unit_s(names[time])
    groups: dict[str, dict[str, list[int]]] = {}
    for number, name in enumerate(names):
        found = None if number in times else _axis(name)
        if found is not None:
            stem, axis = found
            groups.setdefault(stem, {}).setdefault(axis, []).append(number)
    whole = {stem: group for stem, group in groups.items() if group.keys() == set(AXES)}
    if len(whole) > 1:
        whole = {stem: group for stem, group in whole.items() if _is_acceleration(stem)}
    if len(whole) == 1:
        ((_, group),) = whole.items()
        if all(len(numbers) == 1 for numbers in group.values()):
            (x,), (y,), (z,) = (group[axis] for axis in AXES)
            return Columns((x, y, z), True, time, unit)
    others = [number for number in range(len(names)) if number not in times]
    if len(others) == len(AXES) and len(times) <= 1 and not contradict(names):
        first, second, third = others
        return Columns((first, second, third), False, time, unit)
    return None


def contradict(names: Sequence[str]) -> bool:
    """Return whether names of columns say that these are not x, y and z in this order.

    One names another axis than that of its place, or an axis where others name none; it has no
    name beside others that have; or it counts the rows.
    """
    others = [name for name in names if not is_time(name)]
    axes = [found and found[1] for found in map(_axis, others)]
    if len(others) == len(AXES) and axes == list(AXES):
        return False
    return (
        any(axes) or not all(others) or any(_NO_AXIS.fullmatch(_letters(name)) for name in others)
    )


def _is_acceleration(stem: str) -> bool:
    return stem.rstrip("0123456789") in ("", "a") or "acc" in stem


def _letters(name: str) -> str:
    words = [word.casefold() for word in _WORDS.findall(_BRACKETS.sub(" ", name))]
    if len(words) > 2 and words[-1] == "2" and words[-2] in _SQUARED:
        words.pop()
    while len(words) > 1 and words[-1] in _UNIT_WORDS:
        words.pop()
    return "".join(words)


def _axis(name: str) -> tuple[str, str] | None:
    """Return what is measured and along which axis."""
    letters = _letters(name)
    first = _AXIS_FIRST.fullmatch(letters)
    if first is not None:
        return first[2], first[1]
    last = _AXIS_LAST.fullmatch(letters)
    return (last[1] + last[3], last[2]) if last is not None else None


def is_time(name: str) -> bool:
    """Return whether a column with this name has times."""
    letters = "".join(word.casefold() for word in _WORDS.findall(_BRACKETS.sub(" ", name)))
    return _TIME.fullmatch(letters) is not None


def _unit_s(name: str) -> float | None:
    words = {word.casefold() for word in _WORDS.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", name))}
    return next((unit for unit, spelt in _UNITS_S.items() if words & set(spelt)), None)
