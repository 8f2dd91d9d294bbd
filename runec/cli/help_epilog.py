"""The examples at the end of every `--help`."""

from __future__ import annotations


def example(*lines: str, note: str = "") -> str:
    """Return the end of a help page: command lines, then a note."""
    # The backspace makes click keep the paragraph's line breaks.
    text = "\b\nExample:\n" + "".join(f"  {line}\n" for line in lines)
    return f"{text}\n{note}" if note else text
