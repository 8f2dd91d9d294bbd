"""Options of verbs that make a firmware; apart from the others because their import is slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runec.boards import Board, InputKind, LinkKind
from runec.cli.console import Console
from runec.firmware import BACKENDS, BARE, FRAMEWORKS, platform_to_fetch

_Function = TypeVar("_Function", bound=Callable[..., Any])


def framework_option(function: _Function) -> _Function:
    """Add `--framework bare|arduino`."""
    return click.option(
        "--framework",
        type=click.Choice(list(FRAMEWORKS)),
        default=BARE,
        show_default=True,
        help="Our own start-up code, or the vendor's Arduino core from PlatformIO's registry.",
    )(function)


def backend_option(function: _Function) -> _Function:
    """Add `--backend wasm3`."""
    return click.option(
        "--backend",
        type=click.Choice(list(BACKENDS)),
        default=BACKENDS[0],
        show_default=True,
        help="The engine that runs the rune's code on the device.",
    )(function)


def tell_of_fetching(console: Console, board: Board, framework: str) -> None:
    """Say what a build waits for when PlatformIO must first ask its registry: minutes, at times."""
    platform = platform_to_fetch(board, framework)
    if platform is not None:
        console.say(
            f"PlatformIO fetches the platform {platform} first; without its registry it gives up "
            "after a minute or more"
        )


def chosen_board(
    board: Board,
    *,
    link: LinkKind | None,
    source_of_input: InputKind | None,
    time_budget: float | None,
    framework: str,
) -> Board:
    """Return a board with what these options change of it.

    Raises:
        click.UsageError: the framework does not have the link there.
    """
    if framework != BARE and link == "rtt":
        raise click.UsageError(
            f"--link rtt does not go with --framework {framework}: there the link is on Serial"
        )
    board = board.with_link(link).with_input(source_of_input)
    return board.with_time_budget(time_budget)
