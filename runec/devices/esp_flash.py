"""What is on an ESP before it is written to: chip and revision, loader, partition table.

esptool reads it. Layout: ESP-IDF's esp_flash_partitions.h, and bootloader_common.c for the choice
between applications; the loader's places: BOOTLOADER_FLASH_OFFSET of each chip in esptool.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from runec.boards import Board, Upload
from runec.diagnostics import MachineError

READ_BYTES = 0x1_0000
"""From the start of flash: loader, table, and usually what chooses between applications."""

_TABLE, _TABLE_BYTES = 0x8000, 0xC00
_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_IMAGE_MAGIC = 0xE9
_DIRECT_BOOT = struct.pack("<2I", 0xAEDB_041D, 0xAEDB_041D)
_APP, _DATA = 0, 1
_FACTORY, _OTA_0, _OTA_15, _OTA_DATA = 0x00, 0x10, 0x1F, 0x00
_SECTOR = 4096
_SELECT = struct.Struct("<I20sII")
_NO_SEQUENCE = 0xFFFF_FFFF
_UNUSABLE = (3, 4)  # ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED
_LOADER = 0x1000
_WRITES = ("write_flash", "write-flash")
# `Chip is ESP32-C3 (QFN32) (revision v0.4)` of version 4, `Chip type:  ESP32-C3 ...` of version 5.
_CHIP = re.compile(
    r"^Chip (?:is|type:)\s+(?P<chip>.*?)\s*\(revision v(?P<revision>[0-9.]+)\)", re.MULTILINE
)
_NEW_TABLE = (
    "write Espressif's loader and the usual table first, which any Arduino or ESP-IDF project for "
    "this chip brings: runec flash ... --framework arduino, and then this one again"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """An entry of the table: `offset` and `size_bytes` in flash."""

    kind: int
    subtype: int
    offset: int
    size_bytes: int
    label: str

    def __str__(self) -> str:
        return f"{self.label or 'a partition'} at {self.offset:#x}"

    @property
    def is_ota(self) -> bool:
        """Whether it is one of the applications between which otadata chooses."""
        return self.kind == _APP and _OTA_0 <= self.subtype <= _OTA_15


def read_words(command: Sequence[str], file: str) -> list[str]:
    """Return the command that reads the start of flash into a file.

    `command` is the one that writes, whose options in front of its verb are taken over.
    """
    at = next(index for index, word in enumerate(command) if word in _WRITES)
    verb = "read-flash" if command[at] == "write-flash" else "read_flash"
    return [*command[:at], verb, "0x0", f"{READ_BYTES:#x}", file]


def can_be_read(way: Upload | None) -> bool:
    """Return whether a way to a board is esptool's, with a command that `read_words` knows."""
    return way is not None and way.protocol == "esptool" and any(w in _WRITES for w in way.command)


def partitions(flash: bytes) -> list[Partition]:
    """Return the entries of the partition table at 0x8000; none where there is no table."""
    found = []
    for at in range(_TABLE, min(_TABLE + _TABLE_BYTES, len(flash) - _ENTRY.size + 1), _ENTRY.size):
        magic, kind, subtype, offset, size, label, _ = _ENTRY.unpack_from(flash, at)
        if magic != _ENTRY_MAGIC:
            break
        text = label.partition(b"\0")[0].decode("ascii", "replace")
        words = "".join(char if char.isprintable() else "?" for char in text)
        found.append(Partition(kind, subtype, offset, size, words))
    return found


def started(flash: bytes, table: Sequence[Partition]) -> Partition | None:
    """Return the application that the loader starts; None where that cannot be known."""
    slots = sorted((each for each in table if each.is_ota), key=lambda each: each.subtype)
    factory = [each for each in table if (each.kind, each.subtype) == (_APP, _FACTORY)]
    choice = [each for each in table if (each.kind, each.subtype) == (_DATA, _OTA_DATA)]
    usual = [*factory, *slots]
    if not choice or not slots:
        return usual[0] if usual else None
    sequences: list[int] = []
    for copy in range(2):
        at = choice[0].offset + copy * _SECTOR
        if at + _SELECT.size > len(flash):
            return None
        sequence, _, state, crc = _SELECT.unpack_from(flash, at)
        is_valid = crc == zlib.crc32(flash[at : at + 4], 0xFFFF_FFFF)
        if sequence != _NO_SEQUENCE and is_valid and state not in _UNUSABLE:
            sequences.append(sequence)
    if not sequences:
        return usual[0]
    return slots[(max(sequences) - 1) % len(slots)]


def check_esp(board: Board, way: Upload, words: str, flash: bytes) -> str:
    """Judge what esptool read, and printed meanwhile; return what an upload will overwrite.

    Raises:
        MachineError: R0831, a revision that cannot run the firmware; R0832, no loader, or a
            partition table for which the firmware is not made.
    """
    found = _CHIP.search(words)
    chip = f"{board.id} ({found['chip']}, revision {found['revision']})" if found else board.id
    if found and way.revision_min and _number(found["revision"]) < _number(way.revision_min):
        raise MachineError(
            "R0831",
            f"{chip} is of an earlier revision than {way.revision_min}, whose boot ROM cannot "
            "start the firmware",
            hint="use a newer board, or the vendor's build: --framework arduino",
        )
    table = partitions(flash)
    place = _place(way)
    if way.esp_chip is not None and place is not None:
        return f"{chip}: {_check_app(board, way, place, flash, table)}"
    if way.esp_chip is not None:
        return f"{chip}: overwrites what the command of its board file says"
    if flash[: len(_DIRECT_BOOT)] == _DIRECT_BOOT:
        return f"{chip}: overwrites a firmware without a loader, such as an earlier one of runec"
    if flash[:1] == bytes((_IMAGE_MAGIC,)):
        what = f" and the partitions {', '.join(map(str, table))}" if table else ""
        return (
            f"{chip}: overwrites Espressif's loader at 0x0{what}; to have them back, flash that "
            "project again"
        )
    return f"{chip}: overwrites flash from 0x0 on, which has no loader"


def _place(way: Upload) -> int | None:
    """Return where in flash a way puts an application; None where its command has another form."""
    try:
        return int(way.command[way.command.index("{app}") - 1], 0)
    except ValueError:
        return None


def _check_app(
    board: Board, way: Upload, place: int, flash: bytes, table: Sequence[Partition]
) -> str:
    """Return what is overwritten where an application goes below a loader that is there."""
    if flash[_LOADER : _LOADER + 1] != bytes((_IMAGE_MAGIC,)):
        raise _refused(f"there is no second-stage loader at {_LOADER:#x}", _NEW_TABLE)
    if not table:
        raise _refused(f"there is no partition table at {_TABLE:#x}", _NEW_TABLE)
    notes = [
        f"{each}: {each.size_bytes // 1024} KiB, type {each.kind}, subtype {each.subtype:#04x}"
        for each in table
    ]
    target = next((each for each in table if each.kind == _APP and each.offset == place), None)
    if target is None:
        at = next((each for each in table if each.offset == place), None)
        what = f"{at} is no application" if at else f"no application is at {place:#x}"
        raise _refused(f"in the partition table of the board {what}", _NEW_TABLE, notes)
    needed = _needed_bytes(board, place)
    if target.size_bytes < needed:
        raise _refused(
            f"the partition {target} has {target.size_bytes // 1024} KiB; the firmware and what "
            f"it stores need {needed // 1024}",
            _NEW_TABLE,
            notes,
        )
    active = started(flash, table)
    if active is not None and active != target:
        choice = next(each for each in table if (each.kind, each.subtype) == (_DATA, _OTA_DATA))
        raise _refused(
            f"the loader starts {active}, chosen by {choice}, and not {target}",
            f"erase the choice, then run the same command again: {way.command[0]} --port PORT "
            f"erase_region {choice.offset:#x} {choice.size_bytes:#x}",
            notes,
        )
    return f"overwrites the application {target}; loader and partition table stay"


def _needed_bytes(board: Board, place: int) -> int:
    """Return how much from the application's place on a firmware may use, storage included."""
    memory, offset = board.memory, board.hal.defines.get("HAL_STORAGE_OFFSET")
    if memory.storage is None or offset is None:
        return 0
    return offset + memory.storage.size_bytes - place


def _number(revision: str) -> tuple[int, ...]:
    return tuple(int(part) for part in revision.split(".") if part.isdecimal())


def _refused(fact: str, hint: str, notes: Sequence[str] = ()) -> MachineError:
    return MachineError("R0832", f"{fact}; nothing was written", hint=hint, notes=notes)
