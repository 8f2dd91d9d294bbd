"""A mistake in the inputs of a device is found before a firmware is built or a port is opened."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from runec import devices
from runec.cli import execute, flash
from runec.devices import serial_port

RUNEFILES = {
    "raw": "{capability: RAW, outputs: [{type: u8, dimensions: [4]}]}",
    "sound": "{capability: SOUND, outputs: [{type: i16, dimensions: [800]}], args: {hz: 16000}}",
    "image": "{capability: IMAGE, outputs: [{type: u8, dimensions: [2, 2, 3]}], "
    "args: {width: 2, height: 2}}",
    "accel": "{capability: ACCEL, outputs: [{type: f32, dimensions: [4, 3]}]}",
    "late": "{capability: RAND, outputs: [{type: u8, dimensions: [1]}]}",
    "rand": "{capability: RAND, outputs: [{type: u8, dimensions: [1]}]}",
}
LABEL = """\
  words: {proc-block: label, inputs: [in], args: {wordlist: $WORDS}}
  out: {out: serial, inputs: [words]}
resources:
  WORDS: {}
"""


@pytest.fixture(scope="module")
def runes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A rune of each capability, and one with a resource that is given at run time."""
    folder = tmp_path_factory.mktemp("runes")
    for name, capability in RUNEFILES.items():
        rest = LABEL if name == "late" else "  out: {out: serial, inputs: [in]}\n"
        path = folder / f"{name}.yml"
        path.write_text(f"version: 1\nimage: runicos/base\npipeline:\n  in: {capability}\n{rest}")
        assert execute(["build", str(path), "-o", str(folder / f"{name}.rune")]) == 0
    return {name: folder / f"{name}.rune" for name in RUNEFILES}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short.bin").write_bytes(b"\0\0\0")
    Path("three.csv").write_text("x,y,z\n" + "1,2,3\n" * 3)
    Path("words.csv").write_text("one,two,three\nfour,five,six\n")
    with wave.open("short.wav", "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(20))


@pytest.fixture(autouse=True)
def nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> NoReturn:
        raise AssertionError(DONE)

    monkeypatch.setattr(devices.targets, "held_firmware", never)
    monkeypatch.setattr("runec.firmware.project_cache.create_project", never)
    monkeypatch.setattr(serial_port, "SerialTransport", never)
    monkeypatch.setattr("runec.cli.monitor.SerialTransport", never)


DONE = "a firmware was built, or a port opened"
MISTAKES = {
    "no RAW": ("raw", (), "R0701"),
    "no SOUND": ("sound", (), "R0701"),
    "no IMAGE": ("image", (), "R0701"),
    "another capability's": ("raw", ("--sound", "short.wav"), "R0701"),
    "no such file": ("raw", ("--raw", "none.bin"), "R1003"),
    "a folder": ("raw", ("--raw", "."), "R1003"),
    "a short file": ("raw", ("--raw", "short.bin"), "R0702"),
    "a short sound": ("sound", ("--sound", "short.wav"), "R0702"),
    "no sound": ("sound", ("--sound", "short.bin"), "R0719"),
    "no picture": ("image", ("--image", "short.bin"), "R0720"),
    "a short recording": ("accel", ("--accel", "three.csv"), "R0702"),
    "no recording": ("accel", ("--accel", "words.csv"), "R0703"),
    "a resource of run time": ("late", (), "R0814"),
}
TARGETS = ("emulator:esp32c3", "serial:/dev/no-such-port")


# Firmware of the user's own, at a port, may have the data itself: R0701 is an emulator's.
@pytest.mark.parametrize(
    ("mistake", "target"),
    [
        (mistake, target)
        for mistake, (_, _, code) in MISTAKES.items()
        for target in (TARGETS[:1] if code == "R0701" else TARGETS)
    ],
)
@pytest.mark.parametrize("verb", [("run",), ("monitor", "--count", "1")], ids=lambda verb: verb[0])
@pytest.mark.usefixtures("files")
def test_a_wrong_input_is_found_before_anything_is_done(
    runec: Callable[..., Any],
    runes: dict[str, Path],
    verb: tuple[str, ...],
    target: str,
    mistake: str,
) -> None:
    rune, options, code = MISTAKES[mistake]
    began_s = time.process_time()
    done = runec(*verb, runes[rune], *options, "--on", target)
    assert (done.code, done.stdout) == (1, "")
    assert f"error[{code}]" in done.stderr
    assert time.process_time() - began_s < 1


@pytest.mark.parametrize("verb", ["run", "monitor"])
@pytest.mark.parametrize("rune", ["accel", "raw"])
def test_a_device_at_a_port_may_have_the_data_itself(
    runec: Callable[..., Any], runes: dict[str, Path], verb: str, rune: str
) -> None:
    assert DONE in runec(verb, runes[rune], "--on", TARGETS[1]).stderr
    assert "error[R0701]" in runec(verb, runes[rune], "--on", TARGETS[0]).stderr


@pytest.mark.parametrize(("rune", "flag"), [("raw", "--raw"), ("image", "--image")])
def test_what_needs_files_is_not_flashed_to_be_watched(
    runec: Callable[..., Any], runes: dict[str, Path], rune: str, flag: str
) -> None:
    done = runec("flash", runes[rune], "-b", "esp32c3", "-p", "/dev/ttyUSB0", "--monitor")
    assert done.code == 1
    assert "error[R0701]" in done.stderr
    assert f"omit --monitor, then pass its inputs: runec monitor X.rune {flag} FILE" in (
        done.stderr
    )


@pytest.mark.parametrize("options", [(), ("--input", "sensor")])
def test_what_needs_no_files_is_flashed_and_watched(
    runec: Callable[..., Any],
    runes: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    def flashed(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(flash, "flash", flashed)
    rune = runes["accel" if options else "rand"]
    done = runec("flash", rune, "-b", "esp32c3", "-p", "/dev/ttyUSB0", "--monitor", *options)
    assert done.code == 130
