"""A board with the firmware of the self test, made of Python after docs/spec/link.md alone."""

from __future__ import annotations

import struct
import time
import zlib
from dataclasses import dataclass, field
from typing import ClassVar

from tests.devices.conftest import cobs_decode, frame, text8

DONE, ABSENT, MALFORMED, FAILED = range(4)
TICKS_HZ = 64_000_000
BASE = 0x0800_0000


@dataclass
class TestedBoard:
    """A `Transport`. Its fields say how the board behaves; `speed` is its time by the host's."""

    __test__ = False
    part_bytes: ClassVar[int] = 232
    has_boot_text: ClassVar[bool] = False

    board: str
    memory: bytes
    speed: float = 1.0
    engine: str = "selftest"
    second_hz: int | None = 32_768
    loses: int | None = 0
    has_cache: bool = True
    uncached_memory: bytes | None = None
    part: int | None = 0x53
    scl_hz: float = 98_000.0
    has_random: bool = True
    stuck_pins: bool = False
    has_wire: bool = True
    last_words: str = "runec: hard fault, restarting"
    deaf_from: int | None = None
    breaks: dict[int, bytes] = field(default_factory=dict)
    changes_frame: bool = False
    restarts_alone_after_s: float | None = None
    starts: int = 1
    mute: bool = False
    unplugged: bool = False

    retry_ms = 200.0
    silence_ms = 5000.0

    def __post_init__(self) -> None:
        self._began_s = time.monotonic()
        self._inbox = b""
        self._out = b""
        self._pins: dict[int, int] = {}
        self._inputs: set[int] = set()
        self._sub_tests: list[int] = []
        if not self.mute:
            self._hello(0)

    def time_ms(self) -> float:
        return time.monotonic() * 1000

    def send(self, data: bytes) -> None:
        *segments, self._inbox = (self._inbox + data).split(b"\0")
        for segment in segments:
            checked = cobs_decode(segment) or b""
            if checked[-4:] == struct.pack("<I", zlib.crc32(checked[:-4])) and len(checked) > 5:
                self._take(checked[0], checked[1], checked[2:-4])

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        wait_s = 0.01 if until_ms is None else min(0.01, until_ms / 1000 - time.monotonic())
        alone_s = self.restarts_alone_after_s
        if alone_s is not None and time.monotonic() - self._began_s > alone_s:
            self.restarts_alone_after_s = None
            self._restart()
        said, self._out = self._out, b""
        if not said:
            time.sleep(max(0.0, min(wait_s, wall_limit_s - time.monotonic())))
        return said

    def close(self) -> None:
        pass

    def _hello(self, seq: int) -> None:
        head = struct.pack("<BBH32sIII", 1, 1, 101, bytes(32), 0, 0, 0)
        body = head + text8(self.board) + text8("0.1.0") + text8(self.engine)
        self._out += frame(0x81, seq, body)

    def _restart(self, words: str = "") -> None:
        self.starts += 1
        if words:
            self._out += f"\r\n{words}\r\n".encode()
        self._hello(0)

    def _take(self, kind: int, seq: int, body: bytes) -> None:
        if self.mute:
            return
        if kind == 1:
            self._hello(seq)
        if kind != 7:
            return
        test = body[0]
        self._sub_tests.append(test)
        if self.deaf_from is not None and self.deaf_from in self._sub_tests:
            return
        answer = self.breaks.get(test)
        if answer is None:
            answer = self._answer(test, body[1:])
        if answer:
            self._out += frame(0x88, seq, answer)

    def _answer(self, test: int, data: bytes) -> bytes:
        now_s = (time.monotonic() - self._began_s) * self.speed
        done = bytes((DONE,))
        if test == 0:
            changed = self.changes_frame and len(data) == 239
            return done + (data[:-1] + b"?" if changed else data)
        if test == 1:
            facts = [(0x14000000, "RCC_CSR"), (0x410FC241, "CPUID"), (0x10006423, "IDCODE")]
            return done + b"".join(
                struct.pack("<I", value) + text8(name) for value, name in facts[data[0] :]
            )
        if test == 2:
            loses = 0xFFFFFFFF if self.loses is None else self.loses
            ticks = int(now_s * TICKS_HZ) & 0xFFFFFFFF
            return done + struct.pack("<IIII", int(now_s * 1000), ticks, self.starts, loses)
        if test == 3:
            return self._crc(*struct.unpack("<BIIH", data))
        if test == 4:
            if self.second_hz is None:
                return bytes((ABSENT,))
            return (
                done + struct.pack("<II", self.second_hz, 32_768) + text8("crystal of 32.768 kHz")
            )
        if test == 5:
            return done + bytes((self._pin(*data),))
        if test == 6:
            found = [n for n in range(data[1]) if data[0] + n == self.part]
            return done + struct.pack("<H", sum(1 << n for n in found))
        if test == 7:
            ticks = int(TICKS_HZ * (data[2] + 3) * 9 / self.scl_hz)
            return done + struct.pack("<I", ticks)
        if test == 8:
            if not self.has_random:
                return bytes((ABSENT,))
            words = [0x9E3779B9 * (n + 1) & 0xFFFFFFFF for n in range(data[0])]
            return done + struct.pack(f"<{data[0]}I", *words)
        if test == 9:
            self._restart(self.last_words)
        elif test == 10:
            self._restart()
        return b""

    def _crc(self, cache: int, address: int, length: int, rounds: int) -> bytes:
        if cache and not self.has_cache:
            return bytes((ABSENT,))
        memory = self.memory
        if cache and self.uncached_memory is not None:
            memory = self.uncached_memory
        crc = zlib.crc32(memory[address - BASE :][:length])
        state = (0 if cache else 1) if self.has_cache else 2
        return bytes((DONE,)) + struct.pack("<IIIB", crc, 0, 1000 * rounds, state)

    def _pin(self, action: int, pin: int) -> int:
        if action in (1, 2):
            self._pins[pin] = action - 1
            self._inputs.discard(pin)
        elif action == 3:
            self._inputs.add(pin)
        elif pin in self._inputs:
            joined = [level for other, level in self._pins.items() if other != pin]
            return joined[-1] if self.has_wire and joined else 0
        else:
            return 0 if self.stuck_pins else self._pins.get(pin, 0)
        return 0
