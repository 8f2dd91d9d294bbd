"""The firmware of one rune for several boards, and a table of what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runec.boards import Board, load_board, load_boards
from runec.cli.console import Console, table
from runec.cli.firmware_options import announce_download
from runec.cli.rune_sources import Source
from runec.diagnostics import BoardRefusalError, MachineError, RunecError
from runec.files import UnreadableFileError
from runec.firmware import FirmwareBuild, NoProjectError, Project, build_project

ALL = "all"


@dataclass(frozen=True, slots=True)
class _Row:
    """What came of one board: a built project, or an error."""

    board: Board
    seconds: float
    project: Project | None = None
    built: FirmwareBuild | None = None
    error: RunecError | None = None

    @property
    def verdict(self) -> str:
        if self.error is None:
            return "built"
        return "does not fit" if isinstance(self.error, BoardRefusalError) else "failed"

    @property
    def told(self) -> str:
        """The project folder, or the error."""
        if self.error is None:
            return "" if self.project is None else str(self.project.directory)
        line = "" if self.error.span is None else f" (line {self.error.span.line})"
        return f"{self.error.code}: {self.error.message}{line}"

    def as_json(self) -> dict[str, object]:
        built, error = self.built, self.error
        return {
            "board": self.board.id,
            "verdict": self.verdict,
            "flash_bytes": built.flash_bytes if built else None,
            "ram_bytes": built.ram_bytes if built else None,
            "seconds": round(self.seconds, 3),
            "elf": str(built.elf) if built else None,
            "image": str(built.image) if built else None,
            "code": error.code if error else None,
            "reason": error.message if error else None,
            "line": error.span.line if error and error.span else None,
        }


def wanted_boards(console: Console, names: Sequence[str]) -> list[Board]:
    """Return the boards named, each once; `all` is every one.

    Raises:
        RunecError: as `load_board` and `load_boards`.
    """
    trusted, progress = console.trust_board, console.progress
    boards = [
        board
        for name in names
        for board in (
            load_boards()
            if name == ALL
            else (load_board(name, trusted=trusted, progress=progress),)
        )
    ]
    return list({board.id: board for board in boards}.values())


def build_each(
    console: Console,
    source: Source,
    boards: Sequence[Board],
    make: Callable[[Board], Project],
) -> int:
    """Build the project that `make` makes for each board and print a table.

    A board that the rune does not fit is reported and left out; one that fails does not stop
    the others. Return 0 where all that it fits were built, else the exit code of the first
    that failed; if it fits none, that of the first.

    Raises:
        RunecError: a mistake that is the same for every board.
    """
    rows = []
    for board in boards:
        row = _build(console, source, board, make)
        rows.append(row)
        if row.verdict == "failed" and row.error is not None:
            console.report(row.error.diagnostics)
        if console.is_json:
            console.result_json(row.as_json())
    if not console.is_json:
        cells = [
            (
                row.board.id,
                row.verdict,
                row.built and row.built.flash_bytes,
                row.built and row.built.ram_bytes,
                f"{row.seconds:.1f}",
                row.told,
            )
            for row in rows
        ]
        headers = ("board", "verdict", "flash", "RAM", "seconds", "project, or error")
        console.result(table(headers, cells))
    failed = [row.error for row in rows if row.error and row.verdict == "failed"]
    refused = [row.error for row in rows if row.error]
    if not failed and len(refused) < len(rows):
        return 0
    return (failed or refused)[0].exit_code


def _build(
    console: Console, source: Source, board: Board, make: Callable[[Board], Project]
) -> _Row:
    project, built = None, None
    error: RunecError | None = None
    began_s = time.monotonic()
    try:
        with source.blamed(), console.progress(f"building for {board.id}"):
            project = make(board)
            announce_download(console, board, project.framework)
            built = build_project(project, log=console.log)
    except MachineError as caught:
        error = caught
    except RunecError as caught:
        # Each board has its own project folder.
        if not isinstance(caught, BoardRefusalError | NoProjectError | UnreadableFileError):
            raise
        error = caught
    return _Row(board, time.monotonic() - began_s, project, built, error)
