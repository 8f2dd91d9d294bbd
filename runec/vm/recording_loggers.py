"""Header lines of loggers: rates, and units without names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runec.numbers import parse_number

_UNIX_TIMES_S = (1e9, 1e10)  # 2001 to 2286
_STATED_RATE = re.compile(
    r"(?:rate|frequency|\bat)\b[^0-9\n]{0,24}?([0-9]+(?:[.,][0-9]+)?) ?hz\b", re.IGNORECASE
)
_ACTIGRAPH = re.compile(r"Data\s+File\s+Created\s+By\s+ActiGraph", re.IGNORECASE)
_EPOCH = re.compile(r"Epoch Period \(hh:mm:ss\) *([0-9:]+)", re.IGNORECASE)
_GENEACTIV = re.compile(r"^Device Type[,;\t] *GENEActiv", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Device:
    """A device whose files do not state their unit.

    `names` are those of the columns where the file has none; `has_counts`: the rows are sums over
    seconds or minutes, not samples.
    """

    name: str
    unit: str
    names: tuple[str, ...] = ()
    has_counts: bool = False


E4 = Device("an Empatica E4", "1/64 g")
_GENEACTIV_FILE = Device(
    "a GENEActiv", "g", ("timestamp", "x", "y", "z", "light", "button", "temperature")
)


def find_device(above: str) -> Device | None:
    """Return the device that wrote a recording, by the text above its samples."""
    if _GENEACTIV.search(above):
        return _GENEACTIV_FILE
    if _ACTIGRAPH.search(above):
        epoch = _EPOCH.search(above)
        return Device("an ActiGraph", "g", (), epoch is not None and epoch[1].strip("0:") != "")
    return None


def e4_rate_hz(rows: Sequence[Sequence[str]]) -> float | None:
    """Return the rate in the second of the first two rows where they are those of an Empatica E4.

    The first one has the time of the first sample [s since 1970] three times, the second one the
    rate [Hz].
    """
    if len(rows) < 2 or any(len(row) != 3 or len(set(row)) != 1 for row in rows[:2]):
        return None
    time, rate = (parse_number(row[0]) for row in rows[:2])
    least, most = _UNIX_TIMES_S
    return rate if time is not None and least <= time < most and rate and rate > 0 else None


def stated_rate_hz(above: str) -> float | None:
    """Return the one rate that the text above the samples states [Hz]."""
    rates = {parse_number(rate.replace(",", ".")) for rate in _STATED_RATE.findall(above)}
    rate = rates.pop() if len(rates) == 1 else None
    return rate or None
