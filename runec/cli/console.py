"""Output: results on stdout; diagnostics, progress and remarks on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from runec.diagnostics import Diagnostic, printable, render
from runec.files import disk_error
from runec.tools import watch_tools

if TYPE_CHECKING:
    from rich.progress import Progress

PROGRESS_DELAY_S = 0.5
_UNLIMITED = 10_000

Format = Literal["text", "json"]
Color = Literal["auto", "always", "never"]


class OutputClosedError(Exception):
    """The reader of the output has closed the pipe."""


def open_streams() -> None:
    """Open what runec was started without, as by `runec check >&-`.

    Else the first file that it opens is the one that a stream's number stands for. stdout is opened
    such that nothing can be written: lost results are an error. Remarks are not.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the least number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    # In Latin-1 or ASCII a name may hold what cannot be shown. One sign stands for each character
    # there, so that tables stay aligned. In the locale C, which services and logs have, Python's
    # handler is surrogateescape, which rejects such characters: they are escaped, as on stderr.
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.errors == "strict":
            sys.stdout.reconfigure(errors="replace")
        elif sys.stdout.errors == "surrogateescape":
            sys.stdout.reconfigure(errors="backslashreplace")


def _to_json(value: object, stream: TextIO, **options: Any) -> str:
    """Return JSON in the characters that a stream has."""
    has_all = (stream.encoding or "utf-8").lower().replace("-", "") == "utf8"
    return printable_json(json.dumps(value, ensure_ascii=not has_all, **options))


def _abandon(stream: TextIO) -> None:
    """Let a stream that takes nothing end nowhere: Python complains of it as it ends, otherwise."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _writing_results() -> Iterator[None]:
    """Turn a closed pipe and a full disk behind stdout into errors that are not bugs."""
    try:
        yield
    except OSError as error:
        _abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise OutputClosedError from None
        elsewhere = "send it to another place"
        raise disk_error(error, "write the output", elsewhere=elsewhere) from None


class Console:
    """The two streams of one command; options set what it prints and how.

    Use it as a context manager, which stops the log of commands (`--verbose`) at the end.
    """

    def __init__(self) -> None:
        self.format: Format = "text"
        self.color: Color = "auto"
        self.verbose = False
        self.quiet = False
        # Permissions: --allow-outside, --trust-board.
        self.allow_outside = False
        self.trust_board = False
        # Compilers run in threads that print; so does what draws the progress line.
        self._lock = threading.RLock()
        self._progress: Progress | None = None

    def __enter__(self) -> Console:
        watch_tools(self._print_command)
        return self

    def __exit__(self, *_: object) -> None:
        watch_tools(None)

    @property
    def is_json(self) -> bool:
        """True if the output is JSON."""
        return self.format == "json"

    @property
    def uses_color(self) -> bool:
        """True when what goes to stderr is coloured: `--color`, NO_COLOR, FORCE_COLOR, terminal."""
        return self._paints(sys.stderr)

    @property
    def result_uses_color(self) -> bool:
        """True when what goes to stdout is coloured."""
        return self._paints(sys.stdout)

    def _paints(self, stream: TextIO) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") != "0":
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    # --- results ---------------------------------------------------------------------------------

    def result(self, text: str, *, painted: bool = False) -> None:
        """Print one or more lines of the result as text on stdout.

        `painted` text has colours and is already printable.
        """
        self._out(f"{text if painted else printable(text, lines=True)}\n")

    def result_json(self, value: object) -> None:
        """Print a value as one line of JSON on stdout."""
        self._out(f"{_to_json(value, sys.stdout, separators=(',', ':'))}\n")

    def result_document(self, text: str) -> None:
        """Print a document unchanged on stdout, in UTF-8; made printable for a terminal."""
        if sys.stdout.isatty():
            self.result(text)
        else:
            self.result_bytes(f"{text}\n".encode(errors="replace"))

    def result_bytes(self, data: bytes) -> None:
        """Print a binary result on stdout; on a terminal without control characters."""
        if sys.stdout.isatty():
            self._out(printable_json(data.decode(errors="replace")))
            return
        with _writing_results():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _out(self, text: str) -> None:
        with self._printing(), _writing_results():
            sys.stdout.write(text)
            sys.stdout.flush()

    # --- remarks ---------------------------------------------------------------------------------

    def say(self, line: str) -> None:
        """Print a remark on stderr, unless with --format json or --quiet."""
        if not self.is_json and not self.quiet:
            self._error_line(printable(line, lines=True))

    def detail(self, line: str) -> None:
        """Print a remark with `--verbose` only."""
        if self.verbose:
            self.say(line)

    def trace(self, lines: Iterable[str], record: dict[str, object]) -> None:
        """Print requested details on stderr: lines, or one JSON object."""
        if self.is_json:
            self._error_json(record)
            return
        for line in lines:
            self._error_line(printable(line))

    def warn(self, *diagnostics: Diagnostic) -> None:
        """Print warnings on stderr, unless with --quiet."""
        if not self.quiet:
            self.report(diagnostics)

    @property
    def log(self) -> Callable[[str], None] | None:
        """Receiver of log lines of compilers and devices; None without `--verbose`."""
        return (lambda line: self.say(printable(line))) if self.verbose else None

    def _print_command(self, command: str, seconds: float) -> None:
        self.detail(f"$ {command} ({seconds:.2f} s)")

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Print diagnostics on stderr: as text with a caret, or as JSON lines."""
        for diagnostic in diagnostics:
            if self.is_json:
                self._error_json(diagnostic.as_json())
            else:
                self._error_line(render(diagnostic, color=self.uses_color))

    def usage(self, error: click.UsageError) -> None:
        """Print a usage error; the help if the command line is empty."""
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            self._error_line(error.format_message())
            return
        hint = f"{error.ctx.command_path} --help" if error.ctx is not None else "runec --help"
        self.report([Diagnostic("R1101", error.format_message(), hint=hint)])

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Show a step that takes long on a terminal; `--verbose` prints its time.

        Shows nothing without a terminal, with `--quiet` or with --format json.
        """
        started_s = time.monotonic()
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        if self.is_json or self.quiet or not is_terminal:
            yield
        else:
            timer = threading.Timer(PROGRESS_DELAY_S, self._show_progress, (printable(what),))
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()
                with self._lock:
                    if self._progress is not None:
                        self._progress.stop()
                        self._progress = None
        self.detail(f"{what}: {time.monotonic() - started_s:.2f} s")

    def _show_progress(self, what: str) -> None:
        from rich import console, progress, table  # noqa: PLC0415 - rarely needed

        column = table.Column(no_wrap=True, overflow="crop", ratio=1)
        with self._lock:
            self._progress = progress.Progress(
                progress.SpinnerColumn("line", style=""),
                progress.TextColumn("{task.description}", "", markup=False, table_column=column),
                progress.TimeElapsedColumn(),
                console=console.Console(
                    file=sys.stderr, force_terminal=True, no_color=not self.uses_color
                ),
                transient=True,
                expand=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._progress.add_task(what, total=None)
            self._progress.start()

    @contextmanager
    def _printing(self) -> Iterator[None]:
        """Hide the progress line while something is printed."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
            yield
            if self._progress is not None:
                self._progress.start()

    def _error_json(self, record: dict[str, object]) -> None:
        self._error_line(_to_json(record, sys.stderr))

    def _error_line(self, line: str) -> None:
        with self._printing():
            try:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
            except OSError as error:  # such as a full disk: only the exit code reports it
                _abandon(sys.stderr)
                if isinstance(error, BrokenPipeError):
                    raise OutputClosedError from None


def printable_json(text: str) -> str:
    """Return equivalent JSON without control characters."""
    safe = printable(text, lines=True)
    if safe == text:
        return text
    # Such characters are in strings only, where JSON has an escape for them.
    return "".join(
        char if char == kept else _escape(char) for char, kept in zip(text, safe, strict=True)
    )


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below their headers in aligned columns; integers stand to the right.

    On a terminal long cells are wrapped to its width.
    """
    from rich.console import Console as Terminal  # noqa: PLC0415 - most verbs print no table
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [list(row) for row in rows]
    drawn = Table(box=None, pad_edge=False)
    for column, header in enumerate(headers):
        is_number = all(isinstance(row[column], int | None) for row in cells)
        drawn.add_column(Text(header), justify="right" if is_number else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    text = io.StringIO()
    width = None if sys.stdout.isatty() else _UNLIMITED
    Terminal(file=text, width=width, color_system=None).print(drawn)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", " ")
    return printable(str(value))
