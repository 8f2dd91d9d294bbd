"""`runec check`: everything that is wrong with a Runefile, without building it."""

from __future__ import annotations

from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.options import (
    A_RUNEFILE,
    current_dir_option,
    format_option,
    outside_option,
    pass_console,
)
from runec.cli.runefiles import which_runefile
from runec.diagnostics import Diagnostic, RunefileError, Severity, render
from runec.frontend import analyse

EXIT_WRONG = RunefileError.exit_code


@click.command(
    "check",
    epilog=example(
        "runec check examples/sine/Runefile.yml",
        "runec check --format json",
        note="Exit codes: 0 it would build, warnings or not; 1 it has errors.",
    ),
)
@click.argument("runefile", required=False, type=A_RUNEFILE)
@current_dir_option("-C")
@outside_option
@format_option
@pass_console
def command(console: Console, runefile: Path | None, current_dir: Path | None) -> int:
    """Say everything that is wrong with RUNEFILE: names, types, shapes, models, arguments.

    Nothing is compiled or written. The diagnostics are the result, on stdout; with --format json
    they are one JSON object a line. Without RUNEFILE it is that of the current folder.
    """
    path = which_runefile(runefile)
    try:
        found = analyse(path, base_dir=current_dir, allow_outside=console.allow_outside).warnings
    except RunefileError as error:
        found = error.diagnostics
    color = console.result_uses_color
    for diagnostic in found:
        if console.is_json:
            console.result_json(diagnostic.as_json())
        else:
            console.result(render(diagnostic, color=color), painted=True)
    errors = sum(item.severity is Severity.ERROR for item in found)
    console.say(f"{path}: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}")
    _tell_about_explain(console, found)
    return EXIT_WRONG if errors else 0


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _tell_about_explain(console: Console, found: tuple[Diagnostic, ...]) -> None:
    if found:
        console.say(f"more about one of them: runec explain {found[0].code}")
