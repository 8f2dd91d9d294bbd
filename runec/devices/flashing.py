"""Onto a real board: the firmware of a rune, uploaded through PlatformIO."""

from __future__ import annotations

from runec.boards import Board
from runec.container import Rune
from runec.devices.places import cached_project
from runec.devices.session import Log
from runec.diagnostics import MachineError, UsageError, UserFileError
from runec.firmware import BARE, build_project, upload_command
from runec.tools import run_tool

UPLOAD_TIMEOUT_S = 600.0


def flash_command(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
) -> list[str]:
    """Return the command that builds the firmware of a rune and puts it on a board.

    Its project is written to the cache, so the command works as it stands.

    Raises:
        RunecError: as `runec.firmware.create_project` and `upload_command`.
        UserFileError: R0919, the board's file says no way to write to it.
    """
    if board.upload is None and framework == BARE:
        raise UserFileError(
            "R0919",
            f"the file of the board {board.id} says no way to write to it",
            hint="make the project with `runec firmware new` and upload it with your own tool",
        )
    with cached_project(rune, board, framework=framework) as project:
        return upload_command(project, port=port, protocol=protocol)


def flash(
    rune: Rune,
    board: Board,
    *,
    port: str | None = None,
    protocol: str | None = None,
    framework: str = BARE,
    log: Log | None = None,
) -> None:
    """Build the firmware of a rune and put it on a board.

    Raises:
        RunecError: as `flash_command` and `runec.firmware.build_project`.
        UsageError: R0919, the board needs a port and none was named.
        MachineError: R0920, the upload failed; R1005, it took too long.
    """
    command = flash_command(rune, board, port=port, protocol=protocol, framework=framework)
    ways = [way for way in (board.upload, *board.other_uploads) if way is not None]
    way = next((each for each in ways if each.protocol == protocol), ways[0] if ways else None)
    if framework == BARE and way is not None and way.needs_port and port is None:
        raise UsageError(
            "R0919",
            f"the board {board.id} is written to over a serial port, and none was named",
            hint="name it with --port, such as --port /dev/ttyUSB0",
        )
    with cached_project(rune, board, framework=framework, log=log) as project:
        build_project(project, log=log)
        done = run_tool(command, timeout_s=UPLOAD_TIMEOUT_S)
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    if log is not None:
        for line in lines:
            log(line)
    if done.returncode != 0:
        raise MachineError(
            "R0920",
            f"the upload to {board.id} failed",
            hint="check the cable, the port and its permissions, and that "
            f"{'the upload tool' if way is None else way.package} is installed",
            notes=[line.strip() for line in lines if line.strip()][-4:],
        )
