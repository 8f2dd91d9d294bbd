"""Which Runefile a verb means when its user names none."""

from __future__ import annotations

from pathlib import Path

from runec.diagnostics import UserFileError

DEFAULT_NAMES = ("Runefile.yml", "Runefile")


def default_runefile(verb: str) -> Path:
    """Return Runefile.yml, or else Runefile, of the current folder.

    Raises:
        UserFileError: R1103, there is neither.
    """
    for name in DEFAULT_NAMES:
        if Path(name).is_file():
            return Path(name)
    raise UserFileError(
        "R1103",
        f"there is no {' and no '.join(DEFAULT_NAMES)} in this folder",
        hint=f"name the Runefile: runec {verb} path/to/Runefile.yml",
    )
