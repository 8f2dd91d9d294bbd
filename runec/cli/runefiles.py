"""Selection of the Runefile of a verb."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runec.diagnostics import UserFileError
from runec.files import is_file, is_folder

DEFAULT_NAMES = ("Runefile.yml", "Runefile")


def which_runefile(given: Path | None) -> Path:
    """Return the given file; for a folder its Runefile.yml, or else its Runefile.

    Without any, the folder is the current one.

    Raises:
        UserFileError: R1103, the folder has neither; R1003, it cannot be looked into.
    """
    if given is not None and not is_folder(given):
        return given
    folder = given or Path()
    for name in DEFAULT_NAMES:
        if is_file(folder / name):
            return folder / name
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UserFileError(
            "R1003",
            f"cannot read the folder {folder}: permission denied",
            hint="name a readable folder",
        )
    where = "this folder" if given is None else str(given)
    raise UserFileError(
        "R1103",
        f"no {' or '.join(DEFAULT_NAMES)} in {where}",
        hint=f"name the Runefile: {click.get_current_context().command_path} path/to/Runefile.yml",
    )
