"""Which Runefile a verb means."""

from __future__ import annotations

from pathlib import Path

from runec.diagnostics import UserFileError

DEFAULT_NAMES = ("Runefile.yml", "Runefile")


def which_runefile(given: Path | None, verb: str) -> Path:
    """Return the file given; for a folder its Runefile.yml, or else its Runefile.

    Without any, the folder is the current one.

    Raises:
        UserFileError: R1103, the folder has neither.
    """
    if given is not None and not given.is_dir():
        return given
    folder = given or Path()
    for name in DEFAULT_NAMES:
        if (folder / name).is_file():
            return folder / name
    where = "this folder" if given is None else str(given)
    raise UserFileError(
        "R1103",
        f"there is no {' and no '.join(DEFAULT_NAMES)} in {where}",
        hint=f"name the Runefile: runec {verb} path/to/Runefile.yml",
    )
