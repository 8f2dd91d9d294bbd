"""Writing and reading self-contained project folders."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runec.backends import SourceGroup, tflm
from runec.backends.engines import ENGINES
from runec.boards import Board
from runec.data import data_dir
from runec.diagnostics import MachineError, UsageError
from runec.firmware import arduino
from runec.firmware.board_sensors import Accelerometer, choose_accelerometer
from runec.firmware.budget import check_budget
from runec.firmware.device_rune import DeviceRune
from runec.firmware.memory_plan import MemoryPlan, plan_memory
from runec.firmware.pins import choose_pins
from runec.firmware.project_manifest import (
    Purpose,
    held_folder,
    outdated,
    put_project,
    read_manifest,
)
from runec.firmware.refusals import VendorError
from runec.firmware.render import (
    BARE,
    DRIVERS_FOLDER,
    FRAMEWORKS,
    PLATFORM_FOLDER,
    generated_files,
)
from runec.suggestions import suggestion

BACKENDS = tuple(ENGINES)
Content = bytes | str | Path
"""What a file of a project is made of; a path is that of a file to copy."""


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What create_project() leaves for build_project() and for the next create_project()."""

    format: int
    rune: str
    backend: str
    framework: str
    rune_bytes: int
    plan: MemoryPlan
    board: Board
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder with its rune and board."""

    directory: Path
    rune_name: str
    rune_bytes: int
    backend: str
    framework: str
    board: Board
    plan: MemoryPlan
    files: tuple[str, ...]


def create_project(
    rune: DeviceRune,
    board: Board,
    directory: Path,
    *,
    backend: str = BACKENDS[0],
    framework: str = BARE,
    in_cache: bool = False,
    log: Callable[[str], None] | None = None,
) -> Project:
    """Write the firmware project of a rune for a board.

    With the framework `arduino` it is one for the vendor's platform in PlatformIO's registry.

    Files that hold what they should keep their time, so that the next build is short; files of an
    earlier version in the same folder that are no longer needed are removed. Nothing is written
    before the budget was checked. With `in_cache` the folder is runec's own: whatever it holds is
    replaced. `log` gets a line where another process has the folder: then it waits.

    Raises:
        UserFileError: R0811, R0812, the rune is too big for the board; R0813, `directory` holds
            something else; R0816, the project of another rune or board; R0817, changes of the
            user's; R0840, the board's sensors cannot give what the rune asks for; R0841, it lacks
            a pin.
        UsageError: R0803, no such backend or framework, or the board has no vendor's platform.
        MachineError: R0822, a source file is missing; R10xx, a component cannot be fetched, or the
            disk.
    """
    _check_known("backend", backend, BACKENDS)
    _check_known("framework", framework, FRAMEWORKS)
    if framework == BARE and board.is_vendor_only:
        raise VendorError(
            "R0828",
            f"{board.id} requires --framework arduino: runec has no start-up code for this board",
            hint="add --framework arduino to runec firmware, runec flash or runec size",
        )
    if framework != BARE and board.vendor is None:
        raise VendorError(
            "R0803",
            f"the board file of {board.id} has no [vendor] platform for {framework!r}",
            hint="omit --framework, or add [vendor] to it",
        )
    if framework != BARE:
        board = board.with_vendor()
    plan = plan_memory(rune, board, ENGINES[backend])
    accelerometer = choose_accelerometer(rune, board, framework)
    pins = choose_pins(rune, board, framework, accelerometer)
    check_budget(len(rune.data), plan, board)
    try:
        groups = _source_groups(board, plan, framework, accelerometer)
        files: dict[str, Content] = {
            **_library_files(groups, framework),
            **template_files("firmware.c", framework),
            **generated_files(
                rune,
                board,
                plan,
                groups,
                backend=backend,
                framework=framework,
                accelerometer=accelerometer,
                pins=pins,
            ),
        }
    except OSError as error:
        raise _incomplete(error) from None
    contents = project_contents(files)
    project = Project(
        directory=directory,
        rune_name=rune.graph.name,
        rune_bytes=len(rune.data),
        backend=backend,
        framework=framework,
        board=board,
        plan=plan,
        files=tuple(sorted(files)),
    )
    facts = {
        "backend": backend,
        "rune_bytes": project.rune_bytes,
        "plan": plan,
        "board": board,
    }
    purpose = Purpose(project.rune_name, board.id, framework)
    # A folder of the cache is held by who asked for it.
    with contextlib.nullcontext() if in_cache else held_folder(directory, log, make=True):
        put_project(directory, purpose, contents, facts, in_cache=in_cache)
    return project


def _check_known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        hint = suggestion(name, known)
        raise UsageError("R0803", f"no such {what}: {name!r}", hint=hint)


def _library_files(
    groups: tuple[SourceGroup, ...], framework: str
) -> Mapping[str, bytes | str | Path]:
    if framework != BARE:
        return arduino.library_files(groups)
    return {
        f"lib/{group.folder}/{name}": origin
        for group in groups
        for name, origin in group.files.items()
    }


def _incomplete(error: OSError) -> MachineError:
    return MachineError(
        "R0822",
        f"a source of the firmware cannot be read: {error.filename}: {error.strerror}",
        hint="remove the folder `components` of the cache; the next command fetches it again",
    )


def project_contents(files: Mapping[str, Content]) -> dict[str, bytes]:
    """Return the bytes of files that are text, bytes, or a source to be copied.

    Raises:
        MachineError: R0822, a source cannot be read.
    """
    return {name: _content(content) for name, content in files.items()}


def _content(content: Content) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, bytes):
        return content
    try:
        return content.read_bytes()
    except OSError as error:
        raise _incomplete(error) from None


def load_project(directory: Path) -> Project:
    """Return the rune and board of a folder by create_project().

    Raises:
        UserFileError: R0813, the folder is no such project, or was not written to its end; R1003,
            it cannot be read.
    """
    data = read_manifest(directory)
    try:
        found = msgspec.json.decode(data, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise outdated(directory, data, error) from None
    return Project(
        directory,
        found.rune,
        found.rune_bytes,
        found.backend,
        found.framework,
        found.board,
        found.plan,
        tuple(sorted(found.files)),
    )


def _folder_files(folder: Path, patterns: tuple[str, ...]) -> dict[str, Path]:
    found = [path for pattern in patterns for path in folder.rglob(pattern)]
    return {path.relative_to(folder).as_posix(): path for path in sorted(found)}


def runevm_group(*flags: str) -> SourceGroup:
    """Return the portable rune-vm, the link in it, compiled with these flags as well."""
    templates = data_dir("firmware_templates")
    runevm = _folder_files(templates / "runevm" / "include", ("*.h",))
    runevm = {f"include/{name}": path for name, path in runevm.items()}
    sources = _folder_files(templates / "runevm" / "src", ("*.h", "*.c"))
    runevm |= {f"src/{name}": path for name, path in sources.items()}
    return SourceGroup(
        folder="runevm",
        files=runevm,
        sources=tuple(name for name in runevm if name.endswith(".c")),
        include=("lib/runevm/include", "lib/runevm/src"),
        flags=("-Wall", "-Wextra", *flags),
    )


def _source_groups(
    board: Board, plan: MemoryPlan, framework: str, accelerometer: Accelerometer | None
) -> tuple[SourceGroup, ...]:
    groups = [
        runevm_group(),
        bare_hal(board) if framework == BARE else arduino.hal_group(board, plan),
        *plan.engine.source_groups(),
    ]
    if plan.model_count:
        groups += tflm.source_groups(plan.operators)
    if accelerometer is not None:
        groups.append(_driver(accelerometer))
    return tuple(groups)


def _driver(accelerometer: Accelerometer) -> SourceGroup:
    sources = ("accelerometer.c", f"{accelerometer.name}.c")
    folder = data_dir("firmware_templates") / "drivers"
    return SourceGroup(
        folder=DRIVERS_FOLDER,
        files={name: folder / name for name in ("accelerometer.h", *sources)},
        sources=sources,
        include=(f"lib/{DRIVERS_FOLDER}", "lib/hal"),
        flags=("-Wall", "-Wextra"),
    )


def bare_hal(board: Board) -> SourceGroup:
    """Return a board's HAL: what all chips share, and the folders that its file names."""
    templates = data_dir("firmware_templates")
    hal: dict[str, Path] = {}
    for folder in ("common", *board.hal.shares, board.hal.folder):
        hal |= _folder_files(templates / "hal" / folder, ("*.h", "*.c", "*.S"))
    numbers = {
        "HAL_CLOCK_HZ": board.cpu.clock_hz,
        "HAL_BAUD": board.hal.baud,
        **board.hal.defines,
    }
    if board.hal.link == "rtt":
        numbers["HAL_LINK_RTT"] = 1
    return SourceGroup(
        folder="hal",
        files=hal,
        sources=tuple(name for name in sorted(hal) if not name.endswith(".h")),
        include=("lib/hal", "lib/runevm/include"),
        flags=(
            "-Wall",
            "-Wextra",
            *(f"-D{name}={value}u" for name, value in sorted(numbers.items())),
        ),
    )


def template_files(program: str, framework: str) -> dict[str, Path]:
    """Return the program of a firmware, and on bare metal the platform that builds it."""
    templates = data_dir("firmware_templates")
    own = {f"src/{program}": templates / "project" / program}
    if framework != BARE:
        return own
    platform = _folder_files(templates / "platform", ("*.py",))
    return {
        **own,
        **{f"{PLATFORM_FOLDER}/{name}": path for name, path in platform.items()},
    }
