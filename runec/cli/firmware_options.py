"""Options of verbs that make a firmware; apart from the others because their import is slow."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from runec.boards import MAX_TIME_BUDGET_MS, Board, InputKind, LinkKind
from runec.cli.console import Console
from runec.cli.options import Seconds, input_option
from runec.firmware import BACKENDS, BARE, FRAMEWORKS, platform_to_fetch

_Function = TypeVar("_Function", bound=Callable[..., Any])


def backend_option(function: _Function) -> _Function:
    """Add `--backend wasm3`."""
    return click.option(
        "--backend",
        type=click.Choice(list(BACKENDS)),
        default=BACKENDS[0],
        show_default=True,
        help="Engine that runs the rune's code on the device.",
    )(function)


def announce_download(console: Console, board: Board, framework: str) -> None:
    """Print a note if PlatformIO must first download a platform, which can take minutes."""
    platform = platform_to_fetch(board, framework)
    if platform is not None:
        console.say(
            f"PlatformIO first downloads the platform {platform}; without a network it times out "
            "after a minute or more"
        )


_link_option = click.option(
    "--link",
    type=click.Choice(("uart", "rtt")),
    help="Link to the host: UART, or RTT (console in RAM). [default: the board's]",
)
_time_budget_option = click.option(
    "--time-budget",
    type=Seconds(0, MAX_TIME_BUDGET_MS / 1000, min_open=True),
    metavar="SECONDS",
    help="Time limit of one run on the board, without waiting. [default: the board's]",
)
_framework_option = click.option(
    "--framework",
    type=click.Choice(list(FRAMEWORKS)),
    default=BARE,
    show_default=True,
    help="Start-up code: runec's own, or the vendor's Arduino core.",
)


@dataclass(frozen=True, slots=True)
class FirmwareChoice:
    """Options of a firmware; None: the board's default."""

    link: LinkKind | None
    source_of_input: InputKind | None
    time_budget: float | None
    framework: str
    backend: str

    @property
    def is_default(self) -> bool:
        """Whether all options are the board's defaults, with runec's start-up code."""
        chosen = (self.link, self.source_of_input, self.time_budget)
        return all(each is None for each in chosen) and self.framework == BARE

    def board(self, board: Board) -> Board:
        """Return a board with what was chosen of it.

        Raises:
            click.UsageError: the framework does not have the link there.
        """
        if self.framework != BARE and self.link == "rtt":
            raise click.UsageError(
                f"--link rtt cannot be combined with --framework {self.framework}: "
                "the link is on Serial"
            )
        board = board.with_link(self.link).with_input(self.source_of_input)
        return board.with_time_budget(self.time_budget)


def firmware_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--link`, `--input`, `--time-budget`, `--framework`, `--backend` as one `choice`."""

    @functools.wraps(function)
    def call(
        *arguments: Any,
        link: LinkKind | None,
        source_of_input: InputKind | None,
        time_budget: float | None,
        framework: str,
        backend: str,
        **others: Any,
    ) -> Any:
        choice = FirmwareChoice(link, source_of_input, time_budget, framework, backend)
        return function(*arguments, choice=choice, **others)

    return _link_option(input_option(_time_budget_option(_framework_option(backend_option(call)))))
