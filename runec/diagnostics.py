"""Diagnostics: spans, the error tree, rendering.

    RunecError               code, message, hint, span, exit_code
    ├── UserFileError   (1)  a file the user wrote or chose is wrong
    │   └── RunefileError    a Runefile with one or more diagnostics
    ├── UsageError      (2)  the command line asks for something that does not exist
    ├── RuneError       (3)  the rune was started and failed
    ├── MachineError    (4)  this machine lacks a tool, a file, a network or space
    └── DeviceRefusalError   of these, those of a rune that a device does not run
        └── BoardRefusalError    or that does not fit this board

Codes are `R` and four digits; the first two say which room found the mistake:

    R00 syntax of a Runefile        R06 the .rune container
    R01 names, stages, paths        R07 running a rune on the host
    R02 element types and shapes    R08 boards, firmware, budgets
    R03 models                      R09 devices and the link
    R04 processing blocks           R10 components, tools, the file system
    R05 code generation             R11 the command line
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cached_property

import msgspec

TAB_WIDTH = 4


class SourceFile(msgspec.Struct, frozen=True, dict=True):
    """A text that spans point into. `path` is shown to the user as it stands."""

    path: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for index, char in enumerate(self.text):
            if char == "\n":
                starts.append(index + 1)
        return starts

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a 0-based character offset."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect.bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a 1-based line, without its newline."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end].rstrip("\r")

    def offset(self, line: int, column: int) -> int:
        """Return the character offset of a 1-based line and column."""
        line = max(1, min(line, len(self._line_starts)))
        return min(self._line_starts[line - 1] + max(column, 1) - 1, len(self.text))


class Span(msgspec.Struct, frozen=True):
    """Characters `start` (included) to `end` (excluded) of one source file."""

    source: SourceFile
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.line_column(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the first character."""
        return self.source.line_column(self.start)[1]

    @property
    def text(self) -> str:
        """The characters pointed at."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"


class Severity(Enum):
    """An error stops the build; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Label(msgspec.Struct, frozen=True):
    """A second place that explains a diagnostic, for example a first definition."""

    span: Span
    message: str


class Diagnostic(msgspec.Struct, frozen=True):
    """One thing wrong, where it is, and what to try."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    span: Span | None = None
    hint: str | None = None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the diagnostic as one JSON object (for `--format json`)."""
        place: dict[str, object] = {}
        if self.span is not None:
            place = {
                "file": self.span.source.path,
                "line": self.span.line,
                "column": self.span.column,
            }
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            **place,
            "hint": self.hint,
            "notes": list(self.notes),
        }


class Diagnostics(msgspec.Struct):
    """Collects diagnostics while passes run; iterates them in source order, each once."""

    # A dict for its order and for a quick look-up: a hostile file has thousands of mistakes.
    _items: dict[Diagnostic, None] = msgspec.field(default_factory=dict)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic unless the same one was already reported."""
        self._items.setdefault(diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        labels: Iterable[Label] = (),
        notes: Iterable[str] = (),
    ) -> None:
        """Report an error."""
        self.add(Diagnostic(code, message, Severity.ERROR, span, hint, tuple(labels), tuple(notes)))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        hint: str | None = None,
        labels: Iterable[Label] = (),
        notes: Iterable[str] = (),
    ) -> None:
        """Report a warning."""
        self.add(
            Diagnostic(code, message, Severity.WARNING, span, hint, tuple(labels), tuple(notes))
        )

    @property
    def has_errors(self) -> bool:
        """True when at least one error was reported."""
        return any(item.severity is Severity.ERROR for item in self._items)

    def __iter__(self) -> Iterator[Diagnostic]:
        def key(item: Diagnostic) -> tuple[str, int]:
            if item.span is None:
                return ("", -1)
            return (item.span.source.path, item.span.start)

        return iter(sorted(self._items, key=key))

    def __len__(self) -> int:
        return len(self._items)

    def raise_if_errors(self) -> None:
        """Raise `RunefileError` with everything collected when an error is among it."""
        if self.has_errors:
            raise RunefileError(tuple(self))


class RunecError(Exception):
    """The root of every error that a user can meet."""

    exit_code = 1

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span
        self.notes = tuple(notes)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The error as diagnostics: one, except for `RunefileError`."""
        return (
            Diagnostic(
                self.code, self.message, Severity.ERROR, self.span, self.hint, (), self.notes
            ),
        )


class UserFileError(RunecError):
    """A file that the user wrote or chose is wrong."""

    exit_code = 1


class RunefileError(UserFileError):
    """A Runefile with errors; carries all of them, and the warnings found on the way."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        first = next(d for d in diagnostics if d.severity is Severity.ERROR)
        super().__init__(first.code, first.message, hint=first.hint, span=first.span)
        self._diagnostics = diagnostics

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic, in source order."""
        return self._diagnostics


class UsageError(RunecError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class RuneError(RunecError):
    """The rune was started and failed."""

    exit_code = 3


class MachineError(RunecError):
    """This machine lacks something: a tool, a file, a network, space."""

    exit_code = 4


class DeviceRefusalError(RunecError):
    """A rune that this board, or no device, can run. Nothing broke: the host may run it."""


class BoardRefusalError(DeviceRefusalError):
    """A rune that does not fit this board; another may do."""


_RED, _YELLOW, _BLUE, _BOLD, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


class _Replacements(dict[int, str]):
    """For `str.translate`: what a terminal would obey becomes U+FFFD; found out once a character.

    One character stays one, for carets. Spaces of any width are harmless; other characters that
    Python does not call printable are controls, directions of writing and halves of pairs.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        harmless = char.isprintable() or (char.isspace() and code >= _FIRST_WIDE_SPACE)
        self[code] = char if harmless and code not in _LINE_ENDS else "\N{REPLACEMENT CHARACTER}"
        return self[code]


_FIRST_WIDE_SPACE = 0xA0
_LINE_ENDS = (0x2028, 0x2029)
_OF_A_LINE = _Replacements({ord("\t"): "\t"})
_OF_LINES = _Replacements({ord("\t"): "\t", ord("\n"): "\n"})


def printable(text: str, *, lines: bool = False) -> str:
    """Return untrusted text without control characters.

    Required for all text of a .rune, a Runefile, a model, a device or another program before it is
    printed. With `lines` the text may have line feeds.
    """
    return text.translate(_OF_LINES if lines else _OF_A_LINE)


# Columns of a line that a diagnostic shows.
_WIDEST = 240


def _excerpt(span: Span, message: str, paint: str, reset: str) -> list[str]:
    line, column = span.source.line_column(span.start)
    text = span.source.line(line)
    prefix, rest = text[: column - 1], text[column - 1 :]
    width = max(1, min(span.end - span.start, len(rest)))
    indent = len(prefix.expandtabs(TAB_WIDTH))
    carets = max(1, len((prefix + rest[:width]).expandtabs(TAB_WIDTH)) - indent)
    shown, indent, carets = _window(text.expandtabs(TAB_WIDTH), indent, carets)
    number = str(line)
    gutter = " " * len(number)
    underline = f"{gutter} | {' ' * indent}{paint}{'^' * carets}"
    return [
        f"{gutter}--> {printable(str(span))}",
        f"{gutter} |",
        f"{number} | {printable(shown)}",
        f"{underline}{' ' + printable(message) if message else ''}{reset}",
    ]


def _window(text: str, indent: int, carets: int) -> tuple[str, int, int]:
    """Return the part of a very long line that holds the place, and where the place is in it."""
    if len(text) <= _WIDEST:
        return text, indent, carets
    start = max(0, min(indent - _WIDEST // 4, len(text) - _WIDEST))
    end = start + _WIDEST
    shown = ("... " if start else "") + text[start:end] + (" ..." if end < len(text) else "")
    return shown, indent - start + (4 if start else 0), min(carets, end - indent)


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """Draw a diagnostic as text: headline, `file:line:col`, the line, a caret, notes, a hint."""
    is_error = diagnostic.severity is Severity.ERROR
    paint = (_RED if is_error else _YELLOW) if color else ""
    blue, bold, reset = (_BLUE, _BOLD, _RESET) if color else ("", "", "")
    headline = f"{paint}{bold}{diagnostic.severity.value}[{diagnostic.code}]{reset}"
    lines = [f"{headline}{bold}: {printable(diagnostic.message, lines=True)}{reset}"]
    if diagnostic.span is not None:
        lines += _excerpt(diagnostic.span, "", paint, reset)
    for label in diagnostic.labels:
        lines += _excerpt(label.span, label.message, blue, reset)
    lines += [f"  = note: {printable(note, lines=True)}" for note in diagnostic.notes]
    if diagnostic.hint is not None:
        lines.append(f"  = help: {printable(diagnostic.hint, lines=True)}")
    return "\n".join(lines)
