"""The firmware of the self test: a board's HAL and the link, without a rune and its engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runec.backends import SourceGroup
from runec.backends.engines import DEFAULT
from runec.boards import Board
from runec.data import data_dir
from runec.diagnostics import UserFileError
from runec.firmware.build import FirmwareBuild, build_project
from runec.firmware.memory_plan import MemoryPlan
from runec.firmware.project import (
    Project,
    bare_hal,
    project_contents,
    runevm_group,
    template_files,
)
from runec.firmware.project_cache import held_project_folder
from runec.firmware.project_manifest import Purpose, put_project
from runec.firmware.render import BARE, SELFTEST_ENGINE, selftest_files

# No `file_name` of a rune has a plus.
_NAME = "selftest+"
_STACK_BYTES = 4096


def has_selftest(board: Board) -> bool:
    """Return whether there is a self test for the chip of a board."""
    return not board.is_vendor_only and _hook(board).is_file()


def _hook(board: Board) -> Path:
    return data_dir("firmware_templates") / "hal" / "selftest" / f"{board.hal.folder}.c"


@contextmanager
def selftest_project(
    board: Board, *, log: Callable[[str], None] | None = None
) -> Iterator[Project]:
    """Write the project of a board's self test in the cache and hold it against other processes.

    Raises:
        UserFileError: R0926, runec has no self test for the chip.
        MachineError: R0822, a source is missing; R1001 and R1002, the cache cannot be written.
    """
    if not has_selftest(board):
        raise UserFileError(
            "R0926",
            f"there is no self test for {board.id}: its chip needs a file "
            f"firmware_templates/hal/selftest/{board.hal.folder}.c",
            hint="use a board with start-up code of runec: `runec boards` lists them",
        )
    with held_project_folder(board, _NAME, log=log) as folder:
        yield _create(board, folder)


@contextmanager
def held_selftest(
    board: Board, *, log: Callable[[str], None] | None = None
) -> Iterator[FirmwareBuild]:
    """Build the firmware of a board's self test; its files stay as they are while this is open.

    Raises:
        RunecError: as `selftest_project` and `build_project`.
    """
    with selftest_project(board, log=log) as project:
        yield build_project(project, log=log)


def _create(board: Board, folder: Path) -> Project:
    plan = MemoryPlan(DEFAULT.name, 0, 0, 0, 0, _stack_bytes(board), 0, operators=(), stages=())
    groups = (runevm_group("-DRUNEVM_LINK_SELFTEST"), bare_hal(board), _module(board))
    library = {
        f"lib/{group.folder}/{name}": path for group in groups for name, path in group.files.items()
    }
    contents = project_contents(
        {
            **library,
            **template_files("selftest_firmware.c", BARE),
            **selftest_files(board, plan, groups),
        }
    )
    project = Project(
        directory=folder,
        rune_name=SELFTEST_ENGINE,
        rune_bytes=0,
        backend=SELFTEST_ENGINE,
        framework=BARE,
        board=board,
        plan=plan,
        files=tuple(sorted(contents)),
    )
    facts = {"backend": project.backend, "rune_bytes": 0, "plan": plan, "board": board}
    purpose = Purpose(project.rune_name, board.id, BARE)
    put_project(folder, purpose, contents, facts, in_cache=True)
    return project


def _stack_bytes(board: Board) -> int:
    """Return the bytes of stack: a board file may ask for much where engines call deeply."""
    return min(board.memory.stack_bytes, _STACK_BYTES)


def _module(board: Board) -> SourceGroup:
    folder = data_dir("firmware_templates") / "selftest"
    files = {name: folder / name for name in ("selftest.c", "selftest.h", "selftest_chip.h")}
    return SourceGroup(
        folder="selftest",
        files={**files, "chip.c": _hook(board)},
        sources=("selftest.c", "chip.c"),
        include=("lib/selftest", "lib/hal", "lib/runevm/include", "lib/runevm/src"),
        flags=(
            "-Wall",
            "-Wextra",
            *bare_hal(board).flags[2:],
            *(["-DSELFTEST_HAS_I2C"] if board.hal.i2c else []),
        ),
    )
