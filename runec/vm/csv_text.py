"""Text of tables as spreadsheets, loggers and phones write it: rows of fields with their places.

UTF-8, UTF-16 with a byte order mark, else Windows-1252, where only names can differ; lines that end
in LF, CRLF or CR; fields between tabs, semicolons, commas or spaces, in double quotes or not.
Comments (`#`, `%`, `//`), the line `sep=;` of Excel and empty lines are passed over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENTS = ("#", "%", "//")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_SPACES = " "
# What Excel writes where a formula has no result, which is no comment.
_EXCEL = r"#(?:N/A|DIV/0!|VALUE!|REF!|NUM!|NAME\?|NULL!)"
MINUS = "\N{MINUS SIGN}"
# Digits in any script, any sign or dash before them, and what programs write where a number is
# missing, so that what is meant as a number is never taken for a name.
_NUMBER_LIKE = re.compile(
    r"['+\-\s\u2212\u2010-\u2015\ufe63\uff0b\uff0d]*[.,]?\d"
    rf"|[+-]?(?:nan|inf|infinity)\Z|(?:null|na|n/a|none|nil)\Z|{_EXCEL}\Z",
    re.IGNORECASE,
)
_NO_RESULT = re.compile(_EXCEL)
_SPACED = rf"[-+{MINUS}]?(?:[0-9]+(?:[.,][0-9]+|\.)?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_SPACED_NUMBERS = re.compile(rf"\s*{_SPACED}(?: +{_SPACED})+\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Field:
    """A field without quotes and the space around it; `start` and `end` are its place."""

    text: str
    start: int
    end: int
    is_quoted: bool = False

    @property
    def looks_numeric(self) -> bool:
        """Whether it is a number, or meant as one."""
        return _NUMBER_LIKE.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its place and its fields."""

    start: int
    end: int
    fields: tuple[Field, ...]

    @property
    def is_header(self) -> bool:
        """Whether no field is meant as a number."""
        return not any(field.looks_numeric for field in self.fields)


def decode_table(data: bytes) -> str | None:
    """Return the text of a table, whose lines end in LF; None where it is no text."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        if is_utf16:
            return None
        text = data.decode("cp1252", errors="replace")
    if _CONTROL.search(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def separator_of(text: str) -> str:
    """Return what separates fields: that of the line `sep=`, else that of the first numbers."""
    lines = [text[start:end] for start, end in _lines(text)]
    stated = next(filter(None, map(_SEPARATOR_LINE.fullmatch, lines[:1])), None)
    if stated is not None:
        return stated[1]
    numeric = (line for line in lines if _NUMBER_LIKE.match(line.lstrip(' "')))
    first = next(numeric, lines[0] if lines else "")
    for separator in "\t;":
        if separator in first:
            return separator
    return _SPACES if _SPACED_NUMBERS.fullmatch(first) else ","


def read_rows(text: str, separator: str) -> Iterator[Row]:
    """Yield the rows of a table."""
    # The second form takes what is not closed as well: such a field is no number.
    quoted, between = '"((?:[^"]|"")*)"', re.escape(separator)
    around = "" if separator == _SPACES else "[ ]*"
    pattern = re.compile(rf"{around}{quoted}{around}(?={between}|\Z)|[^{between}]*")
    for start, end in _lines(text):
        line = text[start:end]
        if _SEPARATOR_LINE.fullmatch(line):
            continue
        before = len(line) - len(line.lstrip()) if separator == _SPACES else 0
        yield Row(start, end, tuple(_fields(line.rstrip(" "), start, before, pattern, separator)))


def _fields(
    line: str, start: int, at: int, pattern: re.Pattern[str], separator: str
) -> Iterator[Field]:
    """Yield the fields of a line, from a place in it; `start` is where it is in the text."""
    while True:
        match = pattern.match(line, at)
        assert match is not None  # noqa: S101 - the last form matches nothing as well
        raw = match[0]
        left = start + at + len(raw) - len(raw.lstrip())
        is_quoted = match[1] is not None
        text = match[1].replace('""', '"') if is_quoted else raw
        yield Field(text.strip(), left, max(left, start + at + len(raw.rstrip())), is_quoted)
        at = match.end() + 1
        while separator == _SPACES and line[at : at + 1] == _SPACES:
            at += 1
        if at > len(line):
            return


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of the lines that are neither empty nor comments."""
    start = 0
    for line in text.split("\n"):
        stripped = line.strip()
        is_comment = stripped.startswith(_COMMENTS) and not _NO_RESULT.match(stripped)
        if stripped and not is_comment:
            yield start, start + len(line)
        start += len(line) + 1
