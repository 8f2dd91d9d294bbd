"""Project folders: the manifest of the files by runec, and interruptible writes.

`runec-project.json` names every file with its SHA-256. It is written first and names
the files to come: the next call detects an interrupted write and completes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from runec.cache import ANOTHER_CACHE
from runec.diagnostics import UserFileError
from runec.files import (
    TEMPORARY,
    disk_error,
    is_file,
    missing_folders,
    read_file,
    read_regular,
    remove_empty,
    write_file,
)
from runec.firmware.render import BARE

MANIFEST = "runec-project.json"
_FORMAT = 1
_MAX_MANIFEST_BYTES = 1 << 20
_ELSEWHERE = "choose another folder with -d"
_NAMED = 5


class NoProjectError(UserFileError):
    """A folder that holds something else than a whole project."""


class _BoardId(msgspec.Struct, frozen=True):
    id: str


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of a manifest by any version of runec; `begun` are the files being written."""

    rune: str
    framework: str
    board: _BoardId
    files: dict[str, str]
    begun: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Purpose:
    """Rune, board and framework of a project. Another rune of the same name is its next version."""

    rune: str
    board: str
    framework: str

    def __str__(self) -> str:
        framework = "" if self.framework == BARE else f" with {self.framework}"
        return f"{self.rune!r} on {self.board}{framework}"


def is_project(directory: Path) -> bool:
    """Return whether a project was written there, or begun to be."""
    return is_file(directory / MANIFEST)


def read_manifest(directory: Path) -> bytes:
    """Return the manifest of a project that was written to its end.

    Raises:
        UserFileError: R0813, not a project, or incomplete; R1003, it cannot be read.
    """
    data = read_file(directory / MANIFEST, "project file", max_bytes=_MAX_MANIFEST_BYTES)
    found = _decode(directory, data)
    if found.begun:
        raise NoProjectError(
            "R0813",
            f"{directory} contains an incomplete project: its creation was interrupted",
            hint=f"create it again: {_anew(directory, found)}",
        )
    return data


def outdated(directory: Path, data: bytes, why: object) -> NoProjectError:
    """Return the error for a manifest that another version of runec wrote."""
    return NoProjectError(
        "R0813",
        f"{directory / MANIFEST} was not written by this version of runec: {why}",
        hint=f"create the project again: {_anew(directory, _decode(directory, data))}",
    )


def _anew(directory: Path, found: _Manifest) -> str:
    options = ["--board", found.board.id]
    if found.framework != BARE:
        options += ["--framework", found.framework]
    return f"runec firmware new X.rune {shlex.join([*options, '-d', str(directory)])}"


def _decode(directory: Path, data: bytes) -> _Manifest:
    try:
        return msgspec.json.decode(data, type=_Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NoProjectError(
            "R0813",
            f"{directory / MANIFEST} is damaged: {error}",
            hint=f"the list of files by runec is lost: remove {directory}, or {_ELSEWHERE}",
        ) from None


@contextlib.contextmanager
def held_folder(
    directory: Path, log: Callable[[str], None] | None = None, *, make: bool = False
) -> Iterator[None]:
    """Lock a project folder against other processes of runec; wait until it is free.

    The lock is on the folder itself, so there is no file for it, and ends with the process at the
    latest. With `make` the folder is made, and removed again where nothing was put into it. A
    folder that cannot be made or locked is used as it is: what is done in it reports why.
    """
    missing = missing_folders(directory) if make else []
    try:
        with contextlib.ExitStack() as stack:
            if make:
                with contextlib.suppress(OSError):
                    directory.mkdir(parents=True, exist_ok=True)
            while not _lock(directory, stack, log, make=make):
                pass
            yield
    finally:
        remove_empty(missing)


def _lock(
    directory: Path,
    stack: contextlib.ExitStack,
    log: Callable[[str], None] | None,
    *,
    make: bool,
) -> bool:
    """Lock a folder until the stack ends; False where it was replaced in the meantime."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    stack.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if log is not None:
            log(f"waiting for another process that uses {directory}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), directory.stat())
    except OSError:  # the other process failed, and removed its files
        if make:
            with contextlib.suppress(OSError):
                directory.mkdir(parents=True, exist_ok=True)
        return not make


def put_project(
    directory: Path,
    purpose: Purpose,
    files: Mapping[str, bytes],
    facts: Mapping[str, object],
    *,
    in_cache: bool,
) -> None:
    """Write a project's files and its manifest, which also holds `facts`.

    Files that hold what they should keep their time; those of an earlier version that are no
    longer needed are removed. If this is interrupted, the next call completes it. With
    `in_cache` the folder belongs to runec, and wrong files are replaced.

    Raises:
        UserFileError: R0813, the folder holds something else; R0816, the project of something else;
            R0817, changes of the user's; none of them in the cache.
        MachineError: R1001, R1002, the disk.
    """
    elsewhere = ANOTHER_CACHE if in_cache else _ELSEWHERE
    known = _known(directory, elsewhere, in_cache=in_cache)
    if known is not None and not in_cache:
        _refuse_another(directory, purpose, known)
    before = {**known.files, **known.begun} if known else {}
    changed, edited = _differences(directory, files, before, known)
    if edited and not in_cache:
        raise _would_lose(directory, edited)
    digests = {name: _digest(data) for name, data in sorted(files.items())}
    manifest = _encode({**_head(purpose), **facts, "files": digests})
    gone = sorted(name for name in before.keys() - files.keys() if _place(directory, name))
    if changed or gone or known is None or known.begun:
        if known is None or known.begun:
            _sweep(directory, (*files, MANIFEST))
        begun = {**_head(purpose), "files": known.files if known else {}, "begun": digests}
        write_file(directory / MANIFEST, _encode(begun), elsewhere=elsewhere)
        for name in changed:
            write_file(directory / name, files[name], elsewhere=elsewhere)
        for name in gone:
            _remove(directory, name)
    write_file(directory / MANIFEST, manifest, only_if_changed=True, elsewhere=elsewhere)


def _head(purpose: Purpose) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "rune": purpose.rune,
        "framework": purpose.framework,
        "board": {"id": purpose.board},
    }


def _encode(manifest: Mapping[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _known(directory: Path, elsewhere: str, *, in_cache: bool) -> _Manifest | None:
    """Return the manifest of a project folder; None for a free folder."""
    try:
        return _found(directory)
    except UserFileError:
        if not in_cache:
            raise
        _clear(directory, elsewhere)
        return None


def _found(directory: Path) -> _Manifest | None:
    if is_project(directory):
        data = read_file(directory / MANIFEST, "project file", max_bytes=_MAX_MANIFEST_BYTES)
        return _decode(directory, data)
    if _is_free(directory):
        return None
    raise NoProjectError(
        "R0813",
        f"{directory} already exists and is not a firmware project",
        hint="choose a new or empty folder with -d",
    )


def _is_free(directory: Path) -> bool:
    try:
        return not os.path.lexists(directory) or all(
            (temporary := TEMPORARY.fullmatch(path.name)) and temporary[1] == MANIFEST
            for path in directory.iterdir()
        )
    except OSError:
        return False


def _clear(directory: Path, elsewhere: str) -> None:
    try:
        if directory.is_dir() and not directory.is_symlink():
            shutil.rmtree(directory)
        else:
            directory.unlink()
    except OSError as error:
        raise disk_error(error, f"clear {directory}", elsewhere=elsewhere) from None


def _refuse_another(directory: Path, purpose: Purpose, known: _Manifest) -> None:
    there = Purpose(known.rune, known.board.id, known.framework)
    if there != purpose:
        raise UserFileError(
            "R0816",
            f"{directory} is the project of the rune {there}, not of {purpose}",
            hint=f"{_ELSEWHERE}, or remove {directory}",
        )


def _differences(
    directory: Path, files: Mapping[str, bytes], before: Iterable[str], known: _Manifest | None
) -> tuple[list[str], list[str]]:
    """Return the files to write, and those with local changes."""
    changed, edited = [], []
    for name in sorted({*files, *before}):
        path = _place(directory, name)
        there = _read(path) if path else None
        if there == files.get(name):
            continue
        if name in files:
            changed.append(name)
        written = [known.files.get(name), known.begun.get(name)] if known else []
        if there is not None and _digest(there) not in written:
            edited.append(name)
    return changed, edited


def _read(path: Path) -> bytes | None:
    try:
        return read_regular(path)
    except OSError:
        return None  # it is not there; or writing it will tell


def _would_lose(directory: Path, edited: list[str]) -> UserFileError:
    more = f" and {len(edited) - _NAMED} more" if len(edited) > _NAMED else ""
    return UserFileError(
        "R0817",
        f"{directory} has local changes that would be overwritten: "
        f"{', '.join(edited[:_NAMED])}{more}",
        hint=f"{_ELSEWHERE}; or move these files away, and merge your changes into the new ones",
        notes=["`runec firmware build FOLDER` builds it with the changes"],
    )


def _place(directory: Path, name: str) -> Path | None:
    """Return the path of a file of the manifest; None if it is outside the folder."""
    parts = PurePosixPath(name).parts
    if ".." in parts or PurePosixPath(name).is_absolute():
        return None
    return directory.joinpath(*parts)


def _sweep(directory: Path, names: Iterable[str]) -> None:
    """Remove the temporary files of a killed process."""
    folders: dict[Path, set[str]] = {}
    for name in names:
        path = directory / name
        folders.setdefault(path.parent, set()).add(path.name)
    for folder, wanted in folders.items():
        with contextlib.suppress(OSError):
            for path in list(folder.iterdir()):
                temporary = TEMPORARY.fullmatch(path.name)
                if temporary and temporary[1] in wanted:
                    path.unlink(missing_ok=True)


def _remove(directory: Path, name: str) -> None:
    """Remove one file of an earlier project, and folders that it leaves empty."""
    path = _place(directory, name)
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.unlink()
        for folder in list(path.parents)[: len(PurePosixPath(name).parts) - 1]:
            folder.rmdir()
