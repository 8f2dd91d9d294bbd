"""Files of other projects, which lie in ../shared and are not part of this one.

Their licences or sizes keep them out. A test that needs one has the marker `originals` with the
files' names, and is skipped by name where one is absent. Nothing else reads ../shared: what can be
tested with files of our own (examples/, or made by a test) is tested with them, everywhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
EXAMPLES = PROJECT / "examples"
DATA = PROJECT.parent / "shared" / "data"
HOTG = DATA / "hotg"


def skip_where_absent(item: pytest.Item) -> None:
    """Skip a test whose marker `originals` names a file that is not there.

    Raises:
        pytest.UsageError: the marker names no file.
    """
    for marker in item.iter_markers("originals"):
        if not marker.args:
            raise pytest.UsageError(f"{item.nodeid}: the marker originals names no file")
        for name in marker.args:
            if not (DATA / name).is_file():
                pytest.skip(f"../shared/data/{name} is not there")


def needing(*files: str) -> pytest.MarkDecorator:
    """Return the marker of a test, or of one of its parameters, that needs files of the original.

    `files` are relative to `HOTG`.
    """
    return pytest.mark.originals(*(f"hotg/{name}" for name in files))
