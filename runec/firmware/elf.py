"""Sizes from an ELF file of a 32-bit little-endian target: what is in flash, what is in RAM."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SECTION_HEADER = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_ALLOC = 2
_SYMTAB = 2
_NOBITS = 8


@dataclass(frozen=True, slots=True)
class ElfSizes:
    """Bytes that the program takes in flash and in RAM, and its functions and objects by name."""

    flash_bytes: int
    ram_bytes: int
    symbols: dict[str, int]


def read_elf(data: bytes, ram_origin: int, ram_bytes: int) -> ElfSizes:
    """Measure a linked program.

    Sections with an address in RAM count as RAM; whatever has bytes in the file counts as flash,
    initial values of RAM as well.

    Raises:
        ValueError: not such an ELF file.
    """
    if data[:6] != b"\x7fELF\x01\x01" or len(data) < 52:
        raise ValueError("not a 32-bit little-endian ELF file")
    section_offset = struct.unpack_from("<I", data, 32)[0]
    entry_size, count = struct.unpack_from("<HH", data, 46)
    flash = ram = 0
    symbols: dict[str, int] = {}
    sections = [
        _SECTION_HEADER.unpack_from(data, section_offset + index * entry_size)
        for index in range(count)
    ]
    for _name, kind, flags, address, offset, size, link, *_more in sections:
        if flags & _ALLOC:
            in_ram = ram_origin <= address < ram_origin + ram_bytes
            has_bytes = kind != _NOBITS
            ram += size if in_ram else 0
            flash += size if has_bytes else 0
        if kind == _SYMTAB:
            names = sections[link][4]
            for name, _value, length, *_rest in _SYMBOL.iter_unpack(data[offset : offset + size]):
                end = data.index(b"\0", names + name)
                symbols[data[names + name : end].decode("ascii", "replace")] = length
    return ElfSizes(flash, ram, symbols)
