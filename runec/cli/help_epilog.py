"""The examples at the end of every `--help`."""

from __future__ import annotations


def example(*lines: str, note: str = "") -> str:
    """Return the end of a help page: command lines as they are typed, then a note."""
    # The backspace tells click to leave the paragraph's line breaks alone.
    text = "\b\nExample:\n" + "".join(f"  {line}\n" for line in lines)
    return f"{text}\n{note}" if note else text
