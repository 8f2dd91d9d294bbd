"""Programs of a board's HAL alone, for its emulator."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import Board
from runec.data import data_dir
from runec.firmware.memory_plan import MemoryPlan
from runec.firmware.render import linker_script

TEMPLATES = data_dir("firmware_templates")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off", "-Os")


def hal_folders(board: Board) -> list[Path]:
    """The folders of the board's HAL."""
    return [TEMPLATES / "hal" / name for name in ("common", *board.hal.shares, board.hal.folder)]


def compiler(board: Board) -> list[str]:
    """The command that compiles files of the board's HAL."""
    numbers = {"HAL_CLOCK_HZ": board.cpu.clock_hz, "HAL_BAUD": board.hal.baud, **board.hal.defines}
    if board.hal.link == "rtt":
        numbers["HAL_LINK_RTT"] = 1
    command = [f"{board.toolchain.prefix}gcc", *board.toolchain.flags, *STRICT]
    command += [f"-D{name}={value}u" for name, value in numbers.items()]
    folders = (*hal_folders(board), TEMPLATES / "runevm" / "include")
    return [*command, *(f"-I{each}" for each in folders)]


@pytest.fixture
def hal_compiler() -> Callable[[Board], list[str]]:
    return compiler


@pytest.fixture(scope="module")
def on_hal(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile a program with the HAL of a board, and with more flags: the ELF file."""
    made: dict[tuple[Path, str, tuple[str, ...]], Path] = {}

    def build(source: Path, board: Board, *flags: str) -> Path:
        key = (source, board.id, flags)
        if key not in made:
            folder = tmp_path_factory.mktemp(board.id)
            plan = MemoryPlan("wasm3", 0, 0, 0, 0, 2048, 0, operators=(), stages=())
            (folder / "linker.ld").write_text(linker_script(board, plan))
            sources = [path for each in hal_folders(board) for path in sorted(each.glob("*.[cS]"))]
            if board.hal.link == "rtt":
                sources.append(TEMPLATES / "runevm" / "src" / "rtt.c")
            command = [*compiler(board), *board.toolchain.link_flags, "-nostartfiles", *flags]
            command += ["-T", "linker.ld", str(source), *map(str, sources), "-o", "program.elf"]
            subprocess.run(command, check=True, cwd=folder)
            made[key] = folder / "program.elf"
        return made[key]

    return build
