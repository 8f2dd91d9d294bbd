"""Finding and reading board files."""

from __future__ import annotations

import os
import string
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from runec.boards.board import PLATFORMIO_PREFIX, Board, Upload
from runec.boards.clocks import wrong_clock
from runec.boards.inheritance import BoardFiles, JoinedBoard, join_board
from runec.boards.trust import refusals, texts
from runec.data import data_dir
from runec.diagnostics import UsageError, UserFileError, printable
from runec.files import is_folder, is_inside
from runec.suggestions import suggestion
from runec.toml import TomlFile, WrongValueError, convert

if TYPE_CHECKING:
    from runec.tools import Progress

# Files that only others inherit from: not boards, and need not be whole.
FAMILIES = "families"
_SUFFIX = ".toml"
# What stands in braces in upload commands of every board.
_UPLOAD_NAMES = ("elf", "image", "port", "code_origin")


def _folders() -> tuple[Path, ...]:
    """Return where board files are; a folder of the user's comes after runec's own."""
    extra = os.environ.get("RUNEC_BOARDS_DIR")
    if extra and not is_folder(Path(extra)):
        raise UsageError(
            "R0806",
            f"RUNEC_BOARDS_DIR is {extra!r}, which is not a folder",
            hint="set it to the folder of your board files, or unset RUNEC_BOARDS_DIR",
        )
    return (data_dir("boards"), *((Path(extra),) if extra else ()))


def _board_files() -> dict[str, Path]:
    return {path.stem: path for folder in _folders() for path in _files_of(folder)}


def _files_of(folder: Path) -> list[Path]:
    # Not where it cannot be looked into: glob() raises then.
    return sorted(folder.glob(f"*{_SUFFIX}")) if is_folder(folder) else []


def _heritage(beside: Path) -> dict[str, Path]:
    """Return the files that a board file can inherit from: families, boards, those beside it."""
    folders = [*_folders(), beside]
    families = [path for folder in folders for path in _files_of(folder / FAMILIES)]
    boards = [path for folder in folders for path in _files_of(folder)]
    return {path.stem: path for path in (*families, *boards)}


def _join(path: Path, files: BoardFiles | None = None) -> JoinedBoard:
    heritage = _heritage(path.parent)
    # A user's file may replace the one of the same name and inherit from it.
    if heritage.get(path.stem) == path:
        replaced = _replaced(path)
        heritage.pop(path.stem)
        heritage |= {path.stem: replaced} if replaced else {path.stem: path}
    return join_board(path, heritage, files or BoardFiles())


def _replaced(path: Path) -> Path | None:
    own = data_dir("boards") / path.name
    return own if own.is_file() and own.resolve() != path.resolve() else None


def _read_board(path: Path, files: BoardFiles | None = None, *, trusted: bool = False) -> Board:
    joined = _join(path, files)
    _refuse_controls(joined)
    try:
        board = convert(joined.tables, Board)
    except WrongValueError as error:
        wrong = error.mistake
        text = joined.origin(wrong.place)
        raise text.error(wrong.problem, wrong.place, wrong.hint) from None
    if board.id != path.stem:
        hint = f"rename the file to {board.id}{_SUFFIX}"
        raise joined.texts[0].error(f"its id is {board.id!r}", ("id",), hint)
    _refuse_wrong_clock(joined, board)
    if not trusted:
        _require_trust(joined)
    _refuse_unknown_names(joined, board)
    return board


def _refuse_controls(joined: JoinedBoard) -> None:
    """Reject characters that could end the line or the comment that a text is written into."""
    for text in joined.texts:
        for path, word in texts(text.tables):
            shown = printable(word)
            if shown != word:
                at = next(i for i, (a, b) in enumerate(zip(word, shown, strict=True)) if a != b)
                raise UserFileError(
                    "R0843",
                    f"board file {text.source.path}: the control character U+{ord(word[at]):04X} "
                    f"in {'.'.join(path)}",
                    span=text.span(path),
                    hint="write the text on one line, without control characters; a line of a "
                    'TOML text in """ that ends with \\ goes on in the next one',
                )


def _refuse_wrong_clock(joined: JoinedBoard, board: Board) -> None:
    wrong = wrong_clock(board)
    if wrong is not None:
        text = joined.origin(wrong.key)
        raise UserFileError(
            "R0844",
            f"board file {text.source.path}: {wrong.problem}",
            span=text.span(wrong.key),
            hint=wrong.hint,
        )


def _refuse_unknown_names(joined: JoinedBoard, board: Board) -> None:
    """Reject upload commands with names in braces that stand for nothing."""
    known = {*_UPLOAD_NAMES, *board.upload_values}
    known |= {"constants"} if board.memory.constants else set()
    ways: dict[tuple[str, ...], Upload] = {("upload",): board.upload} if board.upload else {}
    ways |= {("other_uploads", str(n)): way for n, way in enumerate(board.other_uploads)}
    for path, way in ways.items():
        names = known | ({"app"} if way.esp_chip is not None else set())
        names |= {"script"} if way.script else set()
        for key, words in (("command", way.command), ("script", way.script)):
            wrong = _unknown_name(words, names)
            if wrong is not None:
                text = joined.origin((*path, key))
                raise UserFileError(
                    "R0801",
                    f"board file {text.source.path}: {wrong!r} in {'.'.join((*path, key))} has an "
                    "unknown name in braces",
                    span=text.span((*path, key)),
                    hint=f"known names: {', '.join(sorted(names))}; write a literal brace twice",
                )


def _unknown_name(words: Iterable[str], known: Collection[str]) -> str | None:
    """Return the first word that format() cannot fill in from `known`."""
    for word in words:
        try:
            fields = [*string.Formatter().parse(word)]
        except ValueError:
            return word
        if any(
            name is not None and (name not in known or spec or conversion)
            for _, name, spec, conversion in fields
        ):
            return word
    return None


def _require_trust(joined: JoinedBoard) -> None:
    """Reject what could run code on the host, in a file that is not the user's own."""
    if all(map(_is_trusted, joined.texts)):
        return
    own = data_dir("boards")
    files = BoardFiles()
    shipped = [files.read(path) for path in (*_files_of(own / FAMILIES), *_files_of(own))]
    refusal = next(refusals(joined, shipped, _is_trusted), None)
    if refusal is not None:
        text = joined.origin(refusal.path)
        raise UserFileError(
            "R0842",
            f"board file {text.source.path}: {'.'.join(refusal.path)} = {refusal.value!r} requires "
            f"--trust-board: {refusal.why}",
            span=text.span(refusal.path),
            hint="review the file; if you trust it, add --trust-board or move it to the folder "
            "RUNEC_BOARDS_DIR, whose files are trusted",
        )


def _is_trusted(text: TomlFile) -> bool:
    """Return whether a board file is runec's, or in the folder that the user chose for board files.

    The folder decides, not where a link in it leads.
    """
    parent = Path(text.source.path).parent
    return any(is_inside(parent, folder) for folder in _folders())


def load_boards() -> tuple[Board, ...]:
    """Return every board, in order of id.

    The files are runec's own and those of the folder that `RUNEC_BOARDS_DIR` names; of two with
    one id the latter counts.

    Raises:
        UsageError: R0806, the latter is not a folder.
        UserFileError: R0801, a board file is wrong; R0804, it inherits wrongly; R1003, unreadable.
    """
    found, files = _board_files(), BoardFiles()
    return tuple(_read_board(found[name], files) for name in sorted(found))


def _find(board: str) -> Path:
    """Return the file of a board, named by its id or by its path, which ends in `.toml`."""
    if board.endswith(_SUFFIX):
        return Path(board)
    files = _board_files()
    if board not in files:
        hint = suggestion(board, sorted(files))
        raise UsageError("R0802", f"no such board: {board!r}", hint=hint)
    return files[board]


def load_board(board: str, *, trusted: bool = False, progress: Progress | None = None) -> Board:
    """Return a board, named by its id or by the path of its file, which ends in `.toml`.

    A file outside of the folders of board files is `trusted` to run code on the host only
    where the caller says so; without that it is held to `runec.boards.trust`.
    `pio:ID` is one of PlatformIO's, which is asked for it, and `progress` told that.

    Raises:
        UsageError, MachineError: R0825, R0826, R0827, R0829, as `runec.boards.platformio`.
        UsageError: R0802, no board with this id; R0806, `RUNEC_BOARDS_DIR` is not a folder.
        UserFileError: R0801, its file is wrong; R0804, it inherits wrongly; R0842, it needs trust;
            R0843, control characters; R0844, a clock that its chip contradicts; R1003, unreadable.
    """
    if board.startswith(PLATFORMIO_PREFIX):
        return _platformio_board(board, progress)
    return _read_board(_find(board), trusted=trusted)


def _platformio_board(board: str, progress: Progress | None) -> Board:
    """Return `pio:ID`: one of ours that PlatformIO calls so, else one from its manifest."""
    from runec.boards import platformio  # noqa: PLC0415 - a start is short

    base, changes = platformio.manifest_tables(board, progress=progress)
    vendor = changes["vendor"]
    for own in load_boards():
        names = own.vendor and (own.vendor.platform, own.vendor.board)
        if names == (vendor["platform"], vendor["board"]):
            return own
    folder = data_dir("boards")
    path = folder / f"{base}{_SUFFIX}"
    tables = _join(path if path.is_file() else folder / FAMILIES / path.name).tables
    return msgspec.convert(platformio.joined(tables, changes), type=Board).with_vendor()


def board_origins(board: str) -> Mapping[str, str]:
    """Return the name of the file of each key of a board, by its dotted path.

    Raises:
        RunecError: as `load_board`.
    """
    if board.startswith(PLATFORMIO_PREFIX):
        return {}
    joined = _join(_find(board))
    return {
        ".".join(path): text.name
        for path, text in sorted(joined.origins.items())
        if not any(other[: len(path)] == path and other != path for other in joined.origins)
    }
