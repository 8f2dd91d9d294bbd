"""`runec fmt`: the canonical format of Runefiles."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import A_RUNEFILE, format_option, pass_console
from runec.cli.runefiles import which_runefile
from runec.diagnostics import RunecError, UserFileError
from runec.files import is_file, write_file
from runec.frontend import read_runefile
from runec.frontend.formatting import format_runefile


@click.command(
    "fmt",
    epilog=example(
        "runec fmt",
        "runec fmt examples/sine/Runefile examples/sine/Runefile.yml",
        "runec fmt --check Runefile.yml",
        note="Exit codes: 0 all formatted; 1 errors, or a file that --check would change.",
    ),
)
@click.argument("files", nargs=-1, type=A_RUNEFILE)
@click.option(
    "--check", is_flag=True, help="List of the files that would change; nothing is written."
)
@format_option
@pass_console
def command(console: Console, files: tuple[Path, ...], check: bool) -> int:
    """Format FILES in the canonical style of their dialect.

    A folder means the Runefile in it; without FILES: the current folder. Comments and meaning are
    preserved; formatted files are not written. Prints the files that changed or, with --check,
    would change.
    """
    code = 0
    for given in files or (None,):
        try:
            path = which_runefile(given)
            changed = _format(path, check=check)
        except RunecError as error:
            console.report(error.diagnostics)
            code = max(code, error.exit_code)
            continue
        if console.is_json:
            console.result_json({"path": str(path), "changed": changed})
        elif changed:
            console.result(str(path))
        if changed and check:
            code = max(code, 1)
    return code


def _format(path: Path, *, check: bool) -> bool:
    text = read_runefile(path)
    formatted = format_runefile(text, str(path))
    if not check and formatted != text:
        if not is_file(path):
            raise UserFileError(
                "R1003",
                f"cannot overwrite {path}: not a regular file",
                hint="name a file, or use --check",
            )
        target = path.resolve()  # a link stays a link
        mode = target.stat().st_mode
        write_file(target, formatted)
        with contextlib.suppress(OSError):
            target.chmod(mode)
    return formatted != text
