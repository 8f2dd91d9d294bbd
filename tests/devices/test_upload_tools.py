"""The upload commands of all boards, by the tools themselves where they are installed here.

Nothing is connected, so each tool must fail because of that, and not because of its arguments.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from runec.boards import Board, Upload, load_boards
from runec.devices.esp_flash import read_words
from runec.firmware.render import upload_values
from runec.tools import run_tool

WAYS = [
    pytest.param(board, way, id=f"{board.id}-{way.protocol}")
    for board in load_boards()
    for way in (board.upload, *board.other_uploads)
    if way is not None
]
# What each says when there is nothing at the other end.
ALONE = {
    "esptool": ("Could not configure port", "Could not open"),
    "openocd": ("open failed", "No J-Link device found", "no device found"),
    "dfu-util": ("No DFU capable USB device available",),
    "pyocd": ("No connected debug probes", "No available debug probes"),
    "JLinkExe": ("Connecting to J-Link via USB...FAILED", "Cannot connect to J-Link"),
}


def program(name: str) -> str | None:
    found = shutil.which(name)
    return shutil.which(f"{name}.py") if found is None and name == "esptool" else found


def formatted(board: Board, words: tuple[str, ...] | list[str], folder: Path) -> list[str]:
    file = folder / "image"
    file.write_bytes(bytes(64))
    names = ("elf", "image", "constants", "app", "script")
    values = {**upload_values(board), **dict.fromkeys(names, str(file)), "port": "/dev/null"}
    return [word.format(**values) for word in words]


@pytest.mark.parametrize(("board", "way"), WAYS)
def test_a_tool_understands_the_command_that_it_is_given(
    board: Board, way: Upload, tmp_path: Path
) -> None:
    name = way.command[0]
    tool = program(name)
    if tool is None:
        pytest.skip(f"{name} is not installed")
    commands = [way.command]
    if way.protocol == "esptool":
        commands.append(tuple(read_words(way.command, "{image}")))
    for command in commands:
        words = [tool, *formatted(board, command, tmp_path)[1:]]
        done = run_tool(words, environment=dict(os.environ), timeout_s=60)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert any(each in said for each in ALONE[name]), said
