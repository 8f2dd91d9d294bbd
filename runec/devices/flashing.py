"""Onto a real board: the firmware of a rune, uploaded through PlatformIO."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass

import msgspec

from runec.boards import Board, LinkKind, Upload
from runec.container import Rune
from runec.devices.session import Log
from runec.devices.transport import DIALOUT
from runec.diagnostics import MachineError, UserFileError
from runec.files import read_file
from runec.firmware import (
    BACKENDS,
    BARE,
    DeviceRune,
    FirmwareBuild,
    Project,
    ToolCommand,
    build_project,
    cached_project,
    known_protocol,
    selftest_project,
    tool_command,
    upload_command,
    upload_way,
    vendor_missing,
)
from runec.tools import Finished, Progress, find_tool, run_tool

UPLOAD_TIMEOUT_S = 600.0
# What stands for a port in a plan where none was found.
_SOME_PORT = "PORT"
# The vendors' protocol that writes over a serial port.
_OVER_PORT = "esptool"

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
    """How a rune got onto a board, and where its link is there.

    `port` is the one written over, or None where a probe did it.
    """

    port: str | None
    tool: str
    link: LinkKind


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """What `flash` would do: PlatformIO's command, and the upload tool's that this one starts.

    The latter is None with a vendor's platform, which alone knows it. `port` is the one that would
    be written over: `PORT` where none was found, None where none is needed. `missing` is what
    `flash` would stop at.
    """

    command: tuple[str, ...]
    tool: ToolCommand | None
    port: str | None
    link: LinkKind
    missing: tuple[MachineError, ...]


def plan_flash(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
    backend: str = BACKENDS[0],
) -> FlashPlan:
    """Return what `flash` would do, without building or writing anything but the project.

    Its project is in the cache, in a folder of its own, so the command works as it stands. What the
    machine lacks is reported, not an error here.

    Raises:
        RunecError: as `runec.firmware.create_project` and `upload_command`.
        UserFileError: R0919, the board's file says no way to write to it.
        UsageError: R0805, no such protocol; R0943, the board could be at several ports.
    """
    board, way = _chosen(board, protocol, framework)
    port, missing = _found(board, way, port)
    device_rune = DeviceRune.of(rune)
    with cached_project(
        device_rune, board, framework=framework, backend=backend, lasting=True
    ) as project:
        return _plan(project, way, port, protocol, missing)


def _found(
    board: Board, way: Upload | None, port: str | None
) -> tuple[str | None, list[MachineError]]:
    """Return the port, or what stands for it, and what is missing for an upload."""
    missing = []
    try:
        port = _port(board, way, port)
    except MachineError as error:
        missing.append(error)
        port = port or _SOME_PORT
    if way is not None:
        try:
            _with_tool(way)
        except MachineError as error:
            missing.append(error)
    return port, missing


def _plan(
    project: Project,
    way: Upload | None,
    port: str | None,
    protocol: str | None,
    missing: list[MachineError],
) -> FlashPlan:
    written = port if needs_port(project.board, way) else None
    return FlashPlan(
        command=_upload_command(project, way, port, protocol),
        tool=None if way is None else tool_command(project, way, port=written),
        port=written,
        link=project.board.hal.link,
        missing=tuple(missing),
    )


def flash(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
    backend: str = BACKENDS[0],
    log: Log | None = None,
    progress: Progress | None = None,
) -> Flashed:
    """Build the firmware of a rune, where it is not built already, and put it on a board.

    Without `port` it is looked for by the board's USB ids, where one is needed. What can be known
    to be missing is reported before anything is built. `progress` gets each step.

    Raises:
        RunecError: as `plan_flash` and `runec.firmware.build_project`.
        MachineError: R1004, the upload tool is not installed; R0823, the vendor's one cannot be
            fetched; R0941, the port cannot be opened; R0942, there is none; R0920, the upload
            failed; R0923, the board does not answer; R0924, no permission; R1005, it took too long.
    """
    board, way = _chosen(board, protocol, framework)
    port = _port(board, way, port)
    device_rune = DeviceRune.of(rune)
    with cached_project(
        device_rune, board, framework=framework, backend=backend, log=log
    ) as project:
        return _write(project, way, port, protocol, log=log, progress=progress)[0]


def flash_selftest(
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    log: Log | None = None,
    progress: Progress | None = None,
) -> tuple[Flashed, bytes]:
    """Build the firmware of a board's self test and put it on the board, on bare metal.

    Return how, and the ELF file.

    Raises:
        RunecError: as `flash` and `selftest_project`.
    """
    board, way = _chosen(board, protocol, BARE)
    port = _port(board, way, port)
    with selftest_project(board, log=log) as project:
        flashed, built = _write(project, way, port, protocol, log=log, progress=progress)
        return flashed, read_file(built.elf, "firmware")


def plan_flash_selftest(
    board: Board, *, port: str | None = None, protocol: str | None = None
) -> FlashPlan:
    """Return what `flash_selftest` would do. Raises as `plan_flash` and `selftest_project`."""
    board, way = _chosen(board, protocol, BARE)
    port, missing = _found(board, way, port)
    with selftest_project(board) as project:
        return _plan(project, way, port, protocol, missing)


def _write(
    project: Project,
    way: Upload | None,
    port: str | None,
    protocol: str | None,
    *,
    log: Log | None,
    progress: Progress | None,
) -> tuple[Flashed, FirmwareBuild]:
    """Build a project and put it on its board."""
    step = progress or (lambda _: contextlib.nullcontext())
    board = project.board
    environment = {} if way is None else _with_tool(way)
    tool = "PlatformIO" if way is None else way.command[0]
    command = _upload_command(project, way, port, protocol)
    with step(f"building the firmware for {board.id}"):
        built = build_project(project, log=log)
    with step(f"uploading with {tool}"):
        done = run_tool(command, environment=environment, timeout_s=UPLOAD_TIMEOUT_S)
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    if log is not None:
        for line in lines:
            log(line)
    if done.returncode != 0:
        raise vendor_missing(project, lines) or _failed(board, way, port, done)
    written = port if needs_port(board, way) else None
    return Flashed(written, tool, board.hal.link), built


def _chosen(board: Board, protocol: str | None, framework: str) -> tuple[Board, Upload | None]:
    """Return the board to make a project for, and the way onto it: None for the vendor's."""
    if framework == BARE:
        _require_way(board)
        return board, upload_way(board, protocol)
    if protocol is not None and board.vendor is not None:
        known_protocol(board, protocol, framework)
        vendor = msgspec.structs.replace(board.vendor, upload_protocol=protocol)
        board = msgspec.structs.replace(board, vendor=vendor)
    return board, None


def _port(board: Board, way: Upload | None, port: str | None) -> str | None:
    """Return the port that is named, or found where one is needed; made sure that it is there."""
    # Only here: pyserial looks for a system that it knows.
    from runec.devices.ports import check_port, find_port  # noqa: PLC0415

    if port is None and needs_port(board, way):
        port = find_port([board]).device
    if port is not None:
        check_port(port)
    return port


def _upload_command(
    project: Project, way: Upload | None, port: str | None, protocol: str | None
) -> tuple[str, ...]:
    # A port that is named where a probe writes is for talking.
    port = None if way is not None and not way.needs_port else port
    return tuple(upload_command(project, port=port, protocol=protocol))


def needs_port(board: Board, way: Upload | None) -> bool:
    """Tell whether an upload goes over a serial port; `way` is None for the vendor's platform."""
    if way is not None:
        return way.needs_port
    return board.vendor is not None and board.vendor.upload_protocol == _OVER_PORT


def _require_way(board: Board) -> None:
    if board.upload is None:
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
        usual = board.vendor.upload_protocol if board.vendor else None
        protocol = (usual or "") if way is None else way.protocol
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
