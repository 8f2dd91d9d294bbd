"""Building a project with PlatformIO; errors and sizes of the build."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runec.boards import Board
from runec.boards.platformio import install_command
from runec.boards.trust import unusual_flags
from runec.cache import OBJECTS_BYTES_MAX, prune
from runec.diagnostics import MachineError, RunecError, UserFileError
from runec.files import read_file
from runec.firmware.budget import core_stack_bytes, flash_error, ram_error
from runec.firmware.build_stamp import build_folder, build_inputs, note_build, was_built
from runec.firmware.elf import read_elf
from runec.firmware.pio import (
    asks_for_packages,
    core_dir,
    installed_package,
    objects_dir,
    pio_environment,
    pio_program,
)
from runec.firmware.project import Project, load_project
from runec.firmware.project_manifest import held_folder
from runec.firmware.refusals import UnfitBoardError
from runec.firmware.render import BARE
from runec.firmware.tool_output import Overflow, error_lines, overflows
from runec.tools import TOOL_LIMITS, Finished, find_tool, run_tool

_JOBS = 2
# A header of the C or C++ library: those of a project are in folders.
_MISSING_HEADER = re.compile(r"fatal error: ([\w.]+): No such file or directory")
# Not every "Permission denied" is about writing: a compiler may be what is denied.
_NOT_WRITABLE = re.compile(
    r"Read-only file system|PermissionError"
    r"|(?:can't create|cannot open output file|opening output file) .*Permission denied"
)
# PlatformIO asks its registry for what is not installed; without it, one of these comes out.
_NO_REGISTRY = re.compile(
    r"UnknownPackageError|HTTPClientError|InternetConnectionError|not connected to the Internet"
    r"|Could not find the package|PackageException"
)


@dataclass(frozen=True, slots=True)
class FirmwareBuild:
    """A built firmware. Sizes in bytes, from the ELF file where they are not reserved by plan."""

    board_id: str
    elf: Path
    image: Path
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    linear_memory_bytes: int
    engine_heap_bytes: int
    stack_bytes: int


def build_project(
    project: Project | Path, *, log: Callable[[str], None] | None = None
) -> FirmwareBuild:
    """Build a project that create_project() wrote; `log` gets each line of the builder.

    An up-to-date one is only measured.

    Raises:
        UserFileError: R0811, R0812, the linker found that the rune does not fit; R0813, no project;
            R1017, another process has put another project there.
        MachineError: R0820, the board's compiler is not installed; R0821, the build failed; R0823,
            the vendor's platform is not installed and cannot be fetched; R1016, a compiler took too
            much memory; R1001, the disk is full;
            R1002, the folder cannot be written; R1004, PlatformIO is not installed.
    """
    directory = project.directory if isinstance(project, Project) else project
    with held_folder(directory, log):
        found = load_project(directory)
        if isinstance(project, Project) and found != project:
            raise UserFileError(
                "R1017",
                f"another process has written another project to {directory}",
                hint="use another folder: -d",
            )
        return _build(found, log)


def _build(found: Project, log: Callable[[str], None] | None) -> FirmwareBuild:
    environment = project_environment(found)
    _refuse_variables(found, environment)
    inputs = None  # files of a vendor's platform are not checked
    if found.framework == BARE:
        if not _has_package(found, environment):
            _find_compilers(found)
        inputs = build_inputs(found.directory, found.board.toolchain, environment)
    if was_built(found.directory, inputs):
        if log is not None:
            log(f"{found.directory} has not changed since it was built")
        return _measure(found)
    if not os.access(found.directory, os.W_OK):
        raise _read_only(found)
    done = run_tool(
        [pio_program(), "run", "--project-dir", found.directory, "--jobs", str(_JOBS)],
        environment=environment,
    )
    prune(objects_dir(), OBJECTS_BYTES_MAX)
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    if log is not None:
        for line in lines:
            log(line)
    if done.returncode != 0:
        raise _over_limit(done) or _build_error(found, lines)
    built = _measure(found)
    if found.framework != BARE:
        _check_stack(found, built)
    note_build(found.directory, inputs)
    return built


def _over_limit(done: Finished) -> MachineError | None:
    """Return the error for a build that a limit ended; PlatformIO mixes all words."""
    words = msgspec.structs.replace(done, stderr=f"{done.stdout}\n{done.stderr}")
    limit = words.exceeded(TOOL_LIMITS)
    if limit is None:
        return None
    return MachineError(
        "R1016",
        f"a compiler of the firmware exceeded its limit of {limit}",
        hint="use smaller models or fewer stages; --verbose shows the compiler's command",
    )


def project_environment(project: Project) -> dict[str, str]:
    """Return what PlatformIO's environment needs for a project. Raises as `pio_environment`."""
    # A vendor's platform lives in the user's own PlatformIO, with its registry.
    return pio_environment() if project.framework == BARE else {"PLATFORMIO_NO_ANSI": "true"}


def _refuse_variables(project: Project, environment: Mapping[str, str]) -> None:
    """Reject what SCons, which builds, would take for variables and leave out of paths."""
    core = environment.get("PLATFORMIO_CORE_DIR", "")
    for path in (str(project.directory.resolve()), core):
        if "$" in path:
            raise MachineError(
                "R0821",
                f"cannot build firmware in {path}: SCons reads $ as the start of a variable",
                hint="choose a folder without a $ in its path: -d for the project, RUNEC_CACHE_DIR "
                "for the cache",
            )


def platform_to_fetch(board: Board, framework: str) -> str | None:
    """Return the vendor's platform that PlatformIO has first to fetch, or None."""
    if framework == BARE or board.vendor is None:
        return None
    name, version = board.vendor.platform.rpartition("/")[2], board.vendor.version
    name, _, asked = name.partition("@")
    # PlatformIO puts a second version into a folder NAME@VERSION.
    for folder in sorted((core_dir() / "platforms").glob(f"{name}*")):
        if folder.name.partition("@")[0] == name and _is_version(folder, version or asked):
            return None
    return board.vendor.package


def _is_version(platform: Path, version: str) -> bool:
    """Return whether an installed platform has a version; any is right where none is asked for."""
    if not version:
        return True
    try:
        about = json.loads((platform / "platform.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("version") == version


def _has_package(project: Project, environment: Mapping[str, str]) -> bool:
    """Return whether PlatformIO has the board's compiler, or was asked to bring it."""
    core, package = environment["PLATFORMIO_CORE_DIR"], project.board.toolchain.pio_package
    installed = installed_package(Path(core), package) is not None
    return installed or asks_for_packages(project.directory)


def _find_compilers(project: Project) -> None:
    toolchain = project.board.toolchain
    wanted = [f"{toolchain.prefix}gcc", f"{toolchain.prefix}g++", f"{toolchain.prefix}objcopy"]
    if toolchain.cxx_headers_from:
        wanted.append(toolchain.cxx_headers_from)
    for program in wanted:
        try:
            find_tool(program, hint="")
        except MachineError:
            raise _no_compiler(project, program) from None


def _no_compiler(project: Project, program: str) -> MachineError:
    return MachineError(
        "R0820",
        f"the compiler for {project.board.name} is not installed: {program!r} not found",
        hint=f"apt-get install {' '.join(project.board.toolchain.packages)}",
    )


def _build_error(project: Project, lines: list[str]) -> RunecError:
    too_small = _overflow_error(project, overflows(lines))
    if too_small is not None:
        return too_small
    for line in lines:
        missing = _MISSING_HEADER.search(line)
        if missing and project.framework == BARE:
            header = missing[1]
            return MachineError(
                "R0820",
                f"the compiler for {project.board.name} does not find the header {header}",
                hint=f"apt-get install {' '.join(project.board.toolchain.packages)}",
            )
    if any("No space left on device" in line for line in lines):
        return MachineError(
            "R1001",
            f"no space left to build the firmware in {project.directory}",
            hint="free some space, or choose another folder with -d, RUNEC_CACHE_DIR or TMPDIR",
        )
    refused = [line.strip() for line in lines if _NOT_WRITABLE.search(line)]
    if refused:
        return _read_only(project, refused[:5])
    unfetched = vendor_missing(project, lines)
    if unfetched is not None:
        return unfetched
    return MachineError(
        "R0821",
        f"cannot build the firmware in {project.directory}",
        hint="create the project in another folder with runec firmware new; if that fails too, "
        "report the output of the build",
        notes=[*error_lines(lines), *_flags_note(project)],
    )


def _flags_note(project: Project) -> list[str]:
    """Name the flags of the board's file that were accepted as trusted: they may be at fault."""
    toolchain = project.board.toolchain
    flags = unusual_flags((*toolchain.flags, *toolchain.link_flags))
    if project.framework != BARE or not flags:
        return []
    return [f"trusted flags of the board file {project.board.id}: {' '.join(flags)}"]


def _overflow_error(project: Project, found: Iterable[Overflow]) -> RunecError | None:
    """Return the error of the memory that is too small: RAM first, for that is scarcer."""
    board, plan = project.board, project.plan
    by_kind: dict[str, list[Overflow]] = {}
    for overflow in found:
        by_kind.setdefault(overflow.kind, []).append(overflow)
    for kind, make in (("ram", ram_error), ("flash", flash_error)):
        if kind in by_kind:
            worst = max(by_kind[kind], key=lambda each: each.excess_bytes or 0)
            return make(
                board,
                plan,
                project.rune_bytes,
                worst.excess_bytes or 1,
                is_least=worst.excess_bytes is None,
                linker_line=None if project.framework == BARE else worst.line,
            )
    for overflow in by_kind.get("code RAM", ()):
        size = "" if overflow.excess_bytes is None else f"{overflow.excess_bytes} bytes "
        return UnfitBoardError(
            "R0824",
            f"the code that runs from RAM needs {size}more than the region {overflow.region} of "
            f"{board.name} has",
            hint="choose another board: the engine's code does not depend on the rune",
            notes=[overflow.line],
        )
    return None


def _read_only(project: Project, notes: Iterable[str] = ()) -> MachineError:
    return MachineError(
        "R1002",
        f"cannot write in {project.directory}, where its firmware is built",
        hint="build a writable copy of the folder, or make the folder writable (`ls -l`)",
        notes=notes,
    )


def vendor_missing(project: Project, lines: Iterable[str]) -> MachineError | None:
    """Return R0823 if PlatformIO could not download a package."""
    vendor = project.board.vendor
    if not any(_NO_REGISTRY.search(line) for line in lines):
        return None
    if project.framework == BARE:
        if not asks_for_packages(project.directory):
            return None
        return MachineError(
            "R0823",
            "a package in platformio.ini is not installed, and PlatformIO's registry "
            "does not answer",
            hint="connect to the network, or put a `;` before `platform_packages` for the compiler "
            "in PATH",
        )
    platform = vendor.package if vendor else "of the vendor"
    return MachineError(
        "R0823",
        f"the platform {platform} is not installed, and PlatformIO's registry does not answer",
        hint=f"connect to the network, or install it: {install_command(platform)}",
    )


def _check_stack(project: Project, built: FirmwareBuild) -> None:
    """Raise R0811 where static variables leave less than the stack needs.

    Linker scripts of vendors reserve a fixed stack, or none.
    """
    excess = built.ram_bytes - project.board.memory.ram.size_bytes
    if excess > 0:
        raise ram_error(project.board, project.plan, project.rune_bytes, excess)


def _measure(project: Project) -> FirmwareBuild:
    folder = build_folder(project.directory)
    elf = folder / "firmware.elf"
    is_bare = project.framework == BARE
    image = folder / ("image.bin" if is_bare else "firmware.bin")
    ram = project.board.memory.ram
    sizes = read_elf(read_file(elf, "firmware"), ram.origin, ram.size_bytes)
    plan = project.plan
    return FirmwareBuild(
        board_id=project.board.id,
        elf=elf,
        image=image,
        flash_bytes=sizes.flash_bytes,
        ram_bytes=sizes.ram_bytes + (0 if is_bare else core_stack_bytes(plan, project.board)),
        arena_bytes=plan.arena_bytes,
        linear_memory_bytes=plan.linear_memory_bytes,
        engine_heap_bytes=plan.engine_heap_bytes,
        stack_bytes=plan.stack_bytes,
    )
