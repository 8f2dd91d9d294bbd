"""Programs of a board's HAL alone, for its emulator."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import Board
from runec.data import data_dir
from runec.firmware.layout import Layout
from runec.firmware.render import linker_script

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off", "-Os")


@pytest.fixture(scope="module")
def on_hal(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Board], Path]:
    """Compile a program with the HAL of a board: the ELF file."""
    made: dict[tuple[Path, str], Path] = {}

    def build(source: Path, board: Board) -> Path:
        key = (source, board.id)
        if key not in made:
            folder = tmp_path_factory.mktemp(board.id)
            layout = Layout(0, 0, 0, 0, 2048, 0, operators=(), stages=())
            (folder / "linker.ld").write_text(linker_script(board, layout))
            templates = data_dir("firmware_templates")
            folders = [
                templates / "hal" / name for name in ("common", *board.hal.shares, board.hal.folder)
            ]
            sources = [path for each in folders for path in sorted(each.glob("*.[cS]"))]
            numbers = {
                "HAL_CLOCK_HZ": board.cpu.clock_hz,
                "HAL_BAUD": board.hal.baud,
                **board.hal.defines,
            }
            if board.hal.link == "rtt":
                numbers["HAL_LINK_RINGS"] = 1
                sources.append(templates / "runevm" / "src" / "rings.c")
            command = [f"{board.toolchain.prefix}gcc", *board.toolchain.flags, *STRICT]
            command += [*board.toolchain.link_flags, "-nostartfiles", "-T", "linker.ld"]
            command += [f"-D{name}={value}u" for name, value in numbers.items()]
            command += [f"-I{each}" for each in (*folders, templates / "runevm" / "include")]
            command += [str(source), *map(str, sources), "-o", "program.elf"]
            subprocess.run(command, check=True, cwd=folder)
            made[key] = folder / "program.elf"
        return made[key]

    return build
