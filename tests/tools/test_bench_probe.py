"""The probe and the meter over a stand-in for the emulator's door, and over QEMU itself."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runec.boards import load_board
from tools.bench.machine import counted
from tools.bench.meter import Meter, Span, function_addresses
from tools.bench.probe import Probe, ProbeError, emulator_flags

FUNCTIONS = {"outer": 0x100, "inner": 0x200, "_ZN3lib6invokeEv": 0x300}


class Door:
    """An emulator whose program passes given addresses; each step is 10 instructions.

    A step is (address, what lr holds there). It ends after the last one.
    """

    def __init__(self, path: Path, steps: list[tuple[int, int]]) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._steps = steps
        self.at = -1
        self.registers = [0] * 16
        self.memory = bytearray(4096)
        self.breakpoints: set[int] = set()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._thread.join(timeout=5)
        self._server.close()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection, connection.makefile("rb") as stream:
            while packet := self._packet(stream):
                for answer in self._answers(packet):
                    data = answer.encode()
                    connection.sendall(b"+$%s#%02x" % (data, sum(data) & 0xFF))
                if packet in {"k", "end"} or self.at >= len(self._steps):
                    return

    @staticmethod
    def _packet(stream: object) -> str:
        read = stream.read  # type: ignore[attr-defined]
        while (byte := read(1)) == b"+":
            pass
        data = b""
        while byte and (byte := read(1)) != b"#":
            data += byte
        read(2)
        return data.decode()

    def _answers(self, packet: str) -> list[str]:
        kind, rest = packet[0], packet[1:]
        if packet == "c":
            while True:
                self.at += 1
                if self.at >= len(self._steps):
                    return []
                self.registers[15], self.registers[14] = self._steps[self.at]
                if self.registers[15] in self.breakpoints:
                    return ["T05thread:01;"]
        if kind in "Zz":
            address = int(rest.split(",")[1], 16)
            (self.breakpoints.add if kind == "Z" else self.breakpoints.remove)(address)
        elif kind == "p":
            return [struct.pack("<I", self.registers[int(rest, 16)]).hex()]
        elif kind == "P":
            number, value = rest.split("=")
            self.registers[int(number, 16)] = struct.unpack("<I", bytes.fromhex(value))[0]
        elif kind == "m":
            start, length = (int(word, 16) for word in rest.split(","))
            return [self.memory[start : start + length].hex()]
        elif kind == "M":
            place, digits = rest.split(":")
            start = int(place.split(",")[0], 16)
            self.memory[start : start + len(digits) // 2] = bytes.fromhex(digits)
        elif packet.startswith("qRcmd"):
            said = f"Recording execution 'x': instruction count = {10 * self.at}\r\n"
            return ["O" + said.encode().hex(), "OK"]
        elif kind == "q":
            return ["l<target/>"]
        return [] if packet == "k" else ["OK"]


@pytest.fixture
def doors() -> Iterator[list[Door]]:
    """What a test opens here is closed after it."""
    opened: list[Door] = []
    yield opened
    for door in opened:
        door.close()


def open_door(
    tmp_path: Path, doors: list[Door], steps: list[tuple[int, int]]
) -> tuple[Door, Meter]:
    door = Door(tmp_path / "door", steps)
    doors.append(door)
    return door, Meter(Probe(tmp_path / "door"), FUNCTIONS)


def test_spans_nest_and_are_counted_to_the_instruction_after_the_call(
    tmp_path: Path, doors: list[Door]
) -> None:
    steps = [(0x0, 0), (0x100, 0x11), (0x200, 0x103), (0x102, 0), (0x200, 0x105), (0x104, 0)]
    _, meter = open_door(tmp_path, doors, [*steps, (0x10, 0), (0x100, 0x21), (0x20, 0)])
    meter.span("outer")
    meter.span("inner")
    meter.probe.run()
    meter.probe.close()
    inner = [Span("inner", 20, 30), Span("inner", 40, 50)]
    assert meter.spans == [*inner, Span("outer", 10, 60), Span("outer", 70, 80)]
    assert meter.inside("inner", 10, 60) == 20
    assert meter.inside("inner", 30, 60) == 10
    assert meter.inside("outer", 60, 99) == 10


def test_a_handler_stands_in_for_a_function(tmp_path: Path, doors: list[Door]) -> None:
    door, meter = open_door(tmp_path, doors, [(0x200, 0x41), (0x200, 0x51)])
    given = iter((7, 8))
    found = []

    def answer() -> None:
        meter.probe.give_back(next(given))
        found.append((door.registers[0], door.registers[15]))

    meter.instead("inner", answer)
    meter.probe.run()
    meter.probe.close()
    assert found == [(7, 0x40), (8, 0x50)]


def test_of_several_who_wait_the_last_one_is_called_first_and_each_once(
    tmp_path: Path, doors: list[Door]
) -> None:
    door, meter = open_door(tmp_path, doors, [(0x100, 1), (0x100, 1)])
    called: list[int] = []
    for number in range(3):
        meter.at("outer", lambda number=number: called.append(number))  # type: ignore[misc]
    meter.probe.run()
    meter.probe.close()
    assert called == [2, 1, 0]
    assert door.breakpoints == set()


def test_memory_longer_than_a_packet_goes_there_and_back(tmp_path: Path, doors: list[Door]) -> None:
    door, meter = open_door(tmp_path, doors, [])
    data = bytes(range(256)) * 10
    meter.probe.write(16, data)
    assert door.memory[16 : 16 + len(data)] == data
    assert meter.probe.read(16, len(data)) == data
    meter.probe.end()
    meter.probe.close()


def test_a_function_is_found_by_a_part_of_its_name_when_only_one_has_it(
    tmp_path: Path, doors: list[Door]
) -> None:
    _, meter = open_door(tmp_path, doors, [])
    assert meter.address("6invoke") == 0x300
    assert meter.address("nner") == 0x200
    for name, count in (("e", 3), ("nothing", 0)):
        with pytest.raises(ProbeError, match=f"{count} functions of the program .* '{name}'"):
            meter.address(name)
    meter.probe.end()
    meter.probe.close()


def test_flags_that_do_not_count_every_instruction_are_refused() -> None:
    flags = emulator_flags(("-icount", "shift=0", "-nographic"), Path("/x"))
    assert flags[:2] == ["-icount", "shift=0,rr=record,rrfile=/dev/null"]
    with pytest.raises(ProbeError, match="does not count instructions"):
        emulator_flags(("-nographic",), Path("/x"))


PROGRAM = """\
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word 0x20001000, start
    .text
    .type start, %function
    .globl start
start:                      @ 3 to the call of the loop
    bl systick_start
    movs r0, #100
    movs r1, #0
    bl loop
    bl last
    b .

    .type systick_start, %function
systick_start:           @ left out: it would take 2
    nop
    bx lr

    .type loop, %function
loop:                       @ 3 for each turn, and the return
    adds r1, #3
    subs r0, #1
    bne loop
    bx lr

    .type last, %function
last:
    bx lr
"""


@pytest.fixture
def counted_program(tmp_path: Path) -> Path:
    """A program whose instructions can be counted by hand."""
    source, elf = tmp_path / "program.S", tmp_path / "program.elf"
    source.write_text(PROGRAM)
    subprocess.run(
        [
            *("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-nostdlib"),
            "-Wl,--section-start=.vectors=0x08000000,-Ttext=0x08000100,-e,start",
            *(str(source), "-o", str(elf)),
        ],
        check=True,
    )
    return elf


def test_qemu_counts_the_instructions_that_are_there(counted_program: Path) -> None:
    ends: list[int] = []
    with counted(load_board("netduinoplus2"), counted_program) as (_, meter):

        def end() -> None:
            ends.append(meter.probe.count())
            meter.probe.end()

        meter.span("loop")
        meter.at("last", end)
        meter.probe.run()
    # bl, movs, movs, bl; 100 turns and the return; bl.
    assert meter.spans == [Span("loop", 4, 4 + 301)]
    assert ends == [4 + 301 + 1]


def test_the_addresses_of_functions_are_those_that_nm_prints(counted_program: Path) -> None:
    listing = subprocess.run(
        ["arm-none-eabi-nm", counted_program], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    wanted = {name: int(value, 16) & ~1 for value, _, name in rows}
    found = function_addresses(counted_program.read_bytes())
    assert set(found) == {"start", "loop", "last", "systick_start"}
    assert found == {name: wanted[name] for name in found}


def test_a_board_whose_emulator_does_not_count_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ProbeError, match="esp32c3 has no emulator that counts"),
        counted(load_board("esp32c3"), tmp_path / "firmware.elf"),
    ):
        pass
