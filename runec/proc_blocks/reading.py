"""Reading a `block.toml`: every mistake in it gets its line and column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import msgspec

from runec.diagnostics import SourceFile, Span, UserFileError
from runec.files import read_file
from runec.proc_blocks.contradictions import find_contradiction
from runec.proc_blocks.manifest import ArgumentRule, InputRule, Manifest, OutputRule
from runec.proc_blocks.toml_places import Place, find_place

MAX_MANIFEST_BYTES = 64 * 1024

_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)\Z")
_AT_PLACE = re.compile(r" - at `\$(.*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`\Z")
_TABLES: dict[str, type[msgspec.Struct]] = {
    "arguments": ArgumentRule,
    "inputs": InputRule,
    "outputs": OutputRule,
}


def load_manifest(path: Path) -> Manifest:
    """Read a `block.toml`.

    Raises:
        UserFileError: R0430, it is not TOML, has an unknown key or contradicts itself.
    """
    data = read_file(path, "the block description", max_bytes=MAX_MANIFEST_BYTES)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        _refuse(path, "it is not UTF-8 text", None, "save it as UTF-8")
    try:
        manifest = msgspec.toml.decode(text, type=Manifest)
    except msgspec.ValidationError as error:
        _refuse_value(path, text, str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        _refuse_syntax(path, text, str(error))
    contradiction = find_contradiction(manifest)
    if contradiction is not None:
        problem, place = contradiction
        _refuse(path, problem, _span(path, text, place))
    return manifest


def _refuse(path: Path, problem: str, span: Span | None, hint: str | None = None) -> NoReturn:
    raise UserFileError(
        "R0430",
        f"the description of block {path.parent.name!r} is wrong: {problem}",
        hint=hint or f"correct {path.name}; docs/guides/blocks.md lists its keys",
        span=span,
    )


def _span(path: Path, text: str, place: Place) -> Span:
    start, end = find_place(text, place) or (0, 0)
    return Span(SourceFile(str(path), text), start, end)


def _refuse_syntax(path: Path, text: str, message: str) -> NoReturn:
    source = SourceFile(str(path), text)
    at = _AT_LINE.search(message)
    offset = source.offset(int(at[1]), int(at[2])) if at is not None else len(text.rstrip())
    said = message.removesuffix(at[0]) if at is not None else message
    said = said.removesuffix(" (at end of document)")
    _refuse(path, f"it is not TOML: {said}", Span(source, offset, offset + 1))


def _refuse_value(path: Path, text: str, message: str) -> NoReturn:
    """Say where a value is that does not fit, and which key was meant."""
    at = _AT_PLACE.search(message)
    problem = message.removesuffix(at[0]) if at is not None else message
    place: Place = tuple(
        int(number) if number else key for key, number in _STEP.findall(at[1] if at else "")
    )
    hint = None
    if unknown := _UNKNOWN.match(problem):
        place = (*place, unknown[1])
        problem, hint = f"there is no key {unknown[1]!r}", _did_you_mean(place)
    elif missing := _MISSING.match(problem):
        problem, hint = f"the key {missing[1]!r} is missing", f"add {missing[1]}"
    else:
        problem = problem[:1].lower() + problem[1:]
    _refuse(path, problem, _span(path, text, place), hint)


def _did_you_mean(place: Place) -> str:
    import difflib  # noqa: PLC0415 - only a wrong description needs it

    table = _TABLES.get(str(place[0]), Manifest) if len(place) > 1 else Manifest
    known = table.__struct_fields__
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(known)}"
