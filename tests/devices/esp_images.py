"""The start of an ESP's flash, made from ESP-IDF's documentation of its partition tables."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable

APP, DATA = 0, 1
Entry = tuple[str, int, int, int, int]
# "Single factory app, no OTA" of ESP-IDF; default.csv of arduino-esp32 2.0.17.
FACTORY: tuple[Entry, ...] = (
    ("nvs", DATA, 0x02, 0x9000, 0x6000),
    ("phy_init", DATA, 0x01, 0xF000, 0x1000),
    ("factory", APP, 0x00, 0x1_0000, 0x10_0000),
)
ARDUINO: tuple[Entry, ...] = (
    ("nvs", DATA, 0x02, 0x9000, 0x5000),
    ("otadata", DATA, 0x00, 0xE000, 0x2000),
    ("app0", APP, 0x10, 0x1_0000, 0x14_0000),
    ("app1", APP, 0x11, 0x15_0000, 0x14_0000),
    ("spiffs", DATA, 0x82, 0x29_0000, 0x16_0000),
)
# Espressif's AT firmware: the boot log in the review, "otadata at 0x10000, app at 0x100000".
AT: tuple[Entry, ...] = (
    ("phy_init", DATA, 0x01, 0xF000, 0x1000),
    ("otadata", DATA, 0x00, 0x1_0000, 0x2000),
    ("nvs", DATA, 0x02, 0x1_2000, 0xE000),
    ("ota_0", APP, 0x10, 0x10_0000, 0x18_0000),
    ("ota_1", APP, 0x11, 0x28_0000, 0x18_0000),
)


def esp_flash(
    table: Iterable[Entry] = (), *, loader_at: int | None = 0x1000, chosen: tuple[int, ...] = ()
) -> bytes:
    """64 KiB of flash; `chosen` are the sequence numbers in otadata, -1 for one that is damaged."""
    flash = bytearray(b"\xff" * 0x1_0000)
    if loader_at is not None:
        flash[loader_at : loader_at + 4] = bytes((0xE9, 3, 2, 0x20))
    at = 0x8000
    for label, kind, subtype, offset, size in table:
        entry = struct.pack(
            "<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, label.encode(), 0
        )
        flash[at : at + 32] = entry
        at += 32
        if (kind, subtype) == (DATA, 0) and chosen:
            for copy, sequence in enumerate(chosen):
                number = struct.pack("<I", abs(sequence))
                crc = binascii.crc32(number, 0xFFFF_FFFF) ^ (sequence < 0)
                choice = number + b"\xff" * 20 + struct.pack("<II", 2, crc)
                flash[offset + copy * 4096 : offset + copy * 4096 + 32] = choice
    return bytes(flash)
