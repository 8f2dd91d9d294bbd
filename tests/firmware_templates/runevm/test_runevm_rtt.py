"""RTT buffers of device and host (docs/spec/link.md, section 5); the link over them."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from runec.devices.rtt import ID, Rtt
from runec.devices.session import Session
from runec.diagnostics import RuneError
from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Build

BLOCK, RAM, RAM_BYTES = 0x2000_0000, 0x2000_0000, 0x40_0000
UP_READ, DOWN_WRITE = BLOCK + 24 + 16, BLOCK + 48 + 12
STEP_MS = 50


class Board:
    """The device's process; its memory, and what it does when told."""

    def __init__(self, to: IO[bytes], source: IO[bytes]) -> None:
        self.to = to
        self.source = source
        self.words_written = 0

    def _order(self, data: bytes, answer_bytes: int) -> bytes:
        self.to.write(data)
        self.to.flush()
        answer = self.source.read(answer_bytes)
        assert len(answer) == answer_bytes, "the device is gone"
        return answer

    def read(self, address: int, length: int) -> bytes:
        return self._order(b"M" + struct.pack("<II", address, length), length)

    def write_word(self, address: int, value: int) -> None:
        self.words_written += 1
        self.to.write(b"P" + struct.pack("<II", address, value))

    def write(self, data: bytes) -> int:
        order = b"W" + struct.pack("<H", len(data)) + data
        return int.from_bytes(self._order(order, 2), "little")

    def get(self, most: int = 65535) -> bytes:
        count = int.from_bytes(self._order(b"G" + struct.pack("<H", most), 2), "little")
        return self.source.read(count)

    def is_drained(self) -> bool:
        return self._order(b"D", 1) == b"\1"

    def restart(self) -> None:
        self.to.write(b"R")

    def sleep(self, ms: int) -> None:
        assert self._order(b"T" + struct.pack("<I", ms), 1) == b"I"


Start = Callable[..., AbstractContextManager[Board]]


@pytest.fixture
def start(build: Build, tmp_path: Path) -> Start:
    program = build("rtt_session", ["rtt_session.c", "fake_engines.c"])

    @contextmanager
    def begin(up: int = 64, down: int = 32, rune: bytes | None = None) -> Iterator[Board]:
        command = [str(program), str(up), str(down)]
        if rune is not None:
            (tmp_path / "x.rune").write_bytes(rune)
            command.append(str(tmp_path / "x.rune"))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                board = Board(process.stdin, process.stdout)
                if rune is None:
                    board.restart()
                yield board
                process.stdin.close()
                assert process.wait(30) == 0
            finally:
                process.kill()

    return begin


def rings_of(board: Board) -> Rtt:
    return Rtt(board, BLOCK, RAM, RAM_BYTES)


def test_the_control_block_is_laid_out_as_the_page_says(start: Start) -> None:
    with start(64, 32) as board:
        assert board.write(b"abc") == 3
        block = board.read(BLOCK, 72)
    name, ups, downs = struct.unpack_from("<16sii", block)
    assert (name, ups, downs) == (ID, 1, 1)
    assert struct.unpack_from("<IIII", block, 24 + 8) == (64, 3, 0, 2)
    assert struct.unpack_from("<IIII", block, 48 + 8) == (32, 0, 0, 2)


def test_all_bytes_arrive_in_order_however_they_are_cut(start: Start) -> None:
    chance = made.dice(3)
    out, back = chance.randbytes(3000), chance.randbytes(3000)
    with start(64, 32) as board:
        rings = rings_of(board)
        rings.send(back)
        sent = 0
        heard, got = b"", b""
        while len(heard) < len(out) or len(got) < len(back):
            match chance.randrange(3):
                case 0:
                    taken = board.write(out[sent : sent + chance.randrange(90)])
                    assert taken < 64
                    sent += taken
                case 1:
                    got += board.get(chance.randrange(40))
                case _:
                    heard += rings.exchange()
        assert (heard, got) == (out, back)
        rings.exchange()
        assert board.is_drained()


def test_a_full_ring_takes_what_fits_and_nobody_waits(start: Start) -> None:
    with start(64, 32) as board:
        rings = rings_of(board)
        assert board.write(bytes(range(100))) == 63
        assert not board.is_drained()
        assert board.write(b"x") == 0
        assert rings.exchange() == bytes(range(63))
        assert board.write(b"x") == 1
        rings.send(bytes(range(100)))
        for _ in range(3):
            rings.exchange()
        assert board.get() == bytes(range(31))
        rings.exchange()
        assert board.get(5) == bytes(range(31, 36))


@pytest.mark.parametrize("offset", [64, 65, 0x7FFFFFFF, 0xFFFFFFFF])
def test_offsets_that_a_debugger_spoilt_move_nothing_until_they_are_right_again(
    start: Start, offset: int
) -> None:
    with start(64, 64) as board:
        board.write_word(UP_READ, offset)
        assert board.write(b"lost") == 0
        board.write_word(DOWN_WRITE, offset)
        assert board.get() == b""
        board.write_word(UP_READ, 0)
        board.write_word(DOWN_WRITE, 0)
        rings = rings_of(board)
        rings.send(b"again")
        assert board.write(b"well") == 4
        assert rings.exchange() == b"well"
        assert board.get() == b"again"


def test_a_restart_starts_both_rings_anew(start: Start) -> None:
    with start() as board:
        rings = rings_of(board)
        board.write(b"before")
        rings.exchange()
        rings.send(b"for the one before")
        rings.exchange()
        board.restart()
        assert board.get() == b""
        board.write(b"after")
        assert rings.exchange() == b"after"


class RttTransport:
    """The link's transport over a board's rings, in the board's time."""

    retry_ms = 1000.0
    silence_ms = 120_000.0
    part_bytes = 232
    has_boot_text = False

    def __init__(self, board: Board) -> None:
        self.board = board
        self.now_ms = 0.0
        self.is_deaf = False
        self._rtt = rings_of(board)

    def time_ms(self) -> float:
        return self.now_ms

    def send(self, data: bytes) -> None:
        self._rtt.send(data)

    def receive(self, until_ms: float | None, _wall_limit_s: float) -> bytes:
        data = b"" if self.is_deaf else self._rtt.exchange()
        if not data:
            ms = STEP_MS if until_ms is None else max(1, min(STEP_MS, int(until_ms - self.now_ms)))
            self.board.sleep(ms)
            self.now_ms += ms
        return data

    def close(self) -> None:
        pass


def echo_rune(size: int) -> bytes:
    pipe = made.Pipe(tensor=("u8", (size,)), memory=2 * size + 1024)
    pipe.call = pipe.provide()
    pipe.call.call("consume_output", 2, 64, size)
    return pipe.build()


@pytest.mark.parametrize(("up", "down"), [(1024, 512), (64, 32), (252, 248)])
def test_the_link_runs_over_rings_of_any_size(start: Start, up: int, down: int) -> None:
    data = made.dice(up).randbytes(1000)
    with start(up, down, echo_rune(1000)) as board:
        session = Session(RttTransport(board), name="rings")
        assert session.greet(booting=True, timeout_s=30).board == "rings"
        for _ in range(3):
            assert session.run(lambda _, __: data, timeout_s=30) == made.text_of(data)
        assert session.stats(timeout_s=30).runs == 3


def test_64_kilobytes_pass_through_a_ring_of_512_bytes(start: Start) -> None:
    data = made.dice(64).randbytes(65536)
    with start(1024, 512, echo_rune(65536)) as board:
        transport = RttTransport(board)
        session = Session(transport, name="rings")
        session.greet(booting=True, timeout_s=30)
        assert session.run(lambda _, __: data, timeout_s=120) == made.text_of(data)
        # Nothing had to be sent again: the device asks for each part when it has room.
        assert transport.now_ms < 65536


def test_a_computer_that_looks_away_loses_frames_and_gets_them_again(start: Start) -> None:
    data = made.dice(5).randbytes(1000)
    with start(64, 32, echo_rune(1000)) as board:
        transport = RttTransport(board)
        session = Session(transport, name="rings")
        session.greet(booting=True, timeout_s=30)
        looked_away = []

        def provide(_capability: int, _length: int) -> bytes:
            # The device fills its ring, waits, drops the rest and goes on.
            for _ in range(100):
                board.sleep(STEP_MS)
            looked_away.append(1)
            return data

        for _ in range(3):
            assert session.run(provide, timeout_s=30) == made.text_of(data)
        assert len(looked_away) == 3


def test_a_device_that_does_not_move_is_reported(start: Start) -> None:
    with start(64, 32, echo_rune(1000)) as board:
        transport = RttTransport(board)
        session = Session(transport, name="rings")
        session.greet(booting=True, timeout_s=30)
        transport.is_deaf = True
        with pytest.raises(RuneError) as caught:
            session.run(lambda _, __: bytes(1000), timeout_s=30)
        assert caught.value.code == "R0901"


def test_a_restart_in_the_middle_of_a_run_is_reported(start: Start) -> None:
    with start(64, 32, echo_rune(1000)) as board:
        session = Session(RttTransport(board), name="rings")
        session.greet(booting=True, timeout_s=30)

        def provide(_capability: int, _length: int) -> bytes:
            board.restart()
            return bytes(1000)

        with pytest.raises(RuneError) as caught:
            session.run(provide, timeout_s=30)
        assert caught.value.code == "R0902"
