"""Numbers as rows of a terminal: one row an output's element, the newest at the right."""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runec.diagnostics import printable

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.,-~+*#"
_KEPT = 1024
_ELEMENTS_MAX = 32


def sparkline(values: Sequence[float], bars: str = _BARS) -> str:
    """Return a character for each value, from the least to the most; a gap for NaN and infinity.

    Values that are all the same stand in the middle.
    """
    finite = [value for value in values if math.isfinite(value)]
    least, most = min(finite, default=0), max(finite, default=0)
    # Halves: the difference of two huge numbers is infinite.
    span = most / 2 - least / 2
    return "".join(
        bars[round((len(bars) - 1) * ((value / 2 - least / 2) / span if span else 0.5))]
        if math.isfinite(value)
        else " "
        for value in values
    )


@dataclass(frozen=True, slots=True)
class _Sparkline:
    """The newest values, as many as fit."""

    values: Sequence[float]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        bars = _ASCII_BARS if options.ascii_only else _BARS
        yield Text(sparkline(self.values[-options.max_width :], bars))


class Plot:
    """The results so far as one row an element, drawn over and over at the bottom of a terminal."""

    def __init__(self, stream: TextIO, names: Mapping[str, str]) -> None:
        """`names`: the stage of each output by its id, where known."""
        # rich keeps the environment of the time when it was imported.
        self._console = Console(
            file=stream, force_terminal=True, no_color=True, _environ=os.environ
        )
        self._live: Live | None = None
        self._names = names
        self._rows: dict[str, deque[float] | str] = {}

    def add(self, line: bytes) -> None:
        """Add the output of a run, JSON."""
        for output, part, value in _elements(json.loads(line)):
            name = f"{output}{part} {printable(self._names.get(output, ''))}".rstrip()
            values = self._rows.get(name)
            if isinstance(value, str):
                self._rows[name] = value
            elif isinstance(values, deque):
                values.append(value)
            else:
                self._rows[name] = deque([value], maxlen=_KEPT)

    def table(self, lines: int) -> Table:
        """Return as many rows as fit the lines of a terminal."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True, overflow="crop")
        grid.add_column(no_wrap=True, overflow="crop", ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        shown = len(self._rows) if len(self._rows) <= lines else max(lines - 1, 0)
        for name, values in list(self._rows.items())[:shown]:
            if isinstance(values, str):
                grid.add_row(Text(name), Text(printable(values)))
            else:
                grid.add_row(Text(name), _Sparkline(list(values)), f"{values[-1]:.5g}")
        if shown < len(self._rows):
            grid.add_row(f"and {len(self._rows) - shown} more")
        return grid

    def clear(self, *, keep: bool = False) -> None:
        """Stop drawing here, so that something else can be printed; `keep` leaves the rows."""
        if self._live is not None:
            self._live.transient = not keep
            self._live.stop()
            self._live = None

    def draw(self) -> None:
        """Draw the rows for the size that the terminal has now."""
        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(self.table(self._console.height - 1), refresh=True)


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
            assert isinstance(elements, list)  # noqa: S101 - runec's own format
            part = "" if len(tensors) == 1 else f".{index}"
            for at, value in enumerate(elements[:_ELEMENTS_MAX]):
                yield output, (part if len(elements) == 1 else f"{part}[{at}]"), value
