"""`runec convert`: a Runefile of the Dockerfile-like dialect in YAML."""

from __future__ import annotations

from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import (
    A_RUNEFILE,
    INPUT_FILE,
    current_dir_option,
    format_option,
    outside_option,
    pass_console,
)
from runec.diagnostics import UserFileError
from runec.files import AT_OUTPUT, is_there, write_file
from runec.frontend import read_runefile
from runec.frontend.convert import convert


@click.command(
    "convert",
    epilog=example(
        "runec convert examples/sine/Runefile",
        "runec convert examples/sine/Runefile -o Runefile.yml",
    ),
)
@click.argument("runefile", type=A_RUNEFILE)
@click.option("-o", "--output", type=INPUT_FILE, help="Output file. [default: stdout]")
@click.option("--force", is_flag=True, help="Overwrite an existing output file.")
@current_dir_option("-C")
@outside_option
@format_option
@pass_console
def command(
    console: Console,
    runefile: Path,
    output: Path | None,
    force: bool,
    current_dir: Path | None,
) -> None:
    """Convert RUNEFILE from the legacy dialect to YAML.

    Comments are preserved. The pipelines of both are compared before the file is written.
    """
    text = read_runefile(runefile)
    folder = runefile.parent if current_dir is None else current_dir
    converted = convert(text, str(runefile), folder, allow_outside=console.allow_outside)
    if output is not None:
        if is_there(output) and not force:
            raise UserFileError(
                "R1107", f"{output} already exists", hint="choose another name, or add --force"
            )
        write_file(output, converted, elsewhere=AT_OUTPUT)
        console.say(f"wrote {output}")
    if console.is_json:
        path = None if output is None else str(output)
        console.result_json({"runefile": str(runefile), "path": path, "text": converted})
    elif output is None:
        console.result_document(converted.rstrip("\n"))
