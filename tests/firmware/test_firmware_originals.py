"""Firmware for runes of the original platform: what is compiled, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_board
from runec.container import Rune, read_rune
from runec.diagnostics import UserFileError
from runec.firmware import create_project
from runec.vm import device_rune

DEFINE = "-DRUNEVM_ORIGINALS=1"
ACCEL = "(drop (call $request_capability (i32.const 3)))"


@pytest.fixture
def original(make_original: Callable[..., bytes]) -> Rune:
    return read_rune(make_original(ACCEL, "", {}, pages=1))


def plan(folder: Path) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads((folder / "build_plan.json").read_text())["groups"]
    return groups


def test_only_firmware_of_originals_holds_what_they_need(
    original: Rune, example_rune: Callable[[str], Rune], tmp_path: Path
) -> None:
    board = load_board("mps2_an386")
    old = create_project(original, board, tmp_path / "old")
    new = create_project(example_rune("noop"), board, tmp_path / "new")
    for project, has in ((old, True), (new, False)):
        assert ("lib/runevm/src/original.c" in project.files) == has
        groups = plan(project.directory)
        assert all((DEFINE in group["flags"]) == has for group in groups)
        sources = [name for group in groups for name in group["sources"]]
        assert ("lib/runevm/src/original.c" in sources) == has
    assert (tmp_path / "old/rune/rune.rune").read_bytes() == device_rune(original).data
    assert (old.layout.is_original, new.layout.is_original) == (True, False)
    assert old.layout.stack_bytes == new.layout.stack_bytes + 16384
    assert old.layout.engine_heap_bytes > new.layout.engine_heap_bytes + 16384


def test_an_arduino_project_of_an_original_says_so_to_every_library(
    original: Rune, tmp_path: Path
) -> None:
    project = create_project(original, load_board("esp32c3"), tmp_path / "p", framework="arduino")
    assert DEFINE in (project.directory / "platformio.ini").read_text()
    for library in project.directory.glob("lib/*/library.json"):
        assert DEFINE in json.loads(library.read_text())["build"]["flags"], library


def test_the_metacode_is_measured_by_the_functions_and_not_by_the_data(
    make_original: Callable[..., bytes], tmp_path: Path
) -> None:
    board = load_board("mps2_an386")
    small = read_rune(make_original("", "", {}, pages=1))
    large = read_rune(make_original("", "", {64: bytes(30_000)}, pages=1))
    layouts = [
        create_project(rune, board, tmp_path / name).layout
        for name, rune in (("small", small), ("large", large))
    ]
    assert layouts[0].engine_heap_bytes == layouts[1].engine_heap_bytes


def test_the_samples_of_an_original_are_no_sensors(original: Rune, tmp_path: Path) -> None:
    board = load_board("netduinoplus2").with_input("sensor")
    with pytest.raises(UserFileError) as caught:
        create_project(original, board, tmp_path / "p")
    assert caught.value.code == "R0840"
    assert "original" in caught.value.message
    assert not (tmp_path / "p").exists()


def test_a_model_that_devices_compute_otherwise_is_refused(
    make_original: Callable[..., bytes], make_tflite: Callable[..., bytes], tmp_path: Path
) -> None:
    model = make_tflite(4, {"x": "FLOAT32", "y": "FLOAT32"}, [("ELU", "x", "y")])
    manifest = f"""(drop (call $tfm_preload_model (i32.const 64) (i32.const {len(model)})
        (i32.const 1) (i32.const 1)))"""
    rune = read_rune(make_original(manifest, "", {64: model}, pages=1))
    with pytest.raises(UserFileError) as caught:
        create_project(rune, load_board("mps2_an386"), tmp_path / "p")
    assert caught.value.code == "R0810"
    assert getattr(caught.value, "stage", None) == "model 1"
