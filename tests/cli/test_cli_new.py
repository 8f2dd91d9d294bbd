from __future__ import annotations

import errno
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli.new import templates

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_the_templates_are_those_whose_example_is_there() -> None:
    assert set(templates()) == {"sine", "gesture", "keyword", "vision", "empty"}


@pytest.mark.parametrize("template", templates())
def test_what_is_made_checks_builds_and_runs_as_it_says(
    runec: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = json.loads(runec("new", "my rune", "-t", template, "--format", "json").stdout)
    assert sorted(path.name for path in (tmp_path / "my rune").iterdir()) == told["files"]
    assert len(told["next"]) == 3
    for line in told["next"]:
        program, *arguments = shlex.split(line)
        done = runec(*arguments)
        assert (program, done.code) == ("runec", 0), done.stderr
    assert json.loads(done.stdout)
    assert (tmp_path / "my rune.rune").is_file()


@pytest.mark.parametrize("template", templates())
def test_the_runefile_explains_its_important_lines(
    runec: Callable[..., Any], tmp_path: Path, template: str
) -> None:
    assert runec("new", tmp_path / "made", "-t", template).code == 0
    lines = (tmp_path / "made" / "Runefile.yml").read_text().splitlines()
    assert lines[0].startswith("# Reference: docs/runefile.md")
    for key in ("image", "capability", "out"):
        line = next(line for line in lines if re.match(rf" *{key}:", line))
        assert " # " in line
    for kind in ("capability", "model"):
        for number, line in enumerate(lines):
            if line.startswith(f"    {kind}:"):
                assert lines[number - 2].startswith("  # "), line
    assert any("runec block list" in line for line in lines)
    assert max(map(len, lines)) <= 100


def test_people_get_the_files_and_what_to_do_next(
    runec: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = runec("new", "hello")
    assert done.code == 0
    assert done.stdout.splitlines() == [
        "hello/Runefile.yml",
        "hello/input.bin",
        "hello/sinemodel.tflite",
    ]
    assert "runec build hello/Runefile.yml -o hello.rune" in done.stderr


def test_an_empty_folder_is_used_and_a_full_one_left_alone(
    runec: Callable[..., Any], tmp_path: Path
) -> None:
    assert runec("new", tmp_path, "-t", "empty").code == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = runec("new", tmp_path)
    assert (done.code, done.stdout) == (1, "")
    assert "error[R1107]" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_name_that_begins_as_an_option_is_none_in_what_to_do_next(
    runec: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = runec("new", "--format", "json", "-t", "empty", "--", "-x")
    for command in json.loads(done.stdout)["next"]:
        assert runec(*shlex.split(command)[1:]).code == 0


def test_a_file_in_the_way_is_told(runec: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    assert "error[R1107]" in runec("new", tmp_path / "x").stderr
    assert (tmp_path / "x").read_text() == "mine"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with room for one file."""
    sync, synced = os.fsync, list[int]()

    def fail(descriptor: int) -> None:
        if synced:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr("os.fsync", fail)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("verb", [("new", "a/b/mine"), ("block", "new", "mine", "--dir", "a/b")])
def test_a_full_disk_leaves_nothing_half_written(
    runec: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    done = runec(*verb)
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.startswith("error[R1001]: no space left to write a/b/mine/")
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_empty_folder_that_was_there(
    runec: Callable[..., Any], tmp_path: Path
) -> None:
    assert runec("new", tmp_path).code == 4
    assert list(tmp_path.iterdir()) == []
