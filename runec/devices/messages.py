"""The contents of the link's frames: their kinds, and their bodies as values.

Follows docs/spec/link.md, section 2. A `parse_*` function raises ValueError for a body that does
not follow the page; nothing else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from runec.diagnostics import printable

LINK_VERSION = 1
MAX_PART_BYTES = 232


class Kind(IntEnum):
    """The kinds of frames; those below 0x80 come from the host."""

    HELLO = 0x01
    RUN = 0x02
    DATA = 0x03
    ACK = 0x04
    NODATA = 0x05
    STATS = 0x06
    SELFTEST = 0x07
    DEVICE_ACK = 0x80
    DEVICE_HELLO = 0x81
    NEED = 0x82
    RESULT = 0x83
    DONE = 0x84
    ERROR = 0x85
    LOG = 0x86
    DEVICE_STATS = 0x87
    DEVICE_SELFTEST = 0x88


@dataclass(frozen=True, slots=True)
class Hello:
    """What a device reports about itself. Sizes are in bytes."""

    version: int
    abi: int
    status: int
    digest: bytes
    memory_bytes: int
    arena_bytes: int
    engine_heap_bytes: int
    board: str
    firmware: str
    engine: str


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of a device; None: not reported. Time units are those of the board."""

    runs: int
    arena_used_bytes: int | None = None
    engine_heap_used_bytes: int | None = None
    linear_memory_bytes: int | None = None
    stack_used_bytes: int | None = None
    last_run_ticks: int | None = None
    time_budget_ms: int | None = None
    last_run_ms: int | None = None


class TestStatus(IntEnum):
    """The first byte of an answer to SELFTEST."""

    __test__ = False  # pytest: no test

    DONE = 0
    ABSENT = 1
    MALFORMED = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Tested:
    """The answer to SELFTEST: what follows the status depends on the sub-test."""

    status: TestStatus
    data: bytes


@dataclass(frozen=True, slots=True)
class Need:
    """The device wants bytes `offset` and on of a buffer of `length` bytes of a capability."""

    capability: int
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a result text from `offset` on."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The length and the CRC-32 of a whole result text."""

    length: int
    crc: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A run ended with an error: `runevm_error`, stage, details."""

    code: int
    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the device's log; level 0 is an error, 3 the finest detail."""

    level: int
    text: str


_HELLO_HEAD = struct.Struct("<BBH32sIII")
_NEED = struct.Struct("<III")
_DONE = struct.Struct("<II")
_STATS_FIELDS = {
    1: "arena_used_bytes",
    2: "engine_heap_used_bytes",
    3: "linear_memory_bytes",
    4: "stack_used_bytes",
    5: "last_run_ticks",
    6: "time_budget_ms",
    7: "last_run_ms",
}


def _texts(body: bytes, count: int) -> list[str]:
    """Return texts of one line each: a line feed in a name would start a line of its own."""
    texts = []
    at = 0
    for _ in range(count):
        if at >= len(body):
            raise ValueError("a text is missing")
        end = at + 1 + body[at]
        if end > len(body):
            raise ValueError("truncated text")
        texts.append(printable(body[at + 1 : end].decode(errors="replace")))
        at = end
    if at != len(body):
        raise ValueError("bytes after the last text")
    return texts


def _unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    if len(body) != layout.size:
        raise ValueError(f"{len(body)} bytes instead of {layout.size}")
    return layout.unpack(body)


def parse_hello(body: bytes) -> Hello:
    """Read the body of a device's HELLO."""
    if len(body) < _HELLO_HEAD.size:
        raise ValueError("truncated hello")
    version, abi, status, digest, memory, arena, heap = _HELLO_HEAD.unpack_from(body)
    board, firmware, engine = _texts(body[_HELLO_HEAD.size :], 3)
    return Hello(version, abi, status, digest, memory, arena, heap, board, firmware, engine)


def parse_need(body: bytes) -> Need:
    """Read the body of a NEED."""
    need = Need(*_unpack(_NEED, body))
    if need.offset >= need.length:
        raise ValueError("request for bytes past the end of its buffer")
    return need


def parse_part(body: bytes) -> Part:
    """Read the body of a RESULT."""
    if not 4 < len(body) <= 4 + MAX_PART_BYTES:
        raise ValueError(f"a part of {len(body) - 4} bytes")
    return Part(int.from_bytes(body[:4], "little"), body[4:])


def parse_done(body: bytes) -> Done:
    """Read the body of a DONE."""
    return Done(*_unpack(_DONE, body))


def parse_failure(body: bytes) -> Failure:
    """Read the body of an ERROR."""
    if len(body) < 2:
        raise ValueError("the code is missing")
    place, detail = _texts(body[2:], 2)
    return Failure(int.from_bytes(body[:2], "little"), place, detail)


def parse_log(body: bytes) -> LogLine:
    """Read the body of a LOG."""
    if not body:
        raise ValueError("the level is missing")
    return LogLine(body[0], body[1:].decode(errors="replace"))


def parse_stats(body: bytes) -> Stats:
    """Read the body of a STATS; keys of a later version are passed over."""
    if len(body) < 4 or (len(body) - 4) % 5:
        raise ValueError("truncated statistics")
    values = {
        _STATS_FIELDS[body[at]]: int.from_bytes(body[at + 1 : at + 5], "little")
        for at in range(4, len(body), 5)
        if body[at] in _STATS_FIELDS
    }
    return Stats(runs=int.from_bytes(body[:4], "little"), **values)


def parse_tested(body: bytes) -> Tested:
    """Read the body of a SELFTEST."""
    if not body:
        raise ValueError("the status is missing")
    return Tested(TestStatus(body[0]), body[1:])
