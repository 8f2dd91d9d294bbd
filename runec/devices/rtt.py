"""The host's side of RTT: buffers described by a control block (docs/spec/link.md, section 5).

Sans IO: it reads and writes the memory of the device through `Memory`. The control block is
validated: one whose buffers or offsets leave the RAM is rejected. Imports nothing of runec, because
the process of the simulator loads this file alone.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import Protocol

SYMBOL = "_SEGGER_RTT"
ID = b"SEGGER RTT\0\0\0\0\0\0"
MAX_CHANNELS = 16
MAX_RING_BYTES = 1 << 20
_HEAD = struct.Struct("<16sii")
_RING = struct.Struct("<6I")
_WRITE_AT, _READ_AT = 12, 16
_WORD = 4


class Memory(Protocol):
    """The memory of the device, as a debugger accesses it."""

    def read(self, address: int, length: int) -> bytes:
        """Return `length` bytes."""

    def write_word(self, address: int, value: int) -> None:
        """Write 32 bits at a multiple of 4."""


class RttError(Exception):
    """What stands in the device's memory is not a control block that could be used."""


@dataclass(frozen=True, slots=True)
class _Ring:
    """One buffer; `block` is the address of its descriptor."""

    block: int
    buffer: int
    size: int
    write: int
    read: int


class Rtt:
    """Channel 0 of a control block at `address`, in a RAM of `ram_bytes` from `ram_origin`."""

    def __init__(self, memory: Memory, address: int, ram_origin: int, ram_bytes: int) -> None:
        """Check the address of the block. Raises RttError if it is invalid."""
        self._memory = memory
        self._ram = (ram_origin, ram_origin + ram_bytes)
        self._address = address
        self._outgoing = bytearray()
        if address % _WORD != 0 or not self._holds(address, _HEAD.size + 2 * _RING.size):
            raise RttError(f"the control block has the address {address:#x}")

    def send(self, data: bytes) -> None:
        """Send bytes: as many as there is room for with each `exchange()`."""
        self._outgoing += data

    def exchange(self) -> bytes:
        """Transfer data in both directions; return the bytes that the device wrote.

        Nothing is moved while the device has not made its control block yet.

        Raises:
            RttError: the control block is malformed.
        """
        up_count, down_count = self._counts()
        if not up_count:
            return b""
        first = self._address + _HEAD.size
        # Both are checked before anything is written.
        up = self._ring(first, "up")
        down = self._ring(first + up_count * _RING.size, "down")
        block = (self._address, self._address + _HEAD.size + (up_count + down_count) * _RING.size)
        spans = [block, (up.buffer, up.buffer + up.size), (down.buffer, down.buffer + down.size)]
        spans.sort()
        if any(one[1] > other[0] for one, other in itertools.pairwise(spans)):
            raise RttError("the control block and its buffers overlap")
        data = self._take(up)
        if self._outgoing:
            self._give(down)
        return data

    def _holds(self, start: int, length: int) -> bool:
        return self._ram[0] <= start and start + length <= self._ram[1]

    def _counts(self) -> tuple[int, int]:
        """Return the numbers of up- and down-buffers; none until the id is valid."""
        name, up, down = _HEAD.unpack(self._memory.read(self._address, _HEAD.size))
        if name != ID:
            return 0, 0
        if not (1 <= up <= MAX_CHANNELS and 1 <= down <= MAX_CHANNELS):
            raise RttError(f"{up} up-buffers and {down} down-buffers")
        if not self._holds(self._address, _HEAD.size + (up + down) * _RING.size):
            raise RttError(
                f"{up} up-buffers and {down} down-buffers do not fit behind {self._address:#x}"
            )
        return up, down

    def _ring(self, block: int, which: str) -> _Ring:
        _name, buffer, size, write, read, _flags = _RING.unpack(
            self._memory.read(block, _RING.size)
        )
        if not 2 * _WORD <= size <= MAX_RING_BYTES or size % _WORD or buffer % _WORD:
            raise RttError(f"the buffer {which} has {size} bytes at {buffer:#x}")
        if not self._holds(buffer, size):
            raise RttError(f"the buffer {which}, {size} bytes at {buffer:#x}, leaves the RAM")
        if write >= size or read >= size:
            raise RttError(f"the buffer {which} of {size} bytes is at {write} and {read}")
        return _Ring(block, buffer, size, write, read)

    def _take(self, ring: _Ring) -> bytes:
        if ring.write >= ring.read:
            data = self._memory.read(ring.buffer + ring.read, ring.write - ring.read)
        else:
            data = self._memory.read(ring.buffer + ring.read, ring.size - ring.read)
            data += self._memory.read(ring.buffer, ring.write)
        if data:
            self._memory.write_word(ring.block + _READ_AT, ring.write)
        return data

    def _give(self, ring: _Ring) -> None:
        room = (ring.read - ring.write - 1) % ring.size
        data = bytes(self._outgoing[:room])
        if not data:
            return
        del self._outgoing[: len(data)]
        until_end = ring.size - ring.write
        self._put(ring.buffer + ring.write, data[:until_end])
        self._put(ring.buffer, data[until_end:])
        # Last, so that the device finds the bytes when it finds the offset.
        self._memory.write_word(ring.block + _WRITE_AT, (ring.write + len(data)) % ring.size)

    def _put(self, address: int, data: bytes) -> None:
        """Write bytes by whole words; only the host writes this buffer."""
        if not data:
            return
        start = address - address % _WORD
        end = -(-(address + len(data)) // _WORD) * _WORD
        words = bytearray(self._memory.read(start, end - start))
        words[address - start : address - start + len(data)] = data
        for at in range(0, len(words), _WORD):
            word = int.from_bytes(words[at : at + _WORD], "little")
            self._memory.write_word(start + at, word)
