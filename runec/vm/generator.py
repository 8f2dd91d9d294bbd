"""Random numbers for RAND: the same seed gives the same numbers on every machine.

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


class SplitMix64:
    """A stream of 64-bit numbers."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def next(self) -> int:
        """Return the next number, 0 to 2^64 - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def elements(self, count: int, element: ElementType | None) -> bytes:
        """Return packed elements; eight bytes each where `element` is None."""
        if element is ElementType.F32:
            return struct.pack(
                f"<{count}f", *((self.next() >> 40) * 2.0**-24 for _ in range(count))
            )
        if element is ElementType.F64:
            return struct.pack(
                f"<{count}d", *((self.next() >> 11) * 2.0**-53 for _ in range(count))
            )
        size = 8 if element is None else element.size_bytes
        shift = 64 - 8 * size
        return b"".join((self.next() >> shift).to_bytes(size, "little") for _ in range(count))
