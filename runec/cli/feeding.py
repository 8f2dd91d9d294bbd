"""Options that give a rune its inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runec.cli.options import INPUT_FILE
from runec.vm import Inputs

_OPTIONS = (
    click.option("--raw", multiple=True, type=INPUT_FILE, help="Bytes as they are, for RAW."),
    click.option(
        "--accelerometer",
        "--accel",
        multiple=True,
        type=INPUT_FILE,
        help="CSV with three numbers a row, for ACCEL.",
    ),
    click.option("--sound", "--wav", multiple=True, type=INPUT_FILE, help="A WAV file, for SOUND."),
    click.option("--image", "--img", multiple=True, type=INPUT_FILE, help="A picture, for IMAGE."),
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
