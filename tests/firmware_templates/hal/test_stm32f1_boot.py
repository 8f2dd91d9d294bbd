"""A Blue Pill with and without a crystal that works: the clocks that its program gets."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import pytest

from runec.boards import load_board
from tests.firmware_templates.hal.spied import call, spied

MHZ = 1_000_000
CR, CFGR, CIR, APB2ENR, APB1ENR, ACR = (
    *(0x4002_1000, 0x4002_1004, 0x4002_1008, 0x4002_1018, 0x4002_101C),
    0x4002_2000,
)
GPIOA_CRH, GPIOA_BSRR = 0x4001_0804, 0x4001_0810
USART_AT, SYSTICK_AT, I2C_AT = 0xFFFF_FFF0, 0xFFFF_FFF4, 0xFFFF_FFF8
HSI, HSE, PLL = 1 << 0, 1 << 16, 1 << 24
PROGRAM = """
#include "stm32.h"
#include "systick.h"
void stm32_usart_start(uint32_t hz) { REGISTER(0xFFFFFFF0u) = hz; }
void systick_start(uint32_t hz) { REGISTER(0xFFFFFFF4u) = hz; }
void stm32_i2c_start(uint32_t hz) { REGISTER(0xFFFFFFF8u) = hz; }
"""


@dataclass
class Chip:
    """ST's RM0008, 7.3: what is ready comes some reads after what was asked for."""

    registers: dict[int, int]
    crystal_polls: float = 30
    waits: int = 0
    enabled: int | None = None
    noted: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    def read(self, address: int) -> int:
        assert self.enabled in (None, address), "right after a clock was switched on"
        self.enabled = None
        if address == CR:
            self._settle()
        if address == CFGR:
            self._switch()
        return self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        assert self.enabled is None, "right after a clock was switched on"
        self.order.append(address)
        if address == CR:
            assert value & HSI
            assert self.source != 2 or value & PLL, "the processor runs on it"
            self.waits = 3
            value = (value & ~(7 << 1 | 2 << 16 | 2 << 24)) | (self.registers[CR] & 0x0202_0002)
        if address == CFGR:
            before = self.registers[CFGR]
            if self.registers[CR] & (PLL | PLL << 1):
                assert (value ^ before) & 0x3F_0000 == 0, "a PLL that runs takes no settings"
            value = (value & ~0xC) | (before & 0xC)
        if address in (USART_AT, SYSTICK_AT, I2C_AT):
            self.noted[address] = value
            bus = {USART_AT: 1, SYSTICK_AT: 1, I2C_AT: 2 if self.registers[CFGR] >> 10 & 1 else 1}
            assert value == self.clock_hz // bus[address]
        self.registers[address] = value
        if address in (APB1ENR, APB2ENR):
            self.enabled = address

    def _settle(self) -> None:
        self.waits -= 1
        on = self.registers[CR]
        if on & HSE:
            self.crystal_polls -= 1
        if self.waits > 0:
            return
        ready = on & (HSI | PLL) | (on & HSE if self.crystal_polls < 0 else 0)
        self.registers[CR] = on & (HSI | HSE | PLL) | ready << 1

    def _switch(self) -> None:
        wanted = self.registers[CFGR] & 3
        if self.registers[CR] & (HSI, HSE, PLL)[wanted] << 1:
            self.registers[CFGR] = (self.registers[CFGR] & ~0xC) | wanted << 2
            assert self.clock_hz <= 72 * MHZ
            assert (self.registers.get(ACR, 0) & 7) >= -(-self.clock_hz // (24 * MHZ)) - 1

    @property
    def source(self) -> int:
        return self.registers[CFGR] >> 2 & 3

    @property
    def clock_hz(self) -> int:
        settings = self.registers[CFGR]
        base = 8 * MHZ if settings >> 16 & 1 else 4 * MHZ
        times = (settings >> 18 & 15) + 2
        return [8 * MHZ, 8 * MHZ, base * min(times, 16)][self.source]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    board = load_board("bluepill_f103c8")
    return spied(tmp_path_factory.mktemp("f1"), board, ["stm32f1/chip.c"], PROGRAM)


# RCC_CR, CFGR and CIR as the program finds them.
LEFT = {
    "reset": (0x83, 0, 0),
    "boot loader on its PLL": (HSE * 3 | PLL * 3 | 3, 7 << 18 | 1 << 16 | 0xA, 0x1F00),
    "PLL of the internal oscillator": (PLL * 3 | 3, 14 << 18 | 0xA, 0),
}


# A poll of the HAL stands for 50 on the chip (register_spy): 2000 of them are those of 100 ms.
@pytest.mark.parametrize(("polls", "mhz"), [(30, 72), (1900, 72), (float("inf"), 64)])
@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_a_crystal_that_fails_gives_way_to_the_internal_oscillator(
    library: ctypes.CDLL, left: tuple[int, ...], polls: float, mhz: int
) -> None:
    chip = Chip(
        {**dict(zip((CR, CFGR, CIR), left, strict=True)), ACR: 0x2 if left[0] & PLL else 0}, polls
    )
    if left[0] & HSE:
        chip.crystal_polls = -1 if mhz == 72 else polls
    call(library, chip, "runevm_hal_init")
    call(library, chip, "runevm_hal_i2c_init")
    assert chip.noted == {USART_AT: mhz * MHZ, SYSTICK_AT: mhz * MHZ, I2C_AT: mhz * MHZ // 2}
    assert chip.source == 2
    assert chip.registers[CIR] == 0
    assert bool(chip.registers[CR] & HSE) == (mhz == 72)


def test_the_receiver_is_pulled_up(library: ctypes.CDLL) -> None:
    chip = Chip(dict(zip((CR, CFGR, CIR), LEFT["reset"], strict=True)))
    call(library, chip, "runevm_hal_init")
    assert chip.registers[GPIOA_CRH] >> 8 & 0xF == 0x8  # PA10: input with a pull
    assert chip.registers[GPIOA_BSRR] == 1 << 10
    assert chip.order.index(GPIOA_BSRR) < chip.order.index(USART_AT)


def test_without_clock_control_the_clocks_are_the_boards(library: ctypes.CDLL) -> None:
    class Empty(Chip):
        def read(self, address: int) -> int:
            self.enabled = None
            return 0 if address in (CR, CFGR) else self.registers.get(address, 0)

        def write(self, address: int, value: int) -> None:
            assert address not in (CFGR, ACR)
            self.registers[address] = value

    chip = Empty({})
    call(library, chip, "runevm_hal_init")
    assert chip.registers[USART_AT] == 72 * MHZ
