"""`runec doctor`: what this machine has and lacks."""

from __future__ import annotations

import click

from runec.cli.checks import run_checks
from runec.cli.console import Console, table
from runec.cli.examples import example
from runec.cli.options import format_option, pass_console
from runec.diagnostics import MachineError


@click.command("doctor", epilog=example("runec doctor", "runec doctor --format json"))
@format_option
@pass_console
def command(console: Console) -> None:
    """Check compilers, emulators, packages, sources and the cache, and say what to install.

    Exit code 4 when something is missing that runec needs for one of its boards.
    """
    with console.progress("looking around"):
        checks = list(run_checks())
    if console.is_json:
        for check in checks:
            console.result_json(check.as_json())
    else:
        rows = [
            (check.status, check.part, check.found or check.install, check.purpose)
            for check in checks
        ]
        console.result(table(("status", "part", "found, or how to get it", "for"), rows))
    missing = [check for check in checks if check.status == "missing"]
    if missing:
        raise MachineError(
            "R1106",
            f"missing on this machine: {', '.join(dict.fromkeys(c.part for c in missing))}",
            hint="; ".join(dict.fromkeys(check.install for check in missing)),
        )
