"""`runec cache`: what the cache holds, and clearing it."""

from __future__ import annotations

import click

from runec.cache import cache_dir, clear, usage
from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console


@click.command(
    "cache",
    epilog=example(
        "runec cache",
        "runec cache --clear",
        note="RUNEC_CACHE_DIR moves the cache.",
    ),
)
@click.option(
    "--clear",
    "is_cleared",
    is_flag=True,
    help="Remove what builds have compiled, and the firmware projects that runec keeps for itself.",
)
@format_option
@pass_console
def command(console: Console, is_cleared: bool) -> None:
    """Show what the cache holds: compiled code, firmware projects and third-party sources.

    Compiled code is kept so that the next build takes less time, and so are the firmware projects
    of emulators, `size` and `flash`; what was used longest ago is removed when it becomes too much.
    Clearing it changes no result.
    """
    if is_cleared:
        _clear(console)
    found = usage()
    if console.is_json:
        for item in found:
            console.result_json(
                {
                    "part": item.part,
                    "path": str(cache_dir() / item.part),
                    "files": item.files,
                    "bytes": item.bytes,
                    "max_bytes": item.max_bytes,
                }
            )
        return
    rows = [(item.part, item.files, item.bytes, item.max_bytes) for item in found]
    console.result(table((str(cache_dir()), "files", "bytes", "at most"), rows))


def _clear(console: Console) -> None:
    # Only here: to show what there is takes no device.
    from runec.devices import clear_projects  # noqa: PLC0415

    before = sum(item.bytes for item in usage())
    clear()
    in_use = clear_projects()
    freed = before - sum(item.bytes for item in usage())
    console.say(f"removed {freed:,} bytes: compiled code and firmware projects".replace(",", " "))
    for folder in in_use:
        console.say(f"{folder} is in use by another process, and stays")
