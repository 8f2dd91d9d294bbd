from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runec.boards import MAX_TIME_BUDGET_MS, LinkKind, load_board, load_boards
from runec.container import Rune
from runec.devices import Emulation, Target, plan_emulation, run_bytes
from runec.diagnostics import UsageError
from runec.vm import InputReader, Inputs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_place_reads_the_spelling_that_it_writes() -> None:
    assert str(Target.parse("host")) == "host"
    for board in load_boards():
        target = Target.parse(f"emulator:{board.id}")
        assert target == Target("emulator", board)
        assert str(target) == f"emulator:{board.id}"


def test_a_board_has_its_link_in_an_emulator_where_the_emulator_carries_it(rune: Rune) -> None:
    board = load_board("esp32")
    assert board.hal.link == "uart", "what is flashed"
    assert plan_emulation(rune, board).board.hal.link == "rtt"
    # Elsewhere it is where the board's file, or the user, wants it.
    links: tuple[LinkKind, ...] = ("uart", "rtt")
    for link in links:
        other = load_board("esp32c3").with_link(link)
        planned = plan_emulation(rune, other).board
        assert (planned.hal.link, planned) == (link, other.emulated())


@pytest.mark.parametrize(
    ("text", "port", "baud"),
    [
        ("serial:/dev/ttyUSB0", "/dev/ttyUSB0", 115200),
        ("serial:COM3@921600", "COM3", 921600),
        ("serial:socket://localhost:9090", "socket://localhost:9090", 115200),
    ],
)
def test_a_serial_place_has_a_port_and_a_speed(text: str, port: str, baud: int) -> None:
    target = Target.parse(text)
    assert (target.kind, target.port, target.baud, target.board) == ("serial", port, baud, None)
    assert str(target) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "Host", "host:", "host:x", "emulator", "emulator:", "moon:x", "serial", "serial:"),
        *("serial:@9600", "serial:x@", "serial:x@fast", "serial:x@0", "serial:x@-5"),
    ],
)
def test_other_places_are_mistakes_of_usage(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(text)
    assert caught.value.code == "R0918"
    assert "emulator:BOARD" in str(caught.value.hint)


class Resting:
    """A device that never runs anything."""

    def run_bytes(self, _feed: InputReader, *, repeats: int) -> Iterator[bytes]:
        return iter([b""] * repeats)


@pytest.mark.parametrize(
    ("timeout_s", "budget_ms", "patience_s"),
    [(None, 30_000, 300), (0.25, 250, 60), (1e-9, 1, 60), (400, MAX_TIME_BUDGET_MS, 4000)],
)
def test_the_time_for_a_run_is_an_emulated_boards_budget_and_no_hurry_for_this_computer(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch,
    rune: Rune,
    inputs: Inputs,
    timeout_s: float | None,
    budget_ms: int,
    patience_s: float,
) -> None:
    asked: list[tuple[int, float]] = []

    @contextmanager
    def opened(emulation: Emulation, *, timeout_s: float, log: object) -> Iterator[object]:
        del log
        asked.append((emulation.board.time_budget_ms, timeout_s))
        yield Resting()

    monkeypatch.setattr("runec.devices.targets.open_emulator", opened)
    target = Target.parse("emulator:netduinoplus2")
    assert list(run_bytes(rune, inputs, target, repeats=0, timeout_s=timeout_s)) == []
    assert asked == [(budget_ms, patience_s)]
