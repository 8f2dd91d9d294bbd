"""Input options: several files each, warnings for unused ones."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli import execute

Runec = Callable[..., Any]
TWO = """
version: 1
image: runicos/base
pipeline:
  a: {capability: RAW, outputs: [{type: U8, dimensions: [2]}]}
  b: {capability: RAW, outputs: [{type: U8, dimensions: [2]}], args: {source: 1}}
  serial: {out: SERIAL, inputs: [a, b]}
"""
ONE = """
version: 1
image: runicos/base
pipeline:
  motion: {capability: ACCEL, outputs: [{type: F32, dimensions: [1, 3]}], args: {n: 1}}
  serial: {out: SERIAL, inputs: [motion]}
"""
SOUND = """
version: 1
image: runicos/base
pipeline:
  sound: {capability: SOUND, outputs: [{type: I16, dimensions: [2]}], args: {hz: 16000}}
  serial: {out: SERIAL, inputs: [sound]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("two", TWO), ("one", ONE), ("sound", SOUND)):
        (tmp_path / "Runefile.yml").write_text(text)
        assert execute(["build", ".", "-o", f"{name}.rune", "-q"]) == 0
    (tmp_path / "a").write_bytes(b"\1\2")
    (tmp_path / "b").write_bytes(b"\3\4")
    (tmp_path / "r.csv").write_text("1,2,3\n")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "line",
    [
        "two.rune --raw a --raw b",
        "two.rune --raw a b",
        "two.rune --raw=a b",
        "--raw a b two.rune",
        "--raw a two.rune --raw b",
        "--raw a b -r 1 two.rune",
        "--raw a b -qr 1 -- two.rune",
        "-q two.rune --raw a b -r1",
        "two.rune --raw a b --trace",
    ],
)
def test_an_input_option_takes_several_files_as_in_the_original(runec: Runec, line: str) -> None:
    done = runec("run", *line.split())
    assert done.code == 0, done.stderr
    assert '"elements":[1,2]' in done.stdout
    assert done.stdout.index("[1,2]") < done.stdout.index("[3,4]")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", ["two.rune x --raw a b", "x --raw a b -q two.rune"])
def test_another_argument_is_still_a_mistake(runec: Runec, line: str) -> None:
    done = runec("run", *line.split())
    assert done.code == 2
    assert "R1101" in done.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "one.rune --accel r.csv --sound a",
            "--sound a has no effect: the rune's capabilities are",
        ),
        ("one.rune --accel r.csv --random 1", "--random 1 has no effect: the rune's capabilities"),
        ("one.rune --accel r.csv --random-bits", "--random-bits has no effect: the rune's"),
        (
            "one.rune --accel r.csv --accel s.csv",
            "--accelerometer s.csv has no effect: it is number 2, the rune reads number 1",
        ),
        (
            "two.rune --raw a b a",
            "--raw a has no effect: it is number 3, the rune reads number 1 and 2",
        ),
    ],
)
def test_an_input_that_nothing_takes_is_warned_of(runec: Runec, line: str, told: str) -> None:
    done = runec("run", *line.split())
    assert done.code == 0, done.stderr
    assert done.stderr.count("warning[R0749]") == 1
    assert told in done.stderr
    assert "R0749" not in runec("run", *line.split(), "--quiet").stderr
    (warning,) = map(json.loads, runec("run", *line.split(), "-f", "json").stderr.splitlines())
    assert (warning["code"], warning["severity"]) == ("R0749", "warning")


@pytest.mark.usefixtures("folder")
def test_what_is_taken_is_not_warned_of(runec: Runec) -> None:
    assert "R0749" not in runec("run", "two.rune", "--raw", "a", "b").stderr
    assert "R0749" not in runec("run", "one.rune", "--accel", "r.csv").stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "line",
    [
        "firmware new sound.rune --board nrf52_dk -d p",
        "flash sound.rune --board nrf52_dk --dry-run",
    ],
)
def test_a_sensor_for_a_rune_without_one_is_warned_of(runec: Runec, line: str) -> None:
    assert "R0749" not in runec(*line.split()).stderr
    told = runec(*line.split(), "--input", "sensor").stderr
    assert "warning[R0749]: --input sensor has no effect: the rune has no ACCEL capability" in told


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("target", ["host", "serial:/dev/nowhere", "emulator:nrf52_dk"])
def test_a_sensor_for_a_rune_without_one_is_warned_of_in_every_target(
    runec: Runec, target: str
) -> None:
    # Without a sound no run begins.
    done = runec("run", "sound.rune", "--on", target, "--input", "sensor")
    told = done.stderr
    assert "warning[R0749]: --input sensor has no effect: the rune has no ACCEL capability" in told
    assert "R0921" not in told


@pytest.mark.usefixtures("folder")
def test_the_host_has_no_sensor(runec: Runec) -> None:
    done = runec("run", "one.rune", "--accel", "r.csv", "--input", "sensor")
    assert done.code == 2
    assert "--input applies to firmware that runec builds, not to host" in done.stderr


@pytest.mark.usefixtures("folder")
def test_so_it_is_where_a_rune_runs(runec: Runec) -> None:
    # No such port: the warnings come first.
    for verb in ("run", "monitor"):
        words = (verb, "sound.rune", "--on", "serial:/dev/nowhere", "--accel", "r.csv")
        assert "--accelerometer r.csv has no effect" in runec(*words).stderr
    done = runec("run", "sound.rune", "--on", "emulator:nowhere", "--input", "sensor")
    assert done.code == 2
    done = runec("monitor", "--port", "/dev/nowhere", "--raw", "a")
    assert "--raw a has no effect: no rune reads it: none was named" in done.stderr
    done = runec("monitor", "two.rune", "--listen", "--port", "/dev/nowhere", "--raw", "a")
    assert "--raw a has no effect: --listen requests no runs" in done.stderr


def test_an_odd_file_is_warned_of_once_however_many_places_read_it(
    runec: Runec, folder: Path
) -> None:
    sound = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    (folder / "s.wav").write_bytes(sound + b"data" + struct.pack("<I", 99) + b"\1\0\2\0")
    line = ("run", "sound.rune", "--sound", "s.wav", "-r", "3", "--on", "host", "--on", "host")
    done = runec(*line)
    assert done.code == 0, done.stderr
    assert done.stderr.count("warning[R0748]") == 1


@pytest.mark.usefixtures("folder")
def test_input_of_a_monitor_is_for_emulators(runec: Runec) -> None:
    done = runec("monitor", "one.rune", "--input", "sensor")
    assert done.code == 2
    assert "--input needs --on emulator:BOARD" in done.stderr
    done = runec("monitor", "one.rune", "--on", "serial:/dev/nowhere", "--input", "sensor")
    assert (done.code, "R0921" in done.stderr) == (2, True)
