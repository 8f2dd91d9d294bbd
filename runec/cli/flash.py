"""`runec flash`: onto a real board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from runec.boards import Board, InputKind, LinkKind, load_board
from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.frameworks import framework_option
from runec.cli.monitor import monitor_port, serial_place
from runec.cli.options import (
    INPUT_FILE,
    board_option,
    format_option,
    input_option,
    link_option,
    pass_console,
)
from runec.cli.sources import load_source
from runec.cli.time_budgets import time_budget_option
from runec.devices import Place, flash, flash_command
from runec.devices.watching import Watched
from runec.diagnostics import RunecError
from runec.firmware import BARE

_RTT_HINT = (
    "it talks over RAM that a debug probe reaches: start `rtt server` of OpenOCD, or J-Link's, "
    "then runec monitor --port socket://localhost:9090"
)


@click.command(
    "flash",
    epilog=example(
        "runec flash examples/sine --board esp32c3",
        "runec flash examples/sine --board esp32c3 --port /dev/ttyUSB0 --monitor",
        "runec flash sine.rune --board esp32c3 --port /dev/ttyUSB0 --dry-run",
        "runec flash sine.rune --board nrf52840_dk --protocol jlink",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", default=Path(), type=INPUT_FILE)
@board_option
@click.option(
    "-p", "--port", help="Its serial port, where one is needed. [default: found by USB id]"
)
@link_option
@input_option
@time_budget_option
@framework_option
@click.option(
    "--protocol", metavar="NAME", help="Another way onto the board: `runec boards show` lists them."
)
@click.option("--monitor", is_flag=True, help="Then show what it says: see runec monitor.")
@click.option("--dry-run", is_flag=True, help="Only show the commands.")
@format_option
@pass_console
def command(
    console: Console,
    *,
    source: Path,
    board_id: str,
    port: str | None,
    link: LinkKind | None,
    source_of_input: InputKind | None,
    time_budget: float | None,
    framework: str,
    protocol: str | None,
    monitor: bool,
    dry_run: bool,
) -> None:
    """Build the firmware for a .rune or a Runefile and put it on a board, through PlatformIO.

    Without either it is the Runefile of the current folder. What is built already is not built
    again. The port is the one that has a USB id of the board's file; where several have, none is
    guessed.
    """
    if monitor and dry_run:
        raise click.UsageError("--monitor does not go with --dry-run")
    board = load_board(board_id).with_link(link).with_input(source_of_input)
    board = board.with_time_budget(time_budget)
    loaded = load_source(console, source)
    rune = loaded.rune
    if framework == BARE and board.upload is not None and board.upload.note:
        console.say(f"note: {board.upload.note}")
    if dry_run:
        with loaded.blamed(), console.progress("making the project"):
            line = flash_command(rune, board, port=port, protocol=protocol, framework=framework)
        if console.is_json:
            console.result_json({"command": line})
        else:
            console.result(shlex.join(line))
        return
    with loaded.blamed():
        done = flash(
            rune,
            board,
            port=port,
            protocol=protocol,
            framework=framework,
            log=console.log,
            progress=console.progress,
        )
    if console.is_json:
        console.result_json({"rune": rune.name, "board": board.id, "port": done.port})
    console.say(
        f"{rune.name or source.name} is on {board.id}" + (f" ({done.port})" if done.port else "")
    )
    if board.hal.link == "rtt":
        console.say(_RTT_HINT)
        if not monitor:
            return
    place = _place(console, board, done.port, must=monitor)
    if monitor and place is not None:
        monitor_port(console, place, Watched(rune, every_s=1.0))
    elif place is not None:
        console.say(
            f"run it: runec run {source} --on {place}, with its inputs\n"
            f"watch it: runec monitor {source} --port {place.port}@{place.baud}"
        )


def _place(console: Console, board: Board, port: str | None, *, must: bool) -> Place | None:
    """Return where the board can be talked to; None where nobody can say, unless it `must` be."""
    try:
        return serial_place(console, port, [board])
    except RunecError as error:
        if must:
            raise
        console.say(
            f"it runs at {board.hal.baud} baud on {board.hal.console}; "
            f"{error.message}, so name the port to talk to it: runec monitor --port PORT@BAUD"
        )
        return None
