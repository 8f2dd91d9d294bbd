"""The link map of GNU ld: which object file put how many bytes into which section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_START = "Linker script and memory map"
# A long name stands on a line of its own, and the numbers follow on the next.
_NAME_ALONE = re.compile(r"^( ?)([.\w][^\s*]*)$")
_PLACED = re.compile(
    r"^(?P<indent> ?)(?P<name>[.\w][^\s*]*|\*fill\*)?"
    r"\s+0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)(?:\s+(?P<origin>\S.*?))?\s*$"
)
_FILL = "*fill*"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes in an output section: `name` of the input section, from `origin`, an object file.

    Both are empty for what the linker itself put in: padding, reserved room.
    """

    section: str
    name: str
    origin: str
    address: int
    size_bytes: int


def read_map(text: str) -> Iterator[Piece]:
    """Yield every piece of the output sections that a link map lists, in its order.

    A piece ends where the next one begins: strings that the linker merged are listed with every
    object that has them. Nothing is yielded for a text that is not a link map.
    """
    before: Piece | None = None
    for piece in _listed(text):
        if before is not None:
            room = piece.address - before.address
            is_cut = before.section == piece.section and 0 <= room < before.size_bytes
            yield replace(before, size_bytes=room) if is_cut else before
        before = piece
    if before is not None:
        yield before


def _listed(text: str) -> Iterator[Piece]:
    _head, _start, body = text.partition(_START)
    section = pending = ""
    for line in body.splitlines():
        alone = _NAME_ALONE.match(line)
        if alone:
            section, pending = (section, alone[2]) if alone[1] else (alone[2], "")
            continue
        placed = _PLACED.match(line)
        name = (placed["name"] or pending) if placed else ""
        pending = ""
        if placed is None or not name:
            continue
        if not placed["indent"] and placed["name"]:
            section = name
        elif name == _FILL or placed["origin"]:
            yield Piece(
                section=section,
                name="" if name == _FILL else name,
                origin=placed["origin"] or "",
                address=int(placed["address"], 16),
                size_bytes=int(placed["size"], 16),
            )
