"""`runec doctor`: what this machine has and lacks, and the commands that install the rest."""

from __future__ import annotations

import click

from runec.cli.console import Console, table
from runec.cli.doctor_checks import commands, run_checks
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console
from runec.diagnostics import MachineError


@click.command(
    "doctor",
    epilog=example(
        "runec doctor",
        "runec doctor --format json",
        note="Exit codes: 0 nothing is missing; 4 a required part is missing.",
    ),
)
@format_option
@pass_console
def command(console: Console) -> None:
    """Check compilers, emulators, packages, sources and the cache.

    Prints the commands that install missing parts.
    """
    with console.progress("checking"):
        checks = list(run_checks())
    to_run = commands(checks)
    if console.is_json:
        for check in checks:
            console.result_json(check.as_json())
    else:
        rows = [
            (each.status, each.part, each.found or each.install, each.purpose) for each in checks
        ]
        console.result(table(("status", "part", "found, or how to install it", "for"), rows))
        if to_run:
            console.result("\n".join(["", "To install the missing parts:", *to_run]))
    missing = dict.fromkeys(check.part for check in checks if check.status == "missing")
    if missing:
        what = f"missing on this machine: {', '.join(missing)}"
        raise MachineError("R1106", what, hint="; ".join(to_run))
