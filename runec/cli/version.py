"""`runec version`."""

from __future__ import annotations

import platform

import click

from runec import __version__
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console


@click.command(
    "version",
    epilog=example(
        "runec version --format json",
    ),
)
@format_option
@pass_console
def command(console: Console) -> None:
    """Show the version of runec."""
    if console.is_json:
        console.result_json({"runec": __version__, "python": platform.python_version()})
    else:
        console.result(f"runec {__version__}")
