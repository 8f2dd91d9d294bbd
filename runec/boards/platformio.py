"""Boards that PlatformIO knows: `pio:ID` is made from the manifest of a vendor's platform."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from runec.boards.board import PLATFORMIO_PREFIX
from runec.diagnostics import MachineError, UsageError
from runec.tools import find_tool, run_tool

# Settings that keep PlatformIO from asking for more than boards.
ENVIRONMENT = {
    "PLATFORMIO_NO_ANSI": "true",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
}
_INSTALLED_TIMEOUT_S, _REGISTRY_TIMEOUT_S = 120, 180
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,59}")
_KIB, _MIB = 1024, 1024 * 1024

# The start of a chip's name -> the file whose toolchain, HAL and core the board shares, its
# instruction set, and its code's size in per cent of that of a Cortex-M4.
_STM32 = "nucleo_f401re"
_CHIPS = {
    "nrf52": ("nrf52840_dk", "Cortex-M4F", 100),
    "esp32s2": ("esp32s2", "Xtensa LX7", 120),
    "esp32s3": ("esp32s3", "Xtensa LX7", 120),
    "esp32c3": ("esp32c3", "RV32IMC", 145),
    "esp32": ("esp32", "Xtensa LX6", 120),
    **{f"stm32{name}": (_STM32, "Cortex-M0+", 130) for name in ("f0", "g0", "l0", "c0", "u0")},
    **{f"stm32{name}": (_STM32, "Cortex-M3", 110) for name in ("f1", "f2", "l1")},
    **{f"stm32{name}": (_STM32, "Cortex-M4", 100) for name in ("f3", "f4", "g4", "l4", "wb", "wl")},
    **{f"stm32{name}": (_STM32, "Cortex-M33", 100) for name in ("h5", "l5", "u5")},
    **{f"stm32{name}": (_STM32, "Cortex-M7", 100) for name in ("f7", "h7")},
}
_OTHER_ESP = re.compile(r"esp32[a-z]+\d+$")
# What the core's partition tables (tools/partitions/*.csv) give an application, by the size of the
# flash: default.csv, default_8MB.csv, default_16MB.csv.
_APPLICATION_BYTES = {4 * _MIB: 0x14_0000, 8 * _MIB: 0x33_0000, 16 * _MIB: 0x64_0000}
_RAM_ORIGINS = {"stm32h7": 0x2400_0000}  # RAM_D1, which the core's linker scripts use
_CORTEX_M_RAM = 0x2000_0000
_PLATFORMS = ("espressif32", "nordicnrf52", "ststm32")


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What `pio boards --json-output` prints of a board."""

    id: str
    name: str
    platform: str
    mcu: str
    fcpu: int = 0
    ram: int
    rom: int
    frameworks: tuple[str, ...] = ()
    url: str = ""


def is_platformio_board(board: str) -> bool:
    """Return whether the name of a board is one of PlatformIO's, `pio:ID`."""
    return board.startswith(PLATFORMIO_PREFIX)


def manifest_tables(board: str) -> tuple[str, dict[str, Any]]:
    """Return the board file that `pio:ID` builds on, and the tables that differ from it.

    Raises:
        UsageError: R0825, PlatformIO has no such board; R0826, a platform or chip that runec does
            not build for, or no Arduino core for the board.
        MachineError: R0827, PlatformIO failed; R1004, it is not installed; R1005, it hangs.
    """
    name = board.removeprefix(PLATFORMIO_PREFIX)
    if not _NAME.fullmatch(name):
        raise UsageError(
            "R0825",
            f"{name!r} is not a name of a PlatformIO board",
            hint="list them: pio boards, or PlatformIO's documentation",
        )
    found = _find(name)
    if found.platform not in _PLATFORMS:
        raise _unsupported(found, f"belongs to the platform {found.platform}")
    if "arduino" not in found.frameworks:
        raise _unsupported(found, "has no Arduino core")
    chip = found.mcu.lower()
    starts = [start for start in _CHIPS if chip.startswith(start)]
    if not starts or (_OTHER_ESP.match(chip) and chip not in starts):
        raise _unsupported(found, f"has the chip {found.mcu}")
    base, isa, percent = _CHIPS[max(starts, key=len)]
    return base, _tables(found, isa, percent)


def _tables(found: _Manifest, isa: str, percent: int) -> dict[str, Any]:
    chip = found.mcu.lower()
    tables: dict[str, Any] = {
        "id": f"{PLATFORMIO_PREFIX}{found.id}",
        "name": found.name,
        "url": found.url,
        "verified": [],
        "verified_reason": "Made from PlatformIO's manifest; runec was not tested with this board.",
        "cpu": {"name": found.mcu, "isa": isa, "clock_hz": found.fcpu or 1},
        "toolchain": {"code_size_percent": percent},
        "hal": {"console": "the core's Serial", "i2c": ""},
        "vendor": {"platform": found.platform, "board": found.id, "framework": "arduino"},
        **dict.fromkeys(("emulator", "upload")),
        **{key: [] for key in ("sensors", "usb_ids", "other_uploads")},
        "pins": {},
    }
    dropped = dict.fromkeys(("upload_protocol", "other_protocols", "ldscript", "variant"))
    tables["vendor"] |= {**dropped, "defines": None, "undefines": None, "serial_pins": None}
    tables["vendor"]["preferred_because"] = None
    if found.platform == "espressif32":
        # The static RAM is the chip's; the manifest has all of it.
        application = _APPLICATION_BYTES.get(found.rom, found.rom)
        tables["vendor"]["memory"] = {"flash": {"size_bytes": application}}
        return tables
    origin = next((_RAM_ORIGINS[each] for each in _RAM_ORIGINS if chip.startswith(each)), None)
    tables["memory"] = {
        "code": {"size_bytes": found.rom},
        "ram": {"origin": origin or _CORTEX_M_RAM, "size_bytes": found.ram},
    }
    if found.platform == "nordicnrf52":
        tables["vendor"]["pins"] = None  # each variant numbers them otherwise
    return tables


def joined(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables with others joined in, key by key; None takes a key out, {} empties a table."""
    result = dict(base)
    for key, value in changes.items():
        before = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and value and isinstance(before, dict):
            result[key] = joined(before, value)
        else:
            result[key] = value
    return result


def _find(name: str) -> _Manifest:
    """Return a board of the platforms that PlatformIO has installed, or of its registry."""
    for options, timeout_s in ((("--installed",), _INSTALLED_TIMEOUT_S), ((), _REGISTRY_TIMEOUT_S)):
        boards = _ask(name, options, timeout_s)
        for board in boards:
            if board.get("id") == name:
                return _read(board)
    close = difflib.get_close_matches(name, [str(board.get("id")) for board in boards], n=1)
    packages = "espressif32, nordicnrf52 or ststm32"
    raise UsageError(
        "R0825",
        f"PlatformIO has no board {name!r} in its installed platforms, and its registry has none "
        "or does not answer",
        hint=f"did you mean '{PLATFORMIO_PREFIX}{close[0]}'?"
        if close
        else f"check the name with `pio boards`, or install its platform ({packages}): "
        "pio pkg install -g -p PLATFORM",
    )


def _ask(name: str, options: tuple[str, ...], timeout_s: float) -> list[dict[str, Any]]:
    program = find_tool("pio", hint="pip install platformio (it comes with runec)")
    command: list[str | Path] = [program, "boards", "--json-output", *options, name]
    done = run_tool(command, environment=ENVIRONMENT, timeout_s=timeout_s)
    try:
        boards = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        boards = None
    if not isinstance(boards, list):
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines()]
        raise MachineError(
            "R0827",
            "PlatformIO cannot list its boards",
            hint="run `pio boards --installed`, which prints what is wrong",
            notes=[line for line in lines if line][-3:],
        )
    return [board for board in boards if isinstance(board, dict)]


def _read(board: dict[str, Any]) -> _Manifest:
    try:
        return msgspec.convert(board, type=_Manifest)
    except msgspec.ValidationError as error:
        raise MachineError(
            "R0827",
            f"PlatformIO's manifest of {board.get('id')!r} is incomplete: {error}",
            hint="update the platform: pio pkg update -g",
        ) from None


def _unsupported(found: _Manifest, why: str) -> UsageError:
    return UsageError(
        "R0826",
        f"the PlatformIO board {found.id!r} {why}",
        hint=f"runec builds for boards of {', '.join(_PLATFORMS)} that have an Arduino core, with "
        "an STM32, nRF52, ESP32, ESP32-S2, ESP32-S3 or ESP32-C3",
    )
