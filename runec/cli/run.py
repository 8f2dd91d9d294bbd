"""`runec run`: a .rune, in any place."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from runec.boards import InputKind
from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.loading import load_rune
from runec.cli.options import (
    INPUT_FILE,
    format_option,
    input_option,
    named_option,
    pass_console,
    rune_argument,
)
from runec.devices import Place, run_bytes
from runec.diagnostics import UsageError
from runec.files import read_file
from runec.vm import Inputs, Step, Watch
from runec.vm.output import output_line, parse_output_bytes


@click.command(
    "run",
    epilog=example(
        "runec run sine.rune --raw examples/sine/input.bin",
        "runec run gesture.rune --accelerometer ring.csv --on emulator:esp32c3",
        "runec run sine.rune --raw input.bin --on serial:/dev/ttyACM0",
        "runec run vision.rune --image person.png --trace",
    ),
)
@rune_argument
@click.option("--raw", multiple=True, type=INPUT_FILE, help="Bytes as they are, for RAW.")
@click.option(
    "--accelerometer",
    "--accel",
    multiple=True,
    type=INPUT_FILE,
    help="CSV with three numbers a row, for ACCEL.",
)
@click.option("--sound", "--wav", multiple=True, type=INPUT_FILE, help="A WAV file, for SOUND.")
@click.option("--image", "--img", multiple=True, type=INPUT_FILE, help="A picture, for IMAGE.")
@click.option(
    "--random",
    "--rand",
    type=click.IntRange(0, 2**64 - 1),
    metavar="SEED",
    help="Where RAND's numbers start. [default: 0]",
)
@click.option("--random-bits", is_flag=True, help="Random bits instead of floats from 0 to 1.")
@named_option("--file-resource", "FILE", "A resource, from a file.")
@named_option("--string-resource", "TEXT", "A resource, as a text.")
@click.option(
    "--on",
    "place",
    default="host",
    show_default=True,
    metavar="PLACE",
    help="host, emulator:BOARD, or serial:PORT[@BAUD].",
)
@input_option
@click.option(
    "-r", "--repeats", type=click.IntRange(1), default=1, show_default=True, help="How often."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="How long one run may take. [default: that of the place]",
)
@click.option(
    "--engine",
    type=click.Choice(["wasm3", "wasmer"]),
    default="wasm3",
    show_default=True,
    help="There is one, wasm3; the name of the original platform's other one is accepted.",
)
@click.option("--trace", is_flag=True, help="Show tensors and time, stage by stage.")
@format_option
@pass_console
def command(
    console: Console,
    *,
    rune_file: Path,
    raw: tuple[Path, ...],
    accelerometer: tuple[Path, ...],
    sound: tuple[Path, ...],
    image: tuple[Path, ...],
    random: int | None,
    random_bits: bool,
    file_resource: dict[str, str],
    string_resource: dict[str, str],
    place: str,
    source_of_input: InputKind | None,
    repeats: int,
    timeout: float | None,
    engine: str,
    trace: bool,
) -> None:
    """Run a .rune and print its output: one JSON object a run, or tensors in binary (TENSOR).

    The output is the same in every place. With --format json, tensors become JSON too. Inputs of
    one kind may be given more than once; a capability's `source` counts them from 0.
    """
    del engine  # the option keeps scripts of the original platform working
    rune = load_rune(rune_file)
    inputs = Inputs(
        raw=raw,
        accelerometer=accelerometer,
        sound=sound,
        image=image,
        random_seed=random,
        random_bits=random_bits,
    )
    resources = _resources(file_resource, string_resource)
    where = Place.parse(place).with_input(source_of_input)

    def show(step: Step) -> None:
        console.trace(step.lines(), step.as_json())

    watch = Watch(log=console.log, warn=console.warn, step=show if trace else None)
    console.say(f"Running rune: {rune_file.name}")
    results = run_bytes(
        rune,
        inputs,
        where,
        repeats=repeats,
        timeout_s=timeout,
        resources=resources,
        watch=watch,
    )
    with closing(results):
        with console.progress(f"running on {where}"):
            first = next(results, None)
        if first is not None:
            _print(console, first)
        for result in results:
            _print(console, result)


def _print(console: Console, result: bytes) -> None:
    # A run writes a line of JSON, or tensors, which begin with the length of a short text.
    if console.is_json and not result.startswith(b"{"):
        line = output_line([(0, parse_output_bytes(result))])
        result = b'{"tensors":' + line.removeprefix('{"0":').encode() + b"\n"
    console.result_bytes(result)


def _resources(files: dict[str, str], strings: dict[str, str]) -> dict[str, bytes]:
    twice = sorted(files.keys() & strings.keys())
    if twice:
        raise UsageError(
            "R1108", f"the resource {twice[0]!r} is given as a file and as a text", hint="keep one"
        )
    resources = {name: read_file(Path(path), "the resource") for name, path in files.items()}
    return resources | {name: text.encode() for name, text in strings.items()}
