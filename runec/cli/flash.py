"""`runec flash`: onto a real board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from runec.boards import load_board
from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.loading import load_rune
from runec.cli.options import (
    board_option,
    format_option,
    pass_console,
    rune_argument,
)
from runec.devices import flash, flash_command


@click.command(
    "flash",
    epilog=example(
        "runec flash sine.rune --board esp32c3 --port /dev/ttyUSB0",
        "runec flash sine.rune --board esp32c3 --port /dev/ttyUSB0 --dry-run",
    ),
)
@rune_argument
@board_option
@click.option("-p", "--port", help="The serial port, such as /dev/ttyUSB0, where one is needed.")
@click.option("--dry-run", is_flag=True, help="Only show the commands.")
@format_option
@pass_console
def command(
    console: Console, rune_file: Path, board_id: str, port: str | None, *, dry_run: bool
) -> None:
    """Build the firmware for a .rune and put it on a board, through PlatformIO."""
    rune, board = load_rune(rune_file), load_board(board_id)
    if dry_run:
        with console.progress("making the project"):
            line = flash_command(rune, board, port=port)
        if console.is_json:
            console.result_json({"command": line})
        else:
            console.result(shlex.join(line))
        return
    with console.progress(f"putting {rune.name} on {board.id}"):
        flash(rune, board, port=port, log=console.log)
    if console.is_json:
        console.result_json({"rune": rune.name, "board": board.id, "port": port})
    console.say(f"{rune.name} is on {board.id}")
