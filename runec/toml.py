"""TOML files of the user's: read into records, every mistake with its line, its column and a hint.

Python's parser keeps no positions, so they are looked for in the text when there is a mistake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from runec.diagnostics import SourceFile, Span, UserFileError
from runec.files import read_file
from runec.suggestions import did_you_mean

Place = Sequence[str | int]
"""The steps from the root to a value: keys, and positions in arrays."""

_Record = TypeVar("_Record")

_AT_LINE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
# How msgspec ends a message: where the value is, of a mapping without the key.
_AT_PLACE = re.compile(r" - at (?:`key` in )?`(?:key in )?\$(.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `(.*)`\Z", re.DOTALL)
_CHOICE = re.compile(r"Invalid enum value '(.*)'\Z", re.DOTALL)


class TomlSort(msgspec.Struct, frozen=True):
    """A sort of file: the code of its errors, what they call it, where its keys are described."""

    code: str
    what: str
    guide: str
    max_bytes: int


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong with a value, where it is, and what to try."""

    problem: str
    place: tuple[str, ...]
    hint: str | None = None


class TomlFile(msgspec.Struct, frozen=True):
    """A TOML file as it was read: its text and its tables."""

    sort: TomlSort
    source: SourceFile
    tables: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return Path(self.source.path).stem

    def span(self, place: Place) -> Span:
        """Return where a value is given: its key; where it is missing, the table around it."""
        start, end = _find(self.source.text, place)
        return Span(self.source, start, end)

    def error(self, problem: str, place: Place, hint: str | None = None) -> UserFileError:
        """Return the error of a value that is wrong."""
        return UserFileError(
            self.sort.code,
            f"{self.sort.what} {self.source.path}: {problem}",
            span=self.span(place),
            hint=hint or f"{self.sort.guide} lists the keys",
        )

    def decode(self, kind: type[_Record]) -> _Record:
        """Return the file as a record.

        Raises:
            UserFileError: it has an unknown key, lacks one, or a value of the wrong type.
        """
        try:
            return convert(self.tables, kind)
        except WrongValueError as error:
            wrong = error.mistake
            raise self.error(wrong.problem, wrong.place, wrong.hint) from None


def read_toml(path: Path, sort: TomlSort) -> TomlFile:
    """Read a TOML file that the user named or wrote.

    Raises:
        UserFileError: of the code of its sort, it is not TOML; R1003, it cannot be read.
    """
    data = read_file(path, sort.what, max_bytes=sort.max_bytes)
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"{sort.what} {path}: it is not UTF-8: {error.reason} at byte {error.start}"
        raise UserFileError(sort.code, message, hint="save it as UTF-8") from None
    source = SourceFile(str(path), text)
    try:
        tables = tomllib.loads(text)
    # ValueError: syntax, or a number of thousands of digits; RecursionError: as many brackets.
    except (ValueError, RecursionError) as error:
        said = str(error)
        at = _AT_LINE.search(said)
        has_line = at is not None and at[1] is not None
        offset = source.offset(int(at[1]), int(at[2])) if at and has_line else len(text.rstrip())
        raise UserFileError(
            sort.code,
            f"{sort.what} {path}: it is not TOML: {_AT_LINE.sub('', said)}",
            span=Span(source, offset, offset + 1),
            hint="see toml.io for the syntax of TOML",
        ) from None
    return TomlFile(sort, source, tables)


class WrongValueError(ValueError):
    """Tables that are not the record that they should be."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.problem)
        self.mistake = mistake


def convert(tables: Mapping[str, Any], kind: type[_Record]) -> _Record:
    """Return tables as a record. Raises WrongValueError."""
    try:
        return msgspec.convert(tables, type=kind)
    except msgspec.ValidationError as error:
        raise WrongValueError(_mistake(tables, kind, str(error))) from None


# --- what is wrong ------------------------------------------------------------------------------


def _mistake(tables: Mapping[str, Any], kind: type, said: str) -> Mistake:
    """Return what msgspec says as a mistake at its place."""
    at = _AT_PLACE.search(said)
    said = _AT_PLACE.sub("", said)
    place = tuple(key or index for key, index in _STEP.findall(at[1] if at else ""))
    found = _type_at(kind, place)
    place = (*place, *_culprit(tables, kind, place, found))
    if field := _FIELD.match(said):
        name = field[2]
        if "missing" in field[1]:
            of = f" to [{'.'.join(place)}]" if place else ""
            return Mistake(f"missing key {name!r}{_within(place)}", place, f"add {name}{of}")
        hint = _hint(name, _keys(found), "the keys are")
        return Mistake(f"unknown key {name!r}{_within(place)}", (*place, name), hint)
    if choice := _CHOICE.match(said):
        hint = _hint(choice[1], _choices(_type_at(kind, place)), "use one of:")
        return Mistake(f"invalid value {choice[1]!r}{_within(place)}", place, hint)
    return Mistake(f"{said[:1].lower()}{said[1:]}{_within(place)}", place)


def _within(place: Sequence[str]) -> str:
    return f" in {'.'.join(place)}" if place else ""


def _hint(word: str, known: Sequence[str], title: str) -> str | None:
    return did_you_mean(word, known) or (f"{title} {', '.join(known)}" if known else None)


def _type_at(kind: type, place: Iterable[str]) -> inspect.Type | None:
    """Return the type that a value may have at a place, or None where nothing is known of it."""
    found: inspect.Type | None = inspect.type_info(kind)
    for step in place:
        found = _without_none(found)
        if isinstance(found, inspect.StructType):
            found = next((f.type for f in found.fields if f.encode_name == step), None)
        elif isinstance(found, inspect.VarTupleType):
            found = found.item_type
        else:
            return None
    return _without_none(found)


def _without_none(kind: inspect.Type | None) -> inspect.Type | None:
    if isinstance(kind, inspect.UnionType):
        return next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind


def _keys(kind: inspect.Type | None) -> list[str]:
    fields = getattr(kind, "fields", ())
    return [field.encode_name for field in fields]


def _choices(kind: inspect.Type | None) -> list[str]:
    return [str(value) for value in getattr(kind, "values", ())]


def _culprit(
    tables: Mapping[str, Any], kind: type, place: Sequence[str], found: inspect.Type | None
) -> tuple[str, ...]:
    """Return the key of a table of free names that is wrong there; msgspec does not report it."""
    if not isinstance(found, inspect.DictType):
        return ()
    table: Any = tables
    for step in place:
        table = table[step]
    for key in table if isinstance(table, dict) else ():
        try:
            msgspec.convert(_with(tables, place, {key: table[key]}), type=kind)
        except msgspec.ValidationError:
            return (key,)
    return ()


def _with(tables: Mapping[str, Any], place: Sequence[str], value: Any) -> dict[str, Any]:
    """Return `tables` with another value at a place."""
    first, rest = place[0], place[1:]
    return {**tables, first: _with(tables[first], rest, value) if rest else value}


# --- where it is --------------------------------------------------------------------------------

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]*")

_Steps = tuple[str, ...]


def _find(text: str, place: Place) -> tuple[int, int]:
    """Return the characters of a key and its value, as far as they are on one line.

    Of a value that is not there, those of the table around it; of one that is not in any, none.
    """
    places = dict(_Scanner(text).scan())
    steps = tuple(map(str, place))
    while steps:
        for found in (steps, (*steps, "0")):
            if found in places:
                return places[found]
        # A table that nothing opens: `a` of `a.b = 1` and of `[a.b]`.
        for inner, span in places.items():
            if inner[: len(steps)] == steps:
                return span
        steps = steps[:-1]
    return 0, 0


class _Scanner:
    """Goes through a text that `tomllib` takes, and yields each value's place and characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def scan(self) -> Iterator[tuple[_Steps, tuple[int, int]]]:
        table: _Steps = ()
        counts: dict[_Steps, int] = {}
        while self._skip() and self._at < len(self._text):
            if self._text[self._at] != "[":
                yield from self._pair(table)
                continue
            is_array = self._text.startswith("[[", self._at)
            self._take(r"\[\[?[ \t]*")
            start, names = self._at, self._names()
            span = (start, self._at)
            self._take(r"[ \t]*\]\]?")
            table = ()
            for name in names[:-1]:
                table = (*table, name)
                if table in counts:
                    table = (*table, str(counts[table]))
            table = (*table, *names[-1:])
            if is_array:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            yield table, span

    def _take(self, pattern: str) -> None:
        found = re.compile(pattern).match(self._text, self._at)
        self._at = found.end() if found is not None else len(self._text)

    def _skip(self) -> bool:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at
        return True

    def _names(self) -> _Steps:
        names: list[str] = []
        while name := _NAME.match(self._text, self._at):
            names.append(name[0].strip("\"'"))
            self._at = name.end()
            dot = _DOT.match(self._text, self._at)
            if dot is None:
                break
            self._at = dot.end()
        return tuple(names)

    def _pair(self, table: _Steps) -> Iterator[tuple[_Steps, tuple[int, int]]]:
        start = self._at
        place = (*table, *self._names())
        self._take(r"[ \t]*=[ \t]*")
        inner = list(self._value(place))
        end = self._at
        line_end = self._text.find("\n", start, end)
        yield place, (start, len(self._text[: end if line_end < 0 else line_end].rstrip()))
        yield from inner

    def _value(self, place: _Steps) -> Iterator[tuple[_Steps, tuple[int, int]]]:
        opened = self._text[self._at : self._at + 1]
        if opened not in ("[", "{"):
            found = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            self._at = found.end() if found is not None else len(self._text)
            return
        self._at += 1
        index = 0
        while self._skip() and self._at < len(self._text):
            if self._text[self._at] in "]}":
                self._at += 1
                return
            if opened == "{":
                yield from self._pair(place)
            else:
                start = self._at
                inner = list(self._value((*place, str(index))))
                yield (*place, str(index)), (start, self._at)
                yield from inner
                index += 1
            self._skip()
            if self._text.startswith(",", self._at):
                self._at += 1
