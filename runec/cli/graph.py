"""`runec graph`: a picture of a pipeline."""

from __future__ import annotations

from pathlib import Path

import click

from runec.cli import graph_drawing
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import INPUT_FILE, RUNE_OR_RUNEFILE, outside_option, pass_console
from runec.cli.output_files import DOT, JSON, MERMAID, SVG, force_option, refuse_other_document
from runec.cli.runefiles import which_runefile
from runec.container import read_rune
from runec.files import AT_OUTPUT, read_file, write_file
from runec.frontend import analyse

_FORMATS = {
    "dot": (graph_drawing.to_dot, DOT),
    "json": (graph_drawing.to_json, JSON),
    "mermaid": (graph_drawing.to_mermaid, MERMAID),
    "svg": (graph_drawing.to_svg, SVG),
}
_ENDS = {**{name: name for name in _FORMATS}, "mmd": "mermaid"}
# Formats that Graphviz writes, and this verb does not.
_PICTURES = frozenset({"gif", "jpeg", "jpg", "pdf", "png", "ps", "webp"})
_WASM = b"\0asm"


@click.command(
    "graph",
    epilog=example(
        "runec graph examples/sine/Runefile.yml -o sine.mmd",
        "runec graph sine.rune -o sine.svg   # needs Graphviz",
    ),
)
@click.argument("file", required=False, metavar="[X.rune|RUNEFILE]", type=RUNE_OR_RUNEFILE)
@click.option("-o", "--output", type=INPUT_FILE, help="Output file. [default: stdout]")
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(list(_FORMATS)),
    help="Drawing format. [default: by the suffix of --output, else dot]",
)
@force_option
@outside_option
@pass_console
def command(
    console: Console,
    *,
    file: Path | None,
    output: Path | None,
    format_: str | None,
    force: bool,
) -> None:
    """Draw the stages of a .rune or a Runefile, and the types of the tensors between them.

    Without a file: the Runefile in the current folder. SVG needs Graphviz (`dot`); DOT, Mermaid and
    JSON do not. An unedited drawing by runec is replaced; any other file only with --force.
    """
    console.format = "json" if format_ == "json" else "text"
    path = which_runefile(file)
    suffix = output.suffix[1:].lower() if output is not None else ""
    if format_ is None and suffix in _PICTURES:
        raise click.UsageError(
            f"cannot draw .{suffix}: use .svg or .mmd, or .dot and `dot -T{suffix}` (Graphviz)"
        )
    draw, document = _FORMATS[format_ or _ENDS.get(suffix, "dot")]
    text = draw(_read(console, path))
    if output is not None:
        refuse_other_document(output, text, "a drawing", source=path, force=force)
        write_file(output, f"{document.stamp(text)}\n", elsewhere=AT_OUTPUT)
        console.say(f"wrote {output}")
        if console.is_json:
            console.result_json({"path": str(output)})
    else:
        console.result_document(text)


def _read(console: Console, path: Path) -> graph_drawing.Drawing:
    data = read_file(path, "the .rune or Runefile")
    if data.startswith(_WASM) or path.suffix == ".rune":
        return graph_drawing.of_graph(read_rune(data, source=str(path)).require_graph())
    analysis = analyse(path, allow_outside=console.allow_outside)
    console.warn(*analysis.warnings)
    return graph_drawing.of_pipeline(analysis.pipeline)
