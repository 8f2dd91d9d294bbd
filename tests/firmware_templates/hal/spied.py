"""Files of a HAL as a library of this computer, in C++: a test sees each register access."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from runec.boards import Board
from runec.data import data_dir

SPY = Path(__file__).with_name("register_spy")
HAL = data_dir("firmware_templates") / "hal"
_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
# What takes the place of spy.cpp, so that a program may bring its own clock.
_GLUE = """
#include "register.h"
uint32_t (*spy_read)(uint32_t address);
void (*spy_write)(uint32_t address, uint32_t value);
extern "C" void spy_on(uint32_t (*read)(uint32_t), void (*write)(uint32_t, uint32_t))
{
    spy_read = read;
    spy_write = write;
}
"""


class Registers(Protocol):
    """A software model of a chip; what it raises is raised by `call`."""

    def read(self, address: int) -> int: ...

    def write(self, address: int, value: int) -> None: ...


def spied(
    folder: Path, board: Board, sources: Iterable[str], program: str, **defines: int
) -> ctypes.CDLL:
    """Compile files of a board's HAL, named as below hal/, and a C++ program of the test's."""
    numbers: Mapping[str, int] = {
        "HAL_CLOCK_HZ": board.cpu.clock_hz,
        "HAL_BAUD": board.hal.baud,
        **board.hal.defines,
        **defines,
    }
    (folder / "program.cpp").write_text(_GLUE + program)
    command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
    command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC"]
    command += [f"-D{name}={value}u" for name, value in numbers.items()]
    shared = [HAL / name for name in ("common", *board.hal.shares, board.hal.folder)]
    command += [f"-I{each}" for each in (SPY, *shared)]
    command += [*(str(HAL / name) for name in sources), str(folder / "program.cpp")]
    subprocess.run([*command, "-o", str(folder / "spied.so")], check=True)
    return ctypes.CDLL(str(folder / "spied.so"))


def call(library: ctypes.CDLL, registers: Registers, name: str, *arguments: object) -> int:
    """Call a function of the library while its registers are the model's; return its result."""
    wrong: list[Exception] = []

    def kept(access: Callable[[], int | None]) -> int:
        try:
            return access() or 0
        except Exception as error:  # noqa: BLE001 - it cannot pass through C
            wrong.append(error)
            return 0

    def write(address: int, value: int) -> None:
        kept(lambda: registers.write(address, value))

    # They must live as long as the library may call them.
    told = _READ(lambda address: kept(lambda: registers.read(address))), _WRITE(write)
    library.spy_on(*told)
    result: int = getattr(library, name)(*arguments)
    if wrong:
        raise wrong[0]
    return result
