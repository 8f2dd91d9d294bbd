"""Numbers as rows of a terminal: one row an output's element, the newest at the right."""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from runec.diagnostics import printable

_BARS = "▁▂▃▄▅▆▇█"
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

    def __init__(self) -> None:
        self._numbers: dict[str, deque[float]] = {}
        self._texts: dict[str, str] = {}

    def add(self, line: bytes) -> None:
        """Take what a run wrote, as JSON."""
        for name, value in _elements(json.loads(line)):
            if isinstance(value, str):
                self._texts[name] = value
            else:
                self._numbers.setdefault(name, deque(maxlen=_KEPT)).append(value)

    def rows(self, columns: int, lines: int) -> list[str]:
        """Return the rows for a terminal of so many columns and lines; none is too wide."""
        room = max(columns - 1 - _NAME_CHARS - _VALUE_CHARS - 2, 1)
        rows = [
            f"{name:<{_NAME_CHARS}} {sparkline(list(values)[-room:]):<{room}} "
            f"{values[-1]:>{_VALUE_CHARS}.5g}"
            for name, values in self._numbers.items()
        ]
        rows += [f"{name:<{_NAME_CHARS}} {printable(text)}" for name, text in self._texts.items()]
        most = max(lines - 1, 1)
        if len(rows) > most:
            rows = [*rows[: most - 1], f"and {len(rows) - most + 1} more"]
        return [row[: max(columns - 1, 1)] for row in rows]


def _elements(record: dict[str, list[dict[str, object]]]) -> Iterator[tuple[str, float | str]]:
    for output, tensors in record.items():
        if isinstance(tensors, dict):
            yield f"{output} {tensors['pin']}", tensors["level"]
            continue
        for index, tensor in enumerate(tensors):
            elements = tensor["elements"]
            assert isinstance(elements, list)  # noqa: S101 - runec's own spelling
            name = output if len(tensors) == 1 else f"{output}.{index}"
            for at, value in enumerate(elements[:_ELEMENTS_MAX]):
                yield (name if len(elements) == 1 else f"{name}[{at}]"), value


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
        self.clear()
        self._stream.write("".join(f"{row}\n" for row in rows))
        self._stream.flush()
        self._drawn = len(rows)
