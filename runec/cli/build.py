"""`runec build`: a Runefile to a .rune."""

from __future__ import annotations

from pathlib import Path

import click

from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import (
    A_RUNEFILE,
    INPUT_FILE,
    current_dir_option,
    format_option,
    original_option,
    outside_option,
    pass_console,
)
from runec.cli.output_files import force_option, refuse_other_file
from runec.cli.rune_sources import build_rune
from runec.cli.runefiles import which_runefile
from runec.container import has_digest
from runec.files import AT_OUTPUT, write_file


@click.command(
    "build",
    epilog=example(
        "runec build examples/sine/Runefile.yml -o sine.rune",
        "runec build examples/sine",
    ),
)
@click.argument("runefile", required=False, type=A_RUNEFILE)
@click.option("-o", "--output", type=INPUT_FILE, help="Output file. [default: NAME.rune]")
@click.option("-n", "--name", help="Name of the rune. [default: the name of the Runefile's folder]")
@current_dir_option("-C", "-c")
@original_option("--debug", is_flag=True)
@original_option("--cache-dir")
@force_option
@outside_option
@format_option
@pass_console
def command(
    console: Console,
    *,
    runefile: Path | None,
    output: Path | None,
    force: bool,
    name: str | None,
    current_dir: Path | None,
) -> None:
    """Compile RUNEFILE to a .rune: WebAssembly, models and graph in one file.

    RUNEFILE may be a folder with Runefile.yml or Runefile; without it: the current folder.
    A .rune by runec is replaced; any other file only with --force.
    """
    if name == "":
        raise click.UsageError("--name is empty")
    runefile = which_runefile(runefile)
    if output is not None:
        refuse_other_file(output, has_digest, "a .rune", source=runefile, force=force)
    pipeline, rune = build_rune(console, runefile, name=name, base_dir=current_dir)
    # A name is not a path: it must not lead out of this folder.
    target = output or Path(f"{pipeline.name.replace('/', '_')}.rune")
    inputs = [item.data for item in pipeline.resources.values() if item.data is not None]
    refuse_other_file(target, has_digest, "a .rune", source=runefile, inputs=inputs, force=force)
    graph = rune.require_graph()
    write_file(target, rune.data, elsewhere=AT_OUTPUT)
    sizes = {
        "code": graph.code_bytes,
        "linear memory": graph.memory_used,
        "models and resources": sum(item.bytes or 0 for item in graph.resources.values()),
        "arena": sum(model.arena for model in graph.models.values()),
        "file": len(rune.data),
    }
    if console.is_json:
        keys = {key.replace(" ", "_") + "_bytes": value for key, value in sizes.items()}
        console.result_json({"name": graph.name, "path": str(target), **keys})
        return
    console.say(table(("built " + str(target), "bytes"), sizes.items()))
