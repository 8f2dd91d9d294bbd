"""Errors in the output of failed builds, in the formats of the tools."""

from __future__ import annotations

import pytest

from runec.firmware.tool_output import MAX_LINES, error_lines, overflows

LD = "/opt/x/bin/../lib/gcc/xtensa-esp32-elf/8.4.0/../../../../xtensa-esp32-elf/bin/ld"
ALLOWED = "is greater than maximum allowed"


@pytest.mark.parametrize(
    ("line", "kind", "region", "excess"),
    [
        ("ld: region `RAM' overflowed by 1234 bytes", "ram", "RAM", 1234),
        ("ld.exe: region `FLASH' overflowed by 8 bytes", "flash", "FLASH", 8),
        ("ld: region 'RAM_D1' overflowed by 5 bytes", "ram", "RAM_D1", 5),
        (f"{LD}: region `dram0_0_seg' overflowed by 12345 bytes", "ram", "dram0_0_seg", 12345),
        (f"{LD}: region `iram0_0_seg' overflowed by 96 bytes", "code RAM", "iram0_0_seg", 96),
        (f"{LD}: region `iram0_2_seg' overflowed by 7 bytes", "flash", "iram0_2_seg", 7),
        (f"{LD}: region `drom0_0_seg' overflowed by 7 bytes", "flash", "drom0_0_seg", 7),
        ("ld: region `DTCMRAM' overflowed by 3 bytes", "ram", "DTCMRAM", 3),
        ("ld: region `ITCMRAM' overflowed by 3 bytes", "code RAM", "ITCMRAM", 3),
        ("ld: region `CODE' overflowed by 3 bytes", "flash", "CODE", 3),
        ("ld: region `CONSTANTS' overflowed by 3 bytes", "flash", "CONSTANTS", 3),
        ("ld: region `RAM_CODE' overflowed by 3 bytes", "code RAM", "RAM_CODE", 3),
        ("ld: region RAM overflowed with stack", "ram", "RAM", None),
        ("ld: region FLASH overflowed with .data and user data", "flash", "FLASH", None),
        ("ld: DRAM segment data does not fit.", "ram", "DRAM", None),
        ("ld: IRAM0 segment data does not fit.", "code RAM", "IRAM0", None),
        (f"Error: The program size (20 bytes) {ALLOWED} (12 bytes)", "flash", "program", 8),
        (f"Error: The data size (13 bytes) {ALLOWED} (12 bytes)", "ram", "data", 1),
    ],
)
def test_a_region_is_named_by_its_kind(
    line: str, kind: str, region: str, excess: int | None
) -> None:
    (found,) = overflows(["Linking .pio/build/firmware/firmware.elf", line])
    assert (found.kind, found.region, found.excess_bytes, found.line) == (
        kind,
        region,
        excess,
        line,
    )


def test_a_region_counts_once() -> None:
    lines = ["ld: region `RAM' overflowed by 9 bytes"] * 2 + ["ld: nothing of that"]
    assert len(overflows(lines)) == 1


def test_linker_lines_are_shown_and_not_file_names() -> None:
    lines = [
        "Compiling .pio/build/firmware/lib0f2/runevm/src/error.c.o",
        "arm-none-eabi-gcc -o error.c.o -c lib/runevm/src/error.c -Werror=implicit",
        "lib/tflm/micro_error_reporter.h:27:30: warning: unused parameter 'p'",
        "Linking .pio/build/firmware/firmware.elf",
        ".pio/build/firmware/src/new.cpp.o: in function `operator delete(void*)':",
        "new.cpp:(.text._ZdlPv+0x0): multiple definition of `operator delete(void*)'; a.o: first",
        "main.cpp:(.text.loop+0x2): undefined reference to `nowhere'",
        "collect2: error: ld returned 1 exit status",
        "*** [.pio/build/firmware/firmware.elf] Error 1",
        "========= [FAILED] Took 9.17 seconds =========",
    ]
    found = error_lines(lines)
    assert [line.partition("): ")[2].partition(" of ")[0] for line in found] == [
        "multiple definition",
        "undefined reference to `nowhere'",
    ]


def test_errors_of_compilers_are_shown_in_their_order() -> None:
    lines = [f"lib/x.c:{line}:1: error: 'x' undeclared" for line in range(1, 9)]
    assert error_lines([*lines, *lines, "*** [x.o] Error 1"]) == lines[:MAX_LINES]


def test_without_a_cause_what_follows_is_shown() -> None:
    assert error_lines(["Compiling a.o", "*** [a.o] Error 1"]) == ["*** [a.o] Error 1"]
    assert error_lines(["something", "", "else"]) == ["something", "else"]
    assert error_lines([]) == []
