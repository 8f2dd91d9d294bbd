"""A bounds-checked reader of FlatBuffers tables, for untrusted bytes.

The subset that a .tflite needs: tables, vectors of scalars and of tables, strings. Format:
https://flatbuffers.dev/internals/. Nothing is copied or followed before it is asked for, and no
read leaves the buffer.
"""

from __future__ import annotations

import struct

import msgspec

_U16 = struct.Struct("<H")
_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")


class MalformedError(ValueError):
    """The bytes are not a FlatBuffer of the expected structure; the text is the error."""


def read_u32(data: bytes, at: int) -> int:
    """Return the u32 at a position. Raises MalformedError outside the buffer."""
    if at < 0 or at + 4 > len(data):
        raise MalformedError(f"an offset points outside the file, to byte {at}")
    value: int = _U32.unpack_from(data, at)[0]
    return value


class Table(msgspec.Struct, frozen=True):
    """One table: offsets of its fields, by the field numbers of the schema."""

    data: bytes
    at: int
    vtable: int
    vtable_bytes: int

    @classmethod
    def open(cls, data: bytes, at: int) -> Table:
        """Read a table's header. Raises MalformedError."""
        if at < 0 or at + 4 > len(data):
            raise MalformedError(f"a table lies outside the file, at byte {at}")
        vtable = at - _I32.unpack_from(data, at)[0]
        if vtable < 0 or vtable + 4 > len(data):
            raise MalformedError(f"the table at byte {at} has no description")
        vtable_bytes = _U16.unpack_from(data, vtable)[0]
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > len(data):
            raise MalformedError(f"the table at byte {at} has a broken description")
        return cls(data, at, vtable, vtable_bytes)

    def _field(self, number: int, size: int) -> int | None:
        entry = 4 + 2 * number
        if entry + 2 > self.vtable_bytes:
            return None
        offset = _U16.unpack_from(self.data, self.vtable + entry)[0]
        if offset == 0:
            return None
        at: int = self.at + offset
        if at + size > len(self.data):
            raise MalformedError(f"a field of the table at byte {self.at} lies outside the file")
        return at

    def integer(self, number: int, size: int, *, signed: bool, default: int = 0) -> int:
        """Return a scalar of `size` bytes, or the default when the field is absent."""
        at = self._field(number, size)
        if at is None:
            return default
        return int.from_bytes(self.data[at : at + size], "little", signed=signed)

    def has(self, number: int) -> bool:
        """Return whether a field is there."""
        return self._field(number, 1) is not None

    def target(self, number: int) -> int | None:
        """Return the target of a field with another table, a vector or a string, or None."""
        at = self._field(number, 4)
        if at is None:
            return None
        target = at + read_u32(self.data, at)
        if target >= len(self.data):
            raise MalformedError(f"an offset points outside the file, to byte {target}")
        return target

    def table(self, number: int) -> Table | None:
        """Return a table that a field points to, or None."""
        at = self._field(number, 4)
        return None if at is None else Table.open(self.data, at + read_u32(self.data, at))

    def vector(self, number: int, element_bytes: int) -> tuple[int, int] | None:
        """Return start and number of a vector's elements, or None."""
        at = self._field(number, 4)
        if at is None:
            return None
        start = at + read_u32(self.data, at)
        count = read_u32(self.data, start)
        if start + 4 + count * element_bytes > len(self.data):
            raise MalformedError(f"the vector at byte {start} ends outside the file")
        return start + 4, count

    def scalars(self, number: int, code: str, *, count_max: int) -> tuple[int | float, ...]:
        """Return a vector of scalars; `code` is the letter of `struct`. Absent: empty."""
        found = self.vector(number, struct.calcsize(f"<{code}"))
        if found is None:
            return ()
        start, count = found
        if count > count_max:
            raise MalformedError(
                f"the vector at byte {start - 4} has {count} elements, more than {count_max}"
            )
        return struct.unpack_from(f"<{count}{code}", self.data, start)

    def integers(self, number: int, code: str, *, count_max: int) -> tuple[int, ...]:
        """Return a vector of integers. Absent: empty."""
        return tuple(int(value) for value in self.scalars(number, code, count_max=count_max))

    def tables(self, number: int, *, count_max: int) -> tuple[Table, ...]:
        """Return a vector of tables. Absent: empty."""
        found = self.vector(number, 4)
        if found is None:
            return ()
        start, count = found
        if count > count_max:
            raise MalformedError(
                f"the vector at byte {start - 4} has {count} tables, more than {count_max}"
            )
        places = range(start, start + 4 * count, 4)
        return tuple(Table.open(self.data, at + read_u32(self.data, at)) for at in places)

    def text(self, number: int, *, bytes_max: int) -> str:
        """Return a string, ill-formed UTF-8 replaced. Absent: empty."""
        found = self.vector(number, 1)
        if found is None:
            return ""
        start, count = found
        return self.data[start : start + min(count, bytes_max)].decode("utf-8", "replace")
