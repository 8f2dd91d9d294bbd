"""`--input`: where a firmware has the data of ACCEL from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Runec = Callable[..., Any]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  motion:
    capability: ACCEL
    outputs: [{type: F32, dimensions: [4, 3]}]
    args: {n: 4, hz: 25}
  serial: {out: SERIAL, inputs: [motion]}
"""
NODE = """
inherits = "nrf52_dk"
id = "node"
name = "Node"
verified = []
input = "sensor"

[[sensors]]
name = "mpu6050"
measures = "acceleration"
bus = "I2C"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Runefile.yml").write_text(RUNEFILE)
    (tmp_path / "node.toml").write_text(NODE)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "drivers"),
    [
        ([], ["accelerometer.c", "accelerometer.h", "mpu6050.c"]),
        (["--input", "sensor"], ["accelerometer.c", "accelerometer.h", "mpu6050.c"]),
        (["--input", "link"], []),
    ],
)
def test_the_board_s_file_says_where_input_is_from_and_the_option_has_the_last_word(
    runec: Runec, folder: Path, words: list[str], drivers: list[str]
) -> None:
    done = runec("firmware", "new", ".", "--board", "./node.toml", "-d", "p", *words)
    assert done.code == 0
    found = (folder / "p" / "lib" / "drivers").glob("*")
    assert sorted(path.name for path in found) == drivers


@pytest.mark.usefixtures("folder")
def test_a_project_s_folder_has_its_input_already(runec: Runec) -> None:
    assert runec("firmware", "new", ".", "--board", "./node.toml", "-d", "p").code == 0
    done = runec("firmware", "build", "p", "--input", "link")
    assert done.code == 2
    assert "--input" in done.stderr


@pytest.mark.usefixtures("folder")
def test_the_host_has_no_sensor(runec: Runec) -> None:
    assert runec("build", ".", "-o", "a.rune").code == 0
    done = runec("run", "a.rune", "--input", "sensor")
    assert done.code == 2
    assert "R0921" in done.stderr
    assert "with a simulated sensor, use --on emulator:BOARD" in done.stderr


@pytest.mark.usefixtures("folder")
def test_a_board_without_the_sensor_is_refused_before_it_is_built(runec: Runec) -> None:
    assert runec("build", ".", "-o", "a.rune").code == 0
    done = runec("run", "a.rune", "--on", "emulator:nrf52_dk", "--input", "sensor")
    assert done.code == 1
    assert "R0840" in done.stderr
