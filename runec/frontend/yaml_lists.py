"""Long lists of simple words in YAML, which are read without ruamel.yaml's scanner.

The scanner is Python and reads character by character: 100,000 labels take seconds. In a list with
a word on each line, all lines but the first and the last are cut out of the text; the parser reads
the rest, and the words are put back between the two. That is right where the parser sees these two
as neighbours in one list of a block, which `yaml_nodes` checks; otherwise it reads the whole text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

# Without a sign that could be one of YAML: such a word ends with its line in every block list.
_WORD = (
    r"(?:\w[\w .,'()/+-]*+(?<! )"
    r"|\"[\w !#$%&'()*+,./:;<=>?@\[\]^`{|}~-]*+\")"
)
_ITEM = re.compile(rf"^ *- ({_WORD})\r?$", re.MULTILINE)
_ITEMS_MIN = 32


class Run(msgspec.Struct, frozen=True):
    """Lines of one list: where the words of the first and the last line are, and what is cut."""

    first: tuple[int, int]
    last: int
    cut: tuple[int, int]


class Shortened:
    """A text without the lines that are cut, and the places of both texts."""

    def __init__(self, text: str, runs: Sequence[Run]) -> None:
        starts = (0, *(run.cut[1] for run in runs))
        ends = (*(run.cut[0] for run in runs), len(text))
        self.text = "".join(text[start:end] for start, end in zip(starts, ends, strict=True))
        self._removed = (0, *accumulate(run.cut[1] - run.cut[0] for run in runs))
        self._cuts = [
            run.cut[0] - removed for run, removed in zip(runs, self._removed, strict=False)
        ]

    def original(self, index: int) -> int:
        """Return the place in the whole text of one in the shortened text."""
        return index + self._removed[bisect_right(self._cuts, index)]


def find_runs(text: str, items_min: int = _ITEMS_MIN) -> list[Run]:
    """Return the lists of so many simple words, at least three, one word a line."""
    pattern = re.compile(
        rf"^( *)- ({_WORD})\r?\n(?:\1- {_WORD}(?:\r?\n|\Z)){{{items_min - 1},}}", re.MULTILINE
    )
    runs = []
    for match in pattern.finditer(text):
        cut = text.index("\n", match.start()) + 1, text.rfind("\n", 0, match.end() - 1) + 1
        runs.append(Run(match.span(2), cut[1] + len(match[1]) + len("- "), cut))
    return runs


def words_between(text: str, run: Run) -> Iterator[tuple[int, int]]:
    """Yield start and end of the words that are cut out, with their quotes."""
    return (match.span(1) for match in _ITEM.finditer(text, *run.cut))
