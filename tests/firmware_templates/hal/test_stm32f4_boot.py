"""An STM32F4 after a reset and after its boot loader: the clocks that its program gets."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runec.boards import Board, load_board, load_boards
from runec.data import data_dir

SPY = Path(__file__).with_name("register_spy")
HAL = data_dir("firmware_templates") / "hal"
BOARDS = [board.id for board in load_boards() if board.hal.folder == "stm32f4"]
MHZ = 1_000_000
READ_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
WRITE_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
PROGRAM = """
#include "register.h"
#include "runevm_hal.h"
#include "stm32.h"
#include "systick.h"
uint32_t (*spy_read)(uint32_t address);
void (*spy_write)(uint32_t address, uint32_t value);
enum { STARTED = 0xFFFFFFF0u };
void stm32_usart_start(uint32_t) { REGISTER(STARTED) = 1; }
void stm32_i2c_start(uint32_t) { }
void systick_start(uint32_t) { REGISTER(STARTED) = 2; }
extern "C" void chip_start(uint32_t (*read)(uint32_t), void (*write)(uint32_t, uint32_t))
{
    spy_read = read;
    spy_write = write;
    runevm_hal_init();
}
"""
CR, PLLCFGR, CFGR, CIR, ACR, IDCODE, STARTED = (
    *(0x4002_3800, 0x4002_3804, 0x4002_3808, 0x4002_380C, 0x4002_3C00, 0xE004_2000),
    0xFFFF_FFF0,
)
ENABLE = {0x4002_3830, 0x4002_3834, 0x4002_3838, 0x4002_3840, 0x4002_3844}
HSI, HSE, PLL = 1 << 0, 1 << 16, 1 << 24
HSI_HZ, HSE_HZ = 16 * MHZ, 25 * MHZ
REVISION_A = 0x1000_6413


@dataclass
class Rcc:
    """ST's RM0090, 7.3 and 3.9: what is ready comes some reads after what was asked for."""

    registers: dict[int, int]
    most_hz: int
    waits: dict[int, int] = field(default_factory=dict)
    enabled: int | None = None
    started: list[tuple[int, int]] = field(default_factory=list)

    def read(self, address: int) -> int:
        if self.enabled not in (None, address):
            raise AssertionError(f"{address:#x} right after a clock was switched on")
        self.enabled = None
        if address in (CR, CFGR):
            self._settle(address)
        return self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        if self.enabled is not None:
            raise AssertionError(f"{address:#x} right after a clock was switched on")
        control = self.registers[CR]
        if address == PLLCFGR:
            assert not control & (PLL | PLL << 1), "a PLL that runs takes no settings"
        if address == CR:
            if self.source == 2:
                assert value & PLL, "the processor runs on it"
            assert value & HSI
            value = (value & ~0x0202_0002) | (control & 0x0202_0002)
            self.waits[CR] = 7
        if address == CFGR:
            value = (value & ~0xC) | (self.registers[CFGR] & 0xC)
            self.waits[CFGR] = 3
        if address == STARTED:
            self.started.append((value, self.clock_hz))
        self.registers[address] = value
        if address in ENABLE:
            self.enabled = address

    def _settle(self, address: int) -> None:
        self.waits[address] = self.waits.get(address, 0) - 1
        if self.waits[address] > 0:
            return
        if address == CR:
            on = self.registers[CR] & (HSI | HSE | PLL)
            self.registers[CR] = on | on << 1
            return
        wanted = self.registers[CFGR] & 3
        if self.registers[CR] & (HSI, HSE, PLL)[wanted] << 1:
            self.registers[CFGR] = (self.registers[CFGR] & ~0xC) | wanted << 2
            clock = self.clock_hz
            assert clock <= self.most_hz
            assert (self.registers[ACR] & 15) >= -(-clock // (30 * MHZ)) - 1, "wait states"

    @property
    def source(self) -> int:
        return self.registers[CFGR] >> 2 & 3

    @property
    def clock_hz(self) -> int:
        settings = self.registers[PLLCFGR]
        base = HSE_HZ if settings >> 22 & 1 else HSI_HZ
        multiplied = base // (settings & 63) * (settings >> 6 & 0x1FF)
        return [HSI_HZ, HSE_HZ, multiplied // (2 * (settings >> 16 & 3) + 2)][self.source]


# RCC_CR, PLLCFGR, CFGR, CIR and FLASH_ACR as the program finds them.
LEFT = {
    "reset": (0x83, 0x2400_3010, 0, 0, 0),
    # the boot loader for USB: crystal, PLL at 60 MHz for it, interrupts of ready clocks
    "boot loader": (HSE * 3 | PLL * 3 | 3, 0x0541_3C19, 0xA, 0x1F00, 0x705),
    "PLL on, not used": (PLL * 3 | 3, 0x2400_3010, 0, 0, 0x5),
    "crystal alone": (HSE * 3, 0x2400_3010, 0x5, 0, 0),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Board], ctypes.CDLL]:
    made: dict[str, ctypes.CDLL] = {}

    def build(board: Board) -> ctypes.CDLL:
        if board.id not in made:
            folder = tmp_path_factory.mktemp(board.id)
            (folder / "program.cpp").write_text(PROGRAM)
            numbers = {"HAL_CLOCK_HZ": board.cpu.clock_hz, **board.hal.defines}
            command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
            command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC"]
            command += [f"-D{name}={value}u" for name, value in numbers.items()]
            includes = (SPY, HAL / "stm32", HAL / "systick", HAL / "common")
            command += [f"-I{each}" for each in includes]
            command += [str(HAL / "stm32f4" / "chip.c"), str(folder / "program.cpp")]
            subprocess.run([*command, "-o", str(folder / "chip.so")], check=True)
            made[board.id] = ctypes.CDLL(str(folder / "chip.so"))
        return made[board.id]

    return build


def start(library: ctypes.CDLL, rcc: Rcc) -> None:
    wrong: list[Exception] = []

    def kept(access: Callable[[], int | None]) -> int:
        try:
            return access() or 0
        except Exception as error:  # noqa: BLE001 - it cannot pass through C
            wrong.append(error)
            return 0

    def write(address: int, value: int) -> None:
        kept(lambda: rcc.write(address, value))

    library.chip_start(
        READ_FUNCTION(lambda address: kept(lambda: rcc.read(address))), WRITE_FUNCTION(write)
    )
    if wrong:
        raise wrong[0]


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("board_id", BOARDS)
def test_the_clock_is_the_boards_whatever_was_before(
    library: Callable[[Board], ctypes.CDLL], board_id: str, left: tuple[int, ...]
) -> None:
    board = load_board(board_id)
    registers = dict(zip((CR, PLLCFGR, CFGR, CIR, ACR), left, strict=True))
    rcc = Rcc({**registers, IDCODE: 0x1007_6413}, board.cpu.clock_hz)
    start(library(board), rcc)
    # console and time are set up when the clock is there
    assert rcc.started == [(1, board.cpu.clock_hz), (2, board.cpu.clock_hz)]
    assert rcc.registers[CIR] == 0
    assert rcc.registers[ACR] & 0x700 == 0x700


@pytest.mark.parametrize(
    ("idcode", "has_prefetch"),
    [
        (REVISION_A, False),
        (0x1001_6413, True),
        (0x100F_6413, True),
        (0x1000_6433, True),  # an STM32F401's first revision
    ],
)
def test_the_first_revision_has_no_prefetch(
    library: Callable[[Board], ctypes.CDLL], idcode: int, has_prefetch: bool
) -> None:
    board = load_board("netduinoplus2")
    registers = dict(zip((CR, PLLCFGR, CFGR, CIR, ACR), LEFT["reset"], strict=True))
    rcc = Rcc({**registers, IDCODE: idcode}, board.cpu.clock_hz)
    start(library(board), rcc)
    assert bool(rcc.registers[ACR] & 0x100) == has_prefetch
    assert rcc.registers[ACR] & 0x600 == 0x600


def test_without_clock_control_nothing_is_changed(
    library: Callable[[Board], ctypes.CDLL],
) -> None:
    # as in an emulator whose registers read 0
    class Empty(Rcc):
        def read(self, _address: int) -> int:
            self.enabled = None
            return 0

        def write(self, address: int, _value: int) -> None:
            assert address not in (PLLCFGR, CFGR, ACR)

    start(library(load_board("netduinoplus2")), Empty({}, 0))
