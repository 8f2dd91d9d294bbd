from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.codegen import Toolchain
from runec.proc_blocks import Catalogue, load_block

RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: f32, dimensions: [2]}]}
  louder: {proc-block: ./mine, inputs: [input], args: {factor: 2.5}}
  serial: {out: serial, inputs: [louder]}
"""
Runec = Callable[..., Any]


@pytest.fixture
def mine(runec: Runec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a new block in it, below a current folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    assert runec("block", "new", "mine").code == 0
    return tmp_path / "mine"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_is_made_passes_its_tests_as_it_says(
    runec: Runec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = json.loads(
        runec("block", "new", "my-block", "--dir", "a folder", "--format", "json").stdout
    )
    folder = tmp_path / told["folder"]
    assert sorted(path.name for path in folder.iterdir()) == told["files"]
    assert (folder / "README.md").read_text().startswith("# my-block\n")
    (line,) = told["next"]
    program, *arguments = shlex.split(line)
    done = runec(*arguments)
    assert (program, done.code) == ("runec", 0)
    assert [text.split()[1] for text in done.stdout.splitlines()] == ["ok", "ok"]
    told = runec(*arguments, "--format", "json").stdout.splitlines()
    assert json.loads(told[0]) == {
        "block": "my-block",
        "test": "multiplies every element",
        "status": "ok",
        "problem": None,
        "differences": [],
    }


@pytest.mark.parametrize("name", ["", "1st", "a/b", "..", "ö", "a" * 65, "-x y"])
def test_a_name_that_no_runefile_can_write_is_refused(runec: Runec, name: str) -> None:
    assert runec("block", "new", "--", name).code == 2


def test_a_folder_with_something_in_it_is_left_alone(runec: Runec, mine: Path) -> None:
    edit(mine / "block.c", "RUNE_ARG_FACTOR", "3.0f")
    before = (mine / "block.c").read_bytes()
    assert "error[R1107]" in runec("block", "new", "mine").stderr
    assert (mine / "block.c").read_bytes() == before


def test_every_verb_knows_a_block_beside_the_runefile(runec: Runec, mine: Path) -> None:
    Path("Runefile.yml").write_text(RUNEFILE)
    Path("in.bin").write_bytes(bytes.fromhex("0000803f 000000c0"))
    assert (runec("check").code, runec("check").stdout) == (0, "")
    assert runec("build", "-o", "x.rune").code == 0
    line = json.loads(runec("run", "x.rune", "--raw", "in.bin").stdout)
    assert line["2"][0]["elements"] == [2.5, -5.0]
    assert "mine" in runec("graph").stdout
    assert runec("fmt", "Runefile.yml").code == 0
    assert "./mine" in Path("Runefile.yml").read_text()
    assert runec("inspect", "x.rune").code == 0
    shutil.copytree(mine, "elsewhere/mine")
    Path("elsewhere/Other.yml").write_text(RUNEFILE)
    done = runec("build", "elsewhere/Other.yml", "-o", "y.rune", "-n", Path.cwd().name)
    assert done.code == 0
    assert Path("x.rune").read_bytes() == Path("y.rune").read_bytes()
    assert b"elsewhere" not in Path("y.rune").read_bytes()


def test_a_mistake_in_its_c_is_told_by_check_and_build_at_its_place(
    runec: Runec, mine: Path
) -> None:
    Path("Runefile.yml").write_text(RUNEFILE)
    edit(mine / "block.c", "RUNE_ARG_FACTOR", "RUNE_ARG_FACTR")
    done = runec("build")
    assert done.code == 1
    assert "error[R0508]" in done.stderr
    assert "--> mine/block.c:6:47" in done.stderr


@pytest.mark.parametrize(
    ("body", "code", "timeout"),
    [
        ("__builtin_trap();", "R0708", 60),
        ("static volatile int x; while (x == 0) {} ", "R0711", 1),
        ("*(volatile int *)0x7fffff00 = 1;", "R0708", 60),
    ],
)
def test_a_block_that_goes_wrong_ends_its_test_and_nothing_else(
    runec: Runec, mine: Path, body: str, code: str, timeout: int
) -> None:
    tests = (mine / "tests.toml").read_text().split("[[tests]]")
    (mine / "tests.toml").write_text(f"[[tests]]{tests[1]}")
    edit(mine / "block.c", "{\n    for", f"{{\n    {body}\n    for")
    done = runec("block", "test", "mine", "--timeout", str(timeout))
    assert done.code == 3
    assert done.stdout.count(code) == 1
    assert "error[R0730]: 1 of 1 tests failed" in done.stderr


def test_a_difference_is_shown_element_by_element(runec: Runec, mine: Path) -> None:
    edit(mine / "tests.toml", "[2.5, -5.0]", "[2.25, -5.0]")
    edit(mine / "tests.toml", "[[3.5, nan, inf, -0.0]]\noutputs", "[[3.5, nan, inf, 0.0]]\noutputs")
    done = runec("block", "test", mine)
    assert done.code == 3
    assert done.stdout.splitlines() == [
        "mine: FAILED  multiplies every element",
        "mine:           run 0, output 0, f32[2, 2] element 0: expected 2.25, got 2.5",
        "mine: FAILED  hands numbers on as they are unless told otherwise",
        "mine:           run 0, output 0, f32[4] element 3: expected -0.0, got 0.0",
    ]


def test_a_block_without_tests_says_how_to_write_some(runec: Runec, mine: Path) -> None:
    (mine / "tests.toml").unlink()
    done = runec("block", "test", mine)
    assert done.code == 1
    assert "error[R0432]" in done.stderr


def test_the_catalogue_is_listed_for_people_and_programs(runec: Runec) -> None:
    names = list(Catalogue.builtin().names())
    assert [line.split()[0] for line in runec("block", "list").stdout.splitlines()[1:]] == names
    told = [
        json.loads(line) for line in runec("block", "list", "--format", "json").stdout.splitlines()
    ]
    assert [block["name"] for block in told] == names
    (label,) = [block for block in told if block["name"] == "label"]
    assert label["arguments"][0]["aliases"] == ["labels"]
    assert label["outputs"] == [
        {"element": "utf8", "elements": [], "shape": "input", "repeat": False}
    ]


def test_a_block_is_shown_by_any_spelling_of_it_or_its_folder(runec: Runec, mine: Path) -> None:
    plain = runec("block", "show", "label").stdout
    assert "labels" in plain
    assert "# label" in plain
    assert runec("block", "show", "hotg-ai/proc-blocks@v0.11.3#label").stdout == plain
    told = json.loads(runec("block", "show", "./mine", "--format", "json").stdout)
    assert told["name"] == load_block(mine).name == "mine"
    assert told["readme"].startswith("# mine")
    done = runec("block", "show", "lable")
    assert done.code == 2
    assert 'did you mean "label"?' in done.stderr
    edit(mine / "block.toml", "in_place", "inplace")
    assert "block.toml:4:1" in runec("block", "show", "./mine").stderr


@pytest.fixture
def database(runec: Runec, mine: Path) -> dict[str, Any]:
    done = runec("block", "compile-commands", "mine", "--format", "json")
    assert json.loads(done.stdout) == {"block": "mine", "path": "mine/compile_commands.json"}
    (entry,) = json.loads((mine / "compile_commands.json").read_text())
    assert entry["directory"] == str(mine)
    assert entry["file"] == "block.c"
    return dict(entry)


def syntax(entry: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*entry["arguments"], "-fsyntax-only"],
        cwd=entry["directory"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_database_makes_a_block_understood(database: dict[str, Any], mine: Path) -> None:
    done = syntax(database)
    assert (done.returncode, done.stderr) == (0, "")
    edit(mine / "block.c", "RUNE_ARG_FACTOR", "RUNE_ARG_FACTORS")
    assert "use of undeclared identifier 'RUNE_ARG_FACTORS'" in syntax(database).stderr


def test_clangd_finds_no_mistake(database: dict[str, Any], mine: Path) -> None:
    clangd = shutil.which("clangd")
    if clangd is None:
        pytest.skip("clangd is not installed")
    done = subprocess.run(
        [clangd, "--check=block.c"], cwd=mine, capture_output=True, text=True, check=False
    )
    assert f"Loaded compilation database from {mine}" in done.stderr
    assert done.returncode == 0, done.stderr
    assert database["file"] == "block.c"


def test_the_database_shows_the_use_in_the_first_test(runec: Runec, mine: Path) -> None:
    edit(mine / "tests.toml", "factor = 2.5", "factor = 7.0")
    assert runec("block", "compile-commands", mine).code == 0
    assert (
        "#define RUNE_ARG_FACTOR 0x1.c000000000000p+2f" in (mine / ".runec" / "use.h").read_text()
    )


def test_the_database_does_not_change_the_block(runec: Runec, mine: Path) -> None:
    (mine.parent / "Runefile.yml").write_text(RUNEFILE)
    assert runec("build", "-o", "before.rune").code == 0
    assert runec("block", "compile-commands", "mine").code == 0
    assert runec("build", "-o", "after.rune").code == 0
    assert Path("before.rune").read_bytes() == Path("after.rune").read_bytes()


def test_another_compilation_database_is_replaced_with_force(runec: Runec, mine: Path) -> None:
    path = mine / "compile_commands.json"
    for other in ("[]", '[{"directory": "/x", "file": "block.c", "command": "cc -c"}]', "no JSON"):
        path.write_text(other)
        done = runec("block", "compile-commands", "mine")
        assert (done.code, path.read_text()) == (1, other)
        assert "error[R1107]" in done.stderr
    assert runec("block", "compile-commands", "mine", "--force").code == 0
    assert ".runec/use.h" in path.read_text()
    assert runec("block", "compile-commands", "mine").code == 0


def test_the_editors_files_stay_in_the_block(runec: Runec, mine: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (mine / ".runec").symlink_to(tmp_path / "elsewhere")
    done = runec("block", "compile-commands", "mine", "--force")
    assert done.code == 1
    assert "error[R1107]: mine/.runec/.gitignore is outside the block's folder" in done.stderr
    assert [*(tmp_path / "elsewhere").iterdir()] == []


def test_a_block_without_tests_has_no_use_to_show(runec: Runec, mine: Path) -> None:
    (mine / "tests.toml").unlink()
    done = runec("block", "compile-commands", "mine")
    assert (done.code, done.stdout) == (1, "")
    assert "error[R0432]" in done.stderr
    assert not (mine / "compile_commands.json").exists()


def test_the_database_names_clang_where_zig_compiles(
    runec: Runec, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zig = ("python", "-m", "ziglang", "clang", "--target=wasm32", "-isystem", "headers")
    monkeypatch.setattr("runec.cli.block.find_toolchain", lambda: Toolchain(zig, ("wasm-ld",)))
    assert runec("block", "compile-commands", mine).code == 0
    (entry,) = json.loads((mine / "compile_commands.json").read_text())
    assert entry["arguments"][:4] == ["clang", "--target=wasm32", "-isystem", "headers"]
