"""Runes of the original platform, named to the verbs that are about boards."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
TEXT = b"\x07\0\0\0f32[01]"


@pytest.fixture
def old(make_original: Callable[..., bytes], here: Path) -> Path:
    """RAW, four bytes, as they are to TENSOR."""
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_output (i32.const 5)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const {64 + len(TEXT)}) (i32.const 4)
            (i32.const 1)))
        (drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const {len(TEXT) + 4})))"""
    (here / "old.rune").write_bytes(make_original(manifest, call, {64: TEXT}, pages=1))
    (here / "x.bin").write_bytes(struct.pack("<f", 1.5))
    return here / "old.rune"


def test_an_original_runs_in_several_places(runec: Run, old: Path) -> None:
    done = runec(
        *("run", old, "--raw", "x.bin", "--on", "host", "--on", "emulator:mps2_an386"),
        *("--format", "json"),
    )
    assert done.code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["verdict"] for line in lines] == ["same", "same"]
    tensor = {"element-type": "f32", "dimensions": [1], "elements": [1.5]}
    assert [line["results"] for line in lines] == [[{"tensors": [tensor]}]] * 2


def test_an_original_is_flashed_and_measured(runec: Run, old: Path) -> None:
    done = runec("size", old, "--board", "mps2_an386", "--format", "json")
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)
    parts = {part["part"]: part for part in document["parts"]}
    assert parts["rune"]["ram_bytes"] == 65536
    assert document["rune"] == "original"
    done = runec("flash", old, "--board", "nrf52840_dk", "--dry-run")
    assert done.code == 0, done.stderr
    assert "--target upload" in done.stdout


def test_a_small_board_is_refused_before_anything_is_made(
    runec: Run, old: Path, here: Path
) -> None:
    done = runec("firmware", "build", old, "--board", "bluepill_f103c8", "-d", "out")
    assert done.code == 1
    assert "R0811" in done.stderr
    assert "its linear memory: 65536 bytes" in done.stderr
    assert not (here / "out").exists()


def test_the_description_in_a_project_is_shown_drawn_and_run(
    runec: Run, old: Path, here: Path
) -> None:
    done = runec("firmware", "new", old, "--board", "mps2_an386", "-d", "project")
    assert done.code == 0, done.stderr
    description = here / "project" / "rune" / "rune.rune"
    shown = runec("inspect", description).stdout
    assert "abi            0\n" in shown
    assert "capability 1  capability RAW" in shown
    assert "65536 bytes, 0 of them stack" in shown
    drawn = json.loads(runec("graph", description, "--format", "json").stdout)
    assert [node["name"] for node in drawn["nodes"]] == ["capability 1", "output 2"]
    assert drawn["edges"] == []
    results = [
        runec("run", rune, "--raw", "x.bin", "--format", "json") for rune in (old, description)
    ]
    assert [done.code for done in results] == [0, 0]
    assert results[0].stdout == results[1].stdout != ""


def test_a_graph_is_drawn_only_where_there_is_one(runec: Run, old: Path) -> None:
    done = runec("graph", old)
    assert (done.code, "R0606" in done.stderr) == (1, True)


def test_an_original_that_fails_when_it_is_asked_fails_as_on_the_host(
    runec: Run, make_original: Callable[..., bytes], here: Path
) -> None:
    (here / "bad.rune").write_bytes(make_original("unreachable", "", {}, pages=1))
    done = runec("firmware", "new", "bad.rune", "--board", "mps2_an386", "-d", "project")
    assert done.code == 3
    assert "R0708" in done.stderr
