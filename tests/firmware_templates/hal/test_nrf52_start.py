"""An nRF52's debug port and reset pin, and its console: what is written first, and what never."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest

from runec.boards import load_board
from tests.firmware_templates.hal.spied import call, spied

PART, REVISION = 0x1000_0130, 0x1000_0134
PSELRESET, APPROTECT = (0x1000_1200, 0x1000_1204), 0x1000_1208
DISABLE = 0x4000_0558
NVMC_READY, NVMC_CONFIG = 0x4001_E400, 0x4001_E504
ERASED, OPEN = 0xFFFF_FFFF, 0x5A
BOARDS = {"nrf52840_dk": (8, 5, 18), "nrf52_dk": (6, 7, 21)}


class Chip:
    """UICR is flash: writing it takes NVMC's permission, and only takes bits away."""

    def __init__(self, part: int, revision: int, approtect: int, pin: int = ERASED) -> None:
        self.registers = {PART: part, REVISION: revision, APPROTECT: approtect, NVMC_READY: 1}
        self.registers |= dict.fromkeys(PSELRESET, pin)
        self.written: list[tuple[int, int]] = []

    def read(self, address: int) -> int:
        # clock and generator are ready at once
        return self.registers.get(address, 1 if address == 0x4000_0100 else 0)

    def write(self, address: int, value: int) -> None:
        if 0x1000_0000 <= address < 0x2000_0000:
            assert address in PSELRESET, "no other word of UICR"
            assert self.registers.get(NVMC_CONFIG) == 1
            value &= self.registers[address]
        self.registers[address] = value
        self.written.append((address, value))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ctypes.CDLL]:
    made: dict[str, ctypes.CDLL] = {}

    def build(board_id: str) -> ctypes.CDLL:
        if board_id not in made:
            sources = ["nrf52/chip.c", "nrf52/uicr.c", "nrf52/nvmc.c"]
            folder = tmp_path_factory.mktemp(board_id)
            made[board_id] = spied(folder, load_board(board_id), sources, "")
        return made[board_id]

    return build


@pytest.mark.parametrize("approtect", [OPEN, ERASED, 0])
@pytest.mark.parametrize("later", [0, 1])
@pytest.mark.parametrize("board_id", BOARDS)
def test_the_port_is_what_uicr_says_before_anything_else(
    library: Callable[[str], ctypes.CDLL], board_id: str, later: int, approtect: int
) -> None:
    part, first, pin = BOARDS[board_id]
    chip = Chip(part, first + later, approtect, pin)
    call(library(board_id), chip, "runevm_hal_init")
    assert chip.written[0] == (DISABLE, approtect)
    assert [value for address, value in chip.written if address == DISABLE] == [approtect]


@pytest.mark.parametrize("board_id", BOARDS)
def test_older_chips_have_no_such_register(
    library: Callable[[str], ctypes.CDLL], board_id: str
) -> None:
    part, first, pin = BOARDS[board_id]
    chip = Chip(part, first - 1, ERASED, pin)
    call(library(board_id), chip, "runevm_hal_init")
    assert DISABLE not in dict(chip.written)


@pytest.mark.parametrize("board_id", BOARDS)
def test_the_reset_pin_comes_back_after_an_erasure(
    library: Callable[[str], ctypes.CDLL], board_id: str
) -> None:
    part, first, pin = BOARDS[board_id]
    chip = Chip(part, first, OPEN)
    call(library(board_id), chip, "runevm_hal_init")
    assert [chip.registers[each] for each in PSELRESET] == [pin, pin]
    assert chip.registers[NVMC_CONFIG] == 0
    assert (chip.registers[APPROTECT], chip.registers[PSELRESET[0]]) == (OPEN, pin)
    # once: what is written stays
    again = Chip(part, first, OPEN, pin)
    call(library(board_id), again, "runevm_hal_init")
    other = Chip(part, first, OPEN, 0x8000_0015)
    call(library(board_id), other, "runevm_hal_init")
    for each in (again, other):
        assert NVMC_CONFIG not in dict(each.written)


def test_the_receiver_is_pulled_up(library: Callable[[str], ctypes.CDLL]) -> None:
    chip = Chip(8, 5, OPEN, 18)
    call(library("nrf52840_dk"), chip, "runevm_hal_init")
    assert chip.registers[0x5000_0700 + 4 * 8] == 0xC  # P0.08: input, pulled up
    assert chip.registers[0x5000_0700 + 4 * 6] == 3
