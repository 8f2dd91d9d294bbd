from __future__ import annotations

import pytest

from runec.firmware.map_file import Piece, read_map

# As GNU ld 2.40 writes it.
HEAD = """
Discarded input sections

 .text          0x00000000       0x10 unused.o

Linker script and memory map

LOAD a.o
"""


def pieces(body: str) -> list[Piece]:
    return list(read_map(HEAD + body))


def test_what_was_discarded_is_not_listed() -> None:
    assert pieces("") == []
    assert list(read_map("no link map")) == []


def test_names_short_and_long_are_read_with_their_section() -> None:
    assert pieces(
        """
.text           0x08000000      0x130
 *(.text .text.*)
 .text.a        0x08000000       0x10 .pio/a.o
                0x08000000                a
 .text.a_long_name_that_needs_its_own_line
                0x08000010       0x20 /usr/lib/libc.a(lib_a-memcpy.o)

.a_long_section_name
                0x20000000        0x8
 .bss           0x20000000        0x8 b.o
"""
    ) == [
        Piece(".text", ".text.a", ".pio/a.o", 0x08000000, 16),
        Piece(
            ".text",
            ".text.a_long_name_that_needs_its_own_line",
            "/usr/lib/libc.a(lib_a-memcpy.o)",
            0x08000010,
            32,
        ),
        Piece(".a_long_section_name", ".bss", "b.o", 0x20000000, 8),
    ]


def test_reserved_room_and_padding_have_no_origin() -> None:
    found = pieces(
        """
.stack          0x20000000     0x4000
                0x20000000                bottom = .
                0x20004000                        . = (. + 0x4000)
 *fill*         0x20000000     0x4000 \n"""
    )
    assert found == [Piece(".stack", "", "", 0x20000000, 0x4000)]


def test_merged_strings_count_once() -> None:
    found = pieces(
        """
.rodata         0x08000000       0x30
 .rodata.str1.1
                0x08000000       0x20 a.o
                                 0x28 (size before relaxing)
 .rodata.str1.1
                0x08000000        0x6 b.o
 .rodata.c      0x08000008       0x28 c.o
"""
    )
    assert [(piece.origin, piece.size_bytes) for piece in found] == [
        ("a.o", 0),
        ("b.o", 6),
        ("c.o", 40),
    ]


@pytest.mark.parametrize("line", ["\x00", ".text", " .text 0x", ".x 0x1 0x", "*fill*", "0x0 0x0"])
def test_lines_of_another_kind_are_passed_over(line: str) -> None:
    body = f"\n.text           0x0        0x4\n{line}\n .text          0x0        0x4 a.o\n"
    assert sum(piece.size_bytes for piece in pieces(body)) == 4
