"""What a build takes from the store, and what it must not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runec.cache import Store
from runec.codegen import build as build_module
from runec.codegen import compile_pipeline, generate
from runec.codegen.build import _Workshop
from runec.codegen.generate import BlockUnit, GeneratedCode
from runec.codegen.keys import FILES_MAX, Folders, dependencies, read_tree
from runec.codegen.toolchain import Toolchain, find_toolchain
from runec.container import WasmModule
from runec.diagnostics import MachineError, UserFileError
from runec.pipeline import Pipeline, ProcBlock
from runec.tools import Finished, run_tool

Ran = list[str]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The outputs of the tools that were run."""
    outputs: Ran = []

    def listen(command: Sequence[str], **options: object) -> Finished:
        outputs.append(command[-1])
        return run_tool(command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module, "run_tool", listen)
    return outputs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def entries(store: Store) -> list[Path]:
    assert store._folder is not None
    return sorted(path for path in store._folder.rglob("*") if path.is_file())


def test_a_second_build_runs_no_tool_and_gives_the_same_bytes(
    sine: Pipeline, store: Store, ran: Ran
) -> None:
    first = compile_pipeline(sine, store=store)
    assert sorted(ran) == ["glue.o", "linked.wasm", "stage_2_mod360.o"]
    ran.clear()
    assert compile_pipeline(sine, store=store) == first == compile_pipeline(sine)
    assert sorted(ran) == ["glue.o", "linked.wasm", "stage_2_mod360.o"], "the one without a store"


def test_only_what_an_argument_changes_is_compiled_again(
    sine: Pipeline, store: Store, ran: Ran
) -> None:
    compile_pipeline(sine, store=store)
    ran.clear()
    stages = [
        replace(stage, arguments={"modulus": 180.0}) if isinstance(stage, ProcBlock) else stage
        for stage in sine.stages
    ]
    changed = replace(sine, stages=tuple(stages))
    # The comment in the glue names the lines of the Runefile, which this one still has.
    assert compile_pipeline(changed, store=store) == compile_pipeline(changed)
    assert ran[:2] == ["stage_2_mod360.o", "linked.wasm"]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "long"])
def test_a_damaged_entry_is_made_anew(sine: Pipeline, store: Store, ran: Ran, damage: str) -> None:
    first = compile_pipeline(sine, store=store)
    wholes = {path: path.read_bytes() for path in entries(store)}
    for path, whole in wholes.items():
        flipped = whole[:-1] + bytes((whole[-1] ^ 1,))
        path.write_bytes(
            {"cut": whole[:-1], "flip": flipped, "empty": b"", "long": whole + b"\0"}[damage]
        )
    ran.clear()
    assert compile_pipeline(sine, store=store) == first
    assert len(ran) == 3
    assert {path: path.read_bytes() for path in entries(store)} == wholes


def test_a_store_that_cannot_be_written_changes_no_byte(sine: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = Store(tmp_path / "file" / "store")
    assert compile_pipeline(sine, store=store) == compile_pipeline(sine)
    assert store.warning is not None


def test_a_refused_source_is_refused_each_time(
    sine: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "GLUE_STACK_BYTES", -1)
    for _ in range(2):
        with pytest.raises(UserFileError) as caught:
            compile_pipeline(sine, store=store)
        assert caught.value.code == "R0504"


def linked(code: GeneratedCode, store: Store, folder: Path, toolchain: Toolchain) -> WasmModule:
    folder.mkdir(parents=True, exist_ok=True)
    return _Workshop(toolchain, folder, store, toolchain.identity()).build(code)


@pytest.fixture
def own_block(sine: Pipeline) -> Callable[[Path], GeneratedCode]:
    """The sine pipeline with its block in a folder of the test's."""

    def make(folder: Path) -> GeneratedCode:
        code = generate(sine)
        (unit,) = code.units
        if not folder.exists():
            shutil.copytree(unit.block.directory, folder)
        own = BlockUnit(unit.symbol, unit.header, replace(unit.block, directory=folder))
        return GeneratedCode(code.files, code.plan, (own,))

    return make


def test_a_change_beside_or_in_the_block_is_compiled_and_a_folder_or_time_is_not(
    own_block: Callable[[Path], GeneratedCode], store: Store, ran: Ran, tmp_path: Path
) -> None:
    tools = find_toolchain()
    one = own_block(tmp_path / "one")
    first = linked(one, store, tmp_path / "w1", tools)
    ran.clear()
    other = own_block(tmp_path / "a longer name, ü")
    os.utime(tmp_path / "a longer name, ü" / "block.c", (1, 1))
    assert linked(other, store, tmp_path / "w2", tools) == first
    assert ran == []
    source = tmp_path / "one" / "block.c"
    text = source.read_text()
    source.write_text(text + '#include "table.h"\n')
    (tmp_path / "one" / "table.h").write_text("/* nothing */\n")
    linked(one, store, tmp_path / "w3", tools)
    assert ran == ["stage_2_mod360.o"], "and the object is the same, and so the module"
    ran.clear()
    (tmp_path / "one" / "table.h").write_text("#error found me\n")
    with pytest.raises(MachineError) as caught:
        linked(one, store, tmp_path / "w4", tools)
    assert "found me" in str(caught.value.notes)


def test_what_includes_a_file_that_no_key_has_is_never_kept(
    own_block: Callable[[Path], GeneratedCode], store: Store, ran: Ran, tmp_path: Path
) -> None:
    code = own_block(tmp_path / "one")
    source = tmp_path / "one" / "block.c"
    source.write_text(source.read_text() + '#include "far away.txt"\n')
    (tmp_path / "one" / "far away.txt").write_text("/* nothing */\n")
    for turn in range(2):
        linked(code, store, tmp_path / f"w{turn}", find_toolchain())
    assert ran.count("stage_2_mod360.o") == 2


def test_a_file_that_a_block_looks_for_is_part_of_the_key(
    own_block: Callable[[Path], GeneratedCode], store: Store, ran: Ran, tmp_path: Path
) -> None:
    code = own_block(tmp_path / "a=b")
    source = tmp_path / "a=b" / "block.c"
    source.write_text(
        source.read_text() + '#if __has_include("words.txt")\n#error found me\n#endif\n'
    )
    linked(code, store, tmp_path / "w1", find_toolchain())
    ran.clear()
    linked(code, store, tmp_path / "w2", find_toolchain())
    assert ran == []
    (tmp_path / "a=b" / "words.txt").write_text("")
    with pytest.raises(MachineError) as caught:
        linked(code, store, tmp_path / "w3", find_toolchain())
    assert "found me" in str(caught.value.notes)


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


def test_another_compiler_compiles_again(
    sine: Pipeline, store: Store, ran: Ran, tmp_path: Path
) -> None:
    tools = find_toolchain()
    program = tmp_path / "clang"
    program.write_text(f'#!/bin/sh\nexec {tools.compiler[0]} "$@"\n')
    program.chmod(0o755)
    other = Toolchain((str(program), *tools.compiler[1:]), tools.linker)
    code = generate(sine)
    linked(code, store, tmp_path / "w1", other)
    ran.clear()
    os.utime(program, (1, 1))
    linked(code, store, tmp_path / "w2", other)
    assert len(ran) == 3
    ran.clear()
    linked(code, store, tmp_path / "w3", other)
    assert ran == []


def test_a_block_changed_while_it_is_compiled_is_not_kept_as_what_it_was(
    own_block: Callable[[Path], GeneratedCode],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = own_block(tmp_path / "one")
    source = tmp_path / "one" / "block.c"
    before = source.read_text()

    def edit(command: Sequence[str], **options: object) -> Finished:
        source.write_text(before + "/* edited */\n")
        return run_tool(command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module, "run_tool", edit)
    linked(code, store, tmp_path / "w1", find_toolchain())
    source.write_text(before)
    commands: list[str] = []

    def count(command: Sequence[str], **options: object) -> Finished:
        commands.append(command[-1])
        return run_tool(command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module, "run_tool", count)
    linked(code, store, tmp_path / "w2", find_toolchain())
    assert commands == ["stage_2_mod360.o"]


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
        linked(code, Store(None), folder / "w", find_toolchain())
        objects.add((folder / "w" / "stage_2_mod360.o").read_bytes())
        source.write_text(f"{text}\nextern const char when[];\nconst char when[] = __DATE__;\n")
        with pytest.raises(MachineError) as caught:
            linked(code, Store(None), folder / "w2", find_toolchain())
        assert "reproducible" in str(caught.value.notes)
    assert len(objects) == 1
    assert b"block.c" in objects.pop()


def test_a_make_rule_is_read_with_its_escapes() -> None:
    rule = "stage.o: /a\\ b/block.c \\\n  ./stage.h /c$$d/e\\#.h\n"
    assert dependencies(rule) == ["/a b/block.c", "./stage.h", "/c$d/e#.h"]


def test_a_folder_nobody_can_vouch_for_has_no_tree(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.c").write_text("")
    (tmp_path / "c.txt").write_text("")
    tree = read_tree(tmp_path)
    assert tree is not None
    assert list(tree.files) == ["a.c"]
    assert tree.others == ("c.txt",)
    assert tree.holds("x/../a.c")
    assert not tree.holds("c.txt")
    assert not tree.holds("/usr/a.c")
    for number in range(FILES_MAX):
        (tmp_path / f"{number}.h").write_text("")
    assert read_tree(tmp_path) is None
