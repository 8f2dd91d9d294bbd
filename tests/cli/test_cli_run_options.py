"""Options of `runec run`: inputs, resources, traces, verbosity."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runec.cli import execute

Build = Callable[[str], Path]
NOOP_INPUT = Path(__file__).resolve().parents[2] / "examples" / "noop" / "input.bin"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compile the stages of a Runefile."""

    def call(stages: str, resources: str = "") -> Path:
        folder = tmp_path / "probe"
        folder.mkdir()
        (folder / "Runefile.yml").write_text(
            f"version: 1\nimage: runicos/base\npipeline:\n{stages}\n{resources}"
        )
        path = tmp_path / "probe.rune"
        assert execute(["build", str(folder / "Runefile.yml"), "-o", str(path), "-C", "."]) == 0
        return path

    return call


def test_a_list_of_words_is_shown_as_a_runefile_spells_it(
    runec: Callable[..., Any], build: Build
) -> None:
    path = build("""
  number: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}
  label:
    proc-block: label
    inputs: [number]
    args: {wordlist: "on\\noff"}
    outputs: [{type: utf8, dimensions: [1]}]
  serial: {out: serial, inputs: [label]}""")
    assert "wordlist=on,off\n" in runec("inspect", path).stdout


IMAGE = """
  image:
    capability: IMAGE
    args: {width: 2, height: 1, pixel_format: %s}
    outputs: [{type: U8, dimensions: [1, 1, 2, %d]}]
  serial: {out: serial, inputs: [image]}"""


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("'@PixelFormat::RGB'", [255, 0, 0, 0, 0, 255]),
        ("1", [0, 0, 255, 255, 0, 0]),
        ("'@PixelFormat::GrayScale'", [54, 18]),
    ],
)
def test_a_picture_reaches_the_rune(
    runec: Callable[..., Any],
    build: Build,
    tmp_path: Path,
    form: str,
    expected: list[int],
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).save(path)
    done = runec("run", build(IMAGE % (form, len(expected) // 2)), "--image", path)
    assert json.loads(done.stdout)["2"][0]["elements"] == expected


SOUND = """
  sound:
    capability: SOUND
    args: {hz: 8000, sample_duration_ms: 1}
    outputs: [{type: I16, dimensions: [1, 8]}]
  serial: {out: serial, inputs: [sound]}"""


def test_a_sound_reaches_the_rune_and_a_short_one_is_an_error(
    runec: Callable[..., Any], build: Build, tmp_path: Path
) -> None:
    data = struct.pack("<9h", *range(9))
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 54, b"WAVE", b"fmt ", 16, *FORMAT)
    (tmp_path / "a.wav").write_bytes(head + data)
    rune = build(SOUND)
    done = runec("run", rune, "--sound", tmp_path / "a.wav")
    assert json.loads(done.stdout)["2"][0]["elements"] == list(range(8))
    short = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 40, b"WAVE", b"fmt ", 16, *FORMAT[:-1], 4)
    (tmp_path / "b.wav").write_bytes(short + data[:4])
    done = runec("run", rune, "--sound", tmp_path / "b.wav")
    assert (done.code, done.stdout) == (1, "")
    assert "At least 8 samples are required to generate this input" in done.stderr


FORMAT = (1, 1, 8000, 16000, 2, 16, b"data", 18)
TENSOR = """
  input: {capability: RAW, outputs: [{type: u8, dimensions: [2]}]}
  out: {out: TENSOR, inputs: [input]}"""


def test_binary_output_goes_to_stdout_byte_by_byte(
    build: Build, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    rune = build(TENSOR)
    (tmp_path / "in.bin").write_bytes(b"\n\xff")
    capfdbinary.readouterr()
    code = execute(["run", str(rune), "--raw", str(tmp_path / "in.bin"), "-r", "2"])
    assert (code, capfdbinary.readouterr().out) == (0, 2 * b"\x05\0\0\0u8[2]\n\xff")


def test_text_and_binary_do_not_share_a_stream(
    runec: Callable[..., Any], build: Build, tmp_path: Path
) -> None:
    (tmp_path / "in.bin").write_bytes(b"ab")
    rune = build(f"{TENSOR}\n  serial: {{out: serial, inputs: [input]}}")
    done = runec("run", rune, "--raw", tmp_path / "in.bin")
    assert (done.code, done.stdout) == (3, "")
    assert "error[R0706]: the rune has TENSOR outputs and others together" in done.stderr


RANDOM = """
  rand: {capability: RAND, outputs: [{type: f32, dimensions: [4]}]}
  serial: {out: serial, inputs: [rand]}"""


def test_random_floats_are_small_and_random_bits_are_anything(
    runec: Callable[..., Any], build: Build
) -> None:
    rune = build(RANDOM)
    plain = json.loads(runec("run", rune, "--random", "5").stdout)["2"][0]["elements"]
    assert all(0 <= value < 1 for value in plain)
    bits = json.loads(runec("run", rune, "--rand", "5", "--random-bits").stdout)["2"][0]["elements"]
    assert not all(0 <= (value or -1) < 1 for value in bits)


def test_a_trace_goes_to_stderr_and_leaves_the_result_alone(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    raw = here / "noop" / "input.bin"
    plain = runec("run", noop_rune, "--raw", raw)
    traced = runec("run", noop_rune, "--raw", raw, "--trace", "-q")
    assert traced.stdout == plain.stdout
    assert "input (RAW)" in traced.stderr
    assert "  -> i32[4] 0, 1, 2, 3" in traced.stderr
    assert "Running rune" not in traced.stderr
    done = runec("run", noop_rune, "--raw", raw, "--trace", "--format", "json")
    steps = [json.loads(line) for line in done.stderr.splitlines()]
    assert [step["stages"] for step in steps] == [["input"], ["serial"]]


def test_quiet_leaves_nothing_but_the_result(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    raw = here / "noop" / "input.bin"
    assert runec("run", noop_rune, "--raw", raw).stderr == "Running rune: noop.rune\n"
    done = runec("run", noop_rune, "--raw", raw, "-q")
    assert (done.code, done.stderr) == (0, "")
    assert runec("run", noop_rune, "-q").stderr.startswith("error[R0701]")


MISTAKES = {
    "no equals sign": (["--string-resource", "words"], 2, "is not NAME=VALUE"),
    "no name": (["--file-resource", "=x"], 2, "is not NAME=VALUE"),
    "twice": (["--string-resource", "a=1", "--string-resource", "a=2"], 2, "duplicate"),
    "twice in two ways": (
        ["--string-resource", "a=1", "--file-resource", "a=pyproject.toml"],
        2,
        "a",
    ),
    "no file": (["--file-resource", "a=nowhere"], 1, "nowhere"),
    "unknown": (["--string-resource", "a=1"], 2, "the rune has no resource 'a'"),
    "a board": (["--string-resource", "a=1", "--on", "emulator:esp32c3"], 2, "omit --on"),
    "a traced board": (["--trace", "--on", "emulator:esp32c3"], 2, "omit --on"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_with_options_are_told(
    runec: Callable[..., Any], noop_rune: Path, here: Path, case: str
) -> None:
    assert here == Path.cwd()
    arguments, code, words = MISTAKES[case]
    done = runec("run", noop_rune, "--raw", "noop/input.bin", *arguments)
    assert (done.code, done.stdout) == (code, "")
    assert words in done.stderr


def test_the_names_of_outputs_are_shown_on_request_and_results_stay(
    runec: Callable[..., Any], noop_rune: Path
) -> None:
    plain = runec("run", noop_rune, "--raw", NOOP_INPUT)
    told = runec("run", noop_rune, "--raw", NOOP_INPUT, "-v")
    assert (plain.code, told.code) == (0, 0)
    assert told.stdout == plain.stdout
    assert "output 2: serial\n" in told.stderr
    assert "output 2" not in plain.stderr
