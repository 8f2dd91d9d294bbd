"""A .rune from a path."""

from __future__ import annotations

from pathlib import Path

from runec.container.reader import Rune, read_rune
from runec.files import read_file


def load_rune(path: Path) -> Rune:
    """Read the .rune that a user named.

    Raises:
        UserFileError: R1003, no readable file; R06xx, as `read_rune`.
    """
    return read_rune(read_file(path, "the .rune"), source=str(path))
