"""Firmware projects in the cache."""

from __future__ import annotations

import dataclasses
import os
import shlex
import threading
from pathlib import Path

import pytest

from runec.boards import Board, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.diagnostics import MachineError
from runec.firmware import DeviceRune, cached_project, clear_projects, load_project
from runec.firmware.project_cache import _locked, _prune
from runec.frontend import analyse
from tests.common import without_engine_sources

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_folder_is_built_in_by_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "board" / "rune"
    log: list[str] = []
    waiting, entered = threading.Event(), threading.Event()

    def said(line: str) -> None:
        log.append(line)
        waiting.set()

    def second() -> None:
        with _locked(folder, said):
            entered.set()

    with _locked(folder, None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        assert not entered.is_set()
    thread.join(30)
    assert entered.is_set()
    assert log == [f"waiting for another process that uses {folder}"]


def test_a_cache_that_cannot_be_written_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(MachineError) as caught,
        _locked(tmp_path / "file" / "board" / "rune", None),
    ):
        pass
    assert (caught.value.code, caught.value.exit_code) == ("R1002", 4)
    assert "RUNEC_CACHE_DIR" in str(caught.value.hint)


def test_projects_used_longest_ago_go_when_they_take_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.firmware.project_cache.FIRMWARE_BYTES_MAX", 250)
    for used_s, name in enumerate(("held", "old", "older by name", "young"), start=1000):
        folder = tmp_path / "board" / name
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "x.c").write_bytes(bytes(100))
        lock = tmp_path / "board" / f".{name}.lock"
        lock.write_bytes(b"")
        os.utime(lock, (used_s, used_s))

    def left() -> set[str]:
        return {path.name for path in (tmp_path / "board").iterdir() if path.is_dir()}

    with _locked(tmp_path / "board" / "held", None):
        os.utime(tmp_path / "board" / ".held.lock", (1, 1))
        _prune(tmp_path)
        assert left() == {"held", "young"}, "200 of 250 bytes"
        _prune(tmp_path)
        assert left() == {"held", "young"}
    with _locked(tmp_path / "board" / "held", None):
        pass
    monkeypatch.setattr("runec.firmware.project_cache.FIRMWARE_BYTES_MAX", 100)
    _prune(tmp_path)
    assert left() == {"held"}, "it was used last"
    _prune(tmp_path / "nowhere")


@pytest.fixture
def noop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rune:
    """A rune for projects without third-party sources, in a cache of its own."""
    pipeline = analyse(EXAMPLES / "noop" / "Runefile.yml").pipeline
    made = write_rune(pipeline, compile_pipeline(pipeline))
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    without_engine_sources(monkeypatch)
    return made


def broken_off(monkeypatch: pytest.MonkeyPatch, board: Board, rune: Rune) -> Path:
    """Leave a project of the cache half-written; return its folder."""
    written: list[Path] = []

    def write_file(path: Path, data: bytes, **_: object) -> None:
        if len(written) == 30:
            raise KeyboardInterrupt
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)

    with monkeypatch.context() as patch:
        patch.setattr("runec.firmware.project_manifest.write_file", write_file)
        with pytest.raises(KeyboardInterrupt), cached_project(DeviceRune.of(rune), board):
            pass
    return written[0].parent


def test_a_project_of_the_cache_that_was_cut_short_is_mended_by_the_next_call(
    noop: Rune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = load_board("netduinoplus2")
    folder = broken_off(monkeypatch, board, noop)
    assert folder.is_relative_to(tmp_path / "cache" / "firmware" / board.id)
    with cached_project(DeviceRune.of(noop), board) as project:
        assert project.directory == folder
        assert (folder / "rune" / "rune.rune").read_bytes() == noop.data
    # As a version of runec that wrote the manifest last left it.
    (folder / "runec-project.json").unlink()
    with cached_project(DeviceRune.of(noop), board) as project:
        assert load_project(folder) == project


def test_a_command_that_was_printed_is_not_taken_over_by_another_rune_of_the_name(
    noop: Rune,
) -> None:
    board = load_board("netduinoplus2")
    other = dataclasses.replace(noop, data=noop.data + b"\0")

    def printed(rune: Rune, board: Board) -> Path:
        with cached_project(DeviceRune.of(rune), board, lasting=True) as project:
            return project.directory

    first = printed(noop, board)
    with cached_project(DeviceRune.of(other), board) as held:
        assert held.directory != first
    with cached_project(DeviceRune.of(other), board.with_link("rtt")) as again:
        assert again.directory == held.directory, "the next version compiles what changed"
    folders = {first, printed(other, board), printed(noop, board.with_link("rtt"))}
    assert len(folders) == 3
    assert (first / "rune" / "rune.rune").read_bytes() == noop.data
    assert printed(noop, board) == first
    assert shlex.quote(str(first)) == str(first)


def test_projects_are_cleared_but_those_in_use(noop: Rune, tmp_path: Path) -> None:
    assert clear_projects() == []
    with cached_project(DeviceRune.of(noop), load_board("netduinoplus2")) as held:
        with cached_project(DeviceRune.of(noop), load_board("esp32c3"), lasting=True):
            pass
        assert clear_projects() == [held.directory]
        found = [path.parent for path in tmp_path.rglob("runec-project.json")]
        assert found == [held.directory]
    assert clear_projects() == []
    assert not list(tmp_path.rglob("runec-project.json"))
