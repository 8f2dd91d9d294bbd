"""Onto a real board: the firmware of a rune, uploaded through PlatformIO."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from runec.boards import Board, Upload
from runec.container import Rune
from runec.devices.places import cached_project
from runec.devices.session import Log
from runec.devices.transport import DIALOUT
from runec.diagnostics import MachineError, UserFileError
from runec.firmware import BARE, build_project, known_protocol, upload_command
from runec.tools import Finished, find_tool, run_tool

UPLOAD_TIMEOUT_S = 600.0
Progress = Callable[[str], AbstractContextManager[None]]

_NO_PERMISSION = re.compile(
    r"permission denied|errno 13|LIBUSB_ERROR_ACCESS|insufficient permissions|access denied",
    re.IGNORECASE,
)
# What the upload tools say when there is no board, or none that listens.
_NO_ANSWER = re.compile(
    r"failed to connect|no serial data received|timed out waiting for packet|"  # esptool
    r"open failed|init mode failed|unable to connect to the target|no device found|"  # OpenOCD
    r"target not examined|unable to find a matching|"
    r"no DFU capable usb device|"  # dfu-util
    r"no available debug probes|no connected debug probes|no ACK received|"  # pyOCD
    r"cannot connect to target|connecting to j-link.*failed|could not connect",  # J-Link
    re.IGNORECASE,
)
_WAKE = {
    "esptool": "hold its button BOOT, press RESET, let BOOT go, then run the same command again",
    "dfu": "bring it into its boot loader (hold BOOT0, press RESET): `dfu-util --list` must show "
    "it; then run the same command again",
}
_USB_HINT = (
    "sudo apt-get install openocd (its udev rules name the probes) && sudo adduser $USER plugdev, "
    "then log in again and plug the board in again"
)
_PROBE = (
    "check the probe's cable (`lsusb` must show it) and that the board has power, then run the "
    "same command again"
)


@dataclass(frozen=True, slots=True)
class Flashed:
    """How a rune got onto a board: the port written over, or None where a probe did it."""

    port: str | None
    tool: str


def flash_command(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
) -> list[str]:
    """Return the command that builds the firmware of a rune and puts it on a board.

    Its project is written to the cache, in a folder of its own, so the command works as it stands.

    Raises:
        RunecError: as `runec.firmware.create_project` and `upload_command`.
        UserFileError: R0919, the board's file says no way to write to it.
    """
    _require_way(board, framework)
    with cached_project(rune, board, framework=framework, lasting=True) as project:
        return upload_command(project, port=port, protocol=protocol)


def flash(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
    log: Log | None = None,
    progress: Progress | None = None,
) -> Flashed:
    """Build the firmware of a rune, where it is not built already, and put it on a board.

    Without `port` it is looked for by the board's USB ids, where one is needed. What can be known
    to be missing is told before anything is built. `progress` is told each step.

    Raises:
        RunecError: as `flash_command` and `runec.firmware.build_project`.
        MachineError: R1004, the upload tool is not installed; R0941, the port cannot be opened;
            R0942, there is none; R0920, the upload failed; R0923, the board does not answer; R0924,
            no permission; R1005, it took too long.
        UsageError: R0805, no such protocol; R0943, the board could be at several ports.
    """
    step = progress or (lambda _: contextlib.nullcontext())
    _require_way(board, framework)
    way = upload_way(board, protocol) if framework == BARE else None
    # Only here: pyserial looks for a system that it knows.
    from runec.devices.ports import check_port, find_port  # noqa: PLC0415

    if port is None and needs_port(board, way):
        port = find_port([board]).device
    if port is not None:
        check_port(port)
    environment = {} if way is None else _with_tool(way)
    tool = "PlatformIO" if way is None else way.command[0]
    with cached_project(rune, board, framework=framework, log=log) as project:
        command = upload_command(project, port=port, protocol=protocol)
        if framework == BARE:
            with step(f"building the firmware for {board.id}"):
                build_project(project, log=log)
        with step(f"uploading with {tool}"):
            done = run_tool(command, environment=environment, timeout_s=UPLOAD_TIMEOUT_S)
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    if log is not None:
        for line in lines:
            log(line)
    if done.returncode != 0:
        raise _failed(board, way, port, done)
    return Flashed(port, tool)


def upload_way(board: Board, protocol: str | None) -> Upload | None:
    """Return a board's way to be written to: the one named, or the usual one.

    Raises:
        UsageError: R0805, the board has no such protocol.
    """
    if protocol is not None:
        known_protocol(board, protocol)
    ways = [way for way in (board.upload, *board.other_uploads) if way is not None]
    return next((each for each in ways if each.protocol == protocol), ways[0] if ways else None)


def needs_port(board: Board, way: Upload | None) -> bool:
    """Tell whether an upload goes over a serial port; `way` is None for the vendor's platform."""
    if way is not None:
        return way.needs_port
    return board.vendor is not None and board.vendor.upload_protocol == "esptool"


def _require_way(board: Board, framework: str) -> None:
    if board.upload is None and framework == BARE:
        raise UserFileError(
            "R0919",
            f"the file of the board {board.id} says no way to write to it",
            hint="make the project with `runec firmware new` and upload it with your own tool",
        )


def _with_tool(way: Upload) -> dict[str, str | None]:
    """Return the environment in which the upload tool is found, beside this Python as well."""
    tool = find_tool(way.command[0], hint=install_command(way))
    return {"PATH": f"{os.environ.get('PATH', '')}{os.pathsep}{tool.parent}"}


def install_command(way: Upload) -> str:
    """Return what installs an upload tool: `package` is Debian's name, or says where it is from."""
    name, _, origin = way.package.partition(" (")
    if origin.startswith("pip"):
        return f"pip install {name}"
    if origin or " " in name:
        return f"install {way.package}"
    return f"sudo apt-get install {name}"


def _failed(board: Board, way: Upload | None, port: str | None, done: Finished) -> MachineError:
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines()]
    notes = [line for line in lines if line][-4:]
    words = "\n".join(lines)
    tool = "the upload tool" if way is None else way.command[0]
    if _NO_PERMISSION.search(words):
        on = f"the port {port}" if port else "the board's USB"
        groups = DIALOUT if port else _USB_HINT
        return MachineError("R0924", f"{tool} may not use {on}", hint=groups, notes=notes)
    if _NO_ANSWER.search(words):
        protocol = "esptool" if way is None and port else "" if way is None else way.protocol
        return MachineError(
            "R0923",
            f"the board {board.id} does not answer {tool}",
            hint=_WAKE.get(protocol, _PROBE),
            notes=notes,
        )
    return MachineError(
        "R0920",
        f"the upload to {board.id} failed",
        hint=f"the last lines of {tool} say why; --verbose shows all of them",
        notes=notes,
    )
