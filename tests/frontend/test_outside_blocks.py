"""Blocks outside of the Runefile's folder: accepted, but no file of them leads out of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.codegen import compile_pipeline
from runec.diagnostics import RunecError
from runec.frontend import analyse
from runec.pipeline import Pipeline
from tests.common import IDENTITY_MANIFEST

RUNEFILE = """\
image: runicos/base
version: 1
pipeline:
  raw: {capability: RAW, outputs: [{type: f32, dimensions: [4]}]}
  mine: {proc-block: "%s", inputs: [raw], outputs: [{type: f32, dimensions: [4]}]}
  serial: {out: SERIAL, inputs: [mine]}
"""
CODE = """\
#include "rune_block.h"
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < RUNE_OUT0_COUNT; i++) {
        out0[i] = in0[i];
    }
    return RUNE_OK;
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shared = tmp_path / "blocks" / "copy"
    shared.mkdir(parents=True)
    (shared / "block.toml").write_text(IDENTITY_MANIFEST)
    (shared / "block.c").write_text(CODE)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "linked").symlink_to(shared)
    return folder


def read(folder: Path, block: str) -> Pipeline:
    (folder / "Runefile.yml").write_text(RUNEFILE % block)
    return analyse(folder / "Runefile.yml").pipeline


@pytest.mark.parametrize("block", ["../blocks/copy", "./linked"])
def test_a_shared_block_needs_no_option(project: Path, block: str) -> None:
    (stage,) = read(project, block).proc_blocks
    assert stage.block.own_path is not None
    assert stage.block.own_path.resolve() == (project / ".." / "blocks" / "copy").resolve()


def test_a_block_that_is_no_block_is_refused(project: Path) -> None:
    (project.parent / "private").mkdir()
    (project.parent / "private" / "block.toml").write_text('password = "x"\n')
    with pytest.raises(RunecError) as caught:
        read(project, "../private")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("name", ["block.c", "table.h"])
def test_no_file_of_a_block_leads_out_of_its_folder(project: Path, name: str) -> None:
    shared = project.parent / "blocks" / "copy"
    (shared / "block.c").write_text(f'#include "table.h"\n{CODE}')
    (shared / "table.h").write_text("static const int table = 1;\n")
    private = project.parent / "private"
    (shared / name).rename(private)
    (shared / name).symlink_to(private)
    with pytest.raises(RunecError) as caught:
        compile_pipeline(read(project, "../blocks/copy"))
    assert caught.value.code == "R0508"
