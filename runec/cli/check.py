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
from runec.frontend.model_engines import ModelEngines, find_engines
from runec.pipeline import EXECUTED_FORMAT, Model, Pipeline

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
    they are one JSON object a line, followed by one for each model: the engines that run it, with
    null, and why the others do not. Without RUNEFILE it is that of the current folder.
    """
    path = which_runefile(runefile)
    models: dict[str, ModelEngines] = {}
    try:
        analysis = analyse(path, base_dir=current_dir, allow_outside=console.allow_outside)
        found, models = analysis.warnings, _models(analysis.pipeline)
    except RunefileError as error:
        found = error.diagnostics
    color = console.result_uses_color
    for diagnostic in found:
        if console.is_json:
            console.result_json(diagnostic.as_json())
        else:
            console.result(render(diagnostic, color=color), painted=True)
    for name, engines in models.items():
        if console.is_json:
            console.result_json({"model": name, "engines": engines.objections})
        else:
            console.say(f"{name}: {engines.summary()}")
    errors = sum(item.severity is Severity.ERROR for item in found)
    console.say(f"{path}: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}")
    _tell_about_explain(console, found)
    return EXIT_WRONG if errors else 0


def _models(pipeline: Pipeline) -> dict[str, ModelEngines]:
    """Return who runs each model whose bytes are known."""
    found = {}
    for stage in pipeline.stages:
        if isinstance(stage, Model) and stage.format == EXECUTED_FORMAT:
            data = pipeline.resources[stage.resource].data
            if data is not None:
                found[stage.name] = find_engines(data)
    return found


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _tell_about_explain(console: Console, found: tuple[Diagnostic, ...]) -> None:
    if found:
        console.say(f"more about one of them: runec explain {found[0].code}")
