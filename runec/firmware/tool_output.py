"""Reading what compilers, GNU ld and PlatformIO print when a build fails."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MAX_LINES = 5
MemoryKind = Literal["ram", "flash", "code RAM"]

_REGION = re.compile(r"region [`'\"]?(\w+)['\"]? overflowed(?: by (\d+) bytes| with )")
# Espressif's linker scripts assert this for regions that share their memory.
_SEGMENT = re.compile(r"\b(IRAM0|DRAM) segment data does not fit")
# PlatformIO compares sizes when the linker is done.
_TOO_LARGE = re.compile(
    r"The (program|data) size \((\d+) bytes\) is greater than maximum allowed \((\d+) bytes\)"
)
# RAM from which code runs: ITCM of a Cortex-M7, IRAM of an ESP; iram0_2_seg is flash.
_CODE_RAM = re.compile(r"(?:ram_code|code_ram|itcm\w*|iram0(?:_0_seg)?)", re.IGNORECASE)
_RAM = re.compile(r"(?:s|d|dt)?(?:ram|cm)|ccm|rtc_slow|rtc_data", re.IGNORECASE)
_ERROR = re.compile(
    r"(?:^|[\s:])(?:fatal |internal compiler )?error: |^(?:\*\*\*|Error:|scons: \*\*\*)"
    r"|undefined reference to|multiple definition of|first defined here|cannot find -?\S"
    r"|relocation truncated|will not fit in region|overflowed|does not fit"
    r"|No such file or directory"
    r"|(?:^|[/\\-])ld(?:\.\w+)?(?:\.exe)?: (?!warning)|^(?:\w+\.)*\w+(?:Error|Exception): "
)
# What only follows from what stands above it.
_FOLLOWS = re.compile(r"^collect2: |^(?:scons: )?\*\*\* |^=+ \[FAILED\]|^Error: \d+\s*$")
_WARNING = re.compile(r"\bwarning: ")


@dataclass(frozen=True, slots=True)
class Overflow:
    """A memory region that is too small, by its name in the linker script.

    `excess_bytes` is None where the linker prints none. `line` is what was printed.
    """

    kind: MemoryKind
    region: str
    excess_bytes: int | None
    line: str


def overflows(lines: Iterable[str]) -> tuple[Overflow, ...]:
    """Return the regions that overflowed, in the order in which they were printed."""
    found: dict[str, Overflow] = {}
    for line in lines:
        overflow = _overflow(line.strip())
        if overflow is not None:
            found.setdefault(overflow.region, overflow)
    return tuple(found.values())


def _overflow(line: str) -> Overflow | None:
    if match := _REGION.search(line):
        return Overflow(_kind(match[1]), match[1], int(match[2]) if match[2] else None, line)
    if match := _SEGMENT.search(line):
        return Overflow(_kind(match[1]), match[1], None, line)
    if match := _TOO_LARGE.search(line):
        kind: MemoryKind = "flash" if match[1] == "program" else "ram"
        return Overflow(kind, match[1], int(match[2]) - int(match[3]), line)
    return None


def _kind(region: str) -> MemoryKind:
    if _CODE_RAM.fullmatch(region):
        return "code RAM"
    return "ram" if _RAM.match(region) else "flash"


def error_lines(lines: Iterable[str]) -> list[str]:
    """Return the lines with errors, at most `MAX_LINES`, each once.

    A command line or a file name with "error" in it is none. Where no line is one, the last lines
    are returned.
    """
    words = [line.strip() for line in lines if line.strip(" *\r\n")]
    errors = [line for line in words if _ERROR.search(line) and not _WARNING.search(line)]
    causes = [line for line in errors if not _FOLLOWS.search(line)]
    found = list(dict.fromkeys(causes or errors))
    return found[:MAX_LINES] or words[-MAX_LINES:]
