"""Hints for misspelt words: the closest of those that are known."""

from __future__ import annotations

from collections.abc import Iterable

_WORD_MAX = 64


def closest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a word resembles most, upper or lower case; None: no one is close."""
    import difflib  # noqa: PLC0415 - 10 ms that only a misspelt word needs

    by_folded = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(word[:_WORD_MAX].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """Return `did you mean "x"?` for the closest choice, None when none is close."""
    found = closest(word, choices)
    return None if found is None else f'did you mean "{found}"?'


def one_of(choices: Iterable[str]) -> str:
    """Return `use one of a, b, c`."""
    return f"use one of {', '.join(choices)}"


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return a hint for a misspelt word: the closest choice, else all of them."""
    known = tuple(choices)
    return did_you_mean(word, known) or one_of(known)
