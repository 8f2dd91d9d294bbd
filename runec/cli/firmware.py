"""`runec firmware`: the firmware that carries a .rune."""

from __future__ import annotations

from pathlib import Path

import click

from runec.boards import Board, load_board
from runec.cli.console import Console, table
from runec.cli.firmware_matrix import ALL, build_each, wanted_boards
from runec.cli.firmware_options import FirmwareChoice, announce_download, firmware_options
from runec.cli.help_epilog import example
from runec.cli.input_options import used_input
from runec.cli.options import (
    INPUT_FOLDER,
    RUNE_OR_RUNEFILE,
    board_option,
    boards_option,
    format_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.rune_sources import load_source
from runec.container import Rune
from runec.files import file_name, is_folder
from runec.firmware import (
    DeviceRune,
    FirmwareBuild,
    Project,
    build_project,
    create_project,
    is_project,
    load_project,
)


@click.group(
    "firmware",
    epilog=example(
        "runec firmware new sine.rune --board esp32c3 -d sine-esp32c3",
        "runec firmware build sine-esp32c3",
    ),
)
def command() -> None:
    """Create and build firmware for a rune."""


@command.command(
    "new",
    epilog=example(
        "runec firmware new sine.rune --board netduinoplus2 -d sine-netduino",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", type=RUNE_OR_RUNEFILE)
@board_option()
@click.option(
    "-d",
    "--directory",
    required=True,
    type=INPUT_FOLDER,
    help="Project folder: new, empty, or of the same rune and board.",
)
@firmware_options
@outside_option
@trust_option
@format_option
@pass_console
def new(
    console: Console,
    *,
    source: Path,
    board_id: str,
    directory: Path,
    choice: FirmwareChoice,
) -> None:
    """Create a self-contained PlatformIO project; its README describes the build.

    A folder with local changes or with another project is not overwritten.
    """
    board = choice.board(
        load_board(board_id, trusted=console.trust_board, progress=console.progress)
    )
    loaded = load_source(console, source)
    used_input(console, loaded.rune, choice.source_of_input)
    with loaded.blamed(), console.progress("creating the project"):  # it may fetch sources
        project = create_project(
            DeviceRune.of(loaded.rune),
            board,
            directory,
            framework=choice.framework,
            backend=choice.backend,
            log=console.say,
        )
    loaded.warn_of_pins(console, board)
    if console.is_json:
        console.result_json({"board": board.id, "path": str(project.directory)})
    else:
        console.result(str(project.directory))


@command.command(
    "build",
    epilog=example(
        "runec firmware build sine-netduino",
        "runec firmware build sine.rune --board esp32c3 -d sine-esp32c3",
        "runec firmware build sine.rune --board all -d firmware",
    ),
)
@click.argument("source", metavar="DIR|X.rune|RUNEFILE", type=RUNE_OR_RUNEFILE)
@boards_option(
    "Target board; not used with a project folder. Repeat it, or `all`: a table of boards."
)
@click.option(
    "-d",
    "--directory",
    type=INPUT_FOLDER,
    help="Project folder; with several boards, their parent. [default: NAME-BOARD]",
)
@firmware_options
@outside_option
@trust_option
@format_option
@pass_console
def build(
    console: Console,
    *,
    source: Path,
    board_ids: tuple[str, ...],
    directory: Path | None,
    choice: FirmwareChoice,
) -> int:
    """Build a project folder, or create and build the project of a .rune or a Runefile.

    A folder with local changes or with another project is not overwritten; name the folder to
    build it with its changes. With several boards the exit code is 0 if the rune fits at least one
    and every build for a board that it fits succeeded.
    """
    if is_project(source):
        if board_ids or directory is not None or not choice.is_default:
            raise click.UsageError(
                "--board, --directory, --link, --input, --time-budget and --framework do not go "
                "with a project's folder"
            )
        project = load_project(source)
        announce_download(console, project.board, project.framework)
        with console.progress("building the firmware"):
            built = build_project(project, log=console.log)
        _print_build(console, project, built)
        return 0
    if not board_ids:
        what = f"{source} is not a firmware project: a Runefile in it" if is_folder(source) else ""
        raise click.UsageError(f"{what or 'a .rune or a Runefile'} needs --board")
    boards = [choice.board(board) for board in wanted_boards(console, board_ids)]
    loaded = load_source(console, source)
    used_input(console, loaded.rune, choice.source_of_input)
    with loaded.blamed():
        rune = DeviceRune.of(loaded.rune)

    def make(board: Board) -> Project:
        folder = _default_directory(loaded.rune, board)
        if directory is not None:
            folder = directory / folder if is_many else directory
        project = create_project(
            rune,
            board,
            folder,
            framework=choice.framework,
            backend=choice.backend,
            log=console.say,
        )
        loaded.warn_of_pins(console, board)
        return project

    is_many = len(board_ids) > 1 or ALL in board_ids
    if is_many:
        return build_each(console, loaded, boards, make)
    with loaded.blamed():  # the linker may find that it does not fit
        with console.progress("creating the project"):
            project = make(boards[0])
        announce_download(console, project.board, project.framework)
        with console.progress("building the firmware"):
            built = build_project(project, log=console.log)
    _print_build(console, project, built)
    return 0


def _default_directory(rune: Rune, board: Board) -> Path:
    # A .rune may be anybody's: its name must not lead out of this folder.
    return Path(f"{file_name(rune.name or '', 'rune')}-{board.file_id}")


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
