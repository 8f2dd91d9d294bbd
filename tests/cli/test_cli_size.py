from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli import size
from runec.data import data_dir
from runec.diagnostics import MachineError
from runec.firmware import Project

BOARD = "netduinoplus2"


@pytest.fixture
def small_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], str]:
    """Add a board that has less of one memory, `code` or `ram`, than netduinoplus2."""

    def add(region: str, size_bytes: int) -> str:
        folder = tmp_path / "boards"
        folder.mkdir()
        (folder / "small.toml").write_text(
            f'inherits = "{BOARD}"\nid = "small"\nname = "Small"\nverified = ["builds"]\n'
            'verified_reason = "It is made up."\n'
            f"[memory]\n{region} = {{ size_bytes = {size_bytes} }}\n"
        )
        monkeypatch.setenv("RUNEC_BOARDS_DIR", str(folder))
        return "small"

    return add


def test_size_builds_a_runefile_and_counts_its_parts(runec: Callable[..., Any], here: Path) -> None:
    done = runec("size", here / "noop", "--board", BOARD, "--format", "json", "--top", "3")
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rune"], found["board"]) == ("noop", BOARD)
    assert found["flash_limit_bytes"] == 1_048_576
    for kind in ("flash_bytes", "ram_bytes"):
        assert sum(part[kind] for part in found["parts"]) == found[kind] > 10_000
    assert len(found["largest"]) == 3

    text = runec("size", here / "noop", "--board", BOARD).stdout
    for word in ("engine", "runevm", "C library", "% of the flash", "the largest"):
        assert word in text


def test_size_takes_a_rune_and_a_project(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    of_rune = runec("size", noop_rune, "-b", BOARD, "--format", "json")
    assert runec("firmware", "new", noop_rune, "-b", BOARD, "-d", here / "p").code == 0
    of_project = runec("size", here / "p", "--format", "json")
    assert of_project.stdout == of_rune.stdout != ""
    assert runec("size", here / "p", "-b", BOARD).code == 2
    assert runec("size", noop_rune).code == 2


def test_size_of_an_arduino_firmware(
    runec: Callable[..., Any], noop_rune: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Project] = []

    def build(project: Project, **_: object) -> None:
        built.append(project)
        raise MachineError("R0823", "no registry in a test")

    monkeypatch.setattr(size, "build_project", build)
    for words in (("--framework", "arduino"), ()):
        assert runec("size", noop_rune, "-b", "esp32", *words).code == 4
    assert [project.framework for project in built] == ["arduino", "bare"]
    assert built[0].board.memory.ram.size_bytes == 124_580
    done = runec("size", noop_rune, "-b", "mps2_an386", "--framework", "arduino")
    assert (done.code, "R0803" in done.stderr) == (2, True)
    assert runec("firmware", "new", noop_rune, "-b", BOARD, "-d", here / "p").code == 0
    done = runec("size", here / "p", "--framework", "arduino")
    assert (done.code, "--framework cannot be combined with a project" in done.stderr) == (2, True)


@pytest.mark.parametrize("verb", ["size", "flash", "firmware"])
def test_too_big_names_the_line_of_the_stage_that_costs_most(
    runec: Callable[..., Any], here: Path, small_board: Callable[[str, int], str], verb: str
) -> None:
    board = small_board("ram", 34_816)
    runefile = here / "noop" / "Runefile.yml"
    verbs = ["firmware", "build"] if verb == "firmware" else [verb]
    more = ["--dry-run"] if verb == "flash" else []
    done = runec(*verbs, runefile, "--board", board, *more)
    assert (done.code, done.stdout) == (1, "")
    assert "error[R0811]" in done.stderr
    lines = runefile.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.strip().startswith("input:"))
    assert f"{runefile}:{number}:" in done.stderr
    assert "the stage with the highest cost: input: 16 bytes (its tensors 16)" in done.stderr


@pytest.mark.parametrize("verbs", [["size"], ["firmware", "build"]])
def test_where_the_linker_decides_the_line_is_named_as_well(
    runec: Callable[..., Any], here: Path, small_board: Callable[[str, int], str], verbs: list[str]
) -> None:
    board = small_board("ram", 35_328)  # some bytes less than it takes
    runefile = here / "noop" / "Runefile.yml"
    done = runec(*verbs, runefile, "--board", board)
    assert (done.code, done.stdout) == (1, "")
    found = re.search(r"the rune needs (\d+) bytes more RAM than the 35328 of Small", done.stderr)
    assert "error[R0811]" in done.stderr
    assert found is not None
    assert 0 < int(found[1]) < 128
    line = runefile.read_text().splitlines().index("  input:") + 1
    assert f"{runefile}:{line}:" in done.stderr


def test_size_tells_what_each_stage_causes(runec: Callable[..., Any], here: Path) -> None:
    runefile = here / "noop" / "Runefile.yml"
    text = runefile.read_text().replace("      - input\n", "      - rest\n")
    runefile.write_text(
        f"{text}  rest: {{proc-block: modulo, inputs: [input], args: {{modulus: 3}}}}\n"
    )
    done = runec("size", runefile, "--board", BOARD, "--format", "json")
    stages = {each.pop("stage"): each for each in json.loads(done.stdout)["stages"]}
    assert list(stages) == ["input", "rest", "serial"]
    line = text.splitlines().index("  input:") + 1
    assert stages["input"] == {"line": line, "flash_bytes": 0, "ram_bytes": 16}
    block = stages["rest"]
    assert block["line"] == len(runefile.read_text().splitlines())
    assert 0 < block["flash_bytes"] < 1_000
    assert block["ram_bytes"] > 16 + 4 * block["flash_bytes"]
    assert "because of the stage" in runec("size", runefile, "--board", BOARD).stdout


def test_a_model_too_large_for_the_flash_is_the_line_that_is_named(
    runec: Callable[..., Any], here: Path, small_board: Callable[[str, int], str]
) -> None:
    board = small_board("code", 102_400)
    runefile = Path(data_dir("examples")) / "sine" / "Runefile"
    done = runec("size", runefile, "--board", board)
    assert done.code == 1
    assert "error[R0812]" in done.stderr
    lines = runefile.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("MODEL"))
    assert f"{runefile}:{number}:" in done.stderr
    assert here.is_dir()


def test_a_file_that_is_no_rune_is_told_as_one_when_it_is_named_so(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "x.rune").write_bytes(b"nothing")
    done = runec("size", here / "x.rune", "--board", BOARD)
    assert done.code == 1
    assert "error[R06" in done.stderr
    assert "error[R1003]" in runec("size", here / "none.rune", "--board", BOARD).stderr
