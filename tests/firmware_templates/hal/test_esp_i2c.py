"""I2C of ESP32 and ESP32-C3 against a controller on paper: above all a bus that is stuck."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.data import data_dir
from tests.firmware_templates.hal.paper_esp_i2c import (
    END,
    ESP32,
    ESP32C3,
    READ,
    RSTART,
    STOP,
    WRITE,
    Board,
    Part,
)

SPY = Path(__file__).with_name("register_spy")
CHIPS = {"esp32": ESP32, "esp32c3": ESP32C3}
ADDRESS = 0x53
# NXP's UM10204, table 10, standard mode: seconds.
T_LOW_S, T_HIGH_S, T_HD_STA_S, T_SU_STA_S, T_SU_STO_S, T_BUF_S = (
    4.7e-6,
    4e-6,
    4e-6,
    4.7e-6,
    4e-6,
    4.7e-6,
)
READ_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
WRITE_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
CLOCK_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint32)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ctypes.CDLL]:
    """The HAL's I2C for the host, in C++, which lets the test see each access."""
    made: dict[str, ctypes.CDLL] = {}

    def build(board_id: str) -> ctypes.CDLL:
        if board_id not in made:
            board = load_board(board_id)
            templates = data_dir("firmware_templates")
            shared, own = templates / "hal" / "esp", templates / "hal" / board.hal.folder
            numbers = {"HAL_CLOCK_HZ": board.cpu.clock_hz, **board.hal.defines}
            path = tmp_path_factory.mktemp(board_id) / "i2c.so"
            command = ["g++", "-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1"]
            command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-shared", "-fPIC"]
            command += [f"-D{name}={value}u" for name, value in numbers.items()]
            includes = (SPY, shared, own, templates / "hal" / "common")
            command += [f"-I{folder}" for folder in includes]
            sources = (shared / "i2c.c", shared / "pins.c", own / "chip.c", SPY / "spy.cpp")
            command += [*map(str, sources), "-o", str(path)]
            subprocess.run(command, check=True)
            made[board_id] = ctypes.CDLL(str(path))
        return made[board_id]

    return build


class Bus:
    """A program on a board: its three functions."""

    def __init__(self, library: ctypes.CDLL, board: Board) -> None:
        self.hal = library
        self.board = board
        self.wrong: Exception | None = None

        def read(address: int) -> int:
            return self._kept(lambda: board.read(address))

        def write(address: int, value: int) -> None:
            self._kept(lambda: board.write(address, value))

        # They must live as long as the library may call them.
        self.told = READ_FUNCTION(read), WRITE_FUNCTION(write), CLOCK_FUNCTION(board.milliseconds)
        library.spy_on(*self.told)

    def _kept(self, access: Callable[[], int | None]) -> int:
        """An exception cannot pass through C: the first one is raised after the call."""
        try:
            return access() or 0
        except Exception as error:  # noqa: BLE001
            self.wrong = self.wrong or error
            return 0

    def _done(self) -> None:
        if self.wrong:
            raise self.wrong

    def start(self) -> None:
        self.hal.runevm_hal_i2c_init()
        self._done()

    def write(self, data: bytes, address: int = ADDRESS) -> int:
        result: int = self.hal.runevm_hal_i2c_write(address, data, ctypes.c_size_t(len(data)))
        self._done()
        return result

    def read(self, first: int, length: int, address: int = ADDRESS) -> bytes | None:
        buffer = ctypes.create_string_buffer(length + 1)
        result: int = self.hal.runevm_hal_i2c_read(address, first, buffer, ctypes.c_size_t(length))
        self._done()
        assert result in (0, -1)
        assert buffer.raw[length] == 0
        return buffer.raw[:length] if result == 0 else None


@pytest.fixture(params=CHIPS)
def bus(request: pytest.FixtureRequest, library: Callable[[str], ctypes.CDLL]) -> Bus:
    """The pins are those that the board's file names."""
    board_id: str = request.param
    scl, sda = (22, 21) if board_id == "esp32" else (5, 4)
    assert f"GPIO{scl} (clock) and GPIO{sda} (data)" in load_board(board_id).hal.i2c
    return Bus(library(board_id), Board(CHIPS[board_id], scl, sda, Part(ADDRESS)))


@pytest.mark.parametrize("length", [1, 2, 6, 31, 32, 33, 64, 65, 255])
def test_registers_are_read_however_many_they_are(bus: Bus, length: int) -> None:
    bus.start()
    assert bus.read(0x20, length) == bytes((0x20 + i) % 256 for i in range(length))
    assert bus.board.part.log[-3:] == ["start", "start", "stop"]
    assert bus.read(0x10, 1) == b"\x10"


@pytest.mark.parametrize("length", [1, 2, 31, 32])
def test_up_to_32_bytes_are_written_at_once(bus: Bus, length: int) -> None:
    bus.start()
    data = bytes(range(100, 99 + length))
    assert bus.write(b"\x40" + data) == 0
    assert bus.board.part.registers[0x40 : 0x40 + len(data)] == data
    assert bus.board.part.log[-2:] == ["start", "stop"]
    assert bus.board.part.pointer == 0x40 + len(data)


def test_what_the_controller_cannot_do_is_refused_before_it_begins(bus: Bus) -> None:
    bus.start()
    bus.board.part.log.clear()
    assert bus.write(b"") == bus.write(bytes(33)) == -1
    assert bus.read(0, 0) is None
    assert bus.read(0, 256) is None
    assert bus.board.part.log == []


def test_the_lists_of_a_long_read_end_where_the_fifo_is_full(bus: Bus) -> None:
    bus.start()
    assert bus.read(0, 40) is not None
    assert bus.board.runs == [
        [(RSTART, 0), (WRITE, 2), (RSTART, 0), (WRITE, 1), (END, 0)],
        [(READ, 32), (END, 0)],
        [(READ, 7), (READ, 1), (STOP, 0)],
    ]


def test_nobody_at_an_address_is_told_and_others_are_still_there(bus: Bus) -> None:
    bus.start()
    for _ in range(3):
        began_ms = bus.board.now_ms
        assert bus.read(0, 6, address=0x29) is None
        assert bus.board.now_ms - began_ms < 10, "no acknowledge is known at once"
        assert bus.write(b"\x40\x01", address=0x29) == -1
        assert bus.board.level(bus.board.scl), "SCL was left low"
        assert bus.read(0x30, 2) == b"\x30\x31"


def test_a_part_that_refuses_a_byte_is_told_and_gets_a_stop(bus: Bus) -> None:
    bus.start()
    bus.board.part.acknowledges_left = 3
    assert bus.write(b"\x40\x01\x02\x03") == -1
    assert bus.board.part.log[-1] == "stop"
    bus.board.part.acknowledges_left = 100
    assert bus.write(b"\x40\x09") == 0
    assert bus.read(0x40, 1) == b"\x09"


@pytest.mark.parametrize("clocks", range(1, 10))
def test_a_part_that_was_cut_short_gets_its_clocks(bus: Bus, clocks: int) -> None:
    # before the start, as after a restart of the chip alone
    bus.board.part.clocks_until_release = clocks
    bus.start()
    assert bus.board.part.log == ["stop"]
    assert bus.board.part.clocks_until_release == 0
    assert bus.read(0x30, 2) == b"\x30\x31"
    # and between two requests
    bus.board.part.clocks_until_release = clocks
    assert bus.read(0x30, 2) == b"\x30\x31"


@pytest.mark.parametrize("has_time_out", [True, False])
def test_a_clock_that_a_part_holds_for_ever_ends_in_time(bus: Bus, has_time_out: bool) -> None:
    bus.start()
    bus.board.has_time_out = has_time_out
    bus.board.part.trouble = "holds"
    began_ms = bus.board.now_ms
    assert bus.read(0x30, 2) is None
    assert bus.board.now_ms - began_ms < (10 if has_time_out else 40)
    assert bus.write(b"\x40\x01") == -1
    bus.board.part.trouble = ""
    bus.board.part.holds_scl = False
    assert bus.read(0x30, 2) == b"\x30\x31"


@pytest.mark.parametrize("line", ["holds_scl", "shorts_sda"])
def test_a_line_that_is_low_for_ever_is_no_part_that_says_zero(bus: Bus, line: str) -> None:
    setattr(bus.board.part, line, True)
    bus.start()
    assert bus.read(0x30, 2) is None
    assert bus.write(b"\x40\x01") == -1
    assert bus.board.runs == []
    setattr(bus.board.part, line, False)
    assert bus.read(0x30, 2) == b"\x30\x31"


def test_a_line_that_goes_low_while_a_part_answers_is_noticed(bus: Bus) -> None:
    bus.start()
    bus.board.part.trouble = "shorts"
    assert bus.read(0x30, 2) is None


def test_the_clock_and_its_edges_are_those_of_standard_mode(bus: Bus) -> None:
    bus.start()
    values = bus.board.active
    if bus.board.chip is ESP32:
        tick_s = 1 / 80e6
        threshold = values[0x50] & 7
        assert values[0x50] & 8
        assert threshold >= 3
        high = values[0x38] + threshold + 6
        wide = 1 << 10
        assert values[0x0C] < 1 << 20
        time_out_s = values[0x0C] * tick_s
    else:
        assert values[0x54] == 1 << 21, "from the crystal, not divided"
        tick_s = 1 / 40e6
        rise, rest = values[0x38] >> 9, values[0x38] & 0x1FF
        assert rise < 1 << 7
        assert rise < values[0x34] < rise + rest, "sampled while SCL may still rise"
        high = rise + rest
        wide = 1 << 9
        assert values[0x0C] & 1 << 5
        assert values[0x0C] & 0x1F <= 22
        time_out_s = 2 ** (values[0x0C] & 0x1F) * tick_s
    low = values[0x00] + 1
    for at in (0x30, 0x34, 0x40, 0x44, 0x48, 0x4C):
        assert 0 < values[at] < wide, hex(at)
    assert low * tick_s >= T_LOW_S
    assert high * tick_s >= T_HIGH_S
    assert 95e3 < 1 / ((low + high) * tick_s) < 100.1e3
    assert values[0x40] * tick_s >= T_HD_STA_S
    assert values[0x44] * tick_s >= T_SU_STA_S
    assert values[0x4C] * tick_s >= T_SU_STO_S
    assert values[0x48] * tick_s >= T_BUF_S
    assert values[0x30] < low, "data changes while SCL is low"
    assert values[0x34] < high, "and is sampled while it is high"
    assert 32 * 9 * 10e-6 < time_out_s < 25e-3
