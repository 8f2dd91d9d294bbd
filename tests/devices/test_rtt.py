"""RTT in a device's memory, from the host: the example of the page, invalid memory."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.boards import load_board, load_boards
from runec.devices import check_emulator, start_emulator
from runec.devices.rtt import ID, Rtt, RttError
from runec.diagnostics import MachineError, RuneError, UserFileError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec" / "link.md"
RAM, RAM_BYTES = 0x2000_0000, 0x1000
BLOCK, UP, DOWN = RAM, RAM + 0x100, RAM + 0x500


class Ram:
    """A chip's RAM: whoever leaves it has made a mistake."""

    def __init__(self) -> None:
        self.bytes = bytearray(RAM_BYTES)
        self.writes: list[int] = []

    def read(self, address: int, length: int) -> bytes:
        assert RAM <= address <= address + length <= RAM + RAM_BYTES
        return bytes(self.bytes[address - RAM : address - RAM + length])

    def write_word(self, address: int, value: int) -> None:
        assert RAM <= address <= RAM + RAM_BYTES - 4
        assert address % 4 == 0
        self.writes.append(address)
        struct.pack_into("<I", self.bytes, address - RAM, value)

    def words(self, address: int, *values: int) -> None:
        struct.pack_into(f"<{len(values)}I", self.bytes, address - RAM, *values)


@pytest.fixture
def ram() -> Ram:
    """Rtt as a device makes them."""
    made = Ram()
    made.bytes[:24] = struct.pack("<16sii", ID, 1, 1)
    made.words(BLOCK + 24, RAM + 0xF00, UP, 1024, 0, 0, 2)
    made.words(BLOCK + 48, RAM + 0xF00, DOWN, 512, 0, 0, 2)
    return made


def rings(ram: Ram) -> Rtt:
    return Rtt(ram, BLOCK, RAM, RAM_BYTES)


def test_the_pages_example_is_what_comes_out(ram: Ram) -> None:
    ram.words(BLOCK + 24 + 12, 3, 1)
    ram.bytes[0x100:0x103] = b"ABC"
    link = rings(ram)
    # The page shows the moment before R up follows.
    before = re.findall(r"^(2000\w{4})  (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(before) == 5
    link.send(b"z\0")
    assert link.exchange() == b"BC"
    ram.words(BLOCK + 24 + 16, 1)
    for address, text in before:
        at = int(address, 16) - RAM
        for offset, shown in enumerate(text.split()):
            if shown != "xx":
                assert ram.bytes[at + offset] == int(shown, 16), f"{address} + {offset}"


def test_offsets_are_written_last_and_only_the_computers_own(ram: Ram) -> None:
    ram.words(BLOCK + 24 + 12, 1, 0)
    link = rings(ram)
    link.send(b"12345")
    link.exchange()
    assert ram.writes == [BLOCK + 24 + 16, DOWN, DOWN + 4, BLOCK + 48 + 12]


def test_there_is_no_console_before_the_id_is_whole(ram: Ram) -> None:
    ram.bytes[9] = 0
    link = rings(ram)
    link.send(b"x")
    assert link.exchange() == b""
    assert ram.writes == []
    ram.bytes[9] = ord("T")
    link.exchange()
    assert ram.bytes[0x500:0x501] == b"x"


def test_other_channels_of_other_programs_are_passed_over(ram: Ram) -> None:
    ram.bytes[16:24] = struct.pack("<ii", 2, 2)
    ram.words(BLOCK + 48, 0, 0xDEAD_BEEF, 77, 5, 5, 0)
    ram.words(BLOCK + 72, 0, DOWN, 512, 0, 0, 2)
    ram.words(BLOCK + 96, 0, 0xDEAD_BEEF, 77, 5, 5, 0)
    link = rings(ram)
    link.send(b"x")
    link.exchange()
    assert ram.bytes[0x500:0x501] == b"x"


@given(data=st.data())
def test_every_byte_goes_around_the_end_once(data: st.DataObject) -> None:
    ram = Ram()
    ram.bytes[:24] = struct.pack("<16sii", ID, 1, 1)
    size = data.draw(st.integers(2, 10)) * 4
    start = data.draw(st.integers(0, size - 1))
    ram.words(BLOCK + 24, 0, UP, 64, 0, 0, 2)
    ram.words(BLOCK + 48, 0, DOWN, size, start, start, 2)
    ram.bytes[0x500 + size : 0x500 + size + 4] = b"mine"
    sent = data.draw(st.binary(max_size=60))
    link = rings(ram)
    link.send(sent)
    heard = b""
    while len(heard) < len(sent):
        link.exchange()
        write, read = struct.unpack_from("<II", ram.bytes, 48 + 12)
        assert write != read
        while read != write:
            heard += ram.bytes[0x500 + read : 0x501 + read]
            read = (read + 1) % size
        ram.words(BLOCK + 48 + 16, read)
    assert heard == sent
    assert ram.bytes[0x500 + size : 0x500 + size + 4] == b"mine"


LIES: dict[str, Callable[[Ram], None]] = {
    "no ring up": lambda ram: ram.words(BLOCK + 16, 0),
    "no ring down": lambda ram: ram.words(BLOCK + 20, 0),
    "many rings": lambda ram: ram.words(BLOCK + 16, 17),
    "less than none": lambda ram: ram.words(BLOCK + 16, 0xFFFF_FFFF),
    "a buffer below the RAM": lambda ram: ram.words(BLOCK + 28, RAM - 4),
    "a buffer past the RAM": lambda ram: ram.words(BLOCK + 28, RAM + RAM_BYTES - 1020),
    "a buffer that wraps": lambda ram: ram.words(BLOCK + 28, 0xFFFF_FF00),
    "a ring of nothing": lambda ram: ram.words(BLOCK + 56, 0),
    "a ring of an odd size": lambda ram: ram.words(BLOCK + 56, 511),
    "a ring that does not end": lambda ram: ram.words(BLOCK + 56, 0xFFFF_FFFC),
    "a ring between words": lambda ram: ram.words(BLOCK + 52, DOWN + 2),
    "a W past the end": lambda ram: ram.words(BLOCK + 36, 1024),
    "an R past the end": lambda ram: ram.words(BLOCK + 64, 512),
    "a ring over the block": lambda ram: ram.words(BLOCK + 52, BLOCK),
    "a ring over the other": lambda ram: ram.words(BLOCK + 52, UP + 1020),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_block_that_lies_is_refused_and_nothing_is_written(ram: Ram, lie: str) -> None:
    LIES[lie](ram)
    link = rings(ram)
    link.send(b"secret")
    with pytest.raises(RttError):
        link.exchange()
    assert ram.writes == []


@given(data=st.binary(min_size=56, max_size=56), more=st.binary(max_size=300))
def test_arbitrary_memory_is_never_followed_out_of_the_ram(data: bytes, more: bytes) -> None:
    ram = Ram()
    ram.bytes[:72] = ID + data
    ram.bytes[72 : 72 + len(more)] = more
    link = rings(ram)
    link.send(b"x" * 100)
    for _ in range(3):
        try:
            link.exchange()
        except RttError:
            break


@pytest.mark.parametrize("address", [RAM - 4, RAM + 2, RAM + RAM_BYTES - 68, 0])
def test_a_block_that_cannot_lie_there_is_refused(ram: Ram, address: int) -> None:
    with pytest.raises(RttError):
        Rtt(ram, address, RAM, RAM_BYTES)


def test_an_emulator_without_a_debugger_cannot_have_the_link_in_ram() -> None:
    board = load_board("netduinoplus2").with_link("rtt")
    with pytest.raises(UserFileError) as caught:
        start_emulator(board, Path("x.elf"))
    assert caught.value.code == "R0931"
    assert 'link = "uart"' in str(caught.value.hint)


def test_every_board_that_was_emulated_has_an_emulator_that_carries_its_link() -> None:
    boards = [board for board in load_boards() if "emulated" in board.verified]
    assert boards
    for board in boards:
        check_emulator(board.emulated())


def test_a_chip_whose_uart_is_deaf_in_the_emulator_is_not_waited_for() -> None:
    board = load_board("esp32").with_link("uart")
    with pytest.raises(UserFileError) as caught:
        start_emulator(board, Path("x.elf"))
    assert caught.value.code == "R0931"
    assert 'link = "rtt"' in str(caught.value.hint)


def elf_of_a_loop(symbol: str) -> bytes:
    """A program for Cortex-M that does nothing, by hand: its vectors, a branch to itself."""
    code = struct.pack("<II", RAM + RAM_BYTES, 0x0800_0009) + b"\xfe\xe7\xfe\xe7"
    names = b"\0.symtab\0.strtab\0"
    strings = b"\0" + symbol.encode() + b"\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, 0x1000, 72, 0x11, 0, 0xFFF1)
    at = 52 + 32
    parts = [code, symbols, strings, names]
    offsets = []
    for part in parts:
        offsets.append(at)
        at += len(part) + -len(part) % 4
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x0800_0009, 52, at, 0, 52, 32, 1, 40, 4, 3)
    head += struct.pack("<8I", 1, 84, 0x0800_0000, 0x0800_0000, len(code), len(code), 5, 4)
    for part in parts:
        head += part + bytes(-len(part) % 4)
    head += bytes(40)
    head += struct.pack("<10I", 1, 2, 0, 0, offsets[1], len(symbols), 2, 1, 4, 16)
    head += struct.pack("<10I", 9, 3, 0, 0, offsets[2], len(strings), 0, 0, 1, 0)
    return head + struct.pack("<10I", 9, 3, 0, 0, offsets[3], len(names), 0, 0, 1, 0)


@pytest.mark.parametrize("symbol", ["_SEGGER_RTT", "something_else"])
def test_a_program_without_a_block_in_its_ram_is_refused_by_the_simulator(
    tmp_path: Path, symbol: str
) -> None:
    (tmp_path / "x.elf").write_bytes(elf_of_a_loop(symbol))
    board = load_board("netduinoplus2").with_link("rtt")
    emulator = load_board("esp32").emulator
    assert emulator is not None
    board = msgspec.structs.replace(
        board, emulator=msgspec.structs.replace(emulator, target="stm32f407")
    )
    with pytest.raises((RuneError, MachineError)) as caught:
        start_emulator(board, tmp_path / "x.elf")
    assert caught.value.code == "R0930", caught.value.message
    assert ("0x1000" if symbol == "_SEGGER_RTT" else "no symbol") in caught.value.message
