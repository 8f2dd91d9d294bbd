"""Text of tables as spreadsheets, loggers and phones write it: rows of fields with their places.

UTF-8, UTF-16 with a byte order mark, else Windows-1252, where only names can differ; lines that end
in LF, CRLF or CR; fields between tabs, semicolons, commas or spaces, in double quotes or not; or
fields with their names, as for the serial plotter of Arduino: `x:0.1,y:0.2`.
Comments (`#`, `%`, `//`), the line `sep=;` of Excel and empty lines are passed over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_COMMENTS = ("#", "%", "//")
_BEFORE_COMMENT = " \t#%/"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
SPACES = " "
# Excel's text for a formula without a result, which is not a comment.
_EXCEL = r"#(?:N/A|DIV/0!|VALUE!|REF!|NUM!|NAME\?|NULL!)"
_LABELS_MIN = 3
MINUS = "\N{MINUS SIGN}"
# Digits in any script, any sign or dash before them, and what programs write where a number is
# missing, so that a damaged number is never read as a name.
_NUMBER_LIKE = re.compile(
    r"['+\-\s\u2212\u2010-\u2015\ufe63\uff0b\uff0d]*[.,]?\d"
    rf"|[+-]?(?:nan|inf|infinity)\Z|(?:null|na|n/a|none|nil)\Z|{_EXCEL}\Z",
    re.IGNORECASE,
)
_NO_RESULT = re.compile(_EXCEL)
_SPACED = rf"[-+{MINUS}]?(?:[0-9]+(?:[.,][0-9]+|\.)?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_SPACED_NUMBERS = re.compile(rf"\s*{_SPACED}(?: +{_SPACED})+\s*")
_LABELLED = re.compile(
    rf"\s*([^\W\d][^:=,;\t\n]{{0,60}}?)\s*[:=]\s*({_SPACED})(?:\s*[,;\t]\s*|\s+|\Z)"
)
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
    """A line of a table: its place and its fields, and their names where each has its own."""

    start: int
    end: int
    fields: tuple[Field, ...]
    labels: tuple[str, ...] = ()

    @property
    def is_header(self) -> bool:
        """Return whether no field looks like a number."""
        return not any(field.looks_numeric for field in self.fields)


def decode_table(data: bytes) -> str | None:
    """Return the text of a table, whose lines end in LF; None where it is not a text."""
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
    ended = first.rstrip(" \t;")  # lines may end in one: 1,2,3;
    for separator in "\t;":
        if separator in ended:
            return separator
    return SPACES if _SPACED_NUMBERS.fullmatch(first) else ","


def read_rows(text: str, separator: str) -> Iterator[Row]:
    """Yield the rows of a table."""
    return _rows(text, _lines(text), separator)


def read_comments(text: str, separator: str) -> Iterator[Row]:
    """Yield the comments of a table as rows, without their signs."""
    return _rows(text, _comments(text), separator)


def _rows(text: str, lines: Iterable[tuple[int, int]], separator: str) -> Iterator[Row]:
    # The second form takes what is not closed as well: such a field is not a number.
    quoted, between = '"((?:[^"]|"")*)"', re.escape(separator)
    around = "" if separator == SPACES else "[ ]*"
    pattern = re.compile(rf"{around}{quoted}{around}(?={between}|\Z)|[^{between}]*")
    at_end = " ;" if separator == "," else " "
    for start, end in lines:
        line = text[start:end]
        if _SEPARATOR_LINE.fullmatch(line):
            continue
        before = len(line) - len(line.lstrip()) if separator == SPACES else 0
        yield Row(
            start, end, tuple(_fields(line.rstrip(at_end), start, before, pattern, separator))
        )


def read_labelled_rows(text: str) -> list[Row]:
    """Return the rows whose fields have their names before them, and the names above them.

    Rows before the first one with three names are left out; later ones without have one field.
    Empty where no row has three names.
    """
    rows: list[Row] = []
    for start, end in _lines(text):
        line = text[start:end].rstrip()
        fields: list[Field] = []
        labels: list[Field] = []
        at = 0
        while at < len(line):
            match = _LABELLED.match(line, at)
            if match is None:
                fields, labels = [Field(line, start, start + len(line))], []
                break
            for found, group in ((labels, 1), (fields, 2)):
                place = start + match.start(group), start + match.end(group)
                found.append(Field(match[group], *place))
            at = match.end()
        if len(labels) >= _LABELS_MIN and not rows:
            rows.append(Row(start, end, tuple(labels)))
        if rows:
            rows.append(Row(start, end, tuple(fields), tuple(label.text for label in labels)))
    return rows


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
        while separator == SPACES and line[at : at + 1] == SPACES:
            at += 1
        if at > len(line):
            return


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of the lines that are neither empty nor comments."""
    return (line for line in _not_empty(text) if not _is_comment(text[slice(*line)]))


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of what comments have after their sign."""
    for start, end in _not_empty(text):
        line = text[start:end]
        if _is_comment(line):
            yield start + len(line) - len(line.lstrip(_BEFORE_COMMENT)), end


def _is_comment(line: str) -> bool:
    stripped = line.strip()
    return stripped.startswith(_COMMENTS) and not _NO_RESULT.match(stripped)


def _not_empty(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1
