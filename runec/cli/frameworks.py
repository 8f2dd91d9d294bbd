"""The option of verbs that make a firmware; apart from the others because its import is slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runec.firmware import BARE, FRAMEWORKS

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
