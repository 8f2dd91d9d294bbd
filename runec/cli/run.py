"""`runec run`: a .rune, in any target or in several."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import click

from runec.boards import InputKind
from runec.cli.completion_values import completer, target_names
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.input_options import InputCommand, input_options, used_input, warn_of_unused
from runec.cli.options import (
    MAX_SECONDS,
    RUNE_OR_RUNEFILE,
    Seconds,
    Whole,
    format_option,
    input_option,
    named_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.run_compare import compare, json_result, output_names, wanted_targets
from runec.cli.rune_sources import load_source
from runec.devices import Target, run_bytes
from runec.diagnostics import UsageError, printable
from runec.files import read_file
from runec.firmware import BACKENDS
from runec.vm import Inputs, Step, Watch


@click.command(
    "run",
    cls=InputCommand,
    epilog=example(
        "runec run sine.rune --raw examples/sine/input.bin",
        "runec run gesture.rune --accelerometer ring.csv --on emulator:esp32c3",
        "runec run sine.rune --raw input.bin --on serial:/dev/ttyACM0",
        "runec run vision.rune --image person.png --trace",
        "runec run examples/sine --raw examples/sine/input.bin --on all",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", type=RUNE_OR_RUNEFILE)
@input_options
@named_option("--file-resource", "FILE", "Resource from a file.")
@named_option("--string-resource", "TEXT", "Resource from a text.")
@click.option(
    "--on",
    "targets",
    multiple=True,
    shell_complete=completer(target_names),
    default=("host",),
    show_default=True,
    metavar="TARGET",
    help="Target: host, emulator:BOARD, serial:PORT[@BAUD] or all. Repeat it to compare bytes.",
)
@input_option
@click.option(
    "-r", "--repeats", type=Whole(1), default=1, show_default=True, help="Number of runs."
)
@click.option(
    "--timeout",
    type=Seconds(0, MAX_SECONDS, min_open=True),
    metavar="SECONDS",
    help="Time limit of one run; virtual time on emulated boards. [default: the target's]",
)
@click.option(
    "--engine",
    type=click.Choice(["wasm3", "wasmer"]),
    default="wasm3",
    show_default=True,
    help="Engine; wasmer is accepted for compatibility and means wasm3.",
)
@click.option(
    "--backend",
    type=click.Choice(list(BACKENDS)),
    help=f"Engine on emulated boards; aot is the rune compiled to C. [default: {BACKENDS[0]}]",
)
@click.option("--trace", is_flag=True, help="Tensors and time of every stage, on stderr.")
@outside_option
@trust_option
@format_option
@pass_console
def command(
    console: Console,
    *,
    source: Path,
    inputs: Inputs,
    file_resource: dict[str, str],
    string_resource: dict[str, str],
    targets: tuple[str, ...],
    source_of_input: InputKind | None,
    repeats: int,
    timeout: float | None,
    engine: str,
    backend: str | None,
    trace: bool,
) -> int:
    """Run a .rune or a Runefile: one JSON object a run, or tensors in binary (TENSOR).

    The output is the same on every target. With --format json, tensors are printed as JSON. An
    input option accepts several files (--image A B); `source` of a capability counts them from 0.
    `all` means the host and every emulated board; with several targets the exit code is 3 if bytes
    differ, and --trace shows the host. For an emulated board the host waits ten times as long as
    --timeout (60 s at least).
    """
    del engine  # for scripts of the original platform
    resources = _resources(file_resource, string_resource)
    wanted = wanted_targets(targets, trust_board=console.trust_board)
    loaded = load_source(console, source)
    given = used_input(console, loaded.rune, source_of_input)
    where = [
        (target.with_input(given).with_backend(backend), may_lack) for target, may_lack in wanted
    ]
    # Boards report no steps: among several targets it is the host that does.
    only_host = trace and any(target.kind == "host" for target, _ in where)

    def show(step: Step) -> None:
        console.trace(step.lines(), step.as_json())

    def start(target: Target) -> Generator[bytes, None, None]:
        steps = trace and (target.kind == "host" or not only_host)
        watch = Watch(log=console.log, warn=console.warn, step=show if steps else None)
        results = run_bytes(
            loaded.rune,
            inputs,
            target,
            repeats=repeats,
            timeout_s=timeout,
            resources=resources,
            watch=watch,
        )
        with loaded.blamed(), closing(results):
            yield from results

    console.say(f"Running rune: {source.name or loaded.rune.name}")
    warn_of_unused(loaded.rune, inputs)
    if console.verbose or (sys.stdout.isatty() and not console.is_json):
        for number, name in output_names(loaded.rune).items():
            console.say(f"output {number}: {printable(name)}")
    if len(where) > 1:
        return compare(console, where, start, output_names(loaded.rune))
    ((target, _),) = where
    with closing(start(target)) as results:
        with console.progress(f"running on {target}"):
            first = next(results, None)
        for result in itertools.chain([] if first is None else [first], results):
            console.result_bytes(json_result(result) if console.is_json else result)
    return 0


def _resources(files: dict[str, str], strings: dict[str, str]) -> dict[str, bytes]:
    twice = sorted(files.keys() & strings.keys())
    if twice:
        raise UsageError(
            "R1108", f"duplicate resource {twice[0]!r}: a file and a text", hint="remove one"
        )
    resources = {name: read_file(Path(path), "the resource") for name, path in files.items()}
    return resources | {name: text.encode() for name, text in strings.items()}
