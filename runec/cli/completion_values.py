"""Completion of the values of options and arguments, without slow imports.

Each function takes the incomplete word and returns its completions.
`runec.cli.completion_scripts` also calls them without importing the verb whose option it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Offer = Callable[[str], "list[CompletionItem]"]
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


class InputFile(click.Path):
    """The path of a file; the Tab key offers folders and files whose names end in `suffixes`.

    Whether the file can be read is checked by the function that reads it.
    """

    def __init__(self, *suffixes: str) -> None:
        super().__init__(readable=False, path_type=Path)
        self.suffixes = suffixes

    def offer(self, incomplete: str) -> list[CompletionItem]:
        """Return one item that requests the shell's own completion of paths."""
        return [_item(incomplete, type="file", suffixes=self.suffixes)]

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return what `offer` returns."""
        return self.offer(incomplete)


class InputFolder(InputFile):
    """The path of a folder."""

    def offer(self, incomplete: str) -> list[CompletionItem]:
        """Return one item that requests the shell's own completion of folders."""
        return [_item(incomplete, type="dir")]


def _item(value: str, **details: Any) -> CompletionItem:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

    return CompletionItem(value, **details)


def completer(offer: Offer) -> Completer:
    """Return a function for click's `shell_complete`."""
    return lambda _ctx, _parameter, incomplete: offer(incomplete)


# Value in a board file if nothing was verified on the board.
_UNVERIFIED = re.compile(rb"^verified *= *\[ *\]", re.MULTILINE)


def _board_ids(*, is_emulated: bool = False) -> list[str]:
    # The names of the files, not runec.boards, whose imports take longer than the rest.
    from runec.data import data_dir  # noqa: PLC0415 - `runec check` does without

    extra = os.environ.get("RUNEC_BOARDS_DIR")
    folders = [data_dir("boards"), *([Path(extra)] if extra else [])]
    try:
        paths = [path for folder in folders for path in folder.glob("*.toml")]
        if is_emulated:  # a board file of the user's own may lack the key and run
            ours = folders[0]
            paths = [
                path
                for path in paths
                if path.parent != ours or not _UNVERIFIED.search(path.read_bytes())
            ]
        return sorted({path.stem for path in paths})
    except OSError:
        return []


def boards(incomplete: str) -> list[CompletionItem]:
    """Complete ids of boards, or paths of board files."""
    if incomplete.startswith((".", "/", "~")):
        return InputFile(".toml").offer(incomplete)
    return [_item(name) for name in _board_ids() if name.startswith(incomplete)]


def boards_or_all(incomplete: str) -> list[CompletionItem]:
    """The ids of boards, and `all`."""
    return boards(incomplete) + [_item(name) for name in ("all",) if name.startswith(incomplete)]


def ports(incomplete: str) -> list[CompletionItem]:
    """The serial ports of the host."""
    return [
        _item(device, help=description)
        for device, description in _serial_ports()
        if device.startswith(incomplete)
    ]


def _serial_ports() -> list[tuple[str, str | None]]:
    from serial.tools import list_ports  # noqa: PLC0415 - 20 ms

    found = ((port.device, port.description) for port in list_ports.comports())
    return sorted((device, text if text not in ("", "n/a") else None) for device, text in found)


def devices(incomplete: str) -> list[CompletionItem]:
    """The targets that are devices: emulated boards, serial ports."""
    names = [f"emulator:{name}" for name in _board_ids(is_emulated=True)]
    if "serial:".startswith(incomplete[:7]):
        names += [f"serial:{device}" for device, _ in _serial_ports()]
    return [_item(name) for name in names if name.startswith(incomplete)]


def target_names(incomplete: str) -> list[CompletionItem]:
    """All targets: the host, devices, `all`."""
    names = [_item(name) for name in ("host", "all") if name.startswith(incomplete)]
    return names + devices(incomplete)


def codes(incomplete: str) -> list[CompletionItem]:
    """The diagnostic codes with their titles."""
    from runec.explanations import all_pages  # noqa: PLC0415 - reads files

    return [
        _item(page.code, help=page.title)
        for page in all_pages(incomplete[:3].upper())
        if page.code.startswith(incomplete.upper())
    ]


def components(incomplete: str) -> list[CompletionItem]:
    """The names of the third-party components."""
    from runec.components import components as known  # noqa: PLC0415 - reads files

    return [_item(each.name) for each in known() if each.name.startswith(incomplete)]


def protocols(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The upload protocols of the board and the framework that the line names."""
    from runec.boards import load_board, load_boards  # noqa: PLC0415 - slow
    from runec.boards.platformio import is_platformio_board  # noqa: PLC0415
    from runec.diagnostics import RunecError  # noqa: PLC0415
    from runec.firmware import BARE  # noqa: PLC0415
    from runec.firmware.uploading import known_protocols  # noqa: PLC0415

    named = ctx.params.get("board_id")
    if named and is_platformio_board(named):
        return []  # one protocol, which its vendor knows; PlatformIO would be asked for it
    try:
        chosen = [load_board(named)] if named else list(load_boards())
    except RunecError:
        return []
    framework = ctx.params.get("framework") or BARE
    names = {name for board in chosen for name in known_protocols(board, framework)}
    return [_item(name) for name in sorted(names) if name.startswith(incomplete)]
