"""selftest.c on this computer with sanitizers, against docs/spec/link.md, section 6."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runec.data import data_dir

HERE = Path(__file__).resolve().parent
TEMPLATES = data_dir("firmware_templates")
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g", "-O1")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
DONE, ABSENT, MALFORMED, FAILED = b"\0", b"\1", b"\2", b"\3"
MEMORY = bytes(index * 7 & 0xFF for index in range(1000))
Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    compiler = shutil.which("gcc") or "clang"

    def make(*flags: str) -> Path:
        program = tmp_path_factory.mktemp("selftest") / "program"
        sources = [
            TEMPLATES / "selftest" / "selftest.c",
            TEMPLATES / "runevm" / "src" / "crc32.c",
            HERE / "fake_chip.c",
        ]
        folders = [
            TEMPLATES / "selftest",
            TEMPLATES / "runevm" / "src",
            TEMPLATES / "hal" / "common",
        ]
        command = [compiler, *STRICT, *SANITIZERS, *flags, *(f"-I{each}" for each in folders)]
        subprocess.run([*command, *map(str, sources), "-o", str(program)], check=True)
        return program

    return make


class Device:
    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.memory = int(self._line())

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def __call__(self, *request: int, data: bytes = b"") -> bytes:
        assert self.process.stdin is not None
        body = bytes(request) + data
        self.process.stdin.write(struct.pack("<H", len(body)) + body)
        self.process.stdin.flush()
        return bytes.fromhex(self._line().decode())

    def end(self) -> str:
        said, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors.decode()
        return said.decode().strip()


@pytest.fixture(scope="module")
def program(build: Build) -> Path:
    return build("-DSELFTEST_HAS_I2C")


@pytest.fixture
def ask(program: Path) -> Iterator[Device]:
    device = Device(program)
    yield device
    device.end()


def test_an_echo_fills_the_largest_frame(ask: Device) -> None:
    for length in (0, 1, 238, 239):
        data = bytes(range(1, 240))[:length]
        assert ask(0, data=data) == DONE + data
    assert ask(0, data=bytes(240)) == MALFORMED


def test_registers_come_in_pieces_that_fit(ask: Device) -> None:
    found: list[tuple[str, int]] = []
    while body := ask(1, len(found))[1:]:
        assert len(body) <= 239
        while body:
            (value,) = struct.unpack_from("<I", body)
            end = 5 + body[4]
            found.append((body[5:end].decode(), value))
            body = body[end:]
    assert found[:3] == [
        ("RESET", 0xCAFE),
        ("FIRST", 0x11223344),
        ("SECOND_OF_THE_CHIP", 0xA5A5A5A5),
    ]
    assert len(found) == 15
    assert found[8][0] == "A_NAME_THAT_IS_LONGER_THAN_FORTY_CHARACTERS_ARE"[:40]
    assert found[14] == ("LAST", 7)
    assert ask(1, 255) == DONE


def test_the_clocks_and_counters_of_the_firmware(ask: Device) -> None:
    assert ask(2) == DONE + struct.pack("<IIII", 1234, 10, 3, 5)


def crc(ask: Device, cache: int, at: int, length: int, rounds: int) -> bytes:
    return ask(3, data=struct.pack("<BIIH", cache, ask.memory + at, length, rounds))


@pytest.mark.parametrize(("at", "length"), [(0, 1000), (4, 1), (8, 2), (0, 3), (0, 4), (996, 4)])
def test_memory_is_read_as_zlib_reads_it(ask: Device, at: int, length: int) -> None:
    expected = zlib.crc32(MEMORY[at : at + length])
    answer = crc(ask, 0, at, length, 3)
    assert answer == DONE + struct.pack("<IIIB", expected, 0, 10, 1)


def test_the_cache_is_off_for_the_rounds_alone(program: Path) -> None:
    ask = Device(program)
    expected = zlib.crc32(MEMORY)
    assert crc(ask, 1, 0, 1000, 2) == DONE + struct.pack("<IIIB", expected, 0, 25, 0)
    assert crc(ask, 0, 0, 1000, 2) == DONE + struct.pack("<IIIB", expected, 0, 10, 1)
    assert "cache 1 after" in ask.end()


def test_wrong_ranges_of_memory_are_refused(ask: Device) -> None:
    assert crc(ask, 0, 1, 4, 1) == MALFORMED
    assert crc(ask, 0, 0, 0, 1) == MALFORMED
    assert crc(ask, 0, 0, 4, 0) == MALFORMED
    assert crc(ask, 2, 0, 4, 1) == MALFORMED


def test_a_second_clock_is_there_or_not(ask: Device) -> None:
    name = b"crystal of 32.768 kHz"
    assert ask(4) == DONE + struct.pack("<II", 32770, 32768) + bytes((len(name),)) + name
    assert ask(4) == ABSENT


def test_pins_are_driven_read_and_released(ask: Device) -> None:
    assert ask(5, 2, 13) == b"\0\0"
    assert ask(5, 0, 13) == b"\0\1"
    assert ask(5, 1, 13) == b"\0\0"
    assert ask(5, 0, 13) == b"\0\0"
    assert ask(5, 2, 13) == b"\0\0"
    assert ask(5, 3, 13) == b"\0\0"
    assert ask(5, 0, 13) == b"\0\0"
    assert ask(5, 0, 99) == ABSENT
    assert ask(5, 3, 99) == ABSENT
    assert ask(5, 4, 13) == MALFORMED


def test_a_scan_finds_the_parts(ask: Device) -> None:
    assert ask(6, 0x50, 16) == DONE + struct.pack("<H", 1 << 3)
    assert ask(6, 0x60, 16) == DONE + struct.pack("<H", 1 << 8)
    assert ask(6, 0x08, 16) == DONE + bytes(2)
    for first, count in ((7, 1), (0x78, 1), (0x70, 9), (8, 0), (8, 17)):
        assert ask(6, first, count) == MALFORMED


def test_reading_a_part_is_timed(ask: Device) -> None:
    assert ask(7, 0x53, 0, 72) == DONE + struct.pack("<I", 10)
    assert ask(7, 0x53, 0, 128) == FAILED  # it has fewer registers
    assert ask(7, 0x54, 0, 8) == FAILED
    for address, count in ((7, 1), (0x78, 1), (0x53, 0), (0x53, 129)):
        assert ask(7, address, 0, count) == MALFORMED


def test_a_board_without_a_bus_says_so(build: Build) -> None:
    ask = Device(build())
    assert ask(6, 8, 16) == ABSENT
    assert ask(7, 0x53, 0, 8) == ABSENT
    ask.end()


def test_random_words_until_the_generator_fails(ask: Device) -> None:
    assert ask(8, 59) == DONE + struct.pack("<59I", *range(1, 60))
    assert ask(8, 60) == MALFORMED
    assert ask(8, 0) == MALFORMED
    assert ask(8, 20) == FAILED  # in the middle
    assert ask(8, 1) == ABSENT


def test_what_restarts_the_chip_is_not_answered(program: Path) -> None:
    ask = Device(program)
    assert ask(9) == b""
    assert ask(10) == b""
    assert ask.end().startswith("1 faults, 1 restarts")


def test_a_request_of_another_length_is_refused(ask: Device) -> None:
    lengths = {1: 2, 2: 1, 3: 12, 4: 1, 5: 3, 6: 3, 7: 4, 8: 2, 9: 1, 10: 1}
    for test, right in lengths.items():
        for length in {1, right - 1, right + 1, 240} - {right, 0}:
            assert ask(test, data=bytes(length - 1)) == MALFORMED, (test, length)
    assert ask() == MALFORMED
    for test in (11, 128, 255):
        assert ask(test) == MALFORMED
