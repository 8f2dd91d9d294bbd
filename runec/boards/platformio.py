"""Boards that PlatformIO knows: `pio:ID` is made from the manifest of a vendor's platform."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from runec.boards.board import PLATFORMIO_PREFIX
from runec.data import data_dir
from runec.diagnostics import MachineError, UsageError
from runec.suggestions import closest
from runec.tools import Progress, ToolTimeoutError, find_tool, run_tool

# Settings that keep PlatformIO from asking for more than boards.
ENVIRONMENT = {
    "PLATFORMIO_NO_ANSI": "true",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
}
_INSTALLED_TIMEOUT_S = 120
# The list of all boards takes a second; PlatformIO itself would try again for a minute.
REGISTRY_S = 10
# A text in the manifests of many boards, of more platforms than anybody installs.
_COMMON = "uno"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,59}")


class _Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of chip, as boards/platformio/chips.toml has it; `ram_origin` of a Cortex-M."""

    mcu: str
    is_whole: bool = False
    base: str
    isa: str
    code_size_percent: int
    ram_origin: int = 0x2000_0000

    def fits(self, mcu: str) -> bool:
        return mcu == self.mcu if self.is_whole else mcu.startswith(self.mcu)


class _Platform(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A platform's chips; `applications` are parts of the flash, where manifests have all of it."""

    chips: tuple[_Chip, ...]
    applications: dict[int, int] = {}
    has_own_pins: bool = False


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


def manifest_tables(board: str, *, progress: Progress | None = None) -> tuple[str, dict[str, Any]]:
    """Return the board file that `pio:ID` builds on, and the tables that differ from it.

    PlatformIO's registry gets `REGISTRY_S` to answer, while `progress` shows that it is asked.

    Raises:
        UsageError: R0825, PlatformIO has no such board; R0826, a platform or chip that runec does
            not build for, or no Arduino core for the board.
        MachineError: R0827, PlatformIO failed; R0829, its registry does not answer; R1004,
            it is not installed; R1005, it hangs without its registry.
    """
    name = board.removeprefix(PLATFORMIO_PREFIX)
    if not _NAME.fullmatch(name):
        raise UsageError(
            "R0825",
            f"invalid name of a PlatformIO board: {name!r}",
            hint="list them: pio boards, or PlatformIO's documentation",
        )
    found = _find(name, progress or (lambda _: contextlib.nullcontext()))
    platforms = _platforms()
    platform = platforms.get(found.platform)
    if platform is None:
        raise _unsupported(found, f"belongs to the platform {found.platform}", platforms)
    if "arduino" not in found.frameworks:
        raise _unsupported(found, "has no Arduino core", platforms)
    chips = [chip for chip in platform.chips if chip.fits(found.mcu.lower())]
    if not chips:
        raise _unsupported(found, f"has the chip {found.mcu}", platforms)
    chip = max(chips, key=lambda each: len(each.mcu))
    return chip.base, _tables(found, platform, chip)


def _platforms() -> dict[str, _Platform]:
    text = (data_dir("boards") / "platformio" / "chips.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Platform], strict=False)


def _tables(found: _Manifest, platform: _Platform, chip: _Chip) -> dict[str, Any]:
    tables: dict[str, Any] = {
        "id": f"{PLATFORMIO_PREFIX}{found.id}",
        "name": found.name,
        "url": found.url,
        "verified": [],
        "verified_reason": "From PlatformIO's manifest; not tested with runec.",
        "cpu": {"name": found.mcu, "isa": chip.isa, "clock_hz": found.fcpu or 1},
        "toolchain": {"code_size_percent": chip.code_size_percent},
        "hal": {"console": "the core's Serial", "i2c": ""},
        "vendor": {"platform": found.platform, "board": found.id, "framework": "arduino"},
        **dict.fromkeys(("emulator", "upload")),
        **{key: [] for key in ("sensors", "usb_ids", "usb_upload_ids", "other_uploads")},
        "pins": {},
    }
    dropped = dict.fromkeys(("upload_protocol", "other_protocols", "ldscript", "variant"))
    tables["vendor"] |= {**dropped, "defines": None, "undefines": None, "serial_pins": None}
    tables["vendor"]["preferred_because"] = None
    if platform.applications:
        application = platform.applications.get(found.rom, found.rom)
        tables["vendor"]["memory"] = {"flash": {"size_bytes": application}}
    else:
        tables["memory"] = {
            "code": {"size_bytes": found.rom},
            "ram": {"origin": chip.ram_origin, "size_bytes": found.ram},
        }
    if platform.has_own_pins:
        tables["vendor"]["pins"] = None
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


def _find(name: str, progress: Progress) -> _Manifest:
    """Return a board of the platforms that PlatformIO has installed, or of its registry."""
    installed = _ask(name, is_installed=True)
    if name in installed:
        return _read(installed[name])
    with progress(f"asking PlatformIO's registry for the board {name}"):
        end_s = time.monotonic() + REGISTRY_S
        try:
            known = _ask(name, is_installed=False, timeout_s=REGISTRY_S)
            # PlatformIO does not report that its registry is silent: its list is then what is
            # installed.
            is_silent = known.keys() <= installed.keys() and not _registry_answers(end_s)
        except ToolTimeoutError:
            known, is_silent = installed, True
    if name in known:
        return _read(known[name])
    close = closest(name, known)
    if is_silent:
        first, *others = _platforms()
        similar = f"; did you mean '{PLATFORMIO_PREFIX}{close}'?" if close else ""
        raise MachineError(
            "R0829",
            f"no installed platform of PlatformIO has a board {name!r}, and PlatformIO's registry "
            f"does not answer within {REGISTRY_S} s",
            hint="connect to the network, or install the board's platform where there is one, here "
            f"{first} (others: {', '.join(others)}): {install_command(first)}{similar}",
        )
    raise UsageError(
        "R0825",
        f"PlatformIO has no board {name!r}, installed or in its registry",
        hint=f"did you mean '{PLATFORMIO_PREFIX}{close}'?"
        if close
        else "check the name with `pio boards`",
    )


def install_command(package: str) -> str:
    """Return the command that installs a platform into the PlatformIO that runec runs.

    Raises:
        MachineError: R1004, PlatformIO is not installed.
    """
    return f"{shlex.quote(str(_program()))} pkg install -g -p {package}"


def _program() -> Path:
    return find_tool("pio", hint="pip install platformio (it comes with runec)")


def _registry_answers(end_s: float) -> bool:
    """Return whether PlatformIO lists boards that are in its registry only.

    Raises:
        ToolTimeoutError: It is `end_s` by the monotonic clock.
    """
    timeout_s = max(end_s - time.monotonic(), 0)
    known = _ask(_COMMON, is_installed=False, timeout_s=timeout_s)
    return bool(known.keys() - _ask(_COMMON, is_installed=True).keys())


def _ask(
    name: str, *, is_installed: bool, timeout_s: float = _INSTALLED_TIMEOUT_S
) -> dict[str, dict[str, Any]]:
    """Return PlatformIO's boards in whose manifests a text is, by their names."""
    options = ("--installed",) if is_installed else ()
    command: list[str | Path] = [_program(), "boards", "--json-output", *options, name]
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
            hint="run `pio boards --installed` for its error",
            notes=[line for line in lines if line][-3:],
        )
    return {str(board.get("id")): board for board in boards if isinstance(board, dict)}


def _read(board: dict[str, Any]) -> _Manifest:
    try:
        return msgspec.convert(board, type=_Manifest)
    except msgspec.ValidationError as error:
        raise MachineError(
            "R0827",
            f"PlatformIO's manifest of {board.get('id')!r} is incomplete: {error}",
            hint="update the platform: pio pkg update -g",
        ) from None


def _unsupported(found: _Manifest, why: str, platforms: Iterable[str]) -> UsageError:
    return UsageError(
        "R0826",
        f"the PlatformIO board {found.id!r} {why}",
        hint=f"supported are boards of {', '.join(platforms)} that have an Arduino core; "
        "`runec explain R0826` lists the chips",
    )
