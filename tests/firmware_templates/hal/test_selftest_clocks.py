"""The second clocks of the self test against software models of the timers that measure them."""

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
TEMPLATES = data_dir("firmware_templates")
READ_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
WRITE_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
CLOCK_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32)
STEP_S = 2e-6  # what an access to a register takes


class Clock(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("measured_hz", ctypes.c_uint32),
        ("nominal_hz", ctypes.c_uint32),
    )


@dataclass
class Model:
    """Registers and a time that goes on with each access; `hz` is that of the crystal."""

    hz: float
    is_ready: bool = True
    now_s: float = 0.0
    registers: dict[int, int] = field(default_factory=dict)

    def read(self, address: int) -> int:
        self.now_s += STEP_S
        return self.at(address) & 0xFFFF_FFFF

    def write(self, address: int, value: int) -> None:
        self.now_s += STEP_S
        self.registers[address] = value

    def at(self, address: int) -> int:
        return self.registers.get(address, 0)


@dataclass
class Stm32f4(Model):
    """RM0090: RCC_BDCR (7.3.20), TIM5 with the crystal at channel 4 (18.4.21) at twice APB1."""

    captures: int = 0
    timer_hz: float = 84e6

    def at(self, address: int) -> int:
        stored = self.registers.get(address, 0)
        on = self.registers.get(0x4000_0C00, 0) & 1 and (
            self.registers.get(0x4000_0C50) == 2 << 6
            and self.registers.get(0x4000_0C1C) == 0x0D00
            and self.registers.get(0x4000_0C20) == 1 << 12
        )
        edges = int(self.now_s * self.hz / 8) if on else 0
        if address == 0x4002_3870:
            return stored | (2 if stored & 1 and self.is_ready and self._may_write() else 0)
        if address == 0x4000_0C10:
            return 1 << 4 if edges > self.captures else 0
        if address == 0x4000_0C40:
            self.captures = edges
            return int(edges * 8 / self.hz * self.timer_hz)
        return stored

    def _may_write(self) -> bool:
        """RM0090, 5.4.1: DBP, which itself needs the clock of PWR."""
        powered = self.registers.get(0x4002_3840, 0) & 1 << 28
        return bool(powered and self.registers.get(0x4000_7000, 0) & 1 << 8)


@dataclass
class Nrf52(Model):
    """nRF52840 product specification: CLOCK, and RTC0, which counts once it was started."""

    def at(self, address: int) -> int:
        if address == 0x4000_0104:
            source = self.registers.get(0x4000_0518)
            begun = self.registers.get(0x4000_0008)
            return int(self.is_ready and source == 1 and begun == 1)
        if address == 0x4000_B504:
            runs = self.registers.get(0x4000_B000) == 1
            return int(self.now_s * self.hz) & 0xFF_FFFF if runs else 0
        return self.registers.get(address, 0)


@dataclass
class Stm32f1(Model):
    """RM0008: RCC_BDCR (7.3.9); the RTC's divider counts down from 32768 (18.4.4)."""

    def at(self, address: int) -> int:
        stored = self.registers.get(address, 0)
        backup = self.registers.get(0x4002_1020, 0)
        counted = 0x8000 - int(self.now_s * self.hz) % 0x8001
        on = backup & 0x8301 == 0x8101
        if address == 0x4002_1020:
            return stored | (2 if stored & 1 and self.is_ready else 0)
        if address == 0x4000_2810:
            return counted >> 16 if on else 0
        if address == 0x4000_2814:
            return counted & 0xFFFF if on else 0
        return stored


CHIPS: dict[str, tuple[type[Model], str, float]] = {
    "stm32f4": (Stm32f4, "netduinoplus2", 168e6),
    "stm32f1": (Stm32f1, "bluepill_f103c8", 72e6),
    "nrf52": (Nrf52, "nrf52840_dk", 1e6),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ctypes.CDLL]:
    made: dict[str, ctypes.CDLL] = {}

    def build(chip: str) -> ctypes.CDLL:
        if chip not in made:
            board = load_board(CHIPS[chip][1])
            defines = board.hal.defines | {"HAL_CLOCK_HZ": board.cpu.clock_hz}
            folder = tmp_path_factory.mktemp(chip)
            (folder / "ticks.cpp").write_text(
                '#include "runevm_hal.h"\nstatic uint32_t (*ticks)();\n'
                'extern "C" void spy_ticks(uint32_t (*f)()) { ticks = f; }\n'
                'extern "C" uint32_t runevm_hal_ticks(void) { return ticks(); }\n'
                '#include "selftest_chip.h"\n'
                'extern "C" void start(void) { selftest_chip_start(); }\n'
                'extern "C" int measure(selftest_clock *c) { return selftest_chip_clock(c); }\n'
            )
            command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
            command += ["-shared", "-fPIC"]
            command += [f"-D{name}={value}u" for name, value in defines.items()]
            folders = (SPY, TEMPLATES / "hal" / "common", TEMPLATES / "selftest")
            command += [f"-I{each}" for each in folders]
            hook = TEMPLATES / "hal" / "selftest" / f"{chip}.c"
            sources = (hook, folder / "ticks.cpp", SPY / "spy.cpp")
            command += [*map(str, sources), "-o", str(folder / "clock.so")]
            subprocess.run(command, check=True)
            made[chip] = ctypes.CDLL(str(folder / "clock.so"))
        return made[chip]

    return build


def measure(library: ctypes.CDLL, model: Model, ticks_hz: float) -> tuple[int, Clock]:
    def milliseconds() -> int:
        model.now_s += STEP_S
        return int(model.now_s * 1000)

    called = (
        READ_FUNCTION(model.read),
        WRITE_FUNCTION(model.write),
        CLOCK_FUNCTION(milliseconds),
        CLOCK_FUNCTION(lambda: int(model.now_s * ticks_hz) & 0xFFFF_FFFF),
    )
    library.spy_on(*called[:3])
    library.spy_ticks(called[3])
    library.start()
    clock = Clock()
    began_s = model.now_s
    result = library.measure(ctypes.byref(clock))
    assert model.now_s - began_s < 0.9  # the host repeats a request after a second
    return int(result), clock


@pytest.mark.parametrize("share", [1.0, 0.95, 1.05])
@pytest.mark.parametrize("chip", CHIPS)
def test_a_crystal_is_measured(
    library: Callable[[str], ctypes.CDLL], chip: str, share: float
) -> None:
    make, _, ticks_hz = CHIPS[chip]
    result, clock = measure(library(chip), make(32_768 * share), ticks_hz)
    assert (result, clock.name, clock.nominal_hz) == (0, b"crystal of 32.768 kHz", 32_768)
    assert clock.measured_hz == pytest.approx(32_768 * share, rel=0.002)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_crystal_that_never_starts_is_none(
    library: Callable[[str], ctypes.CDLL], chip: str
) -> None:
    make, _, ticks_hz = CHIPS[chip]
    assert measure(library(chip), make(32_768, is_ready=False), ticks_hz)[0] == -1


@pytest.mark.parametrize("chip", CHIPS)
def test_a_crystal_that_stops_ends_the_measurement(
    library: Callable[[str], ctypes.CDLL], chip: str
) -> None:
    make, _, ticks_hz = CHIPS[chip]
    assert measure(library(chip), make(1.0), ticks_hz)[0] == -1
