"""Options that give a rune its inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runec.cli.completing import InputFile
from runec.cli.console import Console
from runec.cli.options import INPUT_FILE
from runec.container import Rune
from runec.pipeline import CapabilityKind
from runec.vm import Inputs

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_OPTIONS = (
    click.option("--raw", multiple=True, type=INPUT_FILE, help="Bytes as they are, for RAW."),
    click.option(
        "--accelerometer",
        "--accel",
        multiple=True,
        type=InputFile(".csv", ".txt", ".tsv"),
        help="CSV with three numbers a row, for ACCEL.",
    ),
    click.option(
        "--sound", "--wav", multiple=True, type=InputFile(".wav"), help="A WAV file, for SOUND."
    ),
    click.option(
        "--image", "--img", multiple=True, type=InputFile(*_PICTURES), help="A picture, for IMAGE."
    ),
    click.option(
        "--random",
        "--rand",
        type=click.IntRange(0, 2**64 - 1),
        metavar="SEED",
        help="Where RAND's numbers start. [default: 0]",
    ),
    click.option("--random-bits", is_flag=True, help="Random bits instead of floats from 0 to 1."),
)


def input_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every kind of capability; the function gets them as `inputs`."""

    @functools.wraps(function)
    def call(
        *arguments: Any,
        raw: tuple[Path, ...],
        accelerometer: tuple[Path, ...],
        sound: tuple[Path, ...],
        image: tuple[Path, ...],
        random: int | None,
        random_bits: bool,
        **others: Any,
    ) -> Any:
        inputs = Inputs(
            raw=raw,
            accelerometer=accelerometer,
            sound=sound,
            image=image,
            random_seed=random,
            random_bits=random_bits,
        )
        return function(*arguments, inputs=inputs, **others)

    wrapped: Callable[..., Any] = call
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def tell_of_unused(console: Console, rune: Rune, inputs: Inputs) -> None:
    """Say which inputs were given that no capability of the rune takes: another one was meant."""
    if rune.graph is None:  # an original says what it takes when it runs
        return
    kinds = {capability.kind for capability in rune.graph.capabilities.values()}
    given = (
        ("--raw", inputs.raw, {CapabilityKind.RAW}),
        ("--accelerometer", inputs.accelerometer, {CapabilityKind.ACCEL}),
        ("--sound", inputs.sound, {CapabilityKind.SOUND}),
        ("--image", inputs.image, {CapabilityKind.IMAGE, CapabilityKind.FLOAT_IMAGE}),
        ("--random", inputs.random_seed is not None, {CapabilityKind.RAND}),
        ("--random-bits", inputs.random_bits, {CapabilityKind.RAND}),
    )
    has = ", ".join(sorted(kind.name for kind in kinds)) or "none"
    for option, is_given, takers in given:
        if is_given and not kinds & takers:
            console.say(f"note: nothing takes {option}: the rune's capabilities are {has}")
