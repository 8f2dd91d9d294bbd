"""The block that docs/guides/blocks.md makes works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.proc_blocks import Catalogue

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "blocks.md"


def test_the_guides_block_multiplies(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fences = re.findall(r"```(toml|c)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "scale").mkdir()
    for language, text in fences:
        (tmp_path / "scale" / f"block.{language}").write_text(text)
    monkeypatch.setattr(Catalogue, "builtin", lambda: Catalogue(tmp_path))
    for alive in (False, True):
        block = use("scale", "f32[3]", alive=alive, factor=2.5)
        assert block.array([1, -2, 0]).tolist() == [2.5, -5, 0]
