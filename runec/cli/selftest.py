"""The self test of a board, for `runec doctor --selftest`: options, person, report."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import partial

import click

from runec.boards import Board, load_board
from runec.cli.console import Console, table
from runec.cli.monitor import serial_target
from runec.devices import Target
from runec.devices.selftest import SelftestOptions, run_selftest
from runec.devices.selftest_report import Fact, Report
from runec.diagnostics import RuneError
from runec.firmware import pin_number


@dataclass(frozen=True, slots=True)
class SelftestChoice:
    """What the command line says; None: not given."""

    board_id: str
    port: str | None
    on_emulator: bool
    protocol: str | None
    idle_s: float
    rounds: int
    loopback: str | None
    power_cycle: bool
    is_on_board: bool


def selftest(console: Console, choice: SelftestChoice) -> None:
    """Test a board and print its report.

    Raises:
        RuneError: R0929, a sub-test failed; the report was printed.
        RunecError: as `run_selftest`.
    """
    board = load_board(choice.board_id, trusted=console.trust_board, progress=console.progress)
    if choice.power_cycle and not sys.stdin.isatty():
        raise click.UsageError("--power-cycle waits for somebody who presses Enter in a terminal")
    options = _options(console, choice, board)
    if choice.on_emulator:
        target = Target("emulator", board)
    else:
        target = serial_target(console, choice.port, [board])
    report = run_selftest(
        board,
        target,
        options,
        protocol=choice.protocol,
        log=console.log,
        progress=console.progress,
    )
    if console.is_json:
        console.result_bytes(report.encode())
    else:
        console.result("\n".join(_lines(report)))
    if report.failures:
        raise RuneError(
            "R0929",
            f"the self test of {board.id} failed: {', '.join(report.failures)}",
            hint="attach the report to a bug report: --format json > report.json",
        )


def _options(console: Console, choice: SelftestChoice, board: Board) -> SelftestOptions:
    asks = sys.stdin.isatty() and not console.is_json and not choice.on_emulator
    return SelftestOptions(
        idle_s=choice.idle_s,
        rounds=choice.rounds,
        clock_s=min(2.0, choice.idle_s),
        is_on_board=choice.is_on_board,
        loopback=None if choice.loopback is None else _loopback(board, choice.loopback),
        led=pin_number(board, "led") if "led" in board.pins else None,
        is_led_seen=partial(click.confirm, "Did the LED blink?", err=True) if asks else None,
        power_cycle=_wait_for_power if choice.power_cycle else None,
    )


def _loopback(board: Board, text: str) -> tuple[int, int]:
    names = re.fullmatch(r"([^,]+),([^,]+)", text)
    if names is None:
        raise click.UsageError(f"--loopback names two pins, as PA0,PA1, not {text!r}")
    first, second = (pin_number(board, name.strip()) for name in names.groups())
    if first == second:
        raise click.UsageError("--loopback names two pins that a wire joins, not one")
    return first, second


def _wait_for_power() -> None:
    click.prompt(
        "Switch the board's power off and on again, then press Enter",
        default="",
        show_default=False,
        prompt_suffix=" ",
        err=True,
    )


def _lines(report: Report) -> list[str]:
    head = f"runec {report.runec}, self test of {report.board} on {report.target}, {report.time}"
    lines = [head, f"firmware SHA-256 {report.firmware}", ""]
    sections = [("before the firmware", report.before)]
    sections += [
        (f"pass {number}, after: {each.start}", each.facts)
        for number, each in enumerate(report.passes, start=1)
    ]
    for title, facts in sections:
        rows = [_row(fact) for fact in facts]
        lines += [title, table(("fact", "status", "value", "note"), rows), ""]
    return [*lines, f"result: {report.result}"]


def _row(fact: Fact) -> tuple[str, str, str, str]:
    value = "" if fact.value is None else f"{fact.value} {fact.unit}".strip()
    return fact.name, fact.status, value, fact.why
