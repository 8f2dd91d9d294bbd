"""Onto a real board: the firmware of a rune, uploaded through PlatformIO."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from runec.boards import Board, LinkKind, Upload
from runec.container import Rune
from runec.devices.errors import LockedChipError
from runec.devices.esp_flash import can_be_read, check_esp, read_words
from runec.devices.session import Log
from runec.devices.upload_errors import is_written, unlock_words, upload_error
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
from runec.firmware.build_stamp import build_folder
from runec.firmware.render import upload_values
from runec.tools import Finished, Progress, find_tool, run_tool

UPLOAD_TIMEOUT_S = 600.0
_READ_TIMEOUT_S = 120.0
# What stands for a port in a plan where none was found.
_SOME_PORT = "PORT"
# The vendors' protocol that overwrites a serial port.
_OVER_PORT = "esptool"


@dataclass(frozen=True, slots=True)
class Flashed:
    """How a rune got onto a board, and where its link is there.

    `port` is the one overwritten, or None where a probe did it.
    """

    port: str | None
    tool: str
    link: LinkKind


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """What `flash` would do: PlatformIO's command, and the upload tool's that this one starts.

    The latter is None with a vendor's platform, which alone knows it. `port` is the one that would
    be overwritten: `PORT` where none was found, None where none is needed. `missing` is what
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
        UserFileError: R0919, the board file has no upload protocol.
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
        tool=None if way is None else _as_installed(way, tool_command(project, way, port=written)),
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
    unlock: bool = False,
    log: Log | None = None,
    say: Log | None = None,
    progress: Progress | None = None,
) -> Flashed:
    """Build the firmware of a rune, if not up to date, and upload it to a board.

    Without `port` it is looked for by the board's USB ids, where one is needed. What can be known
    to be missing is reported before anything is built; what is on the board already is judged
    before anything is written. `say` gets what is overwritten, `progress` each step. A chip that is
    locked is erased where `unlock` is set, and not touched otherwise.

    Raises:
        RunecError: as `plan_flash` and `runec.firmware.build_project`.
        MachineError: R1004, the upload tool is not installed; R0823, the vendor's one cannot be
            fetched; R0941, the port cannot be opened; R0942, there is none; R0831, the chip is
            another one or of a revision that cannot run it; R0832, its loader or partition table is
            missing or another one; R0920, the upload failed; R0923, the board does not answer;
            R0924, no permission; R1005, it took too long.
        LockedChipError: R0830, the chip is locked and `unlock` is not set, or of no use.
    """
    board, way = _chosen(board, protocol, framework)
    port = _port(board, way, port)
    device_rune = DeviceRune.of(rune)
    with cached_project(
        device_rune, board, framework=framework, backend=backend, log=log
    ) as project:
        write = _Write(unlock=unlock, log=log, say=say, progress=progress)
        return write.put(project, way, port, protocol)[0]


def flash_selftest(
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    unlock: bool = False,
    log: Log | None = None,
    say: Log | None = None,
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
        write = _Write(unlock=unlock, log=log, say=say, progress=progress)
        flashed, built = write.put(project, way, port, protocol)
        return flashed, read_file(built.elf, "firmware")


def plan_flash_selftest(
    board: Board, *, port: str | None = None, protocol: str | None = None
) -> FlashPlan:
    """Return what `flash_selftest` would do. Raises as `plan_flash` and `selftest_project`."""
    board, way = _chosen(board, protocol, BARE)
    port, missing = _found(board, way, port)
    with selftest_project(board) as project:
        return _plan(project, way, port, protocol, missing)


@dataclass(frozen=True, slots=True)
class _Write:
    """How a project is built and put on its board: the options of `flash`."""

    unlock: bool
    log: Log | None
    say: Log | None
    progress: Progress | None

    def put(
        self, project: Project, way: Upload | None, port: str | None, protocol: str | None
    ) -> tuple[Flashed, FirmwareBuild]:
        """Read what is on the board, build, upload."""
        step = self.progress or (lambda _: contextlib.nullcontext())
        tell = self.say or (lambda _: None)
        board = project.board
        environment = {} if way is None else _with_tool(way)
        tool = "PlatformIO" if way is None else way.command[0]
        if way is not None and can_be_read(way):
            with step(f"reading {board.id}"):
                tell(_look_at(board, way, port, environment, self.log))
        command = _upload_command(project, way, port, protocol)
        with step(f"building the firmware for {board.id}"):
            built = build_project(project, log=self.log)
        if way is not None and not can_be_read(way):
            tell(_overwritten(board, build_folder(project.directory) / "image.bin"))
        for is_last in (not self.unlock, True):
            with step(f"uploading with {tool}"):
                done = run_tool(command, environment=environment, timeout_s=UPLOAD_TIMEOUT_S)
            lines = _logged(done, self.log)
            if is_written(way, done):
                break
            error = vendor_missing(project, lines) or upload_error(board, way, port, done)
            is_locked = isinstance(error, LockedChipError) and error.can_unlock
            if is_last or way is None or not is_locked:
                raise error
            with step(f"erasing and unlocking {board.id}"):
                _unlock(board, way, port, environment, self.log)
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
        port = find_port([board], for_upload=True).device
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
    """Return whether an upload goes over a serial port; `way` is None for the vendor's platform."""
    if way is not None:
        return way.needs_port
    return board.vendor is not None and board.vendor.upload_protocol == _OVER_PORT


def _require_way(board: Board) -> None:
    if board.upload is None:
        raise UserFileError(
            "R0919",
            f"the board file of {board.id} has no upload protocol",
            hint="create the project with `runec firmware new` and upload it with another tool",
        )


def _with_tool(way: Upload) -> dict[str, str | None]:
    """Return the environment in which the upload tool is found, beside this Python as well."""
    return {"PATH": f"{os.environ.get('PATH', '')}{os.pathsep}{_tool(way).parent}"}


def _tool(way: Upload) -> Path:
    """Return an upload tool. Up to version 4 esptool is called esptool.py."""
    name, hint = way.command[0], install_command(way)
    try:
        return find_tool(name, hint=hint)
    except MachineError:
        if name != "esptool":
            raise
        try:
            return find_tool(f"{name}.py", hint=hint)
        except MachineError:
            pass
        raise


def _as_installed(way: Upload, command: ToolCommand) -> ToolCommand:
    """Return the command of an upload tool by the name that it has here."""
    try:
        return replace(command, words=(_tool(way).name, *command.words[1:]))
    except MachineError:
        return command


def _look_at(
    board: Board,
    way: Upload,
    port: str | None,
    environment: dict[str, str | None],
    log: Log | None,
) -> str:
    """Read the start of an ESP's flash; return what an upload overwrites. Raises as `check_esp`."""
    values = {**upload_values(board), "port": port or ""}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flash.bin"
        words = [each.format(**values) for each in read_words(way.command, "{{}}")]
        command = [str(_tool(way)), *words[1:-1], str(file)]
        done = run_tool(command, environment=environment, timeout_s=_READ_TIMEOUT_S)
        _logged(done, log)
        if done.returncode != 0:
            raise upload_error(board, way, port, done)
        flash = file.read_bytes() if file.is_file() else b""
    return check_esp(board, way, f"{done.stdout}\n{done.stderr}", flash)


def _overwritten(board: Board, image: Path) -> str:
    """Return what an upload by a probe or a boot loader in ROM overwrites."""
    first = board.memory.code.origin
    last = first + (image.stat().st_size if image.is_file() else 1) - 1
    return f"{board.id}: overwrites flash from {first:#010x} to {last:#010x}"


def _unlock(
    board: Board,
    way: Upload,
    port: str | None,
    environment: dict[str, str | None],
    log: Log | None,
) -> None:
    command = [str(_tool(way)), *unlock_words(way, upload_values(board))[1:]]
    done = run_tool(command, environment=environment, timeout_s=UPLOAD_TIMEOUT_S)
    _logged(done, log)
    if done.returncode != 0:
        raise upload_error(board, way, port, done)


def _logged(done: Finished, log: Log | None) -> list[str]:
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    if log is not None:
        for line in lines:
            log(line)
    return lines


def install_command(way: Upload) -> str:
    """Return what installs an upload tool: `package` is Debian's name, or says where it is from."""
    name, _, origin = way.package.partition(" (")
    if origin.startswith("pip"):
        return f"pip install {shlex.quote(name)}"
    if origin or " " in name:
        return f"install {way.package}"
    return f"sudo apt-get install {name}"
