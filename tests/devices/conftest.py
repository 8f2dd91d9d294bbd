"""A device made of Python, after docs/spec/link.md alone: what runec.devices is tested against."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runec.container import Graph, GraphCapability, GraphOutput, Rune
from runec.pipeline import CapabilityKind, ElementType, OutputKind, TensorType
from runec.vm import Inputs

# What a run does: yields ("need", capability, length) and is sent the bytes, or ("error", code,
# place, detail) as its last; returns the result text.
Run = Generator[tuple[object, ...], bytes, bytes]


def cobs_encode(data: bytes) -> bytes:
    """COBS as its paper writes it, one byte at a time."""
    out = bytearray()
    block = bytearray()
    for byte in data:
        if byte == 0:
            out += bytes((len(block) + 1,)) + block
            block.clear()
        else:
            block.append(byte)
            if len(block) == 254:
                out += b"\xff" + block
                block.clear()
    return bytes(out + bytes((len(block) + 1,)) + block)


def cobs_decode(data: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            return None
        out += block
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    payload = bytes((kind, seq)) + body
    return b"\0" + cobs_encode(payload + struct.pack("<I", zlib.crc32(payload))) + b"\0"


def text8(words: str) -> bytes:
    return bytes((len(words.encode()),)) + words.encode()


@dataclass
class Device:
    """The device's side of the link, on a clock that the test moves."""

    run: Callable[[], Run]
    digest: bytes = bytes(range(32))
    status: int = 0
    version: int = 1
    abi: int = 1
    board: str = "paper"
    runs_started: int = 0
    out: bytearray = field(default_factory=bytearray)
    _inbox: bytearray = field(default_factory=bytearray)
    _seq: int = 0
    _last_run: int | None = None
    _active: Run | None = None
    _waiting: bytes = b""
    _tries: int = 0
    _deadline: float | None = None
    _need: tuple[int, int] | None = None
    _buffer: bytearray = field(default_factory=bytearray)
    _result: bytes = b""
    _sent: int = 0

    @property
    def deadline(self) -> float | None:
        return self._deadline

    def boot(self) -> None:
        self.out += b"hello from paper\r\n" + self._hello(0)

    def reset(self) -> None:
        self._active = None
        self._need = None
        self._deadline = None
        self._last_run = None
        self._seq = 0
        self._inbox.clear()
        self.boot()

    def take(self) -> bytes:
        data = bytes(self.out)
        self.out.clear()
        return data

    def receive(self, data: bytes, now: float) -> None:
        self._inbox += data
        *segments, rest = bytes(self._inbox).split(b"\0")
        self._inbox = bytearray(rest)
        for segment in segments:
            checked = cobs_decode(segment)
            if checked is None or len(checked) < 6:
                continue
            payload = checked[:-4]
            if struct.pack("<I", zlib.crc32(payload)) == checked[-4:]:
                self._frame(payload[0], payload[1], payload[2:], now)

    def tick(self, now: float) -> None:
        if self._deadline is None or now < self._deadline:
            return
        if self._tries == 8:
            self._active = None
            self._need = None
            self._deadline = None
        else:
            self._tries += 1
            self._deadline = now + 1000
            self.out += self._waiting

    def _hello(self, seq: int) -> bytes:
        head = struct.pack("<BBH", self.version, self.abi, self.status) + self.digest
        sizes = struct.pack("<III", 4096, 8192, 16384)
        texts = text8(self.board) + text8("0.1.0") + text8("wasm3+tflm")
        return frame(0x81, seq, head + sizes + texts)

    def _frame(self, kind: int, seq: int, body: bytes, now: float) -> None:
        if kind == 0x02 and seq == self._last_run:
            self.out += frame(0x80, seq)
        elif self._deadline is not None:
            self._answer(kind, seq, body, now)
        elif kind == 0x01:
            self._last_run = None
            self.out += self._hello(seq)
        elif kind == 0x02:
            self._last_run = seq
            self.runs_started += 1
            self.out += frame(0x80, seq)
            self._active = self.run()
            self._advance(None, now)
        elif kind == 0x06:
            self._last_run = None
            pairs = struct.pack("<IBIBIBI", self.runs_started, 1, 700, 2, 900, 5, 42)
            self.out += frame(0x87, seq, pairs)

    def _answer(self, kind: int, seq: int, body: bytes, now: float) -> None:
        if seq != self._seq:
            return
        if self._need is not None:
            if kind == 0x05:
                self._need = None
                self._fail(struct.unpack("<H", body[:2])[0], "need", body[2:].decode(), now)
            elif kind == 0x03:
                offset = struct.unpack("<I", body[:4])[0]
                part = body[4:]
                whole = self._need[1]
                if offset != len(self._buffer) or not part or offset + len(part) > whole:
                    return
                self._buffer += part
                if len(self._buffer) == whole:
                    self._need = None
                    self._advance(bytes(self._buffer), now)
                else:
                    self._ask(now)
        elif kind == 0x04:
            if self._active is None:
                self._deadline = None
            else:
                self._send_result(now)

    def _advance(self, data: bytes | None, now: float) -> None:
        assert self._active is not None
        try:
            wish = next(self._active) if data is None else self._active.send(data)
        except StopIteration as stop:
            self._result = stop.value
            self._sent = 0
            self._send_result(now)
            return
        if wish[0] == "error":
            code, place, detail = wish[1:]
            assert isinstance(code, int)
            self._fail(code, str(place), str(detail), now)
        else:
            capability, length = wish[1:]
            assert isinstance(capability, int)
            assert isinstance(length, int)
            self._need = (capability, length)
            self._buffer.clear()
            self._ask(now)

    def _ask(self, now: float) -> None:
        assert self._need is not None
        self._transmit(0x82, struct.pack("<III", *self._need, len(self._buffer)), now)

    def _fail(self, code: int, place: str, detail: str, now: float) -> None:
        self._active = None
        self._transmit(0x85, struct.pack("<H", code) + text8(place) + text8(detail), now)

    def _send_result(self, now: float) -> None:
        part = self._result[self._sent : self._sent + 232]
        if part:
            self._transmit(0x83, struct.pack("<I", self._sent) + part, now)
            self._sent += len(part)
        else:
            self._active = None
            whole = struct.pack("<II", len(self._result), zlib.crc32(self._result))
            self._transmit(0x84, whole, now)

    def _transmit(self, kind: int, body: bytes, now: float) -> None:
        self._seq = (self._seq + 1) % 256
        self._waiting = frame(kind, self._seq, body)
        self._tries = 0
        self._deadline = now + 1000
        self.out += self._waiting


@pytest.fixture(scope="session")
def make_device() -> Callable[..., Device]:
    """Make a device from a function that gives its run."""
    return Device


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., bytes]:
    """Spell a frame with our own COBS: kind, seq, body."""
    return frame


@pytest.fixture
def rune() -> Rune:
    """The rune that the device above carries: four bytes of RAW."""
    graph = Graph(
        abi=1,
        name="paper",
        code_bytes=8,
        code_sha256="0" * 64,
        memory_used=1024,
        memory_stack=512,
        stages=("raw", "serial"),
        capabilities={"raw": GraphCapability(1, CapabilityKind.RAW, {"length": 4}, 0)},
        proc_blocks={},
        models={},
        outputs={"serial": GraphOutput(2, OutputKind.SERIAL, (0,))},
        resources={},
        tensors=(TensorType(ElementType.F32, (1, 1)),),
    )
    return Rune(b"", b"\0asm\1\0\0\0", graph, "0.1.0", {}, bytes(range(32)), None, ())


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """The four bytes."""
    path = tmp_path / "input.bin"
    path.write_bytes(b"\xcd\xcc\x4c\x3f")
    return Inputs(raw=(path,))
