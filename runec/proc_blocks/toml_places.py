"""Where a value stands in a TOML text. Python's parser of TOML keeps no places."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The steps from the root to a value: keys, and numbers in arrays.
Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[\w.-]+)\s*\]\]?")
_KEY = re.compile(r"\s*(?P<quote>[\"']?)(?P<name>[\w-]+)(?P=quote)\s*=")


def find_place(text: str, place: Sequence[str | int]) -> tuple[int, int] | None:
    """Return the start and the end of the line's part that gives the value at `place`.

    Tables and arrays of tables are found under their headers; inside an array or an inline table
    the answer is the key that holds it all. Where a key is missing, it is the table's header.
    """
    keys = _with_places(text)
    steps = tuple(place)
    while steps:
        for found in (steps, (*steps, 0)):
            if found in keys:
                return keys[found]
        steps = steps[:-1]
    return None


def _with_places(text: str) -> dict[Place, tuple[int, int]]:
    """Every key and header that stands on a line of its own."""
    found: dict[Place, tuple[int, int]] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    offset = 0
    for line in text.splitlines(keepends=True):
        content = len(line.split("#", 1)[0].rstrip())
        if header := _HEADER.match(line):
            table = ()
            for name in header["name"].split("."):
                if table in counts:
                    table = (*table, counts[table] - 1)
                table = (*table, name)
            if header["open"] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = (*table, counts[table] - 1)
            found.setdefault(table, (offset + header.start("open"), offset + content))
        elif key := _KEY.match(line):
            start = offset + key.start("name")
            found.setdefault((*table, key["name"]), (start, max(start + 1, offset + content)))
        offset += len(line)
    return found
