"""A page for every diagnostic code: what `runec explain` shows.

The pages of a room stand in one file, `R01.toml` for the codes R0101 to R0199:

    title   what is wrong, in a few words
    cause   what runec understood, and why that is a mistake
    wrong   an example with the mistake: of a Runefile's codes a whole one that gives it
    right   the example without it
    fix     what to do

    legacy_wrong, legacy_right   the same in the legacy dialect, where YAML comes first

`wrong` and `right` come together; what lies in the machine or in a binary file has none. An example
of a Runefile is in YAML unless only the legacy dialect has the mistake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runec.diagnostics import UsageError

_FOLDER = Path(__file__).resolve().parent
_CODE = re.compile(r"[Rr]?([0-9]{4})\Z")
_EXAMPLES = ("wrong", "right", "legacy_wrong", "legacy_right")
_KEYS = frozenset({"title", "cause", "fix", *_EXAMPLES})

__all__ = ["Page", "all_pages", "explain"]


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about one code. Lines of `cause` are joined; examples keep theirs."""

    code: str
    title: str
    cause: str
    fix: str
    wrong: str | None = None
    right: str | None = None
    legacy_wrong: str | None = None
    legacy_right: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the page as one JSON object."""
        return {
            "code": self.code,
            "title": self.title,
            "cause": self.cause,
            "wrong": self.wrong,
            "right": self.right,
            "legacy_wrong": self.legacy_wrong,
            "legacy_right": self.legacy_right,
            "fix": self.fix,
        }


def all_pages(room: str = "") -> Iterator[Page]:
    """Yield every page in the order of the codes; only those of files that begin with `room`."""
    for path in sorted(_FOLDER.glob("R??.toml")):
        if path.stem.startswith(room):
            yield from _pages(path).values()


def explain(code: str) -> Page:
    """Return the page of a code, given as R0012, r0012 or 0012.

    Raises:
        UsageError: R1110, there is no such code.
    """
    match = _CODE.match(code.strip())
    if match is not None:
        path = _FOLDER / f"R{match[1][:2]}.toml"
        page = _pages(path).get(f"R{match[1]}") if path.is_file() else None
        if page is not None:
            return page
    raise UsageError(
        "R1110",
        f"no such diagnostic: {code[:40]!r}",
        hint="`runec explain` lists all codes; a code is R and four digits",
    )


def _pages(path: Path) -> dict[str, Page]:
    with path.open("rb") as stream:
        tables = tomllib.load(stream)
    pages = {}
    for code, table in sorted(tables.items()):
        if not table.keys() <= _KEYS:
            raise ValueError(f"{path.name}: {code} has an unknown key")
        examples = {name: table[name].strip("\n") + "\n" for name in _EXAMPLES if name in table}
        cause = " ".join(table["cause"].split())
        pages[code] = Page(code, table["title"], cause, table["fix"], **examples)
    return pages
