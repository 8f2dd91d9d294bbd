"""The block that docs/guides/blocks.md makes works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.frontend import analyse_text
from runec.proc_blocks import Catalogue, load_block, template_dir
from runec.proc_blocks.vectors import load_vectors
from runec.vm.block_tests import run_block_tests

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "blocks.md"
FILES = ("block.toml", "block.c", "tests.toml", "stage.yaml")


@pytest.fixture
def scale(tmp_path: Path) -> Path:
    """The guide's files, in their order, in a folder."""
    fences = re.findall(r"```(?:toml|c|yaml)\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "scale").mkdir()
    for name, text in zip(FILES, fences, strict=True):
        (tmp_path / "scale" / name).write_text(text)
    return tmp_path / "scale"


def test_the_guides_block_multiplies(
    use: Use, scale: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalogue, "builtin", lambda: Catalogue(scale.parent))
    for alive in (False, True):
        block = use("scale", "f32[3]", alive=alive, factor=2.5)
        assert block.array([1, -2, 0]).tolist() == [2.5, -5, 0]


def test_the_guides_tests_pass(scale: Path) -> None:
    block = load_block(scale)
    assert [outcome.is_ok for outcome in run_block_tests(block, load_vectors(block))] == [True]


def test_the_guides_stage_names_it(scale: Path) -> None:
    text = "version: 1\nimage: runicos/base\npipeline:\n"
    text += "  audio: {capability: RAW, outputs: [{type: f32}]}\n"
    text += (scale / "stage.yaml").read_text() + "  serial: {out: serial, inputs: [louder]}\n"
    (stage,) = analyse_text(text, "Runefile.yml", scale.parent, "x").pipeline.proc_blocks
    assert (stage.block, stage.arguments) == ("scale", {"factor": 2.5})


def test_a_new_block_is_the_guides(scale: Path) -> None:
    template = (template_dir() / "block.toml").read_text()
    assert template.split("\n", 1)[1] == (scale / "block.toml").read_text()
    assert (template_dir() / "block.c").read_text() == (scale / "block.c").read_text()
