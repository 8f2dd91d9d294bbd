"""Detection of the columns x, y, z and time in a recording, by the names in its first row."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from runec.vm.recording_units import ACCELERATION_UNITS, OTHER_UNITS, unit_in_brackets

AXES = ("x", "y", "z")
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_UNIT_WORDS = frozenset({"g", "mg", "ms", "m", "s", "s²", "ms²", "axis", "value", "in"})
_SQUARED = frozenset({"s", "ms"})  # before the 2 of m/s2
_FILLERS = frozenset({"axis", "value"})
# The number of a sensor may follow: x1, y1, z1, x2, y2, z2.
_AXIS_LAST = re.compile(r"(.*?)([xyz])(?:axis)?([0-9]*)")
_AXIS_FIRST = re.compile(r"([xyz])((?:acc|gyr|mag|rot|lin)[a-z]*[0-9]*|[a-z])")
# What numbers the rows, names what they show, or has no direction.
_NO_AXIS = re.compile(
    r"samples?|index|idx|id|n|no|nr|number|row|frame|seq|sequence|count|counter|label|class"
    r"|roll|pitch|yaw|azimuth|heading|alpha|beta|gamma|lat|latitude|lon|long|longitude|alt|altitude"
    r"|speed|temp|temperature|press|pressure|hum|humidity|light|lux|steps|hr|bpm|heartrate|battery"
    r"|magnitude|norm|total|abs|absolute"
)
_SENSOR = re.compile(r"sensor(?:type|name|id|kind)?")
_TIME = re.compile(
    r".*(?:time|timestamp|elapsed|epoch)(?:ns|us|ms|s|sec|seconds|millis|micros)?|timestamp.*|time.*"
    r"|t|ts|ms|us|s|sec|secs|seconds|millis|millisecond|milliseconds|micros|date|clock"
    r"|seconds?elapsed|zeit|temps|tiempo|tempo|tijd|czas|время|时间|時間"
)
_UNITS_S = {
    1e-9: ("ns", "nanos", "nanoseconds"),
    1e-6: ("us", "µs", "μs", "micros", "microseconds"),
    1e-3: ("ms", "msec", "millis", "milliseconds"),
    1.0: ("s", "sec", "secs", "second", "seconds"),
}
_OTHER = re.compile(
    r"gyr|angular|rotat|omega|mag(?:n|cal|raw|[0-9]|\Z)|compass|orient|euler|quat|attitude|veloc|posit"
    r"|\A(?:rot|dps|[bghmpqrvw])[0-9]*\Z"
)
_OTHER_SENSOR = re.compile(r"gyr|magnetom|magneticfield|orientation|rotationrate|rotationvector")
_WITH_GRAVITY = re.compile(r"(?:with|incl|including)grav")
_WITHOUT_GRAVITY = re.compile(r"(?:lin|linear|user|free|body)acc|withoutg|(?:no|excluding)grav")
_LINEAR = re.compile(r"lin[eé]a[lri]")  # in many languages
_GRAVITY = re.compile(r"gravity|\Agrav[0-9]*\Z")
_LINEAR_STEM = re.compile(r"(?:lin|linear|lina|la)[0-9]*")
# Physics Toolbox has gFx, gFy, gFz with gravity and ax, ay, az without; with a column aT.
_G_FORCE = ("gf", "gforce")
_TOTAL = ("at", "atotal")
_ACCELERATION = ("", "a", *_G_FORCE)


class Quantity(Enum):
    """What three columns have by their names."""

    ACCELERATION = "acceleration"
    WITHOUT_GRAVITY = "acceleration without gravity"
    GRAVITY = "gravity alone"
    OTHER = "another quantity than acceleration"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Columns:
    """Numbers of columns, from 0.

    `are_named` says whether the names decide, else it is their number. `stem` is what they have
    beside the axis: acc in accX. `times` are the columns of time with the units that their names
    state [s], None where they state none. `sensor` is the column with the sensor of each row.
    """

    axes: tuple[int, int, int]
    are_named: bool = False
    times: tuple[tuple[int, float | None], ...] = ()
    quantity: Quantity = Quantity.UNKNOWN
    stem: str = ""
    sensor: int | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Columns of x, y and z that no name prefers, numbered from 0."""

    axes: tuple[tuple[int, int, int], ...]
    quantity: Quantity


def find_columns(names: Sequence[str]) -> Columns | Groups | None:
    """Return the columns of x, y and z and, where there are any, of the time.

    Of several groups x, y, z it is the one that is called acceleration; one without gravity only
    where there is no other. Three columns beside at most one of time are x, y and z in this order,
    unless their names contradict it. None for others.
    """
    numbered = tuple(number for number, name in enumerate(names) if is_time(name))
    times = tuple((number, _unit_s(names[number])) for number in numbered)
    groups = _groups(names, numbered)
    chosen: list[_Group] = []
    for quantities in (
        (Quantity.ACCELERATION,),
        (Quantity.UNKNOWN,),
        (Quantity.WITHOUT_GRAVITY,),
        (Quantity.GRAVITY, Quantity.OTHER),
    ):
        chosen = chosen or [group for group in groups if group.quantity in quantities]
    if len(chosen) == 1:
        (group,) = chosen
        sensor = next((at for at, name in enumerate(names) if _is_sensor(name)), None)
        return Columns(group.axes, True, times, group.quantity, group.stem, sensor)
    if chosen:
        return Groups(tuple(group.axes for group in chosen), chosen[0].quantity)
    others = [number for number in range(len(names)) if number not in numbered]
    if len(others) == len(AXES) and len(times) <= 1 and not contradict(names):
        first, second, third = others
        return Columns((first, second, third), False, times)
    return None


@dataclass(frozen=True, slots=True)
class _Group:
    stem: str
    axes: tuple[int, int, int]
    quantity: Quantity


def _groups(names: Sequence[str], times: Sequence[int]) -> list[_Group]:
    """Return all that have exactly one x, y and z each.

    Columns of one name are separated by the units in their names: x (g), x (deg/s).
    """
    found: dict[str, dict[str, list[int]]] = {}
    for number, name in enumerate(names):
        part = None if number in times else _axis(name)
        if part is not None:
            stem, axis = part
            found.setdefault(stem, {}).setdefault(axis, []).append(number)
    beside = _beside(names, found)
    groups = []
    for stem, by_axis in found.items():
        if by_axis.keys() != set(AXES):
            continue
        columns = [by_axis[axis] for axis in AXES]
        for x, y, z in _triples(names, columns):
            units = {unit_in_brackets(names[number]) for number in (x, y, z)}
            groups.append(_Group(stem, (x, y, z), _quantity(stem, units, beside)))
    return groups


def _triples(names: Sequence[str], columns: Sequence[list[int]]) -> list[tuple[int, int, int]]:
    if all(len(numbers) == 1 for numbers in columns):
        (x,), (y,), (z,) = columns
        return [(x, y, z)]
    by_unit = [{unit_in_brackets(names[number]): number for number in each} for each in columns]
    if all(
        len(units) == len(numbers) and units.keys() == by_unit[0].keys()
        for units, numbers in zip(by_unit, columns, strict=True)
    ):
        xs, ys, zs = by_unit
        return [(xs[unit], ys[unit], zs[unit]) for unit in xs]
    counts = {len(numbers) for numbers in columns}
    return list(zip(*columns, strict=True)) if len(counts) == 1 else []


def _beside(names: Sequence[str], stems: Collection[str]) -> frozenset[str]:
    """Return the stems whose groups are without gravity because of other columns."""
    without = set()
    if any(each in stems for each in _G_FORCE) or any(
        _joined(_words(name)) in _TOTAL for name in names
    ):
        without.add("a")
    # The motion of a device, as iOS and browsers name it.
    is_motion = "gravity" in stems and "rotationrate" in stems
    if is_motion or any(map(_WITH_GRAVITY.search, stems)):
        without.add("acceleration")
    return frozenset(without)


def _quantity(stem: str, units: set[str | None], without: frozenset[str]) -> Quantity:
    """Return what a group of columns has, by its names; see `_beside`."""
    if units & OTHER_UNITS:
        return Quantity.OTHER
    by_words = _by_words(stem)
    if by_words is not None:
        return by_words
    if stem == "g" and units <= ACCELERATION_UNITS:
        return Quantity.UNKNOWN  # acceleration, or gravity beside it
    if _OTHER.search(stem):
        return Quantity.OTHER
    if _LINEAR_STEM.fullmatch(stem) or _LINEAR.search(stem):
        return Quantity.WITHOUT_GRAVITY
    if stem in without:
        return Quantity.WITHOUT_GRAVITY
    if stem.rstrip("0123456789") in _ACCELERATION or "acc" in stem:
        return Quantity.ACCELERATION
    return Quantity.UNKNOWN


def _by_words(letters: str) -> Quantity | None:
    if _WITH_GRAVITY.search(letters):
        return Quantity.ACCELERATION
    if _WITHOUT_GRAVITY.search(letters):
        return Quantity.WITHOUT_GRAVITY
    return Quantity.GRAVITY if _GRAVITY.search(letters) else None


def quantity_of(name: str) -> Quantity:
    """Return what the numbers are by the name of their sensor or file; UNKNOWN as a rule."""
    letters = _joined(_words(name))
    other = Quantity.OTHER if _OTHER_SENSOR.search(letters) else None
    return _by_words(letters) or other or Quantity.UNKNOWN


def contradict(names: Sequence[str]) -> bool:
    """Return whether names of columns say that these are not x, y and z in this order.

    One names another axis than that of its place, or an axis where others name none; it has no
    name beside others that have; or it counts the rows or names what has no direction.
    """
    others = [name for name in names if not is_time(name)]
    axes = [found and found[1] for found in map(_axis, others)]
    if len(others) == len(AXES) and axes == list(AXES):
        return False
    return (
        any(axes)
        or not all(others)
        or any(_NO_AXIS.fullmatch(_joined(_name_words(name))) for name in others)
    )


def _words(name: str) -> list[str]:
    """Return the words of a name, without what stands in brackets, unless that is an axis."""
    text = _BRACKETS.sub(
        lambda found: f" {found[1]} " if found[1].strip().casefold() in AXES else " ", name
    )
    return [word.casefold() for word in _WORDS.findall(_HUMPS.sub(" ", text))]


def _name_words(name: str) -> list[str]:
    """Return the words of a name without those of a unit at the end."""
    words = _words(name)
    if len(words) > 2 and words[-1] == "2" and words[-2] in _SQUARED:
        words.pop()
    while len(words) > 1 and words[-1] in _UNIT_WORDS:
        words.pop()
    return words


def _joined(words: Sequence[str]) -> str:
    return "".join(words)


def _axis(name: str) -> tuple[str, str] | None:
    """Return what is measured and along which axis."""
    words = _name_words(name)
    axes = [word for word in words if word in AXES]
    if len(axes) == 1:
        others = [word for word in words if word not in AXES and word not in _FILLERS]
        return _joined(others), axes[0]
    letters = _joined(words)
    first = _AXIS_FIRST.fullmatch(letters)
    if first is not None:
        return first[2], first[1]
    last = _AXIS_LAST.fullmatch(letters)
    return (last[1] + last[3], last[2]) if last is not None else None


def _is_sensor(name: str) -> bool:
    return _SENSOR.fullmatch(_joined(_words(name))) is not None


def is_time(name: str) -> bool:
    """Return whether a column with this name has times."""
    letters = _joined(_words(name))
    if letters == "t" and _BRACKETS.search(name):
        return _unit_s(name) is not None  # not a temperature, T [°C]
    return _TIME.fullmatch(letters) is not None


def _unit_s(name: str) -> float | None:
    """Return the unit in brackets, else the one among the words [s]."""
    brackets = _BRACKETS.search(name)
    stated = {brackets[1].strip().casefold()} if brackets is not None else set()
    words = {word.casefold() for word in _WORDS.findall(_HUMPS.sub(" ", name))}
    for texts in (stated, words):
        for unit, spelt in _UNITS_S.items():
            if texts & set(spelt):
                return unit
    return None
