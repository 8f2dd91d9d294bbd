"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runec import __version__
from runec.cli.completion_values import InputFile, InputFolder, boards, boards_or_all, completer
from runec.cli.console import Color, Console
from runec.numbers import parse_integer, parse_number

_Function = TypeVar("_Function", bound=Callable[..., Any])

INPUT_FILE = InputFile()
INPUT_FOLDER = InputFolder()
_RUNEFILES = ("Runefile", ".yml", ".yaml")
A_RUNE = InputFile(".rune")
A_RUNEFILE = InputFile(*_RUNEFILES)
RUNE_OR_RUNEFILE = InputFile(".rune", *_RUNEFILES)
A_MODEL = InputFile(".tflite")
MAX_SECONDS = 1_000_000  # eleven days; far more, and clocks of the system overflow


class Whole(click.IntRange):
    """A range of whole numbers in the grammar of `runec.numbers`: not `1_0`, for example."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        if isinstance(value, str) and parse_integer(value) is None:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        return int(super().convert(value, param, ctx))


class Seconds(click.FloatRange):
    """A time: a range of numbers in the grammar of `runec.numbers`: not `nan` or `1_0`."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number of seconds."""
        if isinstance(value, str) and parse_number(value) is None:
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return float(super().convert(value, param, ctx))


pass_console = click.make_pass_decorator(Console)


def _show_help(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        _console(ctx).result(ctx.get_help())
        ctx.exit()


def help_option(function: _Function) -> _Function:
    """Add `-h`, `--help`: as click's, but printed as every result is, full disks and all."""
    return click.help_option("-h", "--help", callback=_show_help)(function)


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        _console(ctx).result(f"runec {__version__}")
        ctx.exit()


def version_option(function: _Function) -> _Function:
    """Add `--version` to `runec` itself."""
    return click.option(
        "--version",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Version of runec.",
    )(function)


def _console(ctx: click.Context) -> Console:
    return ctx.find_object(Console) or Console()


def _set_format(ctx: click.Context, _parameter: click.Parameter, value: str) -> None:
    console = ctx.find_object(Console)
    if console is not None:
        console.format = "json" if value == "json" else "text"


def format_option(function: _Function) -> _Function:
    """Add `-f`, `--format text|json`; it decides how the console prints, errors included."""
    return click.option(
        "-f",
        "--format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        is_eager=True,  # so that errors in other options are printed in this format
        expose_value=False,
        callback=_set_format,
        help="Output format: text, or JSON lines.",
    )(function)


def _set_color(ctx: click.Context, _parameter: click.Parameter, value: Color | None) -> None:
    console = ctx.find_object(Console)
    if console is not None and value is not None:
        console.color = value


def color_option(function: _Function) -> _Function:
    """Add `--color auto|always|never`, which `runec` takes before a verb as well."""
    return click.option(
        "--color",
        "--colour",
        type=click.Choice(["auto", "always", "never"]),
        is_eager=True,
        expose_value=False,
        callback=_set_color,
        help="Use of colours; auto: as NO_COLOR, FORCE_COLOR and the terminal require.",
    )(function)


def _set_verbose(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    console = ctx.find_object(Console)
    if console is not None and value:
        console.verbose = True


def verbose_option(function: _Function) -> _Function:
    """Add `--verbose`: details go to stderr. `runec.cli.root` adds it to every verb."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_set_verbose,
        help="Details on stderr: commands, times, cache hits, logs.",
    )(function)


def _set_quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    console = ctx.find_object(Console)
    if console is not None and value:
        console.quiet = True


def quiet_option(function: _Function) -> _Function:
    """Add `--quiet`: nothing but errors goes to stderr. `runec.cli.root` adds it to every verb."""
    return click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_set_quiet,
        help="Results and errors only.",
    )(function)


def _named(
    _ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        if name in pairs:
            raise click.BadParameter(f"{name!r} is a duplicate")
        pairs[name] = value
    return pairs


def named_option(option: str, metavar: str, help_text: str) -> Callable[[_Function], _Function]:
    """Add an option that takes NAME=VALUE, any number of times; it becomes a dict."""
    return click.option(
        option, multiple=True, metavar=f"NAME={metavar}", callback=_named, help=help_text
    )


def current_dir_option(*letters: str) -> Callable[[_Function], _Function]:
    """Add `--current-dir`, with its short forms."""
    return click.option(
        *letters,
        "--current-dir",
        type=INPUT_FOLDER,
        help="Base of the Runefile's relative paths. [default: the Runefile's folder]",
    )


def _allow(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    console = ctx.find_object(Console)
    if console is not None and value:
        setattr(console, str(parameter.name), True)


def outside_option(function: _Function) -> _Function:
    """Add `--allow-outside`; `Console.allow_outside` holds it."""
    return click.option(
        "--allow-outside",
        is_flag=True,
        expose_value=False,
        callback=_allow,
        help="Access to resources and models outside the Runefile's folder.",
    )(function)


def trust_option(function: _Function) -> _Function:
    """Add `--trust-board`; `Console.trust_board` holds it."""
    return click.option(
        "--trust-board",
        is_flag=True,
        expose_value=False,
        callback=_allow,
        help="Trust in programs and flags of the board file, which run on the host.",
    )(function)


def original_option(name: str, *, is_flag: bool = False) -> Callable[[_Function], _Function]:
    """Accept and ignore an option of the original platform, for its scripts."""
    return click.option(name, is_flag=is_flag, hidden=True, expose_value=False)


def _one_board(
    _ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> str | None:
    # click would silently take the last of duplicate options.
    if len(values) > 1:
        raise click.BadParameter(f"one board, not {len(values)}: {', '.join(values)}")
    return values[0] if values else None


def board_option(
    *,
    required: bool = True,
    help_text: str = "Target board: an id of `runec boards`, a board file, or PlatformIO's pio:ID.",
) -> Callable[[_Function], _Function]:
    """Add `--board ID`, once."""
    return click.option(
        "-b",
        "--board",
        "board_id",
        multiple=True,
        required=required,
        callback=_one_board,
        shell_complete=completer(boards),
        metavar="ID",
        help=help_text,
    )


def boards_option(help_text: str) -> Callable[[_Function], _Function]:
    """Add `--board ID`, several times or `all`; the parameter is `board_ids`."""
    return click.option(
        "-b",
        "--board",
        "board_ids",
        multiple=True,
        shell_complete=completer(boards_or_all),
        metavar="ID",
        help=help_text,
    )


def input_option(function: _Function) -> _Function:
    """Add `--input link|sensor`: the ACCEL source of a firmware."""
    return click.option(
        "--input",
        "source_of_input",
        type=click.Choice(("link", "sensor")),
        help="ACCEL source: link (host) or sensor (on the board). [default: the board's]",
    )(function)


def rune_argument(function: _Function) -> _Function:
    """Add the argument that names a .rune."""
    return click.argument("rune_file", metavar="X.rune", type=A_RUNE)(function)
