"""Legacy runes (2020 to 2022) run on the host; a verb that is about devices rejects them."""

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
def old(make_legacy: Callable[..., bytes], here: Path) -> Path:
    """RAW, four bytes, as they are to TENSOR."""
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_output (i32.const 5)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const {64 + len(TEXT)}) (i32.const 4)
            (i32.const 1)))
        (drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const {len(TEXT) + 4})))"""
    (here / "old.rune").write_bytes(make_legacy(manifest, call, {64: TEXT}, pages=1))
    (here / "x.bin").write_bytes(struct.pack("<f", 1.5))
    return here / "old.rune"


def test_it_runs_on_the_host(runec: Run, old: Path) -> None:
    done = runec("run", old, "--raw", "x.bin", "--format", "json")
    assert done.code == 0, done.stderr
    tensor = {"element-type": "f32", "dimensions": [1], "elements": [1.5]}
    assert json.loads(done.stdout) == {"tensors": [tensor]}


BOARD = ("--board", "mps2_an386")


@pytest.mark.parametrize(
    "line",
    [
        ("firmware", "new", "old.rune", *BOARD, "-d", "out"),
        ("firmware", "build", "old.rune", *BOARD, "-d", "out"),
        ("flash", "old.rune", "--board", "nrf52840_dk", "--dry-run"),
        ("run", "old.rune", "--raw", "x.bin", "--on", "emulator:mps2_an386"),
        ("run", "old.rune", "--raw", "x.bin", "--on", "serial:/dev/there-is-none"),
        ("run", "old.rune", "--raw", "x.bin", "--on", "host", "--on", "emulator:mps2_an386"),
        ("monitor", "old.rune", "--raw", "x.bin", "--port", "/dev/there-is-none"),
        ("size", "old.rune", *BOARD),
        ("check", "old.rune", *BOARD),
        ("graph", "old.rune"),
    ],
    ids=" ".join,
)
def test_a_verb_of_devices_refuses_it(
    runec: Run, old: Path, here: Path, line: tuple[str, ...]
) -> None:
    done = runec(*line)
    assert old.exists()
    assert (done.code, done.stderr.count("error[")) == (1, 1), done.stderr
    assert "error[R0616]: legacy rune (2020 to 2022, ABI 0)" in done.stderr
    assert "runs on the host only" in done.stderr
    assert "build the rune again from its Runefile" in done.stderr
    assert not (here / "out").exists()
