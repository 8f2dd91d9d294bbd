"""What the tools of this host can read of a board before anything is written to it.

Each fact of `selftest_report.BEFORE`: measured, or not available and why. Nothing here is an error:
that a tool is missing is a fact.
"""

from __future__ import annotations

import re
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from runec.boards import Board, Upload
from runec.devices.ports import serial_ports
from runec.devices.selftest_report import BEFORE, Fact
from runec.diagnostics import MachineError, printable
from runec.files import read_regular
from runec.firmware import upload_way
from runec.tools import Finished, find_tool, run_tool

_USB_DEVICES = Path("/sys/bus/usb/devices")
_PROCESSES = Path("/proc")
_TOOL_TIMEOUT_S = 60.0
_TEXT_MAX = 400
_PARTITIONS_AT, _PARTITIONS_BYTES = 0x8000, 0xC00
# gen_esp32part.py of ESP-IDF: magic, type, subtype, offset, size, label, flags.
_PARTITION = struct.Struct("<2sBBII16sI")
_PARTITION_MAGIC = b"\xaa\x50"
_CHIP = re.compile(r"^(?:Chip is|Chip type:)\s*(.+)$", re.MULTILINE)
_LOCK = re.compile(r"^APPROTECTSTATUS (0x[0-9a-fA-F]+)\s*$", re.MULTILINE)
_DFU = re.compile(r"Found DFU: \[([0-9a-f]{4}:[0-9a-f]{4})\]")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*\S*")


class _NotAvailableError(Exception):
    """Why a fact cannot be had."""


def no_facts_before(why: str) -> tuple[Fact, ...]:
    """Return every fact as not available."""
    return tuple(Fact(name=name, status="not available", why=why) for name in BEFORE)


def facts_before(board: Board, port: str, protocol: str | None = None) -> tuple[Fact, ...]:
    """Return the facts of a board at a serial port; esptool may reset the board for them.

    Raises:
        UsageError: R0805, the board has no such protocol.
    """
    way = upload_way(board, protocol)
    readers: dict[str, Callable[[], str]] = {
        "usb.ids": lambda: _usb_ids(board, port),
        "host.brltty": _brltty,
        "upload.tool": lambda: _tool_version(way),
        "esp.chip": lambda: _esp_chip(way, port),
        "esp.partitions": lambda: _esp_partitions(way, port),
        "nrf.lock": lambda: _nrf_lock(board),
        "dfu.device": lambda: _dfu(way),
    }
    return tuple(_fact(name, readers[name]) for name in BEFORE)


def _fact(name: str, read: Callable[[], str]) -> Fact:
    try:
        return Fact(name=name, status="measured", value=_clean(read()))
    except (_NotAvailableError, MachineError, OSError) as error:
        why = _clean(error.message if isinstance(error, MachineError) else str(error))
        return Fact(name=name, status="not available", why=why or "unknown")


def _clean(text: str) -> str:
    return printable(text.strip())[:_TEXT_MAX]


def _usb_ids(board: Board, port: str) -> str:
    here = next((each.usb_id for each in serial_ports() if each.device == port), "")
    plugged = sorted(set(_plugged()) & set(board.usb_ids))
    if not _USB_DEVICES.is_dir():
        raise _NotAvailableError(f"this host has no {_USB_DEVICES}")
    at_port = f"port {here or 'without a USB id'}"
    return f"{at_port}; of the board's: {', '.join(plugged) or 'none'}"


def _plugged() -> Iterator[str]:
    for folder in _USB_DEVICES.glob("*"):
        try:
            words = [(folder / name).read_text().strip() for name in ("idVendor", "idProduct")]
        except OSError:
            continue
        yield ":".join(words)


def _brltty() -> str:
    """It takes USB-serial adapters of Silicon Labs for Braille displays."""
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text().strip()
        except OSError:
            continue
        if name == "brltty":
            return "runs"
    return "is not running" if shutil.which("brltty") is None else "installed, is not running"


def _run(command: list[str | Path]) -> Finished:
    return run_tool(command, timeout_s=_TOOL_TIMEOUT_S)


def _program(way: Upload | None, protocol: str, otherwise: str) -> Path:
    if way is None or way.protocol != protocol:
        raise _NotAvailableError(otherwise)
    return find_tool(way.command[0], hint="")


def _tool_version(way: Upload | None) -> str:
    if way is None:
        raise _NotAvailableError("the board file names no upload tool")
    name = way.command[0]
    done = _run([find_tool(name, hint=""), "--version"])
    number = _VERSION.search(done.stdout + done.stderr)
    return f"{name} {number[0] if number else 'of an unknown version'}"


_NO_ESP = "the board is not written with esptool"


def _esp_chip(way: Upload | None, port: str) -> str:
    tool = _program(way, "esptool", _NO_ESP)
    done = _run([tool, "--port", port, "chip_id"])
    found = _CHIP.search(done.stdout)
    if found is None:
        raise _NotAvailableError(f"{tool.name} does not report the chip (exit {done.returncode})")
    return found[1]


def _esp_partitions(way: Upload | None, port: str) -> str:
    tool = _program(way, "esptool", _NO_ESP)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "partitions.bin"
        where = [f"{_PARTITIONS_AT:#x}", f"{_PARTITIONS_BYTES:#x}"]
        done = _run([tool, "--port", port, "read_flash", *where, path])
        if done.returncode != 0 or not path.is_file():
            raise _NotAvailableError(f"{tool.name} cannot read flash (exit {done.returncode})")
        return partition_table(read_regular(path, _PARTITIONS_BYTES))


def partition_table(data: bytes) -> str:
    """Return the partitions of an ESP's table as `name@offset+size`, or `none`."""
    found = []
    for at in range(0, len(data) - _PARTITION.size + 1, _PARTITION.size):
        magic, _, _, offset, size, label, _ = _PARTITION.unpack_from(data, at)
        if magic != _PARTITION_MAGIC:
            break
        name = label.split(b"\0")[0].decode("ascii", "replace")
        found.append(f"{name}@{offset:#x}+{size:#x}")
    return " ".join(found) or "none"


def _nrf_lock(board: Board) -> str:
    """The access port CTRL-AP reports it, whose register stays readable on a locked chip."""
    if board.hal.folder != "nrf52":
        raise _NotAvailableError("the chip is no nRF52")
    values = board.upload_values
    try:
        words: list[str | Path] = ["-f", values["openocd_interface"]]
        words += ["-c", f"transport select {values['openocd_transport']}"]
        words += ["-f", values["openocd_target"]]
    except KeyError as error:
        raise _NotAvailableError(f"the board file has no {error.args[0]}") from None
    read = 'catch {init}; echo "APPROTECTSTATUS [nrf52.dap apreg 1 0x0c]"; shutdown'
    done = _run([find_tool("openocd", hint=""), *words, "-c", read])
    found = _LOCK.search(done.stdout + "\n" + done.stderr)
    if found is None:
        raise _NotAvailableError(f"openocd cannot read it (exit {done.returncode})")
    return "unlocked" if int(found[1], 16) & 1 else "locked"


def _dfu(way: Upload | None) -> str:
    tool = _program(way, "dfu", "the board is not written with dfu-util")
    done = _run([tool, "--list"])
    found = sorted(set(_DFU.findall(done.stdout)))
    return ", ".join(found) or "none"
