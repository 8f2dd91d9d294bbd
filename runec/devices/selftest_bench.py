"""The sub-tests of docs/spec/link.md, section 6, as questions to a device and answers as values."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from runec.devices.messages import Hello, Tested, TestStatus
from runec.devices.runevm_errors import REFLASH
from runec.devices.session import Session
from runec.devices.transport import Transport
from runec.diagnostics import RuneError

ECHO_BYTES_MAX = 239
I2C_ADDRESSES = range(0x08, 0x78)
RANDOM_WORDS = 59
_SCAN_AT_ONCE = 16
_NOT_REPORTED = 0xFFFF_FFFF
_ROUNDS_AT_ONCE = 0xFFFF
_REGISTERS_MAX = 64
_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_WORDS = re.compile(r"[A-Za-z0-9 .,]{1,40}")
_CLOCK = struct.Struct("<IIII")
_CRC = struct.Struct("<IIIB")
_SECOND = struct.Struct("<IIB")


class SubTest(IntEnum):
    """The first byte of a request."""

    ECHO = 0
    FACTS = 1
    CLOCK = 2
    CRC = 3
    SECOND_CLOCK = 4
    PIN = 5
    I2C_SCAN = 6
    I2C_READ = 7
    RANDOM = 8
    FAULT = 9
    RESTART = 10


class PinAction(IntEnum):
    """What is done with a pin."""

    LEVEL = 0
    LOW = 1
    HIGH = 2
    RELEASE = 3


CACHE_STATES = ("off", "on", "none")


@dataclass(frozen=True, slots=True)
class Sample:
    """The device's clocks at one moment of the transport's clock, and two counters.

    `overruns` is None where the chip does not report them.
    """

    host_ms: float
    device_ms: int
    ticks: int
    starts: int
    overruns: int | None


@dataclass(frozen=True, slots=True)
class Checksum:
    """Rounds of CRC-32 over memory: the first one, how many differed from it, the time of all."""

    crc: int
    differing: int
    ticks: int
    cache: str


@dataclass(frozen=True, slots=True)
class SecondClock:
    """A clock, measured by another one of the chip."""

    name: str
    measured_hz: int
    nominal_hz: int


class Bench:
    """A device with the firmware of the self test at the other end of a session."""

    def __init__(self, session: Session, transport: Transport, *, timeout_s: float) -> None:
        self.session = session
        self._transport = transport
        self._timeout_s = timeout_s

    def ask(self, test: SubTest, *arguments: int, data: bytes = b"") -> Tested:
        """Return the answer to one sub-test.

        Raises:
            RuneError: R0903, the firmware does not know the sub-test; as `Session.test`.
        """
        request = bytes((test, *arguments)) + data
        tested = self.session.test(request, timeout_s=self._timeout_s)
        if tested.status is TestStatus.MALFORMED:
            raise _broken(f"it does not know the sub-test {test.name}")
        return tested

    def restart(self, test: SubTest) -> Hello:
        """Ask for a sub-test that restarts the device; return its new hello."""
        return self.session.restart(bytes((test,)), timeout_s=self._timeout_s)

    def echo(self, data: bytes) -> bool:
        """Return whether bytes come back as they were sent, at most `ECHO_BYTES_MAX` of them."""
        return self.ask(SubTest.ECHO, data=data).data == data

    def registers(self) -> Iterator[tuple[str, int]]:
        """Yield the chip's registers of identity, reset and clocks."""
        names: set[str] = set()
        while items := list(_items(self.ask(SubTest.FACTS, len(names)).data)):
            for name, value in items:
                if name in names or len(names) == _REGISTERS_MAX:
                    raise _broken(f"register {name} twice, or more than {_REGISTERS_MAX} registers")
                names.add(name)
                yield name, value

    def sample(self) -> Sample:
        """Return the clocks; the host's is the middle of question and answer."""
        before_ms = self._transport.time_ms()
        tested = self.ask(SubTest.CLOCK)
        after_ms = self._transport.time_ms()
        device_ms, ticks, starts, overruns = _unpack(_CLOCK, tested.data)
        return Sample(
            (before_ms + after_ms) / 2,
            device_ms,
            ticks,
            starts,
            None if overruns == _NOT_REPORTED else overruns,
        )

    def checksum(
        self, address: int, length: int, rounds: int, *, uncached: bool
    ) -> Checksum | None:
        """Return the CRC-32 of memory, read `rounds` times; None where no cache can be off."""
        data = struct.pack("<BIIH", uncached, address, length, min(rounds, _ROUNDS_AT_ONCE))
        tested = self.ask(SubTest.CRC, data=data)
        if tested.status is not TestStatus.DONE:
            return None
        crc, differing, ticks, cache = _unpack(_CRC, tested.data)
        if cache >= len(CACHE_STATES):
            raise _broken(f"a cache in the state {cache}")
        return Checksum(crc, differing, ticks, CACHE_STATES[cache])

    def second_clock(self) -> SecondClock | None:
        """Return the second clock; None where there is none, or it does not run."""
        tested = self.ask(SubTest.SECOND_CLOCK)
        if tested.status is not TestStatus.DONE:
            return None
        data = tested.data
        if len(data) < _SECOND.size or len(data) != _SECOND.size + data[_SECOND.size - 1]:
            raise _broken("a clock without a name")
        measured_hz, nominal_hz, _ = _SECOND.unpack_from(data)
        name = data[_SECOND.size :].decode(errors="replace")
        if not _WORDS.fullmatch(name) or nominal_hz == 0:
            raise _broken("a clock without a name")
        return SecondClock(name, measured_hz, nominal_hz)

    def pin(self, action: PinAction, number: int) -> int | None:
        """Do something with a pin; return its level (0 for an action), None where it cannot be."""
        tested = self.ask(SubTest.PIN, action, number)
        if tested.status is not TestStatus.DONE:
            return None
        if tested.data not in (b"\0", b"\1"):
            raise _broken("a level that is neither high nor low")
        return tested.data[0]

    def scan(self) -> list[int] | None:
        """Return the addresses of the I2C bus that answer; None without a bus."""
        found: list[int] = []
        for first in I2C_ADDRESSES[::_SCAN_AT_ONCE]:
            tested = self.ask(SubTest.I2C_SCAN, first, _SCAN_AT_ONCE)
            if tested.status is not TestStatus.DONE:
                return None
            if len(tested.data) != 2:
                raise _broken("a scan of another length")
            bits = int.from_bytes(tested.data, "little")
            found += [first + bit for bit in range(_SCAN_AT_ONCE) if bits >> bit & 1]
        return found

    def read_ticks(self, address: int, length: int) -> int | None:
        """Return how long reading registers of a part takes; None where it does not answer."""
        tested = self.ask(SubTest.I2C_READ, address, 0, length)
        if tested.status is not TestStatus.DONE:
            return None
        if len(tested.data) != 4:
            raise _broken("a time of another length")
        return int.from_bytes(tested.data, "little")

    def random(self) -> tuple[TestStatus, list[int]]:
        """Return words of the random number generator."""
        tested = self.ask(SubTest.RANDOM, RANDOM_WORDS)
        if tested.status is TestStatus.DONE and len(tested.data) != 4 * RANDOM_WORDS:
            raise _broken("random words of another length")
        return tested.status, [word for (word,) in struct.iter_unpack("<I", tested.data)]


def _items(data: bytes) -> Iterator[tuple[str, int]]:
    at = 0
    while at < len(data):
        end = at + 5 + (data[at + 4] if at + 4 < len(data) else len(data))
        name = data[at + 5 : end].decode(errors="replace")
        if end > len(data) or not _NAME.fullmatch(name):
            raise _broken("a register without a name")
        yield name, int.from_bytes(data[at : at + 4], "little")
        at = end


def _unpack(layout: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) != layout.size:
        raise _broken(f"{len(data)} bytes instead of {layout.size}")
    return layout.unpack(data)


def _broken(what: str) -> RuneError:
    return RuneError(
        "R0903", f"the device violates the protocol of the self test: {what}", hint=REFLASH
    )
