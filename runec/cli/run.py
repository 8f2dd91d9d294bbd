"""`runec run`: a .rune, in any place."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.loading import load_rune
from runec.cli.options import INPUT_FILE, format_option, pass_console, rune_argument, verbose_option
from runec.devices import Place, run
from runec.vm import Inputs


@click.command(
    "run",
    epilog=example(
        "runec run sine.rune --raw examples/sine/input.bin",
        "runec run gesture.rune --accelerometer ring.csv --on emulator:esp32c3",
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
@click.option("--random", type=click.IntRange(0, 2**64 - 1), metavar="SEED", help="For RAND.")
@click.option(
    "--on",
    "place",
    default="host",
    show_default=True,
    metavar="PLACE",
    help="host, or emulator:BOARD.",
)
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
    type=click.Choice(["wasm3"]),
    default="wasm3",
    show_default=True,
    help="What executes the WebAssembly.",
)
@verbose_option
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
    place: str,
    repeats: int,
    timeout: float | None,
    engine: str,
) -> None:
    """Run a .rune and print its output, one JSON object a run.

    The output is the same in every place. Inputs of one kind may be given more than once; a
    capability's `source` counts them from 0.
    """
    del engine  # there is one; the option keeps scripts of the original platform working
    rune = load_rune(rune_file)
    inputs = Inputs(
        raw=raw, accelerometer=accelerometer, sound=sound, image=image, random_seed=random
    )
    where = Place.parse(place)
    lines = run(rune, inputs, where, repeats=repeats, timeout_s=timeout, log=console.log)
    with closing(lines):
        with console.progress(f"running on {where}"):
            first = next(lines, None)
        if first is not None:
            console.result(first)
        for line in lines:
            console.result(line)
