"""`runec doctor`: what this machine has and lacks, and mending it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from runec.cli.console import Console, table
from runec.cli.doctor_checks import Check, run_checks
from runec.cli.doctor_fix import Action, do, plan
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console
from runec.diagnostics import MachineError


@click.command(
    "doctor",
    epilog=example(
        "runec doctor",
        "runec doctor --fix --dry-run",
        "runec doctor --format json",
        note="Exit codes: 0 nothing is missing; 4 something is that runec needs for one of its "
        "boards, or that --fix could not mend.",
    ),
)
@click.option(
    "--fix",
    is_flag=True,
    help="Install and fetch what is missing; every command is shown before it is run.",
)
@click.option("--dry-run", is_flag=True, help="With --fix: only show the commands.")
@format_option
@pass_console
def command(console: Console, *, fix: bool, dry_run: bool) -> None:
    """Check compilers, emulators, packages, sources and the cache, and say what to install.

    With --fix: missing Debian packages are installed with apt-get (for root; others are told the
    command), Python packages with pip, third-party sources are fetched, what is broken in the
    cache is made anew; then everything is checked again.
    """
    if dry_run and not fix:
        raise click.UsageError("--dry-run goes with --fix")
    checks = _look(console)
    tried: set[str] = set()
    if fix:
        actions = plan(checks)
        if not actions:
            console.say("there is nothing to mend")
        for action in actions:
            tried |= set() if dry_run else set(action.parts)
            _mend(console, action, dry_run=dry_run)
        if actions and not dry_run:
            checks = _look(console)
    _print(console, checks)
    missing = [
        check
        for check in checks
        if check.status == "missing" or (check.found is None and check.part in tried)
    ]
    if missing:
        raise MachineError(
            "R1106",
            f"missing on this machine: {', '.join(dict.fromkeys(c.part for c in missing))}",
            hint="; ".join(dict.fromkeys(check.install for check in missing)),
        )


def _look(console: Console) -> list[Check]:
    with console.progress("looking around"):
        return list(run_checks())


def _print(console: Console, checks: Sequence[Check]) -> None:
    if console.is_json:
        for check in checks:
            console.result_json(check.as_json())
        return
    rows = [
        (check.status, check.part, check.found or check.install, check.purpose) for check in checks
    ]
    console.result(table(("status", "part", "found, or how to get it", "for"), rows))


def _mend(console: Console, action: Action, *, dry_run: bool) -> None:
    """Say what is to be done, do it, and say what came of it."""
    line = shlex.join(action.command)
    if not console.is_json:
        what = action.action if action.status == "planned" else f"{action.detail}"
        console.result(f"{what}: {line}")
    elif not dry_run and action.status == "planned":
        console.result_json(action.as_json())
    if not dry_run:
        with console.progress(line):
            action = do(action)
    if console.is_json:
        console.result_json(action.as_json())
    elif action.status == "failed":
        console.result(f"  failed: {action.detail}")
    elif action.status == "done":
        console.result("  done")
