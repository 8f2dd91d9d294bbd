"""The block that docs/guides/blocks.md makes works as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from runec.cli import execute
from runec.frontend import analyse_text
from runec.proc_blocks import Catalogue, load_block, sdk_dir, template_dir
from runec.proc_blocks.manifest import ArgumentRule, InputRule, Manifest, OutputRule
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
    assert (stage.block.name, stage.arguments) == ("scale", {"factor": 2.5})


def test_a_new_block_is_the_guides(scale: Path) -> None:
    template = (template_dir() / "block.toml").read_text()
    assert template.split("\n", 1)[1] == (scale / "block.toml").read_text()
    assert (template_dir() / "block.c").read_text() == (scale / "block.c").read_text()


TABLES: dict[str, type[msgspec.Struct]] = {
    "top": Manifest,
    "`[[arguments]]`": ArgumentRule,
    "`[[inputs]]`": InputRule,
    "`[[outputs]]`": OutputRule,
}


def test_the_guide_lists_every_key_and_which_are_required() -> None:
    listed: dict[str, dict[str, str]] = {}
    table = ""
    for line in GUIDE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 4 or cells[2] not in ("required", "optional"):
            continue
        table = cells[0] or table
        for key in re.findall(r"`(\w+)`", cells[1]):
            listed.setdefault(table, {})[key] = cells[2]
    assert listed == {
        name: {
            field.name: "required" if field.required else "optional"
            for field in msgspec.structs.fields(struct)
        }
        for name, struct in TABLES.items()
    }


def test_the_guides_commands_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    texts = [text for language, text in fences if not language]
    lines = [shlex.split(line, comments=True) for text in texts for line in text.splitlines()]
    assert [line[0] for line in lines] == ["runec", "runec", "runec", "python"]
    for program, *arguments in lines:
        if program == "runec":
            assert execute(arguments) == 0
        else:
            subprocess.run([sys.executable, *arguments], check=True)
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == str(sdk_dir())
    assert (Path(said[-1]) / "rune_block.h").is_file()
    assert f'"{said[-1]}"' in (tmp_path / "scale" / "compile_commands.json").read_text()
