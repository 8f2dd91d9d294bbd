from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_board
from runec.container import read_rune
from runec.firmware import DeviceRune, cached_project
from tests.common import without_engine_sources


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a cache"
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(folder))
    return folder


def test_the_cache_is_shown_and_cleared(runec: Callable[..., Any], own_cache: Path) -> None:
    (own_cache / "objects" / "ab").mkdir(parents=True)
    (own_cache / "objects" / "ab" / "cdef").write_bytes(bytes(10))
    rows = [json.loads(line) for line in runec("cache", "--format", "json").stdout.splitlines()]
    objects = rows[0]
    assert (objects["part"], objects["files"], objects["bytes"]) == ("objects", 1, 10)
    assert objects["path"] == str(own_cache / "objects")
    shown = runec("cache").stdout
    assert str(own_cache) in shown
    assert "1 073 741 824" in shown
    cleared = runec("cache", "--clear", "--format", "json").stdout
    assert json.loads(cleared.splitlines()[0])["files"] == 0
    assert not (own_cache / "objects").exists()


def test_firmware_projects_are_cleared_as_well_and_it_is_said(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine_sources(monkeypatch)
    runec("build", "noop", "-o", "noop.rune")
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
    freed = f"{before['firmware'] + before['objects']:,}".replace(",", " ")
    assert done.stderr == f"removed {freed} bytes: firmware objects and projects\n"
    after = held()
    assert after["firmware"] == 0
    assert after["components"] == before["components"] >= 4
    assert after["platformio"] == before["platformio"] > 0
    assert "firmware projects" in runec("cache", "--help").stdout


def test_a_printed_command_is_not_taken_over_by_another_rune_of_the_same_name(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine_sources(monkeypatch)
    board = load_board("netduinoplus2")
    runec("build", "noop", "-o", "noop.rune")
    first = read_rune((here / "noop.rune").read_bytes())
    runefile = here / "noop" / "Runefile.yml"
    runefile.write_text(runefile.read_text().replace("[4]", "[5]"))
    runec("build", "noop", "-o", "other.rune")
    other = read_rune((here / "other.rune").read_bytes())
    assert (other.name, other.data != first.data) == (first.name, True)
    done = runec("flash", here / "noop.rune", "-b", board.id, "--dry-run", "--format", "json")
    words = json.loads(done.stdout)["command"]
    folder = Path(words[words.index("--project-dir") + 1])
    assert folder.is_relative_to(own_cache)
    with cached_project(DeviceRune.of(other), board):  # as `run --on emulator:...` and `size` do
        assert (folder / "rune" / "rune.rune").read_bytes() == first.data


def test_a_project_in_use_is_not_cleared(
    runec: Callable[..., Any], here: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine_sources(monkeypatch)
    runec("build", "noop", "-o", "noop.rune")
    rune = read_rune((here / "noop.rune").read_bytes())
    with cached_project(DeviceRune.of(rune), load_board("esp32c3")) as project:
        done = runec("cache", "--clear")
        assert f"{project.directory} is in use by another process; not removed" in done.stderr
        assert project.directory.is_relative_to(own_cache)
        assert (project.directory / "rune" / "rune.rune").is_file()
