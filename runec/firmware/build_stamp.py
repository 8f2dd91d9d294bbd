"""Build stamps: prove that a firmware is up to date, without the builder.

Starting PlatformIO and SCons takes longer than everything else in a build in which nothing is to be
made. A build is named by all that it is made from, and by what came out of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import runec
from runec.boards import Toolchain
from runec.cache import content_key
from runec.diagnostics import MachineError
from runec.files import write_file
from runec.firmware.pio import installed_package

_STAMP = ".runec-built"
_MADE = ".pio"
# Environment variables that PlatformIO and compilers read.
_VARIABLES = (
    "PLATFORMIO_",
    "PATH",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
)


def build_folder(project: Path) -> Path:
    """Return the folder that PlatformIO builds a project in."""
    return project / _MADE / "build" / "firmware"


def build_inputs(project: Path, toolchain: Toolchain, environment: Mapping[str, str]) -> str | None:
    """Return the name of everything that a build of a project is made from.

    None if a file cannot be read; the builder reports it.
    """
    try:
        return content_key(
            runec.__version__,
            *_tools(toolchain),
            *_package(toolchain, environment),
            *_environment({**os.environ, **environment}),
            *_contents(project, _sources(project)),
        )
    except OSError:
        return None


def was_built(project: Path, inputs: str | None) -> bool:
    """Return whether the stamp has these inputs, and the outputs are unchanged."""
    try:
        noted = (build_folder(project) / _STAMP).read_text(encoding="ascii")
        return inputs is not None and noted == _note(project, inputs)
    except (OSError, UnicodeDecodeError):
        return False


def note_build(project: Path, inputs: str | None) -> None:
    """Store the stamp of a build whose inputs were collected before the builder started.

    If the stamp cannot be written, the next build is repeated.
    """
    if inputs is not None:
        with contextlib.suppress(OSError, MachineError):
            write_file(build_folder(project) / _STAMP, _note(project, inputs))


def _note(project: Path, inputs: str) -> str:
    return content_key(inputs, *_contents(project, _results(project)))


def _tools(toolchain: Toolchain) -> Iterator[str]:
    """Yield path, size and time of the compiler's programs: what a new version changes."""
    programs = [f"{toolchain.prefix}{name}" for name in ("gcc", "g++", "ld", "objcopy")]
    for program in (*programs, toolchain.cxx_headers_from):
        found = shutil.which(program) if program else None
        if found is None:
            yield f"{program} none"
            continue
        path = Path(os.path.realpath(found))
        status = path.stat()
        yield f"{path} {status.st_size} {status.st_mtime_ns}"


def _package(toolchain: Toolchain, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the same of PlatformIO's package of the compiler, which then counts."""
    core = Path(environment.get("PLATFORMIO_CORE_DIR", ""))
    package = installed_package(core, toolchain.pio_package)
    if package is not None:
        status = (package / "package.json").stat()
        yield f"{package} {status.st_size} {status.st_mtime_ns}"


def _environment(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(variables.items()):
        if name.startswith(_VARIABLES):
            yield f"{name}={value}"


def _sources(project: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(project):
        # Hidden folders are PlatformIO's own, a version control's or an editor's.
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names)


def _results(project: Path) -> Iterator[Path]:
    """Yield the program, its map and the images; objects are of use to the builder alone."""
    for path in build_folder(project).iterdir():
        if path.name.startswith("firmware.") or path.suffix == ".bin":
            yield path


def _contents(project: Path, paths: Iterable[Path]) -> Iterator[str | bytes]:
    for path in sorted(path for path in paths if path.is_file()):
        yield path.relative_to(project).as_posix()
        yield path.read_bytes()
