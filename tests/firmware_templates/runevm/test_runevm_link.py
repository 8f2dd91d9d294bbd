"""The device's end of the link against a computer written from docs/spec/link.md, in virtual time,
over a console that loses, doubles, cuts and flips.
"""

from __future__ import annotations

import itertools
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from cobs import cobs

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

HELLO, RUN, DATA, ACK, NODATA, STATS, SELFTEST = range(1, 8)
D_ACK, D_HELLO, NEED, RESULT, DONE, ERROR, LOG, D_STATS, D_SELFTEST = range(0x80, 0x89)
IDLE_MS = 250
Faults = Callable[[bytes], bytes]


def unframe(data: bytes) -> tuple[int, int, bytes] | None:
    try:
        decoded = cobs.decode(data)
    except cobs.DecodeError:
        return None
    payload, crc = decoded[:-4], decoded[-4:]
    if len(payload) < 2 or zlib.crc32(payload).to_bytes(4, "little") != crc:
        return None
    return payload[0], payload[1], payload[2:]


@dataclass
class Device:
    """The device in its own process; `step` is the console and the clock."""

    to: IO[bytes]
    source: IO[bytes]
    faults_out: Faults = lambda data: data
    faults_in: Faults = lambda data: data
    pending: bytes = b""
    now_ms: int = 0

    def step(self, data: bytes, ms: int) -> list[tuple[int, int, bytes]]:
        """Send bytes, let time pass, return the good frames that came."""
        data = self.faults_out(data) if data else b""
        self.to.write(b"".join(b"B%c" % byte for byte in data) + b"T" + struct.pack("<I", ms))
        self.to.flush()
        self.now_ms += ms
        while True:
            order = self.source.read(1)
            assert order in (b"W", b"I"), "the device is gone"
            if order == b"I":
                break
            (length,) = struct.unpack("<H", self.source.read(2))
            self.pending += self.faults_in(self.source.read(length))
        *parts, self.pending = self.pending.split(b"\0")
        frames = [unframe(part) for part in parts]
        return [item for item in frames if item is not None]


class Lost(Exception):  # noqa: N818 - what the page calls it
    pass


@dataclass
class Computer:
    """The host's end, section 3 of the page."""

    device: Device
    seq: int = 0
    inbox: list[tuple[int, int, bytes]] = field(default_factory=list)
    answered: tuple[tuple[int, int, bytes], bytes] | None = None
    device_seq: int | None = None
    log: list[tuple[int, bytes]] = field(default_factory=list)

    def exchange(self, data: bytes = b"", ms: int = 1) -> None:
        for item in self.device.step(data, ms):
            if item[0] == LOG:
                self.log.append((item[2][0], item[2][1:]))
            elif self.answered is not None and item == self.answered[0]:
                self.inbox += self.device.step(self.answered[1], 1)
            else:
                self.inbox.append(item)

    def take(
        self, data: bytes, wanted: Callable[[tuple[int, int, bytes]], bool]
    ) -> tuple[int, int, bytes]:
        """Send until the wanted frame comes: first at once, then every 1000 ms, 8 times more."""
        for _ in range(9):
            self.exchange(data)
            for _ in range(1000 // IDLE_MS):
                while self.inbox:
                    item = self.inbox.pop(0)
                    if wanted(item):
                        return item
                self.exchange(ms=IDLE_MS)
        raise Lost

    def ask(self, kind: int, answer: int, body: bytes = b"") -> bytes:
        self.seq = (self.seq + 1) % 256
        seq = self.seq
        return self.take(made.frame(kind, seq, body), lambda item: item[:2] == (answer, seq))[2]

    def hello(self) -> bytes:
        return self.ask(HELLO, D_HELLO, b"\x01")

    def reply(self, item: tuple[int, int, bytes], kind: int, body: bytes = b"") -> None:
        self.device_seq = item[1]
        answer = made.frame(kind, item[1], body)
        self.answered = (item, answer)
        self.exchange(answer)

    def next(self) -> tuple[int, int, bytes]:
        """The next frame that wants an answer."""
        for _ in range(10000 // IDLE_MS):
            while self.inbox:
                item = self.inbox.pop(0)
                fresh = self.device_seq is None or item[1] == (self.device_seq + 1) % 256
                if item[0] in (NEED, RESULT, DONE, ERROR) and fresh:
                    return item
            self.exchange(ms=IDLE_MS)
        raise Lost

    def run(
        self, data: bytes, refuse: tuple[int, bytes] | None = None
    ) -> bytes | tuple[int, bytes, bytes]:
        """The result, or code, place, detail."""
        self.ask(RUN, D_ACK)
        result = b""
        while True:
            item = self.next()
            kind, _, body = item
            if kind == NEED:
                capability, length, offset = struct.unpack("<III", body)
                assert (capability, length) == (1, len(data))
                if refuse is not None:
                    self.reply(item, NODATA, struct.pack("<H", refuse[0]) + refuse[1])
                    continue
                self.reply(item, DATA, struct.pack("<I", offset) + data[offset : offset + 232])
            elif kind == RESULT:
                (offset,) = struct.unpack_from("<I", body)
                assert offset == len(result)
                result += body[4:]
                self.reply(item, ACK)
            elif kind == DONE:
                assert struct.unpack("<II", body) == (len(result), zlib.crc32(result))
                self.reply(item, ACK)
                return result
            else:
                self.reply(item, ACK)
                size = body[2]
                detail = body[3 + size :]
                assert detail[0] == len(detail) - 1
                return struct.unpack_from("<H", body)[0], body[3 : 3 + size], detail[1:]


Start = Callable[[bytes], AbstractContextManager[Device]]


@pytest.fixture
def start(probe: Probe, tmp_path: Path) -> Start:
    @contextmanager
    def begin(rune: bytes) -> Iterator[Device]:
        path = tmp_path / "x.rune"
        path.write_bytes(rune)
        process = subprocess.Popen(
            [probe.program, "link", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Device(process.stdin, process.stdout)
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    return begin


SIZE = 1000


def echo_rune() -> bytes:
    """Takes 1000 bytes, writes them as text; a first byte of 255 traps."""
    pipe = made.Pipe(tensor=("u8", (SIZE,)), memory=2048)
    pipe.call = pipe.provide().poke(40, b"a debug line").call("_debug", 40, 12)
    pipe.call.trap_if(64, 255)
    pipe.call.call("consume_output", 2, 64, SIZE)
    return pipe.build()


def sample(seed: int) -> bytes:
    return bytes((seed % 250,)) + made.dice(seed).randbytes(SIZE - 1)


def test_the_device_says_hello_by_itself(start: Start) -> None:
    with start(echo_rune()) as device:
        (item,) = device.step(b"", 1)
        assert item[:2] == (D_HELLO, 0)


def test_hello_says_who_is_there(start: Start) -> None:
    rune = echo_rune()
    with start(rune) as device:
        body = Computer(device).hello()
    head = struct.pack("<BBH32sIII", 1, 1, 0, rune[-32:], 8192, 4096, 7000)
    assert body == head + b"\x05probe" + b"\x050.1.0" + b"\x09fake+fake"


def test_data_is_pulled_in_parts_and_the_result_comes_in_parts(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        computer.hello()
        for seed in range(3):
            assert computer.run(sample(seed)) == made.text_of(sample(seed))
        assert computer.log == [(2, b"a debug line")] * 3


def test_a_run_needs_no_hello_before_it(start: Start) -> None:
    with start(echo_rune()) as device:
        assert Computer(device, seq=77).run(sample(4)) == made.text_of(sample(4))


def test_stats_count(start: Start) -> None:
    with start(made.Pipe(tensor=("u8", (SIZE,)), memory=2048, model=b"\x00").build()) as device:
        computer = Computer(device)

        def stats() -> dict[int, int]:
            body = computer.ask(STATS, D_STATS)
            pairs = struct.iter_unpack("<BI", body[4:])
            return {0: struct.unpack("<I", body[:4])[0]} | dict(pairs)

        assert stats() == {0: 0, 1: 100, 2: 1001, 3: 2048, 4: 4321, 5: 0, 6: 30000, 7: 0}
        assert isinstance(computer.run(sample(1)), bytes)
        # No time passes in the rune itself; what passes is the waiting for the host.
        assert stats() == {0: 1, 1: 100, 2: 1001, 3: 2048, 4: 4321, 5: 0, 6: 30000, 7: 0}


def test_errors_are_told_and_the_device_lives_on(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        computer.hello()
        for seed in range(5):
            assert computer.run(b"\xff" * SIZE) == (301, b"_call", b"fake trap")
            assert computer.run(sample(seed)) == made.text_of(sample(seed))
        assert struct.unpack("<I", computer.ask(STATS, D_STATS)[:4]) == (10,)


@pytest.mark.parametrize(
    ("code", "told"), [(401, 401), (204, 204), (307, 307), (402, 401), (0, 401), (9999, 401)]
)
def test_a_computer_that_has_no_data_ends_the_run(start: Start, code: int, told: int) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        answer = computer.run(sample(1), refuse=(code, "kein Bild für dich".encode()))
        assert answer == (told, b"in", "kein Bild für dich".encode())
        assert computer.run(sample(1), refuse=(code, b"")) == (told, b"in", b"")
        assert computer.run(b"\xff" * SIZE) == (301, b"_call", b"fake trap")
        assert computer.run(sample(2)) == made.text_of(sample(2))


def test_long_words_are_cut_between_characters(start: Start) -> None:
    with start(echo_rune()) as device:
        words = ("x" + "ü" * 110).encode()
        answer = Computer(device).run(sample(1), refuse=(401, words))
        assert answer == (401, b"in", ("x" + "ü" * 63).encode())


def test_a_rune_that_cannot_be_loaded_is_told_at_hello_and_at_run(start: Start) -> None:
    broken = bytearray(echo_rune())
    broken[60] ^= 1
    with start(bytes(broken)) as device:
        computer = Computer(device)
        body = computer.hello()
        assert struct.unpack_from("<BBH32s", body) == (1, 1, 104, bytes(32))
        for _ in range(2):
            assert computer.run(b"") == (104, b"", b"")
        assert computer.ask(STATS, D_STATS)[:4] == bytes(4)


def test_a_rune_too_large_for_the_board_keeps_its_digest(start: Start) -> None:
    rune = made.Pipe(memory=8193).build()
    with start(rune) as device:
        computer = Computer(device)
        body = computer.hello()
        assert struct.unpack_from("<BBH32s", body) == (1, 1, 201, rune[-32:])
        code, _, detail = computer.run(bytes(4))
        assert (code, detail) == (201, b"the rune needs more linear memory than there is")


def test_a_doubled_run_runs_once(start: Start) -> None:
    with start(echo_rune()) as device:
        double = made.frame(RUN, 9) * 2
        kinds = [item[0] for item in device.step(double, 1)]
        assert kinds == [D_HELLO, D_ACK, NEED, D_ACK]


def test_run_again_after_its_end_is_only_acknowledged(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        assert isinstance(computer.run(sample(1)), bytes)
        computer.inbox.clear()
        assert [item[0] for item in device.step(made.frame(RUN, computer.seq), 1)] == [D_ACK]
        assert struct.unpack("<I", computer.ask(STATS, D_STATS)[:4]) == (1,)


def test_a_new_computer_may_use_the_same_numbers(start: Start) -> None:
    with start(echo_rune()) as device:
        for seed in range(3):
            computer = Computer(device)
            computer.hello()
            assert computer.run(sample(seed)) == made.text_of(sample(seed))


@pytest.mark.parametrize("request_kind", [HELLO, RUN])
def test_a_new_request_ends_a_run_that_waits(start: Start, request_kind: int) -> None:
    with start(echo_rune()) as device:
        first = Computer(device, seq=10)
        first.hello()
        first.ask(RUN, D_ACK)
        assert first.next()[0] == NEED
        second = Computer(device, seq=200)
        if request_kind == HELLO:
            second.hello()
        assert second.run(sample(5)) == made.text_of(sample(5))


def test_other_frames_in_a_run_are_dropped(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        computer.hello()
        computer.ask(RUN, D_ACK)
        need = computer.next()
        seq = need[1]
        wrong = [
            made.frame(STATS, 99),
            made.frame(ACK, seq),
            made.frame(DATA, seq + 1, bytes(4) + b"x"),
            made.frame(DATA, seq, b"\x01\0\0\0x"),
            made.frame(DATA, seq, bytes(4)),
            made.frame(DATA, seq, bytes(4 + 233)),
            made.frame(NODATA, seq, b"\x01"),
            made.frame(0x07, seq),
            made.frame(RUN, 99, b"body"),
            made.frame(HELLO, 99),
            b"plain text\0",
            b"\x01" * 5000 + b"\0",
        ]
        assert device.step(b"".join(wrong), 1) == []
        # 1000 bytes: the last part has 72 places, 73 are too many.
        for offset in range(0, SIZE - 72, 232):
            computer.reply(need, DATA, struct.pack("<I", offset) + sample(1)[offset : offset + 232])
            need = computer.next()
        assert struct.unpack("<III", need[2]) == (1, SIZE, 928)
        assert device.step(made.frame(DATA, need[1], struct.pack("<I", 928) + bytes(73)), 1) == []
        computer.reply(need, DATA, struct.pack("<I", 928) + sample(1)[928:])
        assert computer.next()[2][4:] == made.text_of(sample(1))[:232]


def test_what_is_not_answered_is_sent_nine_times_then_given_up(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        computer.hello()
        computer.ask(RUN, D_ACK)
        need = computer.next()
        began = device.now_ms
        repeats = []
        for _ in range(200):
            repeats += [(device.now_ms - began, item) for item in device.step(b"", 100)]
        assert [item for _, item in repeats] == [need] * 8
        gaps = [later[0] - now[0] for now, later in itertools.pairwise(repeats)]
        assert gaps == [1000] * 7
        # It listens again: late data is nothing to it, a new run is.
        assert device.step(made.frame(DATA, need[1], bytes(4) + b"x"), 1) == []
        assert computer.run(sample(6)) == made.text_of(sample(6))


def test_after_a_restart_it_says_hello_with_seq_0(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        computer.hello()
        computer.ask(RUN, D_ACK)
        assert computer.next()[0] == NEED
        device.to.write(b"R")
        assert device.step(b"", 1)[0][:2] == (D_HELLO, 0)
        computer = Computer(device, seq=computer.seq)
        assert computer.run(sample(7)) == made.text_of(sample(7))


class Injector:
    """Spoils frames at random; counts how often."""

    def __init__(self, seed: int, rate: float) -> None:
        self.chance = made.dice(seed)
        self.rate = rate
        self.faults = 0

    def __call__(self, data: bytes) -> bytes:
        if self.chance.random() >= self.rate:
            return data
        self.faults += 1
        chance = self.chance
        at = chance.randrange(len(data))
        match chance.randrange(6):
            case 0:
                return b""
            case 1:
                return data + data
            case 2:
                return data[:at]
            case 3:
                return data[at:]
            case 4:
                flipped = bytearray(data)
                for _ in range(chance.randint(1, 4)):
                    flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                return bytes(flipped)
            case _:
                return data[:at] + chance.randbytes(chance.randint(1, 300)) + data[at:]


@pytest.mark.parametrize("seed", range(3))
def test_over_a_bad_console_results_are_right_or_the_link_is_lost(start: Start, seed: int) -> None:
    injector = Injector(seed, 0.15)
    right = lost = 0
    with start(echo_rune()) as device:
        device.faults_in = device.faults_out = injector
        computer = Computer(device)
        while injector.faults < 400:
            fails = right % 5 == 4
            data = b"\xff" * SIZE if fails else sample(injector.faults)
            try:
                answer = computer.run(data)
            except Lost:
                lost += 1
                computer = Computer(device, seq=computer.seq + 7)
                continue
            assert answer == ((301, b"_call", b"fake trap") if fails else made.text_of(data))
            right += 1
        device.faults_in = device.faults_out = lambda data: data
        device.step(b"\0", 20000)
        for _ in range(10):  # what it had under way is over after nine tries
            device.step(b"", 1000)
        computer = Computer(device, seq=computer.seq + 7)
        assert computer.run(sample(9)) == made.text_of(sample(9))
    assert right >= 20
    assert lost <= right // 10


def test_firmware_without_a_selftest_drops_the_request(start: Start) -> None:
    with start(echo_rune()) as device:
        computer = Computer(device)
        with pytest.raises(Lost):
            computer.ask(SELFTEST, D_SELFTEST, b"\0")
        assert computer.run(sample(2)) == made.text_of(sample(2))


def test_a_selftest_is_answered_with_the_same_seq(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WITH_SELFTEST", "1")
    with start(echo_rune()) as device:
        computer = Computer(device)
        for body in (b"\0", b"\1\2\3", bytes(range(240))):
            assert computer.ask(SELFTEST, D_SELFTEST, body) == body[::-1]
        # a repeated request is served again, and runs go on beside it
        assert computer.ask(SELFTEST, D_SELFTEST, b"\5\6") == b"\6\5"
        assert computer.run(sample(3)) == made.text_of(sample(3))
        for silent in (b"\xff", b"\xfe", b""):
            with pytest.raises(Lost):
                computer.ask(SELFTEST, D_SELFTEST, silent)
        assert computer.ask(SELFTEST, D_SELFTEST, b"\7") == b"\7"
