"""The option `--time-budget`; apart, as it needs the boards, which most verbs do without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runec.boards import MAX_TIME_BUDGET_MS
from runec.cli.options import Seconds

_Function = TypeVar("_Function", bound=Callable[..., Any])


def time_budget_option(function: _Function) -> _Function:
    """Add `--time-budget SECONDS`: what a firmware lets a rune take."""
    return click.option(
        "--time-budget",
        "time_budget",
        type=Seconds(0, MAX_TIME_BUDGET_MS / 1000, min_open=True),
        metavar="SECONDS",
        help="The time that a run may take on the board, without waiting. [default: the board's]",
    )(function)
