"""`runec flash`: onto a real board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from runec.boards import InputKind, LinkKind, load_board
from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.frameworks import framework_option
from runec.cli.options import (
    INPUT_FILE,
    board_option,
    format_option,
    input_option,
    link_option,
    pass_console,
)
from runec.cli.sources import load_source
from runec.devices import flash, flash_command
from runec.firmware import BARE


@click.command(
    "flash",
    epilog=example(
        "runec flash examples/sine --board esp32c3 --port /dev/ttyUSB0",
        "runec flash sine.rune --board esp32c3 --port /dev/ttyUSB0 --dry-run",
        "runec flash sine.rune --board nrf52840_dk --protocol jlink",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", default=Path(), type=INPUT_FILE)
@board_option
@click.option("-p", "--port", help="The serial port, such as /dev/ttyUSB0, where one is needed.")
@link_option
@input_option
@framework_option
@click.option(
    "--protocol", metavar="NAME", help="Another way onto the board: `runec boards show` lists them."
)
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
    framework: str,
    protocol: str | None,
    dry_run: bool,
) -> None:
    """Build the firmware for a .rune or a Runefile and put it on a board, through PlatformIO.

    Without either it is the Runefile of the current folder.
    """
    board = load_board(board_id).with_link(link).with_input(source_of_input)
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
    with loaded.blamed(), console.progress(f"putting {rune.name} on {board.id}"):
        flash(rune, board, port=port, protocol=protocol, framework=framework, log=console.log)
    if console.is_json:
        console.result_json({"rune": rune.name, "board": board.id, "port": port})
    console.say(f"{rune.name} is on {board.id}")
