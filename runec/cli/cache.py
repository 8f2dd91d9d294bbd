"""`runec cache`: contents of the cache."""

from __future__ import annotations

import click

from runec.cache import cache_dir, clear, usage
from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console
from runec.firmware import clear_projects


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
    help="Remove compiled firmware objects and cached firmware projects.",
)
@format_option
@pass_console
def command(console: Console, is_cleared: bool) -> None:
    """Show the contents of the cache: firmware objects and projects, third-party sources.

    Stored objects and projects make the next firmware build faster; the least recently used ones
    are removed above the limit. Results do not depend on the cache.
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
    before = sum(item.bytes for item in usage())
    clear()
    in_use = clear_projects()
    freed = before - sum(item.bytes for item in usage())
    console.say(f"removed {freed:,} bytes: firmware objects and projects".replace(",", " "))
    for folder in in_use:
        console.say(f"{folder} is in use by another process; not removed")
