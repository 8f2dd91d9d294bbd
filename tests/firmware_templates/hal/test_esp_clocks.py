"""The clocks of ESP32 and ESP32-C3, after any loader, against a software model of each chip."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.data import data_dir

SPY = Path(__file__).with_name("register_spy")
HAL = data_dir("firmware_templates") / "hal"
MHZ = 1_000_000
READ_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
WRITE_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
PROGRAM = """
#include "esp.h"
#include "register.h"
uint32_t (*spy_read)(uint32_t address);
void (*spy_write)(uint32_t address, uint32_t value);
static uint32_t loads;
void esp_ram_code_load(void) { loads++; }
extern "C" uint32_t clocks_start(
    uint32_t (*read)(uint32_t), void (*write)(uint32_t, uint32_t), uint32_t *hz)
{
    spy_read = read;
    spy_write = write;
    loads = 0;
    const esp_clocks found = esp_clocks_start();
    hz[0] = found.cpu_hz;
    hz[1] = found.apb_hz;
    return loads;
}
"""


class Hz(ctypes.Array[ctypes.c_uint32]):
    _type_ = ctypes.c_uint32
    _length_ = 2


@dataclass
class Tree:
    """A chip's clock tree: registers by address. Checked whenever something is written."""

    registers: dict[int, int]
    written: list[int] = field(default_factory=list)

    def read(self, address: int) -> int:
        return self.registers[address]

    def write(self, address: int, value: int) -> None:
        assert address in self.registers
        self.registers[address] = value
        self.written.append(address)
        self.check()

    def check(self) -> None:
        raise NotImplementedError

    @property
    def cpu_hz(self) -> int:
        raise NotImplementedError

    @property
    def apb_hz(self) -> int:
        raise NotImplementedError


@dataclass
class Esp32(Tree):
    """TRM of the ESP32, 3.2.3; the PLL is at the frequency that the loader gave it."""

    crystal_hz: int = 40 * MHZ
    pll_hz: int = 320 * MHZ

    PERIOD, SOURCE, NOTE, DIVIDER = 0x3FF0_003C, 0x3FF4_8070, 0x3FF4_80B0, 0x3FF6_6000

    @property
    def source(self) -> int:
        return self.registers[self.SOURCE] >> 27 & 3

    @property
    def cpu_hz(self) -> int:
        if self.source == 1:
            return self.pll_hz // {0: 4, 1: 2, 2: 2}[self.registers[self.PERIOD] & 3]
        base = {0: self.crystal_hz, 2: 8 * MHZ, 3: 16 * MHZ}[self.source]
        return base // ((self.registers[self.DIVIDER] & 0x3FF) + 1)

    @property
    def apb_hz(self) -> int:
        return 80 * MHZ if self.source == 1 else self.cpu_hz

    def check(self) -> None:
        period = self.registers[self.PERIOD] & 3
        if self.source == 1:
            # 240 MHz and the others each want their own PLL, and voltage
            assert self.pll_hz == (480 if period == 2 else 320) * MHZ
        assert self.cpu_hz <= 240 * MHZ


@dataclass
class Esp32C3(Tree):
    """TRM of the ESP32-C3, 6.2.4; SPI0 divides the crystal or, from the PLL, 80 MHz."""

    pll_runs: bool = True

    OPTIONS, PERIOD, SOURCE, FLASH = 0x6000_8000, 0x600C_0008, 0x600C_0058, 0x6000_3014

    @property
    def source(self) -> int:
        return self.registers[self.SOURCE] >> 10 & 3

    @property
    def cpu_hz(self) -> int:
        if self.source == 1:
            period = self.registers[self.PERIOD]
            assert period & 4
            return {0: 80, 1: 160}[period & 3] * MHZ
        assert self.source == 0
        return 40 * MHZ // ((self.registers[self.SOURCE] & 0x3FF) + 1)

    @property
    def apb_hz(self) -> int:
        return 80 * MHZ if self.source == 1 else self.cpu_hz

    @property
    def flash_hz(self) -> float:
        base = 80 * MHZ if self.source == 1 else 40 * MHZ
        clock = self.registers[self.FLASH]
        return base if clock >> 31 else base / ((clock >> 16 & 0xFF) + 1)

    def check(self) -> None:
        assert self.source != 1 or self.pll_runs
        assert self.cpu_hz <= 160 * MHZ
        assert self.flash_hz <= 40 * MHZ, "more than the boot ROM reads it with"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, int, int]]:
    """Run the HAL's start of the clocks on a tree; return CPU's and APB's Hz, and loads of RAM."""
    made: dict[str, ctypes.CDLL] = {}

    def build(board_id: str, *flags: str) -> ctypes.CDLL:
        key = " ".join((board_id, *flags))
        if key not in made:
            board = load_board(board_id)
            folder = tmp_path_factory.mktemp(board_id)
            (folder / "program.cpp").write_text(PROGRAM)
            numbers = {"HAL_CLOCK_HZ": board.cpu.clock_hz, **board.hal.defines}
            command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
            command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC"]
            command += [f"-D{name}={value}u" for name, value in numbers.items()]
            includes = (SPY, HAL / "esp", HAL / "common")
            command += [*flags, *(f"-I{folder}" for folder in includes)]
            sources = (HAL / board.hal.folder / "clock.c", folder / "program.cpp")
            command += [*map(str, sources), "-o", str(folder / "clock.so")]
            subprocess.run(command, check=True)
            made[key] = ctypes.CDLL(str(folder / "clock.so"))
        return made[key]

    def run(board_id: str, tree: Tree, *flags: str) -> tuple[int, int, int]:
        wrong: list[BaseException] = []

        def kept(access: Callable[[], int | None]) -> int:
            try:
                return access() or 0
            except Exception as error:  # noqa: BLE001 - it cannot pass through C
                wrong.append(error)
                return 0

        read = READ_FUNCTION(lambda address: kept(lambda: tree.read(address)))
        write = WRITE_FUNCTION(
            lambda address, value: kept(lambda: tree.write(address, value)) and None
        )
        hz = Hz()
        loads = build(board_id, *flags).clocks_start(read, write, hz)
        if wrong:
            raise wrong[0]
        return hz[0], hz[1], loads

    return run


# What loaders leave: source, period, divider, note of the crystal; crystal, PLL; what follows.
LOADERS = {
    "ESP-IDF": ((1, 0, 0, 0x0028_0028), (40, 320), 160),
    "ESP-IDF at 160 MHz": ((1, 1, 0, 0x0028_0028), (40, 320), 160),
    "ESP-IDF at 240 MHz": ((1, 2, 0, 0x0028_0028), (40, 480), 240),
    "26 MHz crystal": ((1, 0, 0, 0x001A_001A), (26, 320), 160),
    "none: boot ROM": ((0, 0, 0, 0), (40, 0), 40),
    "divided crystal": ((0, 1, 3, 0x0028_0028), (40, 0), 40),
    "divided 26 MHz": ((0, 0, 1, 0x001B_001B), (26, 0), 26),
    "the period of 240 MHz, on the crystal": ((0, 2, 0, 0x0028_0028), (40, 0), 40),
    "spoilt note": ((0, 0, 0, 0x0028_001A), (40, 0), 40),
    "note of ones": ((0, 0, 0, 0xFFFF_FFFF), (40, 0), 40),
    "internal oscillator": ((2, 0, 7, 0x0028_0028), (40, 0), 40),
    "audio PLL": ((3, 0, 0, 0x0028_0028), (40, 0), 40),
}


@pytest.mark.parametrize(("left", "hz", "cpu"), LOADERS.values(), ids=LOADERS)
def test_an_esp32_knows_its_clocks_whatever_the_loader_left(
    start: Callable[..., tuple[int, int, int]],
    left: tuple[int, int, int, int],
    hz: tuple[int, int],
    cpu: int,
) -> None:
    source, period, divider, note = left
    others = 0xE7FF_FFFF & 0x2210  # bits of the same register that are nobody's here
    registers = {
        Esp32.SOURCE: source << 27 | others,
        Esp32.PERIOD: period | 8,
        Esp32.DIVIDER: divider | 0x2000,
        Esp32.NOTE: note,
    }
    tree = Esp32(registers, crystal_hz=hz[0] * MHZ, pll_hz=hz[1] * MHZ)
    cpu_hz, apb_hz, loads = start("esp32", tree)
    assert (cpu_hz, apb_hz) == (tree.cpu_hz, tree.apb_hz)
    assert cpu_hz == cpu * MHZ
    assert tree.registers[tree.SOURCE] & ~(3 << 27) == others
    assert tree.registers[tree.PERIOD] & ~3 == 8
    assert tree.registers[tree.DIVIDER] & ~0x3FF == 0x2000
    # what runs from RAM was put there before
    assert loads == (1 if tree.written else 0)


def test_an_esp32_whose_clock_is_fixed_is_left_alone(
    start: Callable[..., tuple[int, int, int]],
) -> None:
    tree = Esp32({})
    flags = ("-UHAL_CLOCK_FIXED", "-DHAL_CLOCK_FIXED=1u")
    assert start("esp32", tree, *flags) == (load_board("esp32").cpu.clock_hz, 80 * MHZ, 0)


# SOURCE and PERIOD, SPI0's clock; bits that force the PLL off.
ROMS = {
    "as reset": (1, 12, 0x0003_0103),
    "not divided": (0, 12, 0x0001_0001),
    "flash at the crystal's clock": (0, 12, 0x8000_0000),
    "PLL for 320 MHz": (1, 8, 0x0003_0103),
}


@pytest.mark.parametrize("off", [0, 1 << 10, 1 << 8, 1 << 6, 0b10101 << 6])
@pytest.mark.parametrize(("source", "period", "flash"), ROMS.values(), ids=ROMS)
def test_an_esp32c3_uses_its_pll_where_it_runs(
    start: Callable[..., tuple[int, int, int]], source: int, period: int, flash: int, off: int
) -> None:
    registers = {
        Esp32C3.OPTIONS: off | 0x1C00_0000,
        Esp32C3.PERIOD: period,
        Esp32C3.SOURCE: source | 0x8_0000,
        Esp32C3.FLASH: flash,
    }
    tree = Esp32C3(registers, pll_runs=off == 0)
    tree.check()
    cpu_hz, apb_hz, _ = start("esp32c3", tree)
    assert (cpu_hz, apb_hz) == (tree.cpu_hz, tree.apb_hz)
    assert cpu_hz == (40 if off else 160) * MHZ
    assert tree.registers[tree.SOURCE] & 0x8_0000
    assert tree.registers[tree.PERIOD] & 8 == period & 8


def test_the_boards_state_what_these_make_of_the_usual_loader() -> None:
    for board_id in ("esp32", "esp32c3"):
        assert load_board(board_id).cpu.clock_hz == 160 * MHZ
