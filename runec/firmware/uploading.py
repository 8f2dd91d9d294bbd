"""The commands that put a built project on a board: PlatformIO's, and that of the upload tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runec.boards import Board, Upload
from runec.diagnostics import UsageError
from runec.firmware.build import project_environment
from runec.firmware.build_stamp import build_folder
from runec.firmware.pio import pio_program
from runec.firmware.project import Project, load_project
from runec.firmware.render import BARE, upload_values
from runec.suggestions import suggestion

_IMAGES = ("image", "constants", "app")


@dataclass(frozen=True, slots=True)
class ToolCommand:
    """Command of an upload tool, and the lines of its script, if any."""

    words: tuple[str, ...]
    script: tuple[str, ...] = ()


def known_protocols(board: Board, framework: str = BARE) -> list[str]:
    """Return the protocols that a board can be written by, the usual one first."""
    if framework == BARE:
        return [way.protocol for way in (board.upload, *board.other_uploads) if way is not None]
    vendor = board.vendor
    return [*vendor.protocols] if vendor else []


def known_protocol(board: Board, protocol: str, framework: str = BARE) -> str:
    """Return a protocol that a board can be written by. Raises UsageError R0805 for another."""
    known = known_protocols(board, framework)
    if protocol in known:
        return protocol
    by = f"{protocol!r}" if framework == BARE else f"{protocol!r} with the framework {framework}"
    raise UsageError(
        "R0805",
        f"the board {board.id} has no upload protocol {by}",
        hint=suggestion(protocol, known),
    )


def upload_way(board: Board, protocol: str | None) -> Upload | None:
    """Return a board's bare-metal way to be written to: the one named, or the usual one.

    Raises:
        UsageError: R0805, the board has no such protocol.
    """
    if protocol is not None:
        known_protocol(board, protocol)
    ways = [way for way in (board.upload, *board.other_uploads) if way is not None]
    return next((each for each in ways if each.protocol == protocol), ways[0] if ways else None)


def tool_command(project: Project, way: Upload, *, port: str | None = None) -> ToolCommand:
    """Return the upload command of a bare-metal firmware."""
    built = build_folder(project.directory.absolute())
    values = {
        **upload_values(project.board),
        "elf": str(built / "firmware.elf"),
        "port": port or "",
        "script": str(built / "upload.script"),
        **{name: str(built / f"{name}.bin") for name in _IMAGES},
    }
    return ToolCommand(
        tuple(word.format(**values) for word in way.command),
        tuple(line.format(**values) for line in way.script),
    )


def upload_command(
    project: Project | Path, *, port: str | None = None, protocol: str | None = None
) -> list[str]:
    """Return the command that builds a project and puts it on the board, ready to be run.

    `protocol` is one of the board's other ways to be written to; a vendor's project names its own
    in `platformio.ini`.

    Raises:
        UsageError: R0805, the board has no such protocol.
        UserFileError: R0813, no project.
        MachineError: R1004, PlatformIO is not installed; R1001, R1002, the cache.
    """
    found = project if isinstance(project, Project) else load_project(project)
    environment = project_environment(found)
    if protocol is not None:
        known_protocol(found.board, protocol, found.framework)
        if found.framework == BARE:
            environment["RUNEC_UPLOAD_PROTOCOL"] = protocol
    settings = [f"{name}={value}" for name, value in sorted(environment.items())]
    command = ["env", *settings, str(pio_program()), "run"]
    command += ["--project-dir", str(found.directory), "--target", "upload"]
    return command + (["--upload-port", port] if port else [])
