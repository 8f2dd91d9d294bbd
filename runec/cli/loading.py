"""Reading what the command line names."""

from __future__ import annotations

from pathlib import Path

from runec.container import Rune, read_rune
from runec.files import read_file


def load_rune(path: Path) -> Rune:
    """Read a .rune file.

    Raises:
        UserFileError: R1003, it cannot be read; R06xx, it is no good .rune.
    """
    return read_rune(read_file(path, "the .rune"), source=str(path))
