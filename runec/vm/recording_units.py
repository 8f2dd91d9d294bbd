"""Units in the names above the columns of a recording, or in a row below the names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_IN_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_NESTED = re.compile(r"[(\[](.*)[)\]]", re.DOTALL)
_LAST_WORD = re.compile(r"(?:.*[\s_.-]|^)([^\W\d_]+)", re.DOTALL)
_SI = frozenset({"m/s2", "m/s/s", "ms-2", "m.s-2", "mps2", "meter/s2", "meters/s2"})
_OTHER_ACCELERATION = frozenset(
    {"g", "gs", "mg", "milli-g", "g-force", "gforce", "gee", "cm/s2", "mm/s2", "ft/s2", "gal"}
)
_COUNTS = frozenset({"lsb", "count", "counts", "digit", "digits", "adc", "nounits"})
_ROTATION = frozenset(
    {"deg/s", "°/s", "d/s", "dps", "mdps", "rad/s", "deg", "°", "rad", "degree/s", "degrees/s"}
)
_FIELD = frozenset({"ut", "nt", "mt", "tesla", "gauss", "mgauss"})
ACCELERATION_UNITS = _SI | _OTHER_ACCELERATION
OTHER_UNITS = _ROTATION | _FIELD
_UNITS = ACCELERATION_UNITS | _COUNTS | OTHER_UNITS
# x in g: xg; gFx and G-Force X.
_G_IN_NAME = re.compile(r"[xyz]g|g[\s_.-]?f(?:orce)?[\s_.-]?[xyz]", re.IGNORECASE)


def unit_in_brackets(name: str) -> str | None:
    """Return the unit that a name states in brackets, where it is a known one."""
    texts = (*_NESTED.findall(name), *_IN_BRACKETS.findall(name))  # (m/(s^2)); (x) (g)
    return next((unit for unit in map(_spelt, texts) if unit in _UNITS), None)


def stated_units(above: Iterable[Sequence[str]]) -> list[str]:
    """Return the known units in the first row above the numbers that states any.

    `above` has, of each of these rows, the texts of the columns of x, y and z.
    """
    for texts in above:
        units = [unit for unit in map(_unit, texts) if unit is not None]
        if units:
            return list(dict.fromkeys(units))
    return []


def listed(units: Iterable[str]) -> str:
    """Return units as a message names them, without those that are m/s²."""
    shown = ("counts of the sensor" if unit in _COUNTS else unit for unit in units)
    return " and ".join(unit for unit in shown if unit not in _SI)


def _unit(text: str) -> str | None:
    """Return the unit in a name or in a row of units, where it is a known one."""
    in_brackets = unit_in_brackets(text)
    if in_brackets is not None:
        return in_brackets
    last = _LAST_WORD.fullmatch(text)
    # A name's last word, as in x_g; `deg/s` is the whole text of a row of units.
    for candidate in (text, last and last[1]):
        unit = _spelt(candidate or "")
        if unit in _UNITS:
            return unit
    return "g" if _G_IN_NAME.fullmatch(text.strip()) else None


def _spelt(unit: str) -> str:
    if unit.strip() == "T":
        return "tesla"  # not ax(t)
    unit = unit.casefold().replace("²", "2")
    unit = re.sub(r"[\s^()*]", "", unit)
    unit = unit.replace("µ", "u").replace("μ", "u").replace("º", "°").replace("·", ".")
    return unit.replace("/second", "/s").replace("/sec", "/s")
