"""The files in vectors/ follow docs/spec/rune.md or break it; any reader of runes can use them.

Each holds hexadecimal digits; the first line says `ok` or the error's code, the second what it is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.container import read_rune
from runec.diagnostics import UserFileError

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.hex"))


def load(path: Path) -> tuple[str, bytes]:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert lines[1].startswith("# ")
    return lines[0][2:], bytes.fromhex("".join(lines[2:]))


def test_there_are_vectors_of_both_sorts() -> None:
    verdicts = {load(path)[0] for path in VECTORS}
    assert "ok" in verdicts
    assert verdicts >= {f"R06{number:02}" for number in range(1, 10)}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_vector_gets_its_verdict(path: Path) -> None:
    verdict, data = load(path)
    if verdict == "ok":
        assert not read_rune(data).is_legacy
        return
    with pytest.raises(UserFileError) as caught:
        read_rune(data)
    assert caught.value.code == verdict
