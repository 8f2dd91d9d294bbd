"""`runec check`: everything that is wrong with a Runefile, without building it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import (
    A_RUNEFILE,
    boards_option,
    current_dir_option,
    format_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.runefiles import which_runefile
from runec.diagnostics import Diagnostic, RunefileError, Severity, render
from runec.files import read_head
from runec.frontend import analyse
from runec.frontend.model_engines import DEVICES, ModelEngines, find_engines
from runec.models import ModelFile
from runec.pipeline import Pipeline

if TYPE_CHECKING:
    from runec.boards import Board

_WASM = b"\0asm"
EXIT_WRONG = RunefileError.exit_code


@click.command(
    "check",
    epilog=example(
        "runec check examples/sine/Runefile.yml",
        "runec check --board all --format json",
        note="Exit codes: 0 no errors, perhaps warnings; 1 errors.",
    ),
)
@click.argument("runefile", required=False, type=A_RUNEFILE)
@boards_option("Board, several times or `all`: report whether each model fits its memory.")
@current_dir_option("-C")
@outside_option
@trust_option
@format_option
@pass_console
def command(
    console: Console,
    runefile: Path | None,
    board_ids: tuple[str, ...],
    current_dir: Path | None,
) -> int:
    """Report all errors and warnings of RUNEFILE: names, types, shapes, models, arguments.

    Nothing is compiled or written. The diagnostics are the result, on stdout; with --format json
    they are one JSON object a line, followed by one for each model: the engines that run it, with
    null, and why the others do not; with --board `boards`, those with the memory for it in a small
    pipeline. Without RUNEFILE it is that of the current folder.
    """
    boards = _Boards(console, board_ids)
    path = which_runefile(runefile)
    if board_ids:
        _reject_legacy_rune(path)
    read: dict[str, ModelFile] = {}
    try:
        analysis = analyse(
            path, base_dir=current_dir, allow_outside=console.allow_outside, models=read
        )
        found, read = analysis.warnings, _models(analysis.pipeline)
    except RunefileError as error:
        found = error.diagnostics
    models = {name: _Checked(file, find_engines(file)) for name, file in read.items()}
    color = console.result_uses_color
    for diagnostic in found:
        if console.is_json:
            console.result_json(diagnostic.as_json())
        else:
            console.result(render(diagnostic, color=color), painted=True)
    for name, model in models.items():
        fitting = boards.fitting(model)
        if console.is_json:
            record = {"model": name, "engines": model.engines.objections}
            console.result_json(record if fitting is None else {**record, "boards": list(fitting)})
            continue
        console.say(f"{name}: {model.engines.summary()}")
        if fitting is not None:
            console.say(f"{name}: fits {', '.join(fitting) or 'none of the boards'}")
    errors = sum(item.severity is Severity.ERROR for item in found)
    console.say(f"{path}: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}")
    _tell_about_explain(console, found)
    return EXIT_WRONG if errors else 0


def _reject_legacy_rune(path: Path) -> None:
    """Report a legacy rune as such, before it is reported as an invalid Runefile."""
    if read_head(path, len(_WASM)) == _WASM:
        from runec.container import load_rune  # noqa: PLC0415 - a check of a text does not need it

        load_rune(path).require_graph()


class _Checked(NamedTuple):
    """A .tflite of the pipeline, and which engines run it."""

    file: ModelFile
    engines: ModelEngines


def _models(pipeline: Pipeline) -> dict[str, ModelFile]:
    """Return the models whose bytes are known, with the shapes that the build finds."""
    return {stage.name: stage.file for stage in pipeline.models if stage.file is not None}


class _Boards:
    """Return the boards of --board; their memory model is imported on demand."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._boards: list[Board] | None = None
        if names:
            from runec.cli.firmware_matrix import wanted_boards  # noqa: PLC0415 - see above

            self._boards = wanted_boards(console, names)

    def fitting(self, model: _Checked) -> tuple[str, ...] | None:
        """Return the ids of the boards that a model fits; None without --board."""
        if self._boards is None:
            return None
        if DEVICES not in model.engines.takers:
            return ()
        from runec.firmware.model_boards import boards_for_model  # noqa: PLC0415 - see above

        return boards_for_model(model.file, self._boards)


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _tell_about_explain(console: Console, found: tuple[Diagnostic, ...]) -> None:
    if found:
        console.say(f"details: runec explain {found[0].code}")
