"""`runec schema`: the JSON schema of the YAML dialect."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.options import INPUT_FILE, pass_console
from runec.files import write_file
from runec.frontend.schema import runefile_schema


@click.command(
    "schema",
    epilog=example(
        "runec schema -o runefile.schema.json",
        note="An editor with the YAML language server uses it for a file that begins with: "
        "# yaml-language-server: $schema=runefile.schema.json",
    ),
)
@click.option("-o", "--output", type=INPUT_FILE, help="The file to write. [default: stdout]")
@pass_console
def command(console: Console, output: Path | None) -> None:
    """Print the JSON schema of Runefiles in YAML, so that editors complete and check them."""
    text = json.dumps(runefile_schema(), indent=2)
    if output is None:
        console.result_document(text)
    else:
        write_file(output, f"{text}\n")
        console.say(f"wrote {output}")
