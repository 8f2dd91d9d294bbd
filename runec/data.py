"""Location of the data folders: `boards/`, `firmware_templates/`.

In a checkout they are top-level folders; an installed wheel carries them inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """Return the folder `name`. Raises FileNotFoundError for an incomplete installation."""
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"runec's data folder {name!r} is missing: reinstall runec")
