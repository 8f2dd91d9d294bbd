"""Sizes from an ELF file of a 32-bit little-endian target: what is in flash, what is in RAM."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SECTION_HEADER = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_PROGRAM_HEADER = struct.Struct("<8I")
_LOAD = 1
_ALLOC = 2
_SYMTAB = 2
_NOBITS = 8


@dataclass(frozen=True, slots=True)
class ElfSection:
    """Bytes of a section that is loaded or reserved; initial values take flash and RAM."""

    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True, slots=True)
class ElfSizes:
    """What a program takes by section, and its functions and objects by name, in bytes."""

    sections: dict[str, ElfSection]
    symbols: dict[str, int]

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash, those of initial values as well."""
        return sum(section.flash_bytes for section in self.sections.values())

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM, reserved ones as well."""
        return sum(section.ram_bytes for section in self.sections.values())


@dataclass(frozen=True, slots=True)
class FlashSegment:
    """Bytes that an upload writes, and the address at which they lie then."""

    address: int
    data: bytes


def flash_segments(data: bytes) -> tuple[FlashSegment, ...]:
    """Return what a linked program has in flash, by load address.

    Raises:
        ValueError: not such an ELF file.
    """
    _require_elf(data)
    offset = struct.unpack_from("<I", data, 28)[0]
    entry_size, count = struct.unpack_from("<HH", data, 42)
    found = []
    for index in range(count):
        kind, start, _, address, length, *_more = _PROGRAM_HEADER.unpack_from(
            data, offset + index * entry_size
        )
        if kind == _LOAD and length:
            found.append(FlashSegment(address, data[start : start + length]))
    return tuple(found)


def _require_elf(data: bytes) -> None:
    if data[:6] != b"\x7fELF\x01\x01" or len(data) < 52:
        raise ValueError("not a 32-bit little-endian ELF file")


def read_elf(data: bytes, ram_origin: int, ram_bytes: int) -> ElfSizes:
    """Measure a linked program.

    Sections with an address in RAM count as RAM; whatever has bytes in the file counts as flash,
    initial values of RAM as well.

    Raises:
        ValueError: not such an ELF file.
    """
    _require_elf(data)
    section_offset = struct.unpack_from("<I", data, 32)[0]
    entry_size, count, names_index = struct.unpack_from("<HHH", data, 46)
    sections: dict[str, ElfSection] = {}
    symbols: dict[str, int] = {}
    headers = [
        _SECTION_HEADER.unpack_from(data, section_offset + index * entry_size)
        for index in range(count)
    ]
    for name, kind, flags, address, offset, size, link, *_more in headers:
        if flags & _ALLOC:
            in_ram = ram_origin <= address < ram_origin + ram_bytes
            sections[_text(data, headers[names_index][4] + name)] = ElfSection(
                flash_bytes=0 if kind == _NOBITS else size, ram_bytes=size if in_ram else 0
            )
        if kind == _SYMTAB:
            table = data[offset : offset + size]
            for symbol, _value, length, *_rest in _SYMBOL.iter_unpack(table):
                symbols[_text(data, headers[link][4] + symbol)] = length
    return ElfSizes(sections, symbols)


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode("ascii", "replace")
