"""Numbers as rows of a terminal."""

from __future__ import annotations

import io
import json
import math
import os
import pty
import re
import sys
from collections.abc import Mapping

import pytest
from rich.console import Console

from runec.cli.plotting import Plot, sparkline


def line(*elements: float | str, output: str = "3") -> bytes:
    return json.dumps({output: [{"elements": elements}]}).encode()


def test_bars_go_from_the_least_to_the_most() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([-1.0, 1.0, -1.0]) == "▁█▁"


def test_what_is_no_number_is_a_gap() -> None:
    assert sparkline([0, math.nan, 7, math.inf]) == "▁ █ "
    assert sparkline([math.nan]) == " "


def test_extremes_do_not_overflow() -> None:
    most = sys.float_info.max
    assert sparkline([-most, most]) == "▁█"
    assert len(set(sparkline([5.0, 5.0]))) == 1


def rows(plot: Plot, columns: int, lines: int = 20) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=columns, color_system=None)
    console.print(plot.table(lines))
    return [row.rstrip() for row in text.getvalue().splitlines()]


def plotted(*lines: bytes, names: Mapping[str, str] | None = None) -> Plot:
    plot = Plot(io.StringIO(), names or {})
    for each in lines:
        plot.add(each)
    return plot


def test_every_element_has_a_row_with_its_newest_value_at_the_right() -> None:
    first, second = rows(plotted(line(1.0, -2.0), line(2.0, -4.0)), 60)
    assert first.split() == ["3[0]", "▁█", "2"]
    assert second.split() == ["3[1]", "█▁", "-4"]


def test_rows_are_labelled_with_the_names_of_outputs() -> None:
    names = {"3": "most_confident_index", "4": "[b]se\x1brial"}
    plot = plotted(line(1.0, 2.0), line(1.0, output="4"), line("up", output="5"), names=names)
    labels = [row.split("  ")[0].rstrip("▁▅ ") for row in rows(plot, 90)]
    assert labels == [
        "3[0] most_confident_index",
        "3[1] most_confident_index",
        "4 [b]se\ufffdrial",
        "5",
    ]
    narrow = rows(plot, 20)
    assert [row.split()[0] for row in narrow] == ["3[0]", "3[1]", "4", "5"]
    assert all(len(row) <= 20 for row in narrow)


def test_a_pin_has_a_row_with_its_levels() -> None:
    plot = plotted(*(f'{{"3":{{"pin":"LED","level":{level}}}}}'.encode() for level in (1, 0)))
    (row,) = rows(plot, 60)
    assert row.split() == ["3", "LED", "█▁", "0"]


def test_texts_are_shown_without_what_a_terminal_would_obey() -> None:
    (row,) = rows(plotted(line("[b]up\x1b[2J")), 60)
    assert row.split() == ["3", "[b]up\ufffd[2J"]


def test_rows_fit_into_the_terminal() -> None:
    plot = plotted(*(line(*[float(number)] * 20) for number in range(200)))
    for columns, lines in ((80, 24), (30, 5), (10, 3), (1, 1)):
        found = rows(plot, columns, lines)
        assert 0 < len(found) <= max(lines, 1)
        assert all(len(row) <= columns for row in found)
    assert rows(plot, 80, 4)[-1] == "and 17 more"


def until(reader: io.FileIO, end: bytes) -> bytes:
    text = b""
    while not text.endswith(end):
        text += reader.read(4096)
    return text


def test_a_plot_is_drawn_over_itself_in_the_size_that_the_terminal_has_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    # A size in the environment of the start is the size for good.
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as reader, os.fdopen(slave, "w") as stream:
        plot = Plot(stream, {})
        widths = []
        for columns in (60, 40):
            monkeypatch.setenv("COLUMNS", str(columns))
            plot.add(line(1.0))
            plot.draw()
            text = until(reader, b" 1").decode()
            widths.append(len(re.sub(r"\x1b\[[?\d]*\w|\r", "", text)))
        assert text.startswith("\r\x1b[2K")
        assert widths == [60, 40]
        plot.clear()
        assert until(reader, b"\x1b[1A\x1b[2K")


def test_plain_characters_are_used_where_the_terminal_has_no_bars() -> None:
    plot = plotted(line(0.0), line(7.0))
    text = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=text, width=30, color_system=None).print(plot.table(3))
    text.seek(0)
    assert text.read().split() == ["3", "_#", "7"]
