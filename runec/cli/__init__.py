"""The command line: `main()` and what every verb shares in its errors and exit codes.

R1107, an existing file; R1110, no such code (runec.explanations); and

R1101  a mistake of usage               R1104  an example's list of runs is wrong (tools/)
R1102  another error of click           R1105  an example has no input (tools/)
R1103  no Runefile in this folder       R1106  the doctor found something missing
R1108  a duplicate resource             R1111  targets with different bytes
R1112  it is another board than named   R1113  another system than Linux on x86-64
R1199  a bug in runec
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from runec.cli.console import Console, OutputClosedError, open_streams
from runec.cli.root import root
from runec.diagnostics import Diagnostic, RunecError

EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
EXIT_SIGNAL = 128  # and the number of the signal: 143 for SIGTERM

__all__ = ["execute", "main"]


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    open_streams()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see runec.__main__
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # A signal that the parent process ignores (nohup) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _terminate)
    sys.exit(execute())


def execute(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; `None` takes that of this process.

    0 fine, 1 the user's file is wrong, 2 usage, 3 the rune failed, 4 the machine lacks something,
    70 a bug in runec, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    with Console() as console:
        if _asks_for_json(given):
            console.format = "json"
        try:
            return _execute(console, given)
        except OutputClosedError:
            return EXIT_PIPE


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Set the format of errors in the options before `--format`, which click does not reach."""
    pairs = {("--format", "json"), ("-f", "json")}
    return "--format=json" in arguments or not pairs.isdisjoint(itertools.pairwise(arguments))


def _execute(console: Console, arguments: list[str]) -> int:
    if "_RUNEC_COMPLETE" in os.environ:
        from runec.cli import completion_scripts  # noqa: PLC0415 - only a shell needs it

        completion_scripts.register()
    try:
        result = root.main(
            args=arguments,
            prog_name="runec",
            standalone_mode=False,
            obj=console,
        )
    except RunecError as error:
        console.report(error.diagnostics)
        return error.exit_code
    except click.UsageError as error:
        console.usage(error)
        return error.exit_code
    except click.ClickException as error:
        console.report([Diagnostic("R1102", error.format_message())])
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.say("interrupted")
        return EXIT_INTERRUPTED
    except OutputClosedError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must not show a traceback
        return _bug(console, error)
    return result if isinstance(result, int) else 0


def _bug(console: Console, error: Exception) -> int:
    if os.environ.get("RUNEC_DEBUG"):
        import traceback  # noqa: PLC0415 - slow, and never needed

        traceback.print_exception(error)
    console.report(
        [
            Diagnostic(
                "R1199",
                f"this is a bug in runec: {type(error).__name__}: {error}",
                hint="set RUNEC_DEBUG=1 for the traceback, and report the bug with it",
            )
        ]
    )
    return EXIT_BUG


def _terminate(number: int, _frame: FrameType | None) -> None:
    # As an exception, so that every emulator and temporary file is let go of on the way out, which
    # a second signal must not interrupt.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(EXIT_SIGNAL + number)
