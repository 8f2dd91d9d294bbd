"""The console of ESP32 and ESP32-C3 against software models of their UARTs: bytes, last words."""

from __future__ import annotations

import ctypes
import subprocess
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from runec.boards import load_board
from tests.firmware_templates.hal.spied import HAL, call, spied

PROGRAM = """
#include <setjmp.h>
#include "esp.h"
#include "runevm_hal.h"
static jmp_buf away;
void runec_start(void) __attribute__((noreturn));
void runec_start(void) { longjmp(away, 1); }
esp_clocks esp_clocks_start(void) { return {160000000u, 80000000u}; }
extern "C" void restart(void) { if (setjmp(away) == 0) runevm_hal_reset(); }
"""
CYCLES = '__asm volatile("rsr.ccount %0" : "=r"(cycles));'
FIFO_BYTES, SOFTWARE_RESET = 128, 1 << 31


@dataclass
class Uart:
    """A transmitter that takes some accesses for a byte, and notes what was lost in a reset."""

    fifo: deque[int] = field(default_factory=deque)
    shifting: int = 0
    sent: bytearray = field(default_factory=bytearray)
    received: deque[int] = field(default_factory=deque)
    taken: int = 0
    restarted_with: int | None = None
    others: dict[int, int] = field(default_factory=dict)
    is_held: bool = False
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.is_held:
            return
        if self.shifting:
            self.shifting -= 1
        elif self.fifo:
            self.sent.append(self.fifo.popleft())
            self.shifting = 7

    def push(self, value: int) -> None:
        assert len(self.fifo) < FIFO_BYTES, "a byte that finds no room is lost"
        self.fifo.append(value)

    def pop(self) -> int:
        assert self.received, "read while it is empty"
        self.taken += 1
        return self.received.popleft()

    def restart(self, value: int) -> None:
        if value & SOFTWARE_RESET:
            self.restarted_with = len(self.fifo) + bool(self.shifting)


class Esp32(Uart):
    """TRM of the ESP32, 13.5; the count of received bytes is not credible: see the HAL."""

    def read(self, address: int) -> int:
        self.step()
        if address == 0x3FF4_0000:
            return self.pop()
        if address == 0x3FF4_001C:
            return len(self.fifo) << 16 | bool(self.shifting) << 24
        if address == 0x3FF4_0060:
            return (self.taken & 0x7F) << 2 | (self.taken + len(self.received) & 0x7F) << 13
        return self.others.get(address, 0)

    def write(self, address: int, value: int) -> None:
        self.step()
        assert address != 0x3FF4_0000, "bytes in a row get lost there on the first revision"
        if address == 0x6000_0000:
            self.push(value)
        elif address == 0x3FF4_8000:
            self.restart(value)
        else:
            self.others[address] = value


class Esp32C3(Uart):
    """TRM of the ESP32-C3, 26.5: counts of ten bits, the state in another register."""

    def read(self, address: int) -> int:
        self.step()
        if address == 0x6000_0000:
            return self.pop()
        if address == 0x6000_001C:
            return len(self.fifo) << 16 | len(self.received)
        if address == 0x6000_006C:
            return bool(self.shifting) << 4
        return self.others.get(address, 0)

    def write(self, address: int, value: int) -> None:
        self.step()
        if address == 0x6000_0000:
            self.push(value)
        elif address == 0x6000_8000:
            self.restart(value)
        else:
            self.others[address] = value


UARTS: dict[str, type[Esp32 | Esp32C3]] = {"esp32": Esp32, "esp32c3": Esp32C3}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ctypes.CDLL]:
    made: dict[str, ctypes.CDLL] = {}

    def build(board_id: str) -> ctypes.CDLL:
        if board_id not in made:
            folder = tmp_path_factory.mktemp(board_id)
            text = (HAL / board_id / "hal.c").read_text(encoding="utf-8")
            assert (CYCLES in text) == (board_id == "esp32")
            (folder / "hal.c").write_text(text.replace(CYCLES, "cycles = 0;"))
            made[board_id] = spied(folder, load_board(board_id), [str(folder / "hal.c")], PROGRAM)
        return made[board_id]

    return build


@pytest.mark.parametrize("board_id", UARTS)
def test_the_last_words_are_sent_before_a_restart(
    library: Callable[[str], ctypes.CDLL], board_id: str
) -> None:
    uart = UARTS[board_id]()
    words = bytes(range(1, 201))
    call(library(board_id), uart, "runevm_hal_write", words, ctypes.c_size_t(len(words)))
    assert len(uart.fifo) > 100
    call(library(board_id), uart, "restart")
    assert uart.restarted_with == 0
    assert bytes(uart.sent) == words


@pytest.mark.parametrize("board_id", UARTS)
def test_what_is_received_is_read_once_and_in_order(
    library: Callable[[str], ctypes.CDLL], board_id: str
) -> None:
    uart = UARTS[board_id]()
    for number in range(300):  # the places in the FIFO begin anew
        assert call(library(board_id), uart, "runevm_hal_read") == -1
        uart.received.extend((number & 0xFF, 0))
        assert call(library(board_id), uart, "runevm_hal_read") == number & 0xFF
        assert call(library(board_id), uart, "runevm_hal_read") == 0


@pytest.mark.parametrize("board_id", UARTS)
def test_a_transmitter_that_is_held_up_does_not_hold_the_restart(
    library: Callable[[str], ctypes.CDLL], board_id: str
) -> None:
    uart = UARTS[board_id]()
    uart.is_held = True
    uart.fifo.append(0)
    program = library(board_id)
    call(program, uart, "restart")
    assert uart.restarted_with == 1
    assert uart.steps > 10_000


def test_no_loop_of_the_loader_goes_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    board = load_board("esp32")
    made = tmp_path_factory.mktemp("start") / "start.o"
    prefix = board.toolchain.prefix
    source = HAL / "esp32" / "start.S"
    subprocess.run([f"{prefix}gcc", "-mlongcalls", "-c", source, "-o", made], check=True)
    words = [f"{prefix}objdump", "-s", "-j", ".text.start", str(made)]
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    code = "".join("".join(line.split()[1:5]) for line in shown.splitlines() if line[:2] == " 0")
    # WSR: 0001 0011, the register's number, a0; LCOUNT is special register 2 (Xtensa ISA, 5.3)
    assert "000213" in code
