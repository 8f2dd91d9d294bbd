"""Nothing is skipped without a name: the rules of `tests.originals`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import originals

TESTS = Path(__file__).resolve().parent


def test_files_of_others_are_read_through_the_marker_alone() -> None:
    """Whatever else reads ../shared would be skipped, or fail, where that folder is not there."""
    reads = re.compile(r"shared\W{1,5}data\b")
    found = {path.name for path in TESTS.rglob("*.py") if reads.search(path.read_text("utf-8"))}
    assert found == {"originals.py", "test_originals.py"}


def marked(request: pytest.FixtureRequest, *names: str) -> pytest.Item:
    item = request.node
    assert isinstance(item, pytest.Item)
    item.add_marker(pytest.mark.originals(*names))
    return item


def test_a_file_that_is_not_there_skips_by_name(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(originals, "DATA", tmp_path)
    (tmp_path / "a").touch()
    item = marked(request, "a")
    originals.skip_where_absent(item)
    item.add_marker(pytest.mark.originals("a", "b"))
    with pytest.raises(pytest.skip.Exception, match=r"^\.\./shared/data/b is not there$"):
        originals.skip_where_absent(item)


def test_a_marker_without_files_is_a_mistake(request: pytest.FixtureRequest) -> None:
    with pytest.raises(pytest.UsageError, match="names no file"):
        originals.skip_where_absent(marked(request))
