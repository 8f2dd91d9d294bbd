"""The cache: what can be made again, in one folder of the user's.

    objects/     objects of firmware builds, SCons's own format   pruned to 1 GiB
    components/  third-party sources                              runec.components
    firmware/    projects that runec builds for itself            runec.devices, at most 1 GiB
    platformio/  PlatformIO's state                               runec.firmware

Output of the compiler for WebAssembly is not cached (runec.codegen.build has the figures).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from runec.diagnostics import MachineError
from runec.files import disk_error

OBJECTS_BYTES_MAX = 1 << 30
FIRMWARE_BYTES_MAX = 1 << 30
# What was used this recently may be in use by another process, and is not pruned.
IN_USE_S = 3600

ANOTHER_CACHE = "set RUNEC_CACHE_DIR to a writable folder"


def cache_dir() -> Path:
    """Return the folder for everything that can be made again: `RUNEC_CACHE_DIR` or the user's.

    Raises:
        MachineError: R1002, neither is known.
    """
    override = os.environ.get("RUNEC_CACHE_DIR")
    try:
        folder = Path(override or platformdirs.user_cache_dir("runec")).expanduser()
    except RuntimeError:
        raise MachineError(
            "R1002",
            "no home folder for the cache",
            hint=ANOTHER_CACHE,
        ) from None
    # Absolute, because builders and clients that get it run in other folders.
    return folder.absolute()


def content_key(*parts: bytes | str) -> str:
    """Return the SHA-256, in hexadecimal, of parts that are separated by their lengths."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    used_s: float


def _files(folder: Path) -> Iterator[_File]:
    """Every plain file below a folder; those that vanish meanwhile, or cannot be seen, are none."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                status = path.lstat()
                yield _File(path, status.st_size, status.st_mtime)


def prune(folder: Path, max_bytes: int) -> None:
    """Delete the files used longest ago until the rest is at most `max_bytes`.

    Files used in the last hour stay, as long as no clock has gone wrong: one whose
    time lies in the future counts as old.
    """
    now = time.time()
    files = [
        item if item.used_s <= now + IN_USE_S else _File(item.path, item.size, 0)
        for item in _files(folder)
    ]
    total = sum(item.size for item in files)
    for item in sorted(files, key=lambda item: (item.used_s, item.path)):
        if total <= max_bytes or item.used_s > now - IN_USE_S:
            return
        with contextlib.suppress(OSError):
            item.path.unlink()
            total -= item.size


def folder_bytes(folder: Path) -> int:
    """Return how large the files of a folder are together; 0 where there is none."""
    return sum(item.size for item in _files(folder))


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a part of the cache holds; `max_bytes` where it is bounded."""

    part: str
    files: int
    bytes: int
    max_bytes: int | None


# Every part, and its bound. Those with one are made again by the next build, without a network.
_PARTS = {
    "objects": OBJECTS_BYTES_MAX,
    "components": None,
    "firmware": FIRMWARE_BYTES_MAX,
    "platformio": None,
}


def usage() -> tuple[Usage, ...]:
    """Count what each part of the cache holds.

    Raises:
        MachineError: R1002, there is no cache.
    """
    return tuple(_usage(cache_dir() / part, bound) for part, bound in _PARTS.items())


def _usage(folder: Path, bound: int | None) -> Usage:
    files = list(_files(folder))
    return Usage(folder.name, len(files), sum(item.size for item in files), bound)


def clear() -> None:
    """Remove the objects of firmware builds. A build that runs meanwhile makes them again.

    Projects are held while they are used: `runec.firmware.clear_projects` removes them.

    Raises:
        MachineError: R1002, there is no cache or it cannot be written.
    """
    folder = cache_dir() / "objects"
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise disk_error(error, f"clear {folder}", elsewhere=ANOTHER_CACHE) from None
