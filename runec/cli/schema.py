"""`runec schema`: the JSON schema of the YAML dialect."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import INPUT_FILE, format_option, pass_console
from runec.cli.output_files import SCHEMA, force_option, refuse_other_document
from runec.files import AT_OUTPUT, write_file
from runec.frontend.schema import runefile_schema


@click.command(
    "schema",
    epilog=example(
        "runec schema -o runefile.schema.json",
        note="For the YAML language server, start a Runefile with: "
        "# yaml-language-server: $schema=runefile.schema.json",
    ),
)
@click.option("-o", "--output", type=INPUT_FILE, help="Output file. [default: stdout]")
@force_option
@format_option
@pass_console
def command(console: Console, output: Path | None, force: bool) -> None:
    """Print the JSON schema of Runefiles in YAML, for completion and checks in editors.

    With --format json: the schema in one line, or the path of the output file.
    """
    schema = runefile_schema()
    text = json.dumps(schema, indent=2)
    if output is not None:
        refuse_other_document(output, text, "a JSON schema", force=force)
        write_file(output, f"{SCHEMA.stamp(text)}\n", elsewhere=AT_OUTPUT)
        console.say(f"wrote {output}")
    if console.is_json:
        console.result_json(schema if output is None else {"path": str(output)})
    elif output is None:
        console.result_document(text)
