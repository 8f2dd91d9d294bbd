"""Inputs of a build, and facts that it must not depend on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from runec.codegen import compile_pipeline, generate
from runec.codegen.build import _Workshop
from runec.codegen.folders import Folders, dependencies
from runec.codegen.generate import GeneratedCode
from runec.codegen.toolchain import find_toolchain
from runec.diagnostics import MachineError
from runec.pipeline import Pipeline


def linked(code: GeneratedCode, folder: Path) -> None:
    folder.mkdir(parents=True)
    _Workshop(find_toolchain(), folder).build(code)


@pytest.fixture
def own_block(sine: Pipeline) -> Callable[[Path], GeneratedCode]:
    """The sine pipeline with its block in a folder of the test's."""

    def make(folder: Path) -> GeneratedCode:
        code = generate(sine)
        (unit,) = code.units
        if not folder.exists():
            shutil.copytree(unit.block.directory, folder)
        block = msgspec.structs.replace(unit.block, directory=folder)
        own = replace(unit, stage=msgspec.structs.replace(unit.stage, block=block))
        return GeneratedCode(code.files, code.plan, (own,))

    return make


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ("one/a.h", ("one", "a.h")),
        ("./one/sub/../a.h", ("one", "sub/../a.h")),
        ("stage.h", ("", "stage.h")),
        ("one/../b.h", None),
        ("one/../one/a.h", None),
        ("one/sub/../../one/a.h", None),
        ("one/link.h", None),
        ("one/same.h", ("one", "same.h")),
        ("one/up/b.h", None),
        ("two/a.h", None),
        ("/etc/hosts", None),
    ],
)
def test_a_path_is_within_a_folder_or_it_is_not(
    tmp_path: Path, path: str, within: tuple[str, str] | None
) -> None:
    place, one = tmp_path / "place", tmp_path / "one"
    for folder in (place, one, one / "sub"):
        folder.mkdir()
    for file in (one / "a.h", tmp_path / "b.h"):
        file.write_text("")
    (one / "link.h").symlink_to(tmp_path / "b.h")
    (one / "same.h").symlink_to("a.h")
    (one / "up").symlink_to(tmp_path)
    folders = Folders(place, {"one": one})
    folders.make()
    folders.make()
    assert folders.within(path) == within


@pytest.mark.parametrize("name", ["CPATH", "C_INCLUDE_PATH"])
def test_headers_of_the_users_environment_are_not_used(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "stdint.h").write_text("#error the wrong one\n")
    (tmp_path / "rune_block.h").write_text("#error the wrong one\n")
    expected = compile_pipeline(sine)
    monkeypatch.setenv(name, str(tmp_path))
    assert compile_pipeline(sine) == expected


def test_a_block_can_tell_neither_its_folder_nor_the_date(
    own_block: Callable[[Path], GeneratedCode], tmp_path: Path
) -> None:
    objects = set()
    for folder in (tmp_path / "one", tmp_path / "two, longer"):
        code = own_block(folder)
        source = folder / "block.c"
        text = source.read_text()
        source.write_text(
            f"{text}\nconst char *where(void);\nconst char *where(void) {{ return __FILE__; }}\n"
        )
        linked(code, folder / "w")
        objects.add((folder / "w" / "stage_2_mod360.o").read_bytes())
        source.write_text(f"{text}\nextern const char when[];\nconst char when[] = __DATE__;\n")
        with pytest.raises(MachineError) as caught:
            linked(code, folder / "w2")
        assert "reproducible" in str(caught.value.notes)
    assert len(objects) == 1
    assert b"block.c" in objects.pop()


def test_a_make_rule_is_read_with_its_escapes() -> None:
    rule = "stage.o: /a\\ b/block.c \\\n  ./stage.h /c$$d/e\\#.h\n"
    assert dependencies(rule) == ["/a b/block.c", "./stage.h", "/c$d/e#.h"]
