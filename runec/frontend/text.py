"""Small things that both dialects share: limits, paths, suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runec.diagnostics import Span
from runec.frontend.ast import Path

# Labels make Runefiles long: the longest public one has 99,424. Longer lists belong into resources.
MAX_RUNEFILE_BYTES = 4 * 1024 * 1024
MAX_STATEMENTS = 1000
MAX_YAML_EVENTS = 250_000
LONG_LISTS = (
    "put long lists into a file, one word a line, add resources: {WORDS: {path: words.txt}} and "
    "write $WORDS instead of the list; `runec convert` turns the legacy dialect into YAML"
)
"""What to do about a Runefile that is too long."""
MAX_DIMENSION = 2**31 - 1

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
# The original's last compiler took URIs as well, whose query names a version or a module.
PATH = re.compile(
    r"(?P<base>[\w:/.%&-]+|\w+:[\w:/.%&?=-]+)(?:@(?P<version>[\w./-]+))?(?:\#(?P<sub>[\w./%&-]+))?\Z",
    re.ASCII,
)


def parse_path(text: str, span: Span) -> Path | None:
    """Split `base[@version][#sub_path]`; None when it is no path."""
    match = PATH.match(text)
    if match is None:
        return None
    return Path(text, match["base"], match["version"], match["sub"], span)


def parse_dimension(digits: str) -> int | None:
    """Return the number, or None when it is no length of a tensor (1 to 2^31 - 1)."""
    if not re.fullmatch(r"[0-9]{1,10}", digits):
        return None
    value = int(digits)
    return value if 1 <= value <= MAX_DIMENSION else None


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return `did you mean "x"?` for the closest choice, None when none is close."""
    import difflib  # noqa: PLC0415 - only wrong Runefiles need it

    by_folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(word[:64].casefold(), by_folded, n=1, cutoff=0.6)
    return f'did you mean "{by_folded[close[0]]}"?' if close else None


def one_of(choices: Iterable[str]) -> str:
    """Return `use one of a, b, c`."""
    return f"use one of {', '.join(choices)}"


def suggestion(word: str, choices: Iterable[str]) -> str:
    """A hint for a misspelt word: the closest choice, else all of them."""
    known = tuple(choices)
    return did_you_mean(word, known) or one_of(known)
