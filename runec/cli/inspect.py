"""`runec inspect`: contents and requirements of a .rune."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console, rune_argument
from runec.container import Graph, Rune, load_rune
from runec.diagnostics import printable


@click.command(
    "inspect",
    epilog=example(
        "runec inspect sine.rune",
        "runec inspect sine.rune --format json",
    ),
)
@rune_argument
@format_option
@pass_console
def command(console: Console, rune_file: Path) -> None:
    """Show contents and requirements of a .rune.

    With --format json: sizes, and the graph as in docs/spec/rune.md.
    """
    rune = load_rune(rune_file)
    if console.is_json:
        console.result_json(
            {
                "file_bytes": len(rune.data),
                "version": rune.version,
                "digest": rune.digest.hex() if rune.digest is not None else None,
                "graph": rune.document,
            }
        )
        return
    for line in _lines(rune):
        console.result(line)


def _lines(rune: Rune) -> Iterator[str]:
    yield f"name           {printable(rune.name or 'unknown')}"
    yield f"file           {len(rune.data)} bytes"
    if rune.version is not None:
        yield f"written by     runec {printable(rune.version)}"
    if rune.digest is not None:
        yield f"digest         {rune.digest.hex()}"
    if rune.graph is None:
        yield "abi            0 (legacy, 2020 to 2022; runs on the host only)"
        for name, data in rune.resources.items():
            yield f"resource       {printable(name)}, {len(data or b'')} bytes"
        return
    graph = rune.graph
    yield f"abi            {graph.abi}"
    yield f"code           {graph.code_bytes} bytes"
    yield f"linear memory  {graph.memory_used} bytes, {graph.memory_stack} of them stack"
    yield f"arena          {sum(model.arena for model in graph.models.values())} bytes"
    yield ""
    yield table(("stage", "kind", "inputs", "outputs", "more"), _stages(graph))
    if graph.resources:
        yield ""
        rows = [(name, item.bytes, item.sha256) for name, item in graph.resources.items()]
        yield table(("resource", "bytes", "sha256"), rows)


def _stages(graph: Graph) -> Iterator[tuple[str, str, str, str, str]]:
    for name in graph.stages:
        inputs, outputs = graph.stage_tensors(name)
        kind, more = _kind(graph, name)
        yield name, kind, _types(graph, inputs), _types(graph, outputs), more


def _types(graph: Graph, tensors: Sequence[int]) -> str:
    return ", ".join(str(graph.tensors[tensor]) for tensor in tensors) or "-"


def _kind(graph: Graph, name: str) -> tuple[str, str]:
    """Return the kind of a stage, and its details."""
    if name in graph.capabilities:
        capability = graph.capabilities[name]
        return f"capability {capability.kind.name}", _pairs(capability.parameters)
    if name in graph.outputs:
        output = graph.outputs[name]
        pin = {} if output.pin is None else {"pin": output.pin.name}
        low = ", active low" if output.pin is not None and output.pin.active_low else ""
        return f"output {output.kind.name}", _pairs(pin) + low
    if name in graph.models:
        model = graph.models[name]
        operators = ", ".join(operator.name for operator in model.operators)
        return f"model {model.format}", f"arena {model.arena}: {operators}"
    block = graph.proc_blocks[name]
    return f"block {block.block}", _pairs(block.arguments)


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in values.items())


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
