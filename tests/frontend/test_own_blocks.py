"""Blocks in folders behave like built-in ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.diagnostics import Diagnostic, render
from runec.frontend import Analysis, analyse, analyse_text
from runec.frontend.convert import convert

YAML = """\
version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: f32, dimensions: [2]}]}
  same: {proc-block: PATH, inputs: [input]}
  serial: {out: serial, inputs: [same]}
"""
LEGACY = """\
FROM runicos/base
CAPABILITY<f32[2]> input RAW
PROC_BLOCK<_,_> same PATH
OUT serial
RUN input same serial
"""

Diagnose = Callable[..., tuple[Diagnostic, ...]]


@pytest.mark.parametrize("text", [YAML, LEGACY], ids=["yaml", "legacy"])
def test_its_stage_is_that_of_the_same_block_in_the_catalogue(
    analyse_in: Callable[..., Analysis], folder: Path, text: str
) -> None:
    shutil.copytree(folder / "my_block", folder / "blocks" / "identity")
    file_name = "Runefile.yml" if text is YAML else "Runefile"
    ours = analyse_in(text.replace("PATH", "./blocks/identity"), file_name)
    known = analyse_in(text.replace("PATH", "identity"), file_name)
    (stage,), (wanted,) = ours.pipeline.proc_blocks, known.pipeline.proc_blocks
    assert stage == msgspec.structs.replace(wanted, path="./identity", block=stage.block)
    paths = (stage.block.own_path, wanted.block.own_path)
    assert paths == (folder / "blocks" / "identity", None)
    assert ours.warnings == ()


@pytest.mark.parametrize("path", ["./my_block", "./my_block/", "../p/my_block", "./x/../my_block"])
def test_the_way_begins_at_the_runefile_or_at_the_folder_that_is_given(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    project = tmp_path_factory.mktemp("any") / "p"
    shutil.copytree(folder, project)
    (project / "x").mkdir()
    (project / "Runefile.yml").write_text(YAML.replace("PATH", path))
    (stage,) = analyse(project / "Runefile.yml").pipeline.proc_blocks
    assert (stage.block.name, stage.path) == ("my_block", "./my_block")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "Runefile.yml"
    elsewhere.write_text(YAML.replace("PATH", path))
    (same,) = analyse(elsewhere, base_dir=project).pipeline.proc_blocks
    assert same == stage


def test_a_mistake_in_the_description_points_into_it_and_at_the_stage_once(
    diagnose: Diagnose, folder: Path
) -> None:
    description = folder / "my_block" / "block.toml"
    description.write_text(description.read_text().replace("in_place", "inplace"))
    text = YAML.replace("PATH", "./my_block")
    text = text.replace("  serial", "  again: {proc-block: ./my_block, inputs: [same]}\n  serial")
    (said,) = diagnose(text)
    drawn = render(said)
    assert said.code == "R0430"
    assert f"--> {description}:3:1" in drawn
    assert "3 | inplace = true" in drawn
    assert "--> Runefile.yml:5:22" in drawn
    assert '"in_place"' in drawn.splitlines()[-1]


def test_its_arguments_and_types_are_checked_like_any_others(
    diagnose: Diagnose, folder: Path
) -> None:
    modulo = Path(analyse.__code__.co_filename).parents[1] / "proc_blocks" / "blocks" / "modulo"
    shutil.copytree(modulo, folder / "mine")
    stage = "{proc-block: ./mine, inputs: [input], args: {modulo: 0}}"
    said = diagnose(YAML.replace("{proc-block: PATH, inputs: [input]}", stage))
    assert [item.code for item in said if item.span is not None and item.span.line == 5]
    wrong = YAML.replace("f32", "utf8").replace("RAW", "RAW")
    assert "R0205" in {item.code for item in diagnose(wrong.replace("PATH", "./mine"))}


def test_a_block_in_rust_makes_way_for_runecs_own_of_that_name(diagnose: Diagnose) -> None:
    (said,) = diagnose(YAML.replace("PATH", "./identity"))
    assert (said.code, said.severity.value) == ("R0124", "warning")


def test_the_originals_pipeline_with_a_block_beside_it_still_means_something(
    analyse_in: Callable[..., Analysis],
) -> None:
    """As its integration test proc-block-with-multiple-inputs-and-outputs has it, crate and all."""
    text = YAML.replace("PATH, inputs: [input]", '"./identity", inputs: [input, input]')
    analysis = analyse_in(text.replace("[same]", "[same.0, same.1]"))
    (stage,) = analysis.pipeline.proc_blocks
    assert (stage.block.name, len(stage.outputs), stage.block.own_path) == ("identity", 2, None)
    assert [item.code for item in analysis.warnings] == ["R0124"]


def test_converting_keeps_the_path(folder: Path) -> None:
    converted = convert(LEGACY.replace("PATH", "./my_block"), "Runefile", folder)
    assert "proc-block: ./my_block" in converted
    (stage,) = analyse_text(converted, "Runefile.yml", folder, "x").pipeline.proc_blocks
    assert stage.block.name == "my_block"
