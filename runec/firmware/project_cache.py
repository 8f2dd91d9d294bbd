"""Firmware projects in the cache: made when they are needed, held while they are used, pruned."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from runec.boards import Board
from runec.cache import ANOTHER_CACHE, FIRMWARE_BYTES_MAX, cache_dir, content_key, folder_bytes
from runec.diagnostics import MachineError
from runec.files import disk_error, file_name
from runec.firmware.build import FirmwareBuild, build_project
from runec.firmware.device_rune import DeviceRune
from runec.firmware.project import BACKENDS, Project, create_project
from runec.firmware.render import BARE

Log = Callable[[str], None]


@contextmanager
def held_firmware(
    rune: DeviceRune, board: Board, *, backend: str = BACKENDS[0], log: Log | None = None
) -> Iterator[FirmwareBuild]:
    """Build the firmware of a rune in the cache; its files are locked while this is open.

    Raises:
        RunecError: as `create_project` and `build_project`.
        MachineError: R1001 and R1002, the cache cannot be written.
    """
    with cached_project(rune, board, backend=backend, log=log) as project:
        yield build_project(project, log=log)


@contextmanager
def cached_project(
    rune: DeviceRune,
    board: Board,
    *,
    framework: str = BARE,
    backend: str = BACKENDS[0],
    lasting: bool = False,
    log: Log | None = None,
) -> Iterator[Project]:
    """Write the project of a rune for a board in the cache and hold it against other processes.

    Once it is let go of, another rune of the same name may take the folder. With `lasting` only
    the same bytes for the same board ever come into it, so that it can be named to the user.

    Raises:
        RunecError: as `create_project`.
        MachineError: R1001 and R1002, the cache cannot be written.
    """
    # One folder for all runes of a name: the next version of a rune only compiles what changed. An
    # emulated variant has a folder of its own, so that `run` and `flash` in turn build nothing.
    name = file_name(rune.graph.name, "rune")
    if lasting:
        key = content_key(rune.data, msgspec.json.encode(board), framework, backend)
        name = f"{name}+{key[:16]}"  # no `file_name` has a plus
    with held_project_folder(board, name, framework=framework, backend=backend, log=log) as folder:
        yield create_project(
            rune, board, folder, framework=framework, backend=backend, in_cache=True
        )


@contextmanager
def held_project_folder(
    board: Board,
    name: str,
    *,
    framework: str = BARE,
    backend: str = BACKENDS[0],
    log: Log | None = None,
) -> Iterator[Path]:
    """Hold the folder of a project for a board against other processes; it may not exist yet.

    Raises:
        MachineError: R1001 and R1002, the cache cannot be written.
    """
    kinds = [board.variant_id if framework == BARE else board.file_id]
    kinds += [framework] if framework != BARE else []
    kinds += [backend] if backend != BACKENDS[0] else []
    kind = "-".join(kinds)
    folder = _projects() / kind / name
    with _locked(folder, log):
        if not folder.exists():
            _prune(_projects())
        yield folder


def _projects() -> Path:
    return cache_dir() / "firmware"


def clear_projects() -> list[Path]:
    """Remove the projects in the cache; return those that are in use by another process, and stay.

    Raises:
        MachineError: R1002, there is no cache or it cannot be written.
    """
    in_use = []
    for folder in sorted(path for path in _projects().glob("*/[!.]*") if path.is_dir()):
        with _open_lock(_lock_of(folder)) as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when it is closed
                shutil.rmtree(folder)
            except BlockingIOError:
                in_use.append(folder)
            except OSError as error:
                raise disk_error(error, f"clear {folder}", elsewhere=ANOTHER_CACHE) from None
    return in_use


def _prune(root: Path) -> None:
    """Delete the projects used longest ago, but those in use, until the rest is no longer too much.

    The time of a project's lock is that of its last use.
    """
    found = []
    for lock in root.glob("*/.*.lock"):
        folder = lock.with_name(lock.name.removeprefix(".").removesuffix(".lock"))
        with contextlib.suppress(OSError):
            found.append((lock.stat().st_mtime, folder, folder_bytes(folder)))
    total = sum(size for _, _, size in found)
    for _, folder, size in sorted(found):
        if total <= FIRMWARE_BYTES_MAX:
            return
        if not size:
            continue
        with contextlib.suppress(OSError, MachineError), _open_lock(_lock_of(folder)) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when it is closed
            shutil.rmtree(folder)
            total -= size


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def _locked(folder: Path, log: Log | None) -> Iterator[None]:
    """Hold a folder against other runec processes; the lock ends with the process at the latest."""
    path = _lock_of(folder)
    with _open_lock(path) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if log is not None:
                log(f"waiting for another process that uses {folder}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        with contextlib.ExitStack() as stack:
            stack.callback(fcntl.flock, stream, fcntl.LOCK_UN)
            with contextlib.suppress(OSError):
                os.utime(path)  # what is used is pruned last
            yield


def _open_lock(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise disk_error(error, f"write {path}", elsewhere=ANOTHER_CACHE) from None
