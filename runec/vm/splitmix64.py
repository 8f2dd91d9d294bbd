"""Random numbers for RAND: equal for equal seeds on every machine.

SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
Each element takes one 64-bit output x:

    f32    (x >> 40) * 2^-24, in [0, 1)
    f64    (x >> 11) * 2^-53, in [0, 1)
    uN iN  the top N bits of x
    bytes (no element type): the 8 bytes of x, little-endian
"""

from __future__ import annotations

import struct

from runec.pipeline import ElementType

DEFAULT_SEED = 0
_MASK = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_PART_ELEMENTS = 64 * 1024


class SplitMix64:
    """A stream of 64-bit numbers."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def next(self) -> int:
        """Return the next number, 0 to 2^64 - 1."""
        self._state = (self._state + _STEP) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * _MIX_1) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * _MIX_2) & _MASK
        return mixed ^ (mixed >> 31)

    def elements(self, count: int, element: ElementType | None) -> bytes:
        """Return packed elements; eight bytes each where `element` is None."""
        content = bytearray()
        while count > 0:
            part = min(count, _PART_ELEMENTS)
            if part < _PART_ELEMENTS:
                content += b"".join(_pack(self.next(), element) for _ in range(part))
            else:
                content += self._many(part, element)
            count -= part
        return bytes(content)

    def _many(self, count: int, element: ElementType | None) -> bytes:
        """Do what `elements` does, a hundred times faster where there are thousands."""
        import numpy as np  # noqa: PLC0415 - 0.1 s that small requests do not pay

        mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP) + np.uint64(self._state)
        self._state = (self._state + count * _STEP) & _MASK
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX_1)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX_2)
        mixed ^= mixed >> np.uint64(31)
        if element is ElementType.F32:
            return ((mixed >> np.uint64(40)) * 2.0**-24).astype("<f4").tobytes()
        if element is ElementType.F64:
            return ((mixed >> np.uint64(11)) * 2.0**-53).astype("<f8").tobytes()
        size = 8 if element is None else element.size_bytes
        return (mixed >> np.uint64(64 - 8 * size)).astype(f"<u{size}").tobytes()


def _pack(mixed: int, element: ElementType | None) -> bytes:
    if element is ElementType.F32:
        return struct.pack("<f", (mixed >> 40) * 2.0**-24)
    if element is ElementType.F64:
        return struct.pack("<d", (mixed >> 11) * 2.0**-53)
    size = 8 if element is None else element.size_bytes
    return (mixed >> (64 - 8 * size)).to_bytes(size, "little")
