from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_board
from runec.codegen import build as build_module
from runec.container import read_rune
from runec.devices import cached_project


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a cache"
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(folder))
    return folder


def forbid_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a tool was run")

    monkeypatch.setattr(build_module, "run_tool", fail)


def test_a_second_build_runs_no_compiler_unless_told_to(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runec("build", "noop", "-o", "a.rune", "--no-cache").code == 0
    assert not own_cache.exists()
    assert runec("build", "noop", "-o", "b.rune").code == 0
    forbid_tools(monkeypatch)
    done = runec("build", "noop", "-o", "c.rune")
    assert (done.code, done.stdout) == (0, "")
    assert len({(here / name).read_bytes() for name in ("a.rune", "b.rune", "c.rune")}) == 1
    assert runec("build", "noop", "-o", "d.rune", "--no-cache").code == 70


MODULO = """version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: f32, dimensions: [4]}]}
  rest: {proc-block: modulo, inputs: [input], args: {modulus: 2}}
  serial: {out: serial, inputs: [LAST]}
"""
ARGMAX = "  largest: {proc-block: argmax, inputs: [rest]}\n"


def test_verbose_says_what_came_from_the_cache(
    runec: Callable[..., Any], tmp_path: Path, own_cache: Path
) -> None:
    def build(text: str) -> tuple[int, set[str]]:
        (tmp_path / "Runefile.yml").write_text(text)
        told = runec("build", tmp_path, "-o", tmp_path / "x.rune", "-v").stderr
        kept = "from the build cache: "
        lines = {line.removeprefix(kept) for line in told.splitlines() if line.startswith(kept)}
        return told.count("$ "), lines

    alone, both = MODULO.replace("LAST", "rest"), MODULO.replace("LAST", "largest") + ARGMAX
    assert build(alone) == (3, set()), "glue, block, linker"
    assert own_cache.exists()
    assert build(alone) == (0, {"glue.c", "the block 'modulo'", "the linked module"})
    assert build(both) == (3, {"the block 'modulo'"})


def test_a_mistake_is_told_however_warm_the_cache(
    runec: Callable[..., Any], here: Path, own_cache: Path
) -> None:
    assert runec("build", "noop").code == 0
    assert own_cache.exists()
    runefile = here / "noop" / "Runefile.yml"
    runefile.write_text(runefile.read_text().replace("RAW", "RAVV"))
    assert runec("build", "noop").code == 1


def test_a_cache_that_cannot_be_used_is_one_warning(
    runec: Callable[..., Any], here: Path, own_cache: Path
) -> None:
    own_cache.write_bytes(b"a file")
    done = runec("build", "noop")
    assert done.code == 0
    assert (here / "noop.rune").is_file()
    assert done.stderr.count("warning[") == done.stderr.count("warning[R1006]") == 1


def test_the_cache_is_shown_and_cleared(
    runec: Callable[..., Any], here: Path, own_cache: Path
) -> None:
    assert here == Path.cwd()
    runec("build", "noop")
    rows = [json.loads(line) for line in runec("cache", "--format", "json").stdout.splitlines()]
    compiled = rows[0]
    assert (compiled["part"], compiled["files"]) == ("compiled", 2)
    assert compiled["path"] == str(own_cache / "compiled")
    assert compiled["bytes"] == sum(
        path.stat().st_size for path in own_cache.rglob("*") if path.is_file()
    )
    shown = runec("cache").stdout
    assert str(own_cache) in shown
    assert "268 435 456" in shown
    cleared = runec("cache", "--clear", "--format", "json").stdout
    assert json.loads(cleared.splitlines()[0])["files"] == 0
    assert not (own_cache / "compiled").exists()


def test_firmware_projects_are_cleared_as_well_and_it_is_said(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.firmware.project.wasm3.source_groups", lambda **_: [])
    runec("build", "noop", "-o", "noop.rune", "--no-cache")
    assert runec("flash", here / "noop.rune", "-b", "esp32c3", "--dry-run").code == 0
    (project,) = own_cache.rglob("runec-project.json")
    elf = project.parent / ".pio" / "build" / "firmware" / "firmware.elf"
    elf.parent.mkdir(parents=True)
    elf.write_bytes(bytes(5000))
    for part in ("components", "platformio"):
        (own_cache / part).mkdir(exist_ok=True)
        (own_cache / part / "kept").write_bytes(b"kept")

    def held() -> dict[str, int]:
        lines = runec("cache", "--format", "json").stdout.splitlines()
        return {row["part"]: row["bytes"] for row in map(json.loads, lines)}

    before = held()
    assert before["firmware"] > 5000
    done = runec("cache", "--clear")
    freed = f"{before['firmware'] + before['compiled'] + before['objects']:,}".replace(",", " ")
    assert done.stderr == f"removed {freed} bytes: compiled code and firmware projects\n"
    after = held()
    assert (after["firmware"], after["compiled"]) == (0, 0)
    assert after["components"] == before["components"] == 4
    assert after["platformio"] == before["platformio"] > 0
    assert "firmware projects" in runec("cache", "--help").stdout


def test_a_printed_command_is_not_taken_over_by_another_rune_of_the_same_name(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.firmware.project.wasm3.source_groups", lambda **_: [])
    board = load_board("netduinoplus2")
    runec("build", "noop", "-o", "noop.rune", "--no-cache")
    first = read_rune((here / "noop.rune").read_bytes())
    runefile = here / "noop" / "Runefile.yml"
    runefile.write_text(runefile.read_text().replace("[4]", "[5]"))
    runec("build", "noop", "-o", "other.rune", "--no-cache")
    other = read_rune((here / "other.rune").read_bytes())
    assert (other.name, other.data != first.data) == (first.name, True)
    done = runec("flash", here / "noop.rune", "-b", board.id, "--dry-run", "--format", "json")
    words = json.loads(done.stdout)["command"]
    folder = Path(words[words.index("--project-dir") + 1])
    assert folder.is_relative_to(own_cache)
    with cached_project(other, board):  # as `run --on emulator:...` and `size` do
        assert (folder / "rune" / "rune.rune").read_bytes() == first.data


def test_a_project_in_use_is_not_cleared(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.firmware.project.wasm3.source_groups", lambda **_: [])
    runec("build", "noop", "-o", "noop.rune", "--no-cache")
    rune = read_rune((here / "noop.rune").read_bytes())
    with cached_project(rune, load_board("esp32c3")) as project:
        done = runec("cache", "--clear")
        assert f"{project.directory} is in use by another process, and stays" in done.stderr
        assert project.directory.is_relative_to(own_cache)
        assert (project.directory / "rune" / "rune.rune").is_file()
