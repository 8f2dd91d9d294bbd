"""Names and units above the columns of a recording that are not those of acceleration in m/s²."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from runec.diagnostics import Diagnostic, Severity

_IN_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_LAST_WORD = re.compile(r"(?:.*[\s_.-]|^)([^\W\d_]+)", re.DOTALL)
_ACCELERATION = frozenset({"g", "gs", "mg", "milli-g", "g-force", "gee", "cm/s2", "ft/s2", "gal"})
_ROTATION = frozenset({"deg/s", "°/s", "dps", "mdps", "rad/s", "deg", "°", "rad", "degrees/s"})
_FIELD = frozenset({"ut", "nt", "mt", "gauss", "mgauss"})
_UNITS = _ACCELERATION | _ROTATION | _FIELD
_OTHER_SENSOR = re.compile(
    r"gyr|angular|rotat|magn|^[xyz]?[\s_.-]*(?:rot|mag)(?![a-z])|^(?:rot|mag)[\s_.-]*[xyz]"
)


def unit_warning(path: Path, above: Iterable[Sequence[str]]) -> Diagnostic | None:
    """Return R1118 where a row above the numbers names another quantity or unit.

    `above` has, of each of these rows, the texts of the columns of x, y and z.
    """
    for texts in above:
        units = list(map(_unit, texts))
        if units and units[0] is not None and len(set(units)) == 1:
            return _warning(path, f"the columns of x, y and z are in {units[0]}")
        if texts and all(_OTHER_SENSOR.search(text.casefold()) for text in texts):
            names = ", ".join(repr(text[:30]) for text in texts)
            return _warning(path, f"the columns {names} are not named as accelerations")
    return None


def _unit(text: str) -> str | None:
    """Return the unit in a name or in a row of units, where it is a known one that is not m/s²."""
    found = _IN_BRACKETS.search(text)
    last = _LAST_WORD.fullmatch(text)
    # A name's last word, as in x_g; `deg/s` is the whole text of a row of units.
    for candidate in (found and found[1], text, last and last[1]):
        unit = _spelt(candidate or "")
        if unit in _UNITS:
            return unit
    return None


def _spelt(unit: str) -> str:
    unit = unit.casefold().strip().replace("²", "2").replace("^", "").replace(" ", "")
    return unit.replace("µ", "u").replace("μ", "u").replace("/sec", "/s").replace("º", "°")


def _warning(path: Path, what: str) -> Diagnostic:
    return Diagnostic(
        "R1118",
        f"{path}: {what}, ACCEL is in m/s²: the numbers are not converted",
        Severity.WARNING,
        hint="convert the recording (1 g is 9.80665 m/s²), or ignore this if the model was trained "
        "with these numbers",
    )
