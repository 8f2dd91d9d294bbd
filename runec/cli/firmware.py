"""`runec firmware`: the firmware that carries a .rune."""

from __future__ import annotations

from pathlib import Path

import click

from runec.boards import Board, load_board
from runec.cli.console import Console, table
from runec.cli.examples import example
from runec.cli.loading import load_rune
from runec.cli.options import (
    INPUT_FILE,
    board_option,
    format_option,
    pass_console,
    rune_argument,
)
from runec.container import Rune
from runec.files import file_name
from runec.firmware import FirmwareBuild, Project, build_project, create_project, load_project


@click.group(
    "firmware",
    epilog=example(
        "runec firmware new sine.rune --board esp32c3 -d sine-esp32c3",
        "runec firmware build sine-esp32c3",
    ),
)
def command() -> None:
    """Make and build the firmware that carries a .rune."""


@command.command(
    "new",
    epilog=example(
        "runec firmware new sine.rune --board netduinoplus2 -d sine-netduino",
    ),
)
@rune_argument
@board_option
@click.option(
    "-d", "--directory", required=True, type=INPUT_FILE, help="The project's folder, made anew."
)
@format_option
@pass_console
def new(console: Console, rune_file: Path, board_id: str, directory: Path) -> None:
    """Write a PlatformIO project that stands alone; its README says how to build it."""
    board = load_board(board_id)
    with console.progress("making the project"):  # it may have to fetch sources
        project = create_project(load_rune(rune_file), board, directory)
    if console.is_json:
        console.result_json({"board": board.id, "path": str(project.directory)})
    else:
        console.result(str(project.directory))


@command.command(
    "build",
    epilog=example(
        "runec firmware build sine-netduino",
        "runec firmware build sine.rune --board esp32c3 -d sine-esp32c3",
    ),
)
@click.argument("source", metavar="DIR|X.rune", type=INPUT_FILE)
@click.option("-b", "--board", "board_id", metavar="ID", help="A board, when X.rune is given.")
@click.option(
    "-d",
    "--directory",
    type=INPUT_FILE,
    help="Where the project goes, when X.rune is given. [default: NAME-BOARD]",
)
@format_option
@pass_console
def build(console: Console, source: Path, board_id: str | None, directory: Path | None) -> None:
    """Build a project's folder, or make the project for a .rune and build it."""
    if source.is_dir():
        if board_id is not None or directory is not None:
            raise click.UsageError("--board and --directory go with a .rune, not with a folder")
        project = load_project(source)
    else:
        if board_id is None:
            raise click.UsageError("a .rune needs --board")
        rune, board = load_rune(source), load_board(board_id)
        with console.progress("making the project"):
            project = create_project(rune, board, directory or _default_directory(rune, board))
    with console.progress("building the firmware"):
        built = build_project(project, log=console.log)
    _print_build(console, project, built)


def _default_directory(rune: Rune, board: Board) -> Path:
    # A .rune may be anybody's: its name must not lead out of this folder.
    return Path(f"{file_name(rune.name or '', 'rune')}-{board.id}")


def _print_build(console: Console, project: Project, built: FirmwareBuild) -> None:
    sizes = {
        "flash": built.flash_bytes,
        "RAM": built.ram_bytes,
        "arena": built.arena_bytes,
        "linear memory": built.linear_memory_bytes,
        "engine heap": built.engine_heap_bytes,
        "stack": built.stack_bytes,
    }
    if console.is_json:
        keys = {f"{key.lower().replace(' ', '_')}_bytes": value for key, value in sizes.items()}
        console.result_json({"elf": str(built.elf), "image": str(built.image), **keys})
        return
    console.say(table((f"built {project.directory}", "bytes"), sizes.items()))
    console.result(str(built.elf))
