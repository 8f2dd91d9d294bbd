"""Headers that a set of C++ sources includes, directly or indirectly."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)


@cache
def includes(path: Path) -> tuple[str, ...]:
    """Return what a source includes, as it names it."""
    return tuple(name.decode("ascii", "replace") for name in _INCLUDE.findall(path.read_bytes()))


def header_closure(root: Path, start: Iterable[str], folders: Sequence[str]) -> tuple[str, ...]:
    """Return `start` and every file below `root` that they include, directly or not, sorted.

    Paths are relative to `root`. `folders` are searched in order after the includer's own folder;
    what is in none of them is the C library's. Conditions are not evaluated, so the answer may
    hold a header too many and never one too few.
    """
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for included in includes(root / name):
            for folder in (posixpath.dirname(name), *folders):
                candidate = posixpath.normpath(posixpath.join(folder, included))
                if not candidate.startswith("..") and (root / candidate).is_file():
                    waiting.append(candidate)
                    break
    return tuple(sorted(found))
