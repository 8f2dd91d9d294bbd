"""Each chip family's registers at work in a simulator: console, memory, time, I2C, faults, restart.

The program is the HAL alone (`hal_probe.c`), so boards that are too small for a rune take part.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from runec.boards import Board, load_boards
from runec.devices import rtt

PROBE = Path(__file__).with_name("hal_probe.c")
DRIVER = Path(__file__).with_name("drive_simulator.py")
BOARDS = [
    board.emulated()
    for board in load_boards()
    if board.emulator and board.emulator.kind == "labwired" and board.hal.i2c
]


@pytest.fixture(scope="module")
def probe(on_hal: Callable[[Path, Board], Path]) -> Callable[[Board], Path]:
    return partial(on_hal, PROBE)


class Ask:
    """A simulated chip with an ADXL345 at 0x53 of its I2C bus, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.time_s = 0.0

    def __call__(self, *words: object) -> list[str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                *answer, self.time_s = json.loads(line.removeprefix("answer "))
                return list(map(str, answer))
        raise AssertionError("the simulator ended")


@pytest.fixture(params=BOARDS, ids=lambda board: board.id)
def board(request: pytest.FixtureRequest) -> Board:
    found: Board = request.param
    return found


@pytest.fixture
def ask(board: Board, probe: Callable[[Board], Path]) -> Iterator[Ask]:
    assert board.emulator is not None
    words = [sys.executable, "-P", str(DRIVER), str(probe(board)), board.emulator.target]
    words += [str(board.hal.defines[name]) for name in ("HAL_SDA_PIN", "HAL_SCL_PIN")]
    if board.hal.link == "rtt":
        ram = board.memory.ram
        words += [str(rtt.__file__), str(ram.origin), str(ram.size_bytes)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Ask(process)


def command(*values: str | int) -> list[int]:
    return [ord(value) if isinstance(value, str) else value for value in values]


# By chip family: a pin, the register with its level and the bit, that with its direction, the bits
# of that and what they are for an output.
PINS = {
    "stm32f1": (45, 0x4001_100C, 13, 0x4001_1004, 0xF << 20, 2 << 20),
    "stm32f4": (45, 0x4002_0814, 13, 0x4002_0800, 3 << 26, 1 << 26),
    "nrf52": (13, 0x5000_0504, 13, 0x5000_0734, 1, 1),
    "esp32": (33, 0x3FF4_4010, 1, 0x3FF4_402C, 2, 2),
    "esp32c3": (7, 0x6000_4004, 7, 0x6000_4020, 1 << 7, 1 << 7),
}
# labwired stops at a fault of these chips instead of taking it,
ENDS_AT_A_FAULT = ("esp32", "esp32c3")
# and restarts this one into a boot ROM that it does not have.
NEVER_RESTARTS = ("esp32",)
# Its clock where that is another than the board's: no loader runs there that slows an ESP32 down.
SIMULATED_HZ = {"esp32": 240_000_000}


@pytest.mark.emulated
def test_the_chip_starts_and_its_registers_do_what_their_manual_says(
    ask: Ask, board: Board
) -> None:
    # memory is as the C language wants it, and again after a restart
    assert ask("send", command("m")) == ["12340000"]
    assert ask("send", command("m")) == ["55555555"]
    # every value of a byte comes in
    assert ask("send", [value for value in range(256) if chr(value) not in "mtrigpfxow"]) == [
        "eeee"
    ] * (256 - 10)

    # time goes on with the simulator's
    (first,) = ask("send", command("t"))
    before_s = ask.time_s
    ask("wait", 0.02)
    (second,) = ask("send", command("t"))
    passed_ms = int(second[:8], 16) - int(first[:8], 16)
    ticks_per_second = 1000 * SIMULATED_HZ.get(board.id, board.cpu.clock_hz) / board.cpu.clock_hz
    assert passed_ms == pytest.approx(ticks_per_second * (ask.time_s - before_s), rel=0.25)
    assert int(second[8:], 16) != int(first[8:], 16)

    # chance, or a plain no; a simulator without the generator faults, as at any hole in its memory
    drawn = ask("send", command("r"))
    assert re.fullmatch("0[0-9a-f]{8}|e0{8}", drawn[0]) or "fault, restarting" in drawn[-1]

    # I2C: the part's identity; several registers at once; nobody at another address; a change stays
    adxl, nobody = 0x53, 0x29
    assert ask("send", command("i")) == ["0"]
    assert ask("send", command("g", adxl, 0, 1)) == ["0e5"]
    assert ask("send", command("g", nobody, 0, 1)) == ["e"]
    assert ask("send", command("g", nobody, 0, 6)) == ["e"]
    assert ask("send", command("p", nobody, 0x2D, 8)) == ["e"]
    assert ask("send", command("p", adxl, 0x2D, 8)) == ["0"]
    assert ask("send", command("g", adxl, 0x2D, 1)) == ["008"]
    assert ask("send", command("p", adxl, 0x31, 0x0B)) == ["0"]  # full resolution, 16 g
    for name, value in (("x", 1.0), ("y", -0.5), ("z", 0.25)):
        ask("input", name, value)
    ask("wait", 0.02)
    # One register more than is wanted: ST's manual wants stop asked for before the last byte is
    # taken, and the simulated STM32 controllers start again then, so that byte is not the part's.
    (seven,) = ask("send", command("g", adxl, 0x32, 7))
    six = seven[:13]
    assert six[0] == "0"
    data = bytes.fromhex(six[1:])
    axes = [int.from_bytes(data[at : at + 2], "little", signed=True) for at in (0, 2, 4)]
    assert axes[0] == -2 * axes[1] == 4 * axes[2] != 0
    # more than some controllers hold at once, up to a register that was written
    (many,) = ask("send", command("g", adxl, 0, 0x2F))
    assert many[:3] == "0e5"
    assert many[1 + 2 * 0x2D :][:2] == "08"
    # each length is another way through the controller
    for length in (1, 2, 3, 4, 5):
        (some,) = ask("send", command("g", adxl, 0x32, length))
        certain = 1 + 2 * (length if length == 1 else length - 1)
        assert len(some) == 1 + 2 * length
        assert some[:certain] == six[:certain]

    # a pin has the level before it is an output, and each one that is asked for after that
    number, levels, bit, directions, mask, output = PINS[board.hal.folder]
    for order, level in (("o", 1), ("w", 0), ("w", 1), ("w", 0), ("o", 0), ("o", 1)):
        assert ask("send", command(order, number, level)) == ["0"]
        (word,) = ask("word", levels)
        assert int(word) >> bit & 1 == level
    assert int(ask("word", directions)[0]) & mask == output

    # a fault and a restart both lead back to the start
    if board.hal.folder not in ENDS_AT_A_FAULT:
        said = ask("send", command("f"))
        assert any("fault, restarting" in line for line in said)
        assert ask("send", command("m")) == ["12340000"]
    if board.hal.folder not in NEVER_RESTARTS:
        ask("restart", command("x"))
        assert ask("send", command("m")) == ["12340000"]


def test_every_family_of_boards_takes_part() -> None:
    families = {board.hal.folder for board in load_boards() if board.hal.i2c}
    assert families == {board.hal.folder for board in BOARDS}
