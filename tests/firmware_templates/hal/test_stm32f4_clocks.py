"""The start of an STM32F4's clocks against a software model of its RCC, PWR and flash."""

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
RCC_CR, RCC_PLLCFGR, RCC_CFGR = 0x4002_3800, 0x4002_3804, 0x4002_3808
RCC_APB1ENR, FLASH_ACR = 0x4002_3840, 0x4002_3C00
PWR_CR, PWR_CSR = 0x4000_7000, 0x4000_7004
HSI_HZ = 16_000_000
READ_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
WRITE_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
CLOCK_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32)


@dataclass(frozen=True)
class Chip:
    """A chip's regulator: PWR_CR after a reset, the clock for each VOS, the clock of over-drive."""

    pwr_cr: int
    vos_bits: int
    hz_max: dict[int, int]
    over_drive_hz: int = 0


CHIPS = {
    # RM0090, 5.4.1: VOS is bit 14 alone.
    "F405": Chip(0x4000, 0x4000, {0: 144_000_000, 1: 168_000_000}),
    # RM0368, 5.4.1.
    "F401": Chip(0x8000, 0xC000, {1: 60_000_000, 2: 84_000_000}),
    # RM0383, 5.4.1.
    "F411": Chip(0x8000, 0xC000, {1: 64_000_000, 2: 84_000_000, 3: 100_000_000}),
    # RM0390, 5.1.3 and 5.4.1.
    "F446": Chip(0xC000, 0xC000, {1: 120_000_000, 2: 144_000_000, 3: 168_000_000}, 180_000_000),
    # RM0033, 4.4.1: no voltage scaling.
    "F2": Chip(0, 0, {0: 120_000_000}),
}


@dataclass
class Model:
    """Registers of one chip; `broken` are bits of PWR_CSR that are never set."""

    chip: Chip
    broken: int = 0
    registers: dict[int, int] = field(default_factory=dict)
    clock_hz: int = HSI_HZ
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # RCC_CR: HSI on and ready. RCC_PLLCFGR: RM0090, 7.3.2.
        self.registers |= {RCC_CR: 0x83, RCC_PLLCFGR: 0x2400_3010, PWR_CR: self.chip.pwr_cr}

    def read(self, address: int) -> int:
        if address == RCC_CR:
            value = self.registers[RCC_CR]
            return value | (value & 1 << 24) << 1  # locked at once
        if address == PWR_CSR:
            return self._power() & ~self.broken
        if address == PWR_CR and not self._has_power_clock():
            return 0
        return self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        if address == PWR_CR:
            if not self._has_power_clock():
                return
            fixed = 0 if not self._is_pll_on() else self.chip.vos_bits
            value = value & ~fixed | self.registers[PWR_CR] & fixed
            if value & 0xC000 & ~self.chip.vos_bits:
                self.wrong.append("reserved bits of VOS")
            if value & 1 << 17 and not self._power() & 1 << 16:
                self.wrong.append("over-drive switched before it was ready")
            if value & 1 << 16 and not (self.chip.over_drive_hz and self._is_pll_on()):
                self.wrong.append("over-drive without a PLL")
        if address == RCC_PLLCFGR and self._is_pll_on():
            self.wrong.append("PLL changed while it was on")
        self.registers[address] = value
        if address == RCC_CFGR and value & 3 == 2:
            self._switch()
            self.registers[RCC_CFGR] |= 8

    def _switch(self) -> None:
        factors = self.registers[RCC_PLLCFGR]
        vco_hz = HSI_HZ // (factors & 63) * (factors >> 6 & 511)
        self.clock_hz = vco_hz // (2 * (factors >> 16 & 3) + 2)
        power = self._power() & ~self.broken
        vos = (self.registers[PWR_CR] & self.chip.vos_bits) >> 14
        is_over_driven = power & 0x3_0000 == 0x3_0000
        most_hz = self.chip.over_drive_hz if is_over_driven else self.chip.hz_max[vos]
        if self.clock_hz > most_hz:
            self.wrong.append(f"{self.clock_hz} Hz, but the voltage is for {most_hz}")
        if self.registers.get(FLASH_ACR, 0) & 15 < -(-self.clock_hz // 30_000_000) - 1:
            self.wrong.append("too few wait states")
        if self.chip.vos_bits and vos != self.chip.pwr_cr >> 14 & 3 and not power & 1 << 14:
            self.wrong.append("voltage not ready")

    def _has_power_clock(self) -> bool:
        return bool(self.registers.get(RCC_APB1ENR, 0) & 1 << 28)

    def _is_pll_on(self) -> bool:
        return bool(self.registers[RCC_CR] & 1 << 24)

    def _power(self) -> int:
        if not self._is_pll_on() or not self._has_power_clock():
            return 0
        return 1 << 14 | self.registers[PWR_CR] & 0x3_0000


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ctypes.CDLL]:
    """Compile chip.c for the host that runs the test, in C++, which shows each access."""
    made: dict[tuple[int, ...], ctypes.CDLL] = {}

    def build(mhz: int, n: int, p: int, wait_states: int) -> ctypes.CDLL:
        key = (mhz, n, p, wait_states)
        if key not in made:
            defines = load_board("nucleo_f401re").hal.defines | {
                "HAL_CLOCK_HZ": mhz * 1_000_000,
                "HAL_PLL_N": n,
                "HAL_PLL_P": p,
                "HAL_WAIT_STATES": wait_states,
            }
            folder = tmp_path_factory.mktemp("clocks")
            (folder / "rest.cpp").write_text(
                "#include <stdint.h>\nvoid stm32_usart_start(uint32_t) {}\n"
                "void stm32_i2c_start(uint32_t) {}\nvoid systick_start(uint32_t) {}\n"
            )
            command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
            command += ["-shared", "-fPIC"]
            command += [f"-D{name}={value}u" for name, value in defines.items()]
            folders = (SPY, HAL / "stm32", HAL / "systick", HAL / "common")
            command += [f"-I{each}" for each in folders]
            sources = (HAL / "stm32f4" / "chip.c", folder / "rest.cpp", SPY / "spy.cpp")
            command += [*map(str, sources), "-o", str(folder / "clocks.so")]
            subprocess.run(command, check=True)
            made[key] = ctypes.CDLL(str(folder / "clocks.so"))
        return made[key]

    return build


def start(library: ctypes.CDLL, model: Model) -> None:
    called = READ_FUNCTION(model.read), WRITE_FUNCTION(model.write), CLOCK_FUNCTION(lambda: 0)
    library.spy_on(*called)
    library.runevm_hal_init()


SETTINGS = {
    84: (84, 336, 4, 2),
    96: (96, 192, 2, 3),
    100: (100, 200, 2, 3),
    120: (120, 240, 2, 3),
    168: (168, 336, 2, 5),
    180: (180, 360, 2, 5),
}


@pytest.mark.parametrize(
    ("chip", "mhz"),
    [
        *(("F401", 84), ("F405", 84), ("F405", 100), ("F405", 168), ("F2", 120)),
        *(("F411", 84), ("F411", 96), ("F411", 100)),
        *(("F446", 84), ("F446", 168), ("F446", 180)),
    ],
)
def test_each_clock_has_its_voltage(
    library: Callable[..., ctypes.CDLL], chip: str, mhz: int
) -> None:
    model = Model(CHIPS[chip])
    start(library(*SETTINGS[mhz]), model)
    assert (model.clock_hz, model.wrong) == (mhz * 1_000_000, [])


@pytest.mark.parametrize(
    ("chip", "mhz", "broken"), [("F411", 100, 14), ("F446", 180, 16), ("F446", 180, 17)]
)
def test_a_voltage_that_never_comes_leaves_the_internal_oscillator(
    library: Callable[..., ctypes.CDLL], chip: str, mhz: int, broken: int
) -> None:
    model = Model(CHIPS[chip], 1 << broken)
    start(library(*SETTINGS[mhz]), model)
    assert (model.clock_hz, model.wrong) == (HSI_HZ, [])


def test_a_board_without_a_regulator_model_starts(library: Callable[..., ctypes.CDLL]) -> None:
    """An emulator may have no PWR: its registers are then 0."""
    model = Model(Chip(0, 0, {0: 168_000_000}))
    start(library(*SETTINGS[168]), model)
    assert model.clock_hz == 168_000_000
