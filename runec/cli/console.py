"""What the user sees: results on stdout; diagnostics, progress and remarks on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import click

from runec.diagnostics import Diagnostic, render

Format = Literal["text", "json"]


class OutputClosedError(Exception):
    """Whoever read the results has enough of them."""


class Console:
    """The two streams of one command; `format` and `verbose` are set by the options."""

    def __init__(self) -> None:
        self.format: Format = "text"
        self.verbose = False
        self.quiet = False

    @property
    def is_json(self) -> bool:
        """True when programs read what is printed."""
        return self.format == "json"

    @property
    def uses_color(self) -> bool:
        """True when stderr is a terminal whose user did not ask for NO_COLOR."""
        return sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    @property
    def result_uses_color(self) -> bool:
        """True when stdout is a terminal whose user did not ask for NO_COLOR."""
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def result(self, line: str) -> None:
        """Print a line of the result on stdout, at once."""
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise OutputClosedError from None

    def result_bytes(self, data: bytes) -> None:
        """Print a result on stdout byte by byte, at once."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise OutputClosedError from None

    def result_json(self, value: object) -> None:
        """Print a value as one line of JSON on stdout."""
        self.result(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def say(self, line: str) -> None:
        """Print a remark on stderr, unless programs read or nobody wants any."""
        if not self.is_json and not self.quiet:
            self._error_line(line)

    def trace(self, lines: Iterable[str], record: dict[str, object]) -> None:
        """Print on stderr what the user asked to see: lines, or one JSON object for programs."""
        if self.is_json:
            self._error_line(json.dumps(record, ensure_ascii=False))
            return
        for line in lines:
            self._error_line(line)

    def warn(self, diagnostic: Diagnostic) -> None:
        """Print a warning on stderr, unless nobody wants any."""
        if not self.quiet:
            self.report([diagnostic])

    @property
    def log(self) -> Callable[[str], None] | None:
        """What takes the log lines of compilers and devices: only with `--verbose`."""
        return (lambda line: self.say(printable(line))) if self.verbose else None

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Print diagnostics on stderr: drawn for people, one JSON object a line for programs."""
        for diagnostic in diagnostics:
            if self.is_json:
                self._error_line(json.dumps(diagnostic.as_json(), ensure_ascii=False))
            else:
                self._error_line(render(diagnostic, color=self.uses_color))

    def usage(self, error: click.UsageError) -> None:
        """Print what is wrong with the command line; the help where nothing was asked for."""
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show(sys.stderr)
            return
        hint = f"{error.ctx.command_path} --help" if error.ctx is not None else "runec --help"
        self.report([Diagnostic("R1101", error.format_message(), hint=hint)])

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Show on a terminal that something is going on; print nothing elsewhere."""
        if self.is_json or self.quiet or not self.uses_color:
            yield
            return
        from rich.console import Console as Terminal  # noqa: PLC0415 - slow, and rarely needed

        with Terminal(stderr=True).status(what):
            yield

    @staticmethod
    def _error_line(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def printable(text: str) -> str:
    """Return a text of somebody else's without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below their headers in aligned columns; numbers stand to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [
        all(
            row[column].replace(" ", "").lstrip("-").isdigit() or row[column] == "-"
            for row in cells
        )
        for column in range(len(headers))
    ]
    widths = [
        max(len(text) for text in (header, *(row[column] for row in cells)))
        for column, header in enumerate(headers)
    ]

    def line(row: Sequence[str]) -> str:
        padded = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(headers), *(line(row) for row in cells)])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", " ")
    return printable(str(value))
