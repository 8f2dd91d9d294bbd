"""Pins of an STM32F4 board that are set up before anything is sent: supply of headers, receiver."""

from __future__ import annotations

import pytest

from runec.boards import load_board, load_boards
from tests.firmware_templates.hal.spied import call, spied

GPIO, AHB1ENR = 0x4002_0000, 0x4002_3830
USART_AT = 0xFFFF_FFF0
PROGRAM = """
#include "stm32.h"
#include "systick.h"
void stm32_usart_start(uint32_t) { REGISTER(0xFFFFFFF0u) = 1; }
void systick_start(uint32_t) { }
void stm32_i2c_start(uint32_t) { }
"""


class Pins:
    """Ports without their clock take nothing; clocks are never ready, as in an emulator."""

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.order: list[tuple[int, int]] = []

    def read(self, address: int) -> int:
        return 0 if 0x4002_3800 <= address <= 0x4002_380C else self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        if GPIO <= address < GPIO + 0x2400:
            assert self.registers.get(AHB1ENR, 0) >> (address - GPIO) // 0x400 & 1
        self.registers[address] = value
        self.order.append((address, value))


@pytest.mark.parametrize(
    "board_id", [each.id for each in load_boards() if each.hal.folder == "stm32f4"]
)
def test_the_receiver_is_pulled_up_before_the_console_starts(
    tmp_path_factory: pytest.TempPathFactory, board_id: str
) -> None:
    pins = Pins()
    library = spied(
        tmp_path_factory.mktemp(board_id), load_board(board_id), ["stm32f4/chip.c"], PROGRAM
    )
    call(library, pins, "runevm_hal_init")
    pull, on = (GPIO + 0x0C, 1 << 6), (USART_AT, 1)  # PA3
    assert pins.order.index(pull) < pins.order.index(on)
    # PB2 of the Netduino alone: high, then an output
    high, output = (GPIO + 0x418, 1 << 2), (GPIO + 0x400, 1 << 4)
    if board_id == "netduinoplus2":
        assert pins.order.index(high) < pins.order.index(output) < pins.order.index(on)
    else:
        assert not [each for each in pins.order if GPIO + 0x400 <= each[0] < GPIO + 0x800]
