"""Numbers as rows of a terminal."""

from __future__ import annotations

import json
import math
import os
import pty
import struct
import sys
import termios
from fcntl import ioctl

from runec.cli.plotting import Screen, Series, sparkline


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


def test_every_element_has_a_row_with_its_newest_value_at_the_right() -> None:
    series = Series()
    series.add(line(1.0, -2.0))
    series.add(line(2.0, -4.0))
    first, second = series.rows(60, 20)
    assert first.split() == ["3[0]", "▁█", "2"]
    assert second.split() == ["3[1]", "█▁", "-4"]


def test_rows_are_labelled_with_the_names_of_outputs() -> None:
    series = Series({"3": "most_confident_index", "4": "se\x1brial"})
    series.add(line(1.0, 2.0))
    series.add(line(1.0, output="4"))
    series.add(line("up", output="5"))
    labels = [row.split()[0] for row in series.rows(90, 20)]
    assert labels == [
        "most_confident_index:3[0]",
        "most_confident_index:3[1]",
        "se\ufffdrial:4",
        "5",
    ]
    narrow = series.rows(40, 20)
    assert [row.split()[0] for row in narrow[:2]] == [
        ".._index:3[0]",
        ".._index:3[1]",
    ]
    assert all(len(row) < 40 for row in narrow)


def test_a_pin_has_a_row_with_its_levels() -> None:
    series = Series()
    for level in (1, 0):
        series.add(f'{{"3":{{"pin":"LED","level":{level}}}}}'.encode())
    (row,) = series.rows(60, 20)
    assert row.split() == ["3", "LED", "█▁", "0"]


def test_texts_are_shown_without_what_a_terminal_would_obey() -> None:
    series = Series()
    series.add(line("up\x1b[2J"))
    (row,) = series.rows(60, 20)
    assert row.split()[0] == "3"
    assert "\x1b" not in row


def test_rows_fit_into_the_terminal() -> None:
    series = Series()
    for number in range(200):
        series.add(line(*[float(number)] * 20))
    for columns, lines in ((80, 24), (30, 5), (10, 3), (1, 1)):
        rows = series.rows(columns, lines)
        assert 0 < len(rows) <= max(lines - 1, 1)
        assert all(len(row) <= max(columns - 1, 1) for row in rows)
    assert series.rows(80, 5)[-1] == "and 17 more"


def test_a_screen_draws_over_itself_in_the_size_that_the_terminal_has_now() -> None:
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as reader, os.fdopen(slave, "w") as stream:
        series = Series()
        drawn = Screen(stream)
        widths = []
        for columns in (60, 40):
            ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 20, columns, 0, 0))
            series.add(line(1.0))
            drawn.draw(series)
            text = ""
            while not text.endswith("\n"):  # clearing and drawing may be read apart
                text += reader.read(4096).decode()
            widths.append(len(text.split("\x1b[J")[-1].rstrip("\r\n")))
        assert "\x1b[1A\r\x1b[J" in text
        assert widths == [59, 39]
        drawn.clear()
        assert reader.read(4096) == b"\x1b[1A\r\x1b[J"
