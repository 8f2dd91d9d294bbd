"""Options for the inputs of a rune."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runec.boards import InputKind
from runec.cli.completion_values import InputFile
from runec.cli.console import Console
from runec.cli.options import INPUT_FILE, Whole
from runec.container import Rune
from runec.diagnostics import Diagnostic
from runec.pipeline import CapabilityKind
from runec.vm import Inputs, unused_input, unused_inputs

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_OPTIONS = (
    click.option("--raw", multiple=True, type=INPUT_FILE, help="Raw bytes for RAW."),
    click.option(
        "--accelerometer",
        "--accel",
        multiple=True,
        type=InputFile(".csv", ".txt", ".tsv"),
        help="CSV file with three numbers per row for ACCEL.",
    ),
    click.option(
        "--sound", "--wav", multiple=True, type=InputFile(".wav"), help="WAV file for SOUND."
    ),
    click.option(
        "--image", "--img", multiple=True, type=InputFile(*_PICTURES), help="Picture for IMAGE."
    ),
    click.option(
        "--random",
        "--rand",
        type=Whole(0, 2**64 - 1),
        metavar="SEED",
        help="Seed of RAND. [default: 0]",
    ),
    click.option(
        "--random-bits", is_flag=True, help="Random bit patterns instead of floats from 0 to 1."
    ),
)


_SEVERAL = frozenset(
    {"--raw", "--accelerometer", "--accel", "--sound", "--wav", "--image", "--img"}
)


class InputCommand(click.Command):
    """A verb whose input options accept several files, as in the original platform: `--image A B`.

    What follows the file of such an option is another file of it; but the verb's own argument has
    to be somewhere: where nothing else can be it, it is the last of those.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the option before each further file."""
        return super().parse_args(ctx, self._spread(ctx, args))

    def _spread(self, ctx: click.Context, args: list[str]) -> list[str]:
        flags = {
            name
            for each in self.get_params(ctx)
            if isinstance(each, click.Option) and (each.is_flag or each.count)
            for name in (*each.opts, *each.secondary_opts)
        }
        spread: list[str] = []
        followers: list[int] = []  # where in `spread` the option of a further file stands
        option: str | None = None
        has_argument = False
        words = iter(args)
        for word in words:
            if word == "--":
                has_argument = True
                spread += [word, *words]
            elif word.startswith("-") and word != "-":
                name, equals, _ = word.partition("=")
                spread.append(word)
                is_whole = (
                    equals or name in flags or (word[1] != "-" and not _wants_value(word, flags))
                )
                value = None if is_whole else next(words, None)
                spread += [] if value is None else [value]
                option = name if name in _SEVERAL else None
            elif option is not None:
                followers.append(len(spread))
                spread += [option, word]
            else:
                has_argument = True
                spread.append(word)
        if followers and not has_argument:
            del spread[followers[-1]]
        return spread


def _wants_value(word: str, flags: set[str]) -> bool:
    """Return whether the next word is the value of the last of some short options, `-vr 2`."""
    for at, letter in enumerate(word[1:], start=1):
        if f"-{letter}" not in flags:
            return at == len(word) - 1
    return False


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
            warn=_once(click.get_current_context().find_object(Console) or Console()),
        )
        return function(*arguments, inputs=inputs, **others)

    wrapped: Callable[..., Any] = call
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _once(console: Console) -> Callable[[Diagnostic], None]:
    """Return what prints a warning the first time; several targets read the same files."""
    printed: set[Diagnostic] = set()

    def warn(warning: Diagnostic) -> None:
        if warning not in printed:
            printed.add(warning)
            console.warn(warning)

    return warn


def warn_of_unused(rune: Rune, inputs: Inputs) -> None:
    """Warn of inputs that no capability of the rune takes.

    A legacy rune does not declare its inputs: `run` warns at the end.
    """
    if rune.graph is None:
        return
    capabilities = rune.graph.capabilities.values()
    taken = [(each.kind, int(each.parameters.get("source", 0))) for each in capabilities]
    for warning in unused_inputs(inputs, taken):
        inputs.warn(warning)


def used_input(console: Console, rune: Rune, source: InputKind | None) -> InputKind | None:
    """Return the value of `--input`; None, with a warning, if the rune has no ACCEL."""
    if source is None or rune.graph is None:
        return source
    if any(each.kind is CapabilityKind.ACCEL for each in rune.graph.capabilities.values()):
        return source
    console.warn(unused_input(f"--input {source}", "the rune has no ACCEL capability"))
    return None
