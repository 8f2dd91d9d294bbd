"""The flash drivers of `hal/`, compiled for the boards and run in their emulators.

labwired erases an nRF52's pages as its controller does. Of an STM32's it has no more than the lock
(an F407's where an F1 has it), and takes the keys every second time only: it never erases. A store
changes flash, however the controller is set. An ESP32's takes commands, but for other addresses
than Espressif's; an ESP32-C3's is memory, so that a command never ends. QEMU has no controller:
there nothing may change, and nothing hang. What the drivers do with their registers is tested in
`test_flash_controllers.py`.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from runec.boards import Board, Region, load_board, load_boards
from runec.data import data_dir

PROBE = Path(__file__).with_name("flash_probe.c")
# They answer on the UART, wherever they listen.
BOARDS = [
    board.emulated().with_link("uart") for board in load_boards() if "flash" in board.hal.shares
]
BEHIND_A_CACHE = [board for board in BOARDS if "esp" in board.hal.shares]
OK, REFUSED, NOT_ERASED, FAILED, DIFFERS = (f"{-value & 0xFFFF_FFFF:08x}" for value in range(5))
WITHIN = {"R_RISCV_BRANCH", "R_RISCV_RVC_BRANCH", "R_RISCV_JAL", "R_RISCV_RVC_JUMP"}
WITHIN |= {"R_RISCV_PCREL_LO12_I", "R_RISCV_PCREL_LO12_S"}
SIMULATE = """
import json, labwired, sys
for line in sys.stdin:
    what, *values = json.loads(line)
    answer = None
    if what == "start":
        sim = labwired.Sim(sys.argv[1], chip=sys.argv[2])
        sim.expect("ready\\n", timeout=5)
    elif what == "send":
        if "deaf" in sys.argv:
            for byte in bytes.fromhex(values[0]):
                sim.write_u32(sim.symbol("probe_mailbox"), 256 + byte)
                sim.run_for("20us")
        else:
            sim.send_bytes(bytes.fromhex(values[0]))
        answer = sim.expect("([0-9a-f]+)\\n", timeout=5).captures[0]
    elif what == "memory":
        answer = sim.read_memory(*values).hex()
    elif what == "poke":
        sim.write_u32(*values)
    sys.stdout.write(f"answer {json.dumps(answer)}\\n")
    sys.stdout.flush()
"""

# By chip family: KiB of its sectors (RM0090, table 5; PM0075, table 3; Nordic's chapter NVMC); the
# register with the lock, and its value when that is taken.
FAMILIES = {
    "stm32f4": ((*[16] * 4, 64, *[128] * 7), 0x4002_3C10, 0x8000_0000),
    "stm32f1": ((1,) * 64, 0x4002_2010, 0x80),
    "nrf52": ((4,) * 256, 0x4001_E504, 0),
    "esp32": ((4,) * 32, 0, 0),
    "esp32c3": ((4,) * 512, 0, 0),
}


@pytest.fixture(scope="module")
def probe(on_hal: Callable[[Path, Board], Path]) -> Callable[[Board], Path]:
    return partial(on_hal, PROBE)


def flash(board: Board) -> Region:
    """What of the flash could be the program's to keep things in."""
    return board.memory.storage or board.memory.constants or board.memory.code


def edges(board: Board) -> list[int]:
    """Where the sectors of a board begin and end."""
    first, end = flash(board).origin, flash(board).origin + flash(board).size_bytes
    sizes = (1024 * kib for kib in FAMILIES[board.hal.folder][0])
    found = [at for at in accumulate(sizes, initial=first) if at <= end]
    assert found[-1] == end
    return found


def places(program: Path) -> dict[str, int]:
    """The linker script's symbols."""
    lines = (line.split() for line in printed("arm-none-eabi-nm", str(program)))
    return {name: int(value, 16) for value, kind, name in lines if kind in "AaRrBbDdTtN"}


def loaded(program: Path) -> list[tuple[int, int]]:
    """Where an ELF file's bytes are put: first address, and the one behind."""
    data = program.read_bytes()
    (offset,) = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    found = []
    for index in range(count):
        kind, _, _, physical, length = struct.unpack_from("<5I", data, offset + index * size)
        if kind == 1 and length:
            found.append((physical, physical + length))
    return found


def behind(board: Board, program: Path) -> int:
    """The first address that no sector of the program holds."""
    return min(edge for edge in edges(board) if edge >= end_of_program(board, program))


def end_of_program(board: Board, program: Path) -> int:
    """Where the program ends in the flash that is looked at, at its start if nothing lies there."""
    region = flash(board)
    inside = range(region.origin, region.origin + region.size_bytes + 1)
    return max((end for _, end in loaded(program) if end in inside), default=region.origin)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_the_linker_script_knows_where_the_program_ends(
    board: Board, probe: Callable[[Board], Path]
) -> None:
    program = probe(board)
    found, region = places(program), flash(board)
    assert found["runec_flash_start"] == region.origin
    if board.memory.storage is None:
        assert region.origin in {first for first, _ in loaded(program)}
    assert found["runec_flash_end"] == region.origin + region.size_bytes
    assert found["runec_program_end"] == end_of_program(board, program)


def test_every_family_is_compiled_and_a_board_names_what_its_driver_wants() -> None:
    assert {board.hal.folder for board in BOARDS} == set(FAMILIES)
    pages = load_board("bluepill_f103c8").hal.defines["HAL_FLASH_PAGE_BYTES"]
    assert pages == 1024 * FAMILIES["stm32f1"][0][0]


class Ask:
    """A simulated chip with the probe, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def request(self, *words: object) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                return str(json.loads(line.removeprefix("answer ")))
        raise AssertionError("the simulator ended")

    def start(self) -> None:
        self.request("start")

    def memory(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self.request("memory", address, length))

    def poke(self, address: int, value: int) -> None:
        self.request("poke", address, value)

    def __call__(self, letter: str, *numbers: int, data: bytes = b"") -> str:
        return self.request("send", command(letter, *numbers, data=data).hex())


def command(letter: str, *numbers: int, data: bytes = b"") -> bytes:
    return letter.encode() + b"".join(struct.pack("<I", number) for number in numbers) + data


def write(ask: Ask, address: int, data: bytes) -> str:
    return ask("w", address, len(data), data=data)


@pytest.fixture(
    params=[
        board
        for board in BOARDS
        if board not in BEHIND_A_CACHE and board.emulator and board.emulator.kind == "labwired"
    ],
    ids=lambda board: board.id,
)
def board(request: pytest.FixtureRequest) -> Board:
    found: Board = request.param
    return found


@pytest.fixture
def ask(board: Board, probe: Callable[[Board], Path]) -> Iterator[Ask]:
    yield from simulated(board, probe)


def simulated(board: Board, probe: Callable[[Board], Path]) -> Iterator[Ask]:
    assert board.emulator is not None
    words = [sys.executable, "-P", "-c", SIMULATE, str(probe(board)), board.emulator.target]
    words += ["deaf"] if load_board(board.id).emulated().hal.link == "rtt" else []
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Ask(process)


@pytest.mark.emulated
def test_sectors_and_free_flash_are_those_of_the_chip(
    ask: Ask, board: Board, probe: Callable[[Board], Path]
) -> None:
    ask.start()
    corners = edges(board)
    for first, end in pairwise(corners):
        for address in (first, end - 1):
            assert ask("s", address) == f"{first:08x}{end - first:08x}"
    for address in (corners[-1], 0x2000_0000, 0xFFFF_FFFF):
        assert ask("s", address) == "0" * 16
    first = behind(board, probe(board))
    assert ask("f") == f"{first:08x}{corners[-1] - first:08x}"


@pytest.mark.emulated
def test_the_program_and_what_is_no_flash_are_refused(
    ask: Ask, board: Board, probe: Callable[[Board], Path]
) -> None:
    ask.start()
    corners = edges(board)
    first, size = corners[0], behind(board, probe(board)) - corners[0]
    before = ask.memory(first, size)
    for address in (
        *(corner for corner in corners if corner < first + size),
        corners[-1],
        0x2000_0000,
        0xFFFF_F000,
        first + size + 4,
    ):
        assert ask("e", address) == REFUSED
    for address in (first, first + size - 4, corners[-1], 0x2000_0000, first + size + 1):
        assert write(ask, address, b"\0\0\0\0") == REFUSED
    assert write(ask, corners[-1] - 4, bytes(5)) == REFUSED
    assert ask.memory(first, size) == before
    assert ask.memory(corners[-1] - 4, 4) == b"\xff" * 4


@pytest.mark.emulated
def test_what_is_written_is_in_flash_and_the_controller_locked(
    ask: Ask, board: Board, probe: Callable[[Board], Path]
) -> None:
    _, lock, locked = FAMILIES[board.hal.folder]
    first = behind(board, probe(board))
    for length in (1, 2, 3, 4, 7, 256):
        ask.start()  # a controller that takes the keys
        data = bytes((length + 3 * i) & 0xFF for i in range(length))
        assert write(ask, first + 8, data) == OK
        assert ask.memory(first, 300) == (b"\xff" * 8 + data).ljust(300, b"\xff")
        assert ask.memory(lock, 4) == struct.pack("<I", locked)
        # and a second time it is no longer erased
        assert write(ask, first + 4, b"\1\2\3\4\5") == NOT_ERASED
        assert ask.memory(first, 300) == (b"\xff" * 8 + data).ljust(300, b"\xff")


@pytest.mark.emulated
def test_erasing_clears_a_sector_or_says_that_it_did_not(
    ask: Ask, board: Board, probe: Callable[[Board], Path]
) -> None:
    _, lock, locked = FAMILIES[board.hal.folder]
    corners = edges(board)
    first = behind(board, probe(board))
    for sector in (first, corners[-2]):
        end = corners[corners.index(sector) + 1]
        around = [sector, end - 4, *([end] if end in corners[:-1] else [])]
        around += [sector - 4] if sector > first else []
        ask.start()
        for address in around:
            if board.hal.folder == "nrf52":
                assert write(ask, address, bytes(4)) == OK
            else:
                ask.poke(address, 0)
        before = ask.memory(
            sector - 4, end - sector + 8 if end in corners[:-1] else end - sector + 4
        )
        result = ask("e", sector)
        after = ask.memory(sector - 4, len(before))
        if board.hal.folder == "nrf52":
            assert result == OK
            assert after == before[:4] + b"\xff" * (end - sector) + before[4 + end - sector :]
        else:  # labwired's does not erase, and that is seen
            assert result == DIFFERS
            assert after == before
        assert ask.memory(lock, 4) == struct.pack("<I", locked)


@pytest.mark.emulated
def test_without_a_controller_nothing_hangs_and_nothing_is_said_to_be_written(
    probe: Callable[[Board], Path],
) -> None:
    board = load_board("netduinoplus2")
    assert board.emulator is not None
    program = probe(board)
    first = behind(board, program)
    sent = command("f") + command("e", first) + command("w", first, 4, data=bytes(4))
    sent += command("e", board.memory.code.origin) + command("f")
    words = [str(board.emulator.program), "-M", board.emulator.target, *board.emulator.flags]
    words += ["-kernel", str(program), "-serial", "stdio", "-monitor", "none"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        limit = threading.Timer(60, process.kill)
        limit.start()
        assert process.stdout.readline() == b"ready\n"
        process.stdin.write(sent)
        process.stdin.flush()
        lines = [process.stdout.readline().decode().strip() for _ in range(5)]
        process.kill()
        limit.cancel()
    free = f"{first:08x}{board.memory.code.origin + board.memory.code.size_bytes - first:08x}"
    # its flash is zeros where the program is not
    assert lines == [free, DIFFERS, NOT_ERASED, REFUSED, free]


@pytest.fixture(params=BEHIND_A_CACHE, ids=lambda board: board.id)
def cached(request: pytest.FixtureRequest) -> Board:
    found: Board = request.param
    return found


def test_what_runs_while_flash_is_away_calls_and_reads_nothing_in_flash(
    cached: Board, hal_compiler: Callable[[Board], list[str]], tmp_path: Path
) -> None:
    hal = data_dir("firmware_templates") / "hal"
    sources = [hal / "esp" / "spi_flash.c", hal / cached.hal.folder / "cache.c"]
    command = [*hal_compiler(cached), "-c", *map(str, sources)]
    subprocess.run(command, check=True, cwd=tmp_path)
    section_of: dict[str, str] = {}
    wanted: set[str] = set()
    objdump = f"{cached.toolchain.prefix}objdump"
    for built in sorted(map(str, tmp_path.glob("*.o"))):
        for line in printed(objdump, "-t", built):
            fields = line.split()
            if len(fields) >= 5:
                section_of[fields[-1]] = fields[-3]
        for line in printed(objdump, "-r", "-j", ".ram_code", built):
            fields = line.split()
            # a branch, or the second half of an address, names a place in the same function
            if len(fields) == 3 and fields[1].startswith("R_") and fields[1] not in WITHIN:
                wanted.add(fields[2].split("+")[0].split("-0x")[0])
    running = {name for name, section in section_of.items() if section == ".ram_code"}
    assert {"esp_cache_off", "esp_cache_on", "send", "is_ready"} <= running
    variables = {name for name, section in section_of.items() if section in {".bss", ".sbss"}}
    assert wanted - running - variables - {".ram_code", "*ABS*", ".bss", ".sbss"} == set()
    assert wanted & (running | {".ram_code"})


def printed(*words: str) -> list[str]:
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.fixture
def ask_cached(cached: Board, probe: Callable[[Board], Path]) -> Iterator[Ask]:
    yield from simulated(cached, probe)


@pytest.mark.emulated
def test_code_that_runs_from_ram_comes_back_with_everything_as_it_was(
    ask_cached: Ask, cached: Board, probe: Callable[[Board], Path]
) -> None:
    ask, program = ask_cached, probe(cached)
    ask.start()
    first, end = behind(cached, program), edges(cached)[-1]
    assert ask("f") == f"{first:08x}{end - first:08x}"
    assert ask("s", end - 1) == f"{end - 4096:08x}{4096:08x}"
    assert ask("s", end) == "0" * 16
    # control, clock, user, user 1; the cache, which is on
    controller, offsets, cache, on = {
        "esp32": (0x3FF4_2000, (0x08, 0x18, 0x1C, 0x20), 0x3FF0_0040, 0x8),
        "esp32c3": (0x6000_2000, (0x08, 0x14, 0x18, 0x1C), 0x600C_4000, 0x1),
    }[cached.hal.folder]
    registers = [*(controller + offset for offset in offsets), cache]
    for register in registers[:-1]:
        ask.poke(register, 0xF0F0_F0F0 ^ register)
    ask.poke(cache, on)
    before = [ask_word(ask, register) for register in registers]
    for offset in range(0, 4096, 4):
        ask.poke(first + offset, 0xFFFF_FFFF)
    # Espressif's commands do not reach an emulated chip: what was not written is never said to be
    assert write(ask, first, b"\1\2\3\4\5") in {FAILED, DIFFERS}
    assert ask.memory(first, 8) == b"\xff" * 8
    ask.poke(first, 0)
    assert write(ask, first, b"\1") == NOT_ERASED
    assert ask("e", first) in {FAILED, DIFFERS}
    assert ask("e", first + 4) == REFUSED
    assert ask.memory(first, 8) == b"\0" * 4 + b"\xff" * 4
    assert [ask_word(ask, register) for register in registers] == before
    # the code is where it runs, and still answers
    found = places(program)
    start, size = found["runec_ram_code_start"], found["runec_ram_code_end"]
    size -= start
    assert size > 400
    assert ask.memory(start, size) == ask.memory(found["runec_ram_code_load"], size)
    assert ask("f") == f"{first:08x}{end - first:08x}"


def ask_word(ask: Ask, address: int) -> int:
    (word,) = struct.unpack("<I", ask.memory(address, 4))
    return int(word)
