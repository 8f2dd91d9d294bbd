"""USART and I2C of an STM32F1, F2 and F4 against software models: what must be waited for."""

from __future__ import annotations

import ctypes
from collections import deque
from dataclasses import dataclass, field

import pytest

from runec.boards import load_board
from tests.firmware_templates.hal.spied import call, spied

USART, I2C = 0x4000_4400, 0x4000_5400
SR, DR, BRR, USART_CR1 = USART, USART + 4, USART + 8, USART + 0xC
TC, TXE = 0x40, 0x80
PE, START, STOP, ACK, SWRST = 1, 1 << 8, 1 << 9, 1 << 10, 1 << 15
SB, ADDR, BTF, RXNE, I2C_TXE, AF, ARLO = 1, 2, 4, 1 << 6, 1 << 7, 1 << 10, 1 << 9


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    board = load_board("nucleo_f401re")
    return spied(tmp_path_factory.mktemp("blocks"), board, ["stm32/usart.c", "stm32/i2c.c"], "")


@dataclass
class Sender:
    """RM0090, 30.6: TXE comes when a byte moves on to the shift register, TC when none is left."""

    register: bool = False
    shifting: int = 0
    sent: int = 0
    polls_per_byte: int = 12

    def read(self, address: int) -> int:
        assert address == SR
        self.shifting = max(0, self.shifting - 1)
        if self.shifting == 0 and self.register:
            self.register, self.shifting = False, self.polls_per_byte
        elif self.shifting == 1:
            self.sent += 1
        return (0 if self.register else TXE) | (0 if self.register or self.shifting else TC)

    def write(self, address: int, _value: int) -> None:
        assert address == DR
        assert not self.register, "a byte that has not moved on is overwritten"
        self.register = True


def test_a_restart_waits_for_the_last_byte(library: ctypes.CDLL) -> None:
    sender = Sender()
    call(library, sender, "runevm_hal_write", b"last words\r\n", ctypes.c_size_t(12))
    assert sender.sent < 12  # it is TXE that the writer waits for
    call(library, sender, "_Z18runec_before_resetv")
    assert sender.sent == 12


def test_a_transmitter_that_is_stuck_does_not_hold_the_restart(library: ctypes.CDLL) -> None:
    class Stuck(Sender):
        polls = 0

        def read(self, _address: int) -> int:
            self.polls += 1
            return TXE

    stuck = Stuck()
    call(library, stuck, "_Z18runec_before_resetv")
    # at least two bytes' time, 20 bits of 115200 at 84 MHz and 4 cycles a poll
    assert 20 * 84_000_000 // 115_200 // 4 <= stuck.polls < 100_000


@dataclass
class Controller:
    """RM0090, 27.3.3 and 27.6: one part at 0x53; strict about writes while START or STOP waits."""

    cr1: int = 0
    sr1: int = 0
    busy: bool = False
    pending: int = 0
    is_reading: bool = False
    answers: bool = True
    loses: bool = False
    never_starts: bool = False
    stops: int = 0
    resets: int = 0
    left: deque[int] = field(default_factory=deque)
    written: list[int] = field(default_factory=list)
    seen_sr1: bool = False

    def read(self, address: int) -> int:
        offset = address - I2C
        if offset == 0x00:
            self._pass()
            return self.cr1
        if offset == 0x14:
            self._pass()
            self.seen_sr1 = True
            return self.sr1
        if offset == 0x18:
            if self.seen_sr1 and self.sr1 & ADDR:
                self.sr1 &= ~ADDR
                self.sr1 |= RXNE if self.is_reading else I2C_TXE | BTF
            self._pass()
            return 2 if self.busy else 0
        assert offset == 0x10
        self.sr1 &= ~RXNE
        value = self.left.popleft()
        if self.left:
            self.sr1 |= RXNE
        return value

    def write(self, address: int, value: int) -> None:
        offset = address - I2C
        if offset == 0x00:
            self._control(value)
        elif offset == 0x10:
            self._data(value)
        elif offset == 0x14:
            self.sr1 &= value

    def _control(self, value: int) -> None:
        if value & SWRST:
            self.resets += 1
            self.cr1 = self.sr1 = 0
            self.busy = False
            return
        assert not self.cr1 & (START | STOP), "CR1 is written while START or STOP is pending"
        self.cr1 = value
        self.pending = 4
        if value & START:
            self.sr1 &= ~(I2C_TXE | BTF)
        if value & STOP:
            assert self.busy or self.loses

    def _pass(self) -> None:
        """Some time passes: START or STOP takes effect."""
        self.pending -= 1
        if self.pending > 0 or self.never_starts:
            return
        if self.cr1 & START:
            self.cr1 &= ~START
            self.busy, self.sr1 = True, self.sr1 | SB
        # STOP follows the byte on its way; a controller that has lost the bus sends none
        if self.cr1 & STOP and not self.loses and not (self.is_reading and len(self.left) > 1):
            self.cr1 &= ~STOP
            self.busy = False
            self.stops += 1

    def _data(self, value: int) -> None:
        if self.sr1 & SB:
            self.sr1 &= ~SB
            self.is_reading = bool(value & 1)
            if self.loses:
                self.sr1, self.busy = self.sr1 | ARLO, False
            else:
                self.sr1 |= ADDR if self.answers and value >> 1 == 0x53 else AF
            return
        self.written.append(value)
        self.sr1 |= I2C_TXE | BTF


def started(library: ctypes.CDLL) -> Controller:
    controller = Controller()
    call(library, controller, "_Z15stm32_i2c_startj", ctypes.c_uint32(42_000_000))
    controller.resets = 0
    return controller


def test_each_transfer_ends_when_stop_was_sent(library: ctypes.CDLL) -> None:
    controller = started(library)
    for number in range(3):
        data = bytes((0x2D, number))
        assert (
            call(library, controller, "runevm_hal_i2c_write", 0x53, data, ctypes.c_size_t(2)) == 0
        )
        assert not controller.cr1 & STOP
    assert controller.written == [0x2D, 0, 0x2D, 1, 0x2D, 2]
    assert (controller.stops, controller.resets) == (3, 0)


@pytest.mark.parametrize("length", [1, 2, 6])
def test_reading_ends_with_stop_and_no_acknowledge(library: ctypes.CDLL, length: int) -> None:
    controller = started(library)
    controller.left.extend(range(10, 10 + length))
    buffer = ctypes.create_string_buffer(length)
    size = ctypes.c_size_t(length)
    assert call(library, controller, "runevm_hal_i2c_read", 0x53, 0x32, buffer, size) == 0
    assert buffer.raw == bytes(range(10, 10 + length))
    assert not controller.cr1 & (START | STOP | ACK)
    assert (controller.stops, controller.resets) == (1, 0)


def test_a_part_that_does_not_answer_leaves_the_bus_free(library: ctypes.CDLL) -> None:
    controller = started(library)
    controller.answers = False
    assert call(library, controller, "runevm_hal_i2c_write", 0x53, b"\0", ctypes.c_size_t(1)) != 0
    assert (controller.busy, controller.stops, controller.resets) == (False, 1, 0)
    controller.answers = True
    assert call(library, controller, "runevm_hal_i2c_write", 0x53, b"\0", ctypes.c_size_t(1)) == 0


@pytest.mark.parametrize("fault", ["never_starts", "loses"])
def test_what_stays_pending_is_taken_back_by_a_reset(library: ctypes.CDLL, fault: str) -> None:
    controller = started(library)
    setattr(controller, fault, True)
    assert call(library, controller, "runevm_hal_i2c_write", 0x53, b"\0", ctypes.c_size_t(1)) != 0
    assert controller.resets == 1
    assert not controller.cr1 & (START | STOP)
