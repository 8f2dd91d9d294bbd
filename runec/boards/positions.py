"""Where a key stands in a TOML text: the parser tells values and no places."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(rf"^[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]", re.MULTILINE)
_KEY = re.compile(rf"^[ \t]*({_DOTTED})[ \t]*=(?!=)", re.MULTILINE)
_PART = re.compile(_NAME)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _places(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return the characters of each header and of each key at the start of a line, by its path."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    table: tuple[str, ...] = ()
    elements: dict[tuple[str, ...], int] = {}
    marks = [(match.start(), match) for regex in (_HEADER, _KEY) for match in regex.finditer(text)]
    for _, match in sorted(marks, key=lambda mark: mark[0]):
        if match.re is _HEADER:
            table = _parts(match[2])
            if match[1] == "[[":
                index = elements[table] = elements.get(table, -1) + 1
                found.setdefault(table, match.span(2))
                table = (*table, str(index))
            found.setdefault(table, match.span(2))
        else:
            found.setdefault((*table, *_parts(match[1])), match.span(1))
    return found


def find_key(text: str, path: Sequence[str]) -> tuple[int, int, int]:
    """Return how many parts of a path were found, and the characters of the last of them.

    Elements of arrays of tables are numbers in the path. A part inside an inline table counts as
    found; so may be one in a text or a comment of the same line, which is near enough for a caret.
    """
    places = _places(text)
    for depth in range(len(path), 0, -1):
        place = places.get(tuple(path[:depth]))
        if place is None:
            continue
        start, end = place
        found = depth
        for part in path[depth:]:
            line_end = text.find("\n", end)
            inner = re.compile(rf"\b{re.escape(part)}\b(?=[ \t]*=)").search(
                text, end, len(text) if line_end < 0 else line_end
            )
            if inner is None:
                break
            start, end = inner.span()
            found += 1
        return found, start, end
    return 0, 0, 0
