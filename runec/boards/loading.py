"""Finding and reading board files."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import msgspec

from runec.boards.board import Board
from runec.data import data_dir
from runec.diagnostics import UsageError, UserFileError
from runec.files import read_file

MAX_BOARD_BYTES = 64 * 1024


def _board_files() -> dict[str, Path]:
    """Return the board files by id; a folder of the user's comes before runec's own."""
    folders = [data_dir("boards")]
    extra = os.environ.get("RUNEC_BOARDS_DIR")
    if extra:
        folders.append(Path(extra))
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def _read_board(path: Path) -> Board:
    data = read_file(path, "board file", max_bytes=MAX_BOARD_BYTES)
    try:
        board = msgspec.toml.decode(data, type=Board)
    # ValueError: a number of thousands of digits; RecursionError: as many brackets.
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UserFileError(
            "R0801",
            f"board file {path}: {error}",
            hint="compare it with a board file that runec brings",
        ) from None
    if board.id != path.stem:
        raise UserFileError(
            "R0801",
            f"board file {path}: its id is {board.id!r}",
            hint=f"name the file {board.id}.toml",
        )
    return board


def load_boards() -> tuple[Board, ...]:
    """Return every board, in order of id.

    The files are runec's own and those of the folder that `RUNEC_BOARDS_DIR` names; of two with
    one id the latter counts.

    Raises:
        UserFileError: R0801, a board file is wrong; R1003, unreadable.
    """
    files = _board_files()
    return tuple(_read_board(files[name]) for name in sorted(files))


def load_board(board_id: str) -> Board:
    """Return the board `board_id`.

    Raises:
        UsageError: R0802, there is none.
        UserFileError: R0801, its file is wrong; R1003, unreadable.
    """
    files = _board_files()
    if board_id not in files:
        close = difflib.get_close_matches(board_id, files, n=1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else f"known are: {', '.join(sorted(files))} (`runec boards`)"
        )
        raise UsageError("R0802", f"there is no board {board_id!r}", hint=hint)
    return _read_board(files[board_id])
