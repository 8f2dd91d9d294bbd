"""Numbers as rows of a terminal: one row an output's element, the newest at the right."""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TextIO

from runec.diagnostics import printable

_BARS = "▁▂▃▄▅▆▇█"
# The same where the terminal has no such characters.
_PLAIN = str.maketrans(_BARS, "_.,-~+*#")
_KEPT = 1024
_ELEMENTS_MAX = 32
_NAME_CHARS = 12
_VALUE_CHARS = 11
_UP_AND_CLEAR = "\x1b[{}A\r\x1b[J"


def sparkline(values: list[float]) -> str:
    """Return a character for each value, from the least to the most; a gap for what is no number.

    Values that are all the same stand in the middle.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return " " * len(values)
    least, most = min(finite), max(finite)
    top = len(_BARS) - 1

    def bar(value: float) -> str:
        if not math.isfinite(value):
            return " "
        # Halves: the difference of two huge numbers is no number.
        span = most / 2 - least / 2
        share = 0.5 if span == 0 else (value / 2 - least / 2) / span
        return _BARS[round(share * top)]

    return "".join(map(bar, values))


class Series:
    """The results so far, as one row an element."""

    def __init__(self, names: Mapping[str, str] = MappingProxyType({})) -> None:
        """`names`: the stage of each output by its id, as far as they are known."""
        self._names = names
        self._numbers: dict[str, deque[float]] = {}
        self._texts: dict[str, str] = {}

    def add(self, line: bytes) -> None:
        """Take what a run wrote, as JSON."""
        for output, part, value in _elements(json.loads(line)):
            stage = self._names.get(output)
            name = f"{output}{part}" if stage is None else f"{printable(stage)}:{output}{part}"
            if isinstance(value, str):
                self._texts[name] = value
            else:
                self._numbers.setdefault(name, deque(maxlen=_KEPT)).append(value)

    def rows(self, columns: int, lines: int) -> list[str]:
        """Return the rows for a terminal of so many columns and lines; none is too wide."""
        longest = max(map(len, (*self._numbers, *self._texts)), default=0)
        width = min(max(_NAME_CHARS, longest), max(_NAME_CHARS, columns // 3))
        room = max(columns - 1 - width - _VALUE_CHARS - 2, 1)
        rows = [
            f"{_fitted(name, width)} {sparkline(list(values)[-room:]):<{room}} "
            f"{values[-1]:>{_VALUE_CHARS}.5g}"
            for name, values in self._numbers.items()
        ]
        rows += [f"{_fitted(name, width)} {printable(text)}" for name, text in self._texts.items()]
        most = max(lines - 1, 1)
        if len(rows) > most:
            rows = [*rows[: most - 1], f"and {len(rows) - most + 1} more"]
        return [row[: max(columns - 1, 1)] for row in rows]


def _fitted(name: str, width: int) -> str:
    """Return a name of exactly so many characters; of a long one the end, which differs."""
    return f"{name:<{width}}" if len(name) <= width else f"..{name[2 - width :]}"


def _elements(
    record: dict[str, list[dict[str, object]]],
) -> Iterator[tuple[str, str, float | str]]:
    """Yield the id of an output, which part of it, and what that is."""
    for output, tensors in record.items():
        if isinstance(tensors, dict):
            yield output, f" {tensors['pin']}", tensors["level"]
            continue
        for index, tensor in enumerate(tensors):
            elements = tensor["elements"]
            assert isinstance(elements, list)  # noqa: S101 - runec's own spelling
            part = "" if len(tensors) == 1 else f".{index}"
            for at, value in enumerate(elements[:_ELEMENTS_MAX]):
                yield output, (part if len(elements) == 1 else f"{part}[{at}]"), value


class Screen:
    """Rows at the bottom of a terminal, drawn over and over in the same place."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0

    def clear(self) -> None:
        """Take the rows away, so that something else can be printed."""
        if self._drawn:
            self._stream.write(_UP_AND_CLEAR.format(self._drawn))
            self._stream.flush()
            self._drawn = 0

    def draw(self, series: Series) -> None:
        """Draw the rows for the size that the terminal has now."""
        size = os.get_terminal_size(self._stream.fileno())
        rows = series.rows(size.columns or 80, size.lines or 24)
        if not (self._stream.encoding or "utf-8").lower().startswith("utf"):
            rows = [row.translate(_PLAIN) for row in rows]
        self.clear()
        self._stream.write("".join(f"{row}\n" for row in rows))
        self._stream.flush()
        self._drawn = len(rows)
