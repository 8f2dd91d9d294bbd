"""No verb waits for a pipe or a device in the place of a file; own streams are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
NOOP = PROJECT / "examples" / "noop"
RUNEC = (sys.executable, "-m", "runec")


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """A verb that waits fails the test, rather than stopping all of them."""

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


VERBS = {
    "build": ("build", "PIPE"),
    "check": ("check", "PIPE"),
    "fmt": ("fmt", "PIPE"),
    "convert": ("convert", "PIPE"),
    "run": ("run", "PIPE"),
    "run a rune": ("run", "PIPE.rune"),
    "raw": ("run", "RUNE", "--raw", "PIPE"),
    "accelerometer": ("run", "RUNE", "--accelerometer", "PIPE"),
    "sound": ("run", "RUNE", "--sound", "PIPE"),
    "image": ("run", "RUNE", "--image", "PIPE"),
    "resource": ("run", "RUNE", "--file-resource", "X=PIPE"),
    "inspect": ("inspect", "PIPE"),
    "graph": ("graph", "PIPE"),
    "model-info": ("model-info", "PIPE"),
    "size": ("size", "PIPE", "--board", "netduinoplus2"),
    "board": ("size", "RUNE", "--board", "PIPE.toml"),
    "boards": ("boards", "show", "PIPE.toml"),
    "firmware": ("firmware", "build", "PIPE", "--board", "netduinoplus2"),
    "flash": ("flash", "PIPE", "--board", "netduinoplus2", "--dry-run"),
    "emulator": ("run", "RUNE", "--on", "emulator:PIPE.toml"),
    "block": ("block", "test", "PIPE"),
    "monitor": ("monitor", "PIPE", "--port", "/nowhere"),
}


@pytest.mark.parametrize("words", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_a_pipe_or_a_device_ends_every_verb(
    words: tuple[str, ...], kind: str, here: Path, noop_rune: Path, runec: Callable[..., Any]
) -> None:
    for suffix in ("", ".rune", ".toml"):
        path = here / f"PIPE{suffix}"
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
    done = runec(*(word.replace("RUNE", str(noop_rune)) for word in words))
    assert done.code in (1, 2), done
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["block.toml", "block.c", "tests.toml"])
def test_a_pipe_in_a_blocks_folder(name: str, here: Path, runec: Callable[..., Any]) -> None:
    assert runec("block", "new", "mine").code == 0
    (here / "mine" / name).unlink()
    os.mkfifo(here / "mine" / name)
    done = runec("block", "test", "mine")
    assert done.code in (0, 1), done


def test_a_named_pipe_is_reported_as_one(here: Path, runec: Callable[..., Any]) -> None:
    os.mkfifo(here / "pipe")
    done = runec("check", "pipe")
    assert done.code == 1
    assert "cannot read the Runefile pipe: it is a named pipe, not a regular file" in done.stderr


def test_the_streams_of_the_process_are_read(tmp_path: Path) -> None:
    text = (NOOP / "Runefile.yml").read_bytes()
    done = subprocess.run(
        [*RUNEC, "check", "/dev/stdin", "-C", NOOP],
        input=text,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    # As bash passes `<(cat Runefile.yml)`.
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    done = subprocess.run(
        [*RUNEC, "build", f"/dev/fd/{reader}", "-o", tmp_path / "x.rune", "-C", NOOP],
        pass_fds=(reader,),
        capture_output=True,
        check=False,
        timeout=60,
    )
    os.close(reader)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.rune").exists()


RUNEFILE = """\
image: runicos/base
version: 1
pipeline:
  raw: {capability: RAW, outputs: [{type: i32, dimensions: [4]}]}
  serial: {out: SERIAL, inputs: [raw]}
resources:
  NOTES: {path: ../notes.txt}
"""


@pytest.mark.parametrize(
    "words", [("check",), ("build", "-o", "x.rune"), ("run", "--raw", "../raw.bin"), ("graph",)]
)
def test_a_file_outside_needs_the_option(
    words: tuple[str, ...], here: Path, runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "notes.txt").write_text("x")
    (here / "raw.bin").write_bytes(bytes(16))
    (here / "p").mkdir()
    (here / "p" / "Runefile.yml").write_text(RUNEFILE)
    monkeypatch.chdir(here / "p")
    command = (words[0], "Runefile.yml", *words[1:])
    refused = runec(*command)
    assert refused.code == 1
    assert "R1015" in refused.stdout + refused.stderr
    assert runec(*command, "--allow-outside").code == 0


def test_a_board_file_that_needs_trust(here: Path, runec: Callable[..., Any]) -> None:
    (here / "mine.toml").write_text(
        'inherits = "netduinoplus2"\nid = "mine"\nname = "Mine"\nverified = []\n'
        '[toolchain]\nprefix = "./no-such-compiler-"\n'
    )
    for words in (
        ("firmware", "new", "noop", "--board", "./mine.toml", "-d", "d"),
        ("firmware", "build", "noop", "--board", "./mine.toml", "-d", "d"),
        ("size", "noop", "--board", "./mine.toml"),
        ("flash", "noop", "--board", "./mine.toml", "--dry-run"),
        ("run", "noop", "--on", "emulator:./mine.toml", "--raw", "noop/input.bin"),
        ("monitor", "noop", "--on", "emulator:./mine.toml", "--raw", "noop/input.bin"),
    ):
        done = runec(*words)
        assert done.code == 1, done
        assert "R0842" in done.stderr
        assert "R0842" not in runec(*words, "--trust-board").stderr
    assert runec("boards", "show", "./mine.toml").code == 0
