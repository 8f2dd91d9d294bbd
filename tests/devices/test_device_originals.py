"""A device that says that it carries an original: what it hands on is read here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from runec.container import Rune, read_rune
from runec.devices.monitor import Result, Trouble, Watched, WatchEvent, watch
from runec.devices.serial_port import SerialDevice, SerialTransport
from runec.diagnostics import RuneError
from runec.vm import Inputs, device_rune
from tests.devices.plugged_port import Paper, plugged

Make = Callable[..., Any]
Run = Callable[[], Generator[tuple[object, ...], bytes, bytes]]
GIVEN = b"\xcd\xcc\x4c\x3f"  # what the fixture `inputs` holds
JSON = b'{"type_name":"f32","channel":2,"elements":[0.5],"dimensions":[1]}'
LINE = b'{"2":[{"element-type":"f32","dimensions":[1],"elements":[0.5]}]}\n'


def document(output: int, content: bytes) -> bytes:
    return struct.pack("<II", output, len(content)) + content


@pytest.fixture
def old(make_original: Callable[..., bytes]) -> Rune:
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_output (i32.const 1)))"""
    return read_rune(make_original(manifest, "", {}, pages=1))


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return tmp_path / "ttyACM0"


def saying(words: bytes) -> Run:
    """A run that writes these words, without asking for anything."""

    def run() -> Generator[tuple[object, ...], bytes, bytes]:
        return words
        yield ()

    return run


def test_documents_are_read_and_inputs_have_the_length_that_is_asked_for(
    make_device: Make, old: Rune, inputs: Inputs, port: Path
) -> None:
    got: list[bytes] = []

    def run() -> Generator[tuple[object, ...], bytes, bytes]:
        got.append((yield ("need", 1, 4)))
        return b"\x01" + document(2, JSON)

    device = make_device(run, abi=0, digest=device_rune(old).digest)
    with plugged(Paper(device), port), SerialDevice(str(port), old) as board:
        assert board.hello.abi == 0
        assert list(board.run_bytes(inputs, repeats=2)) == [LINE] * 2
    assert got == [GIVEN] * 2


def test_another_rune_than_the_described_one_is_told(
    make_device: Make, old: Rune, port: Path
) -> None:
    device = make_device(saying(b"\x01"), abi=0)
    with (
        plugged(Paper(device), port),
        pytest.raises(RuneError) as caught,
        SerialDevice(str(port), old),
    ):
        pass
    assert caught.value.code == "R0917"


def seen(make_device: Make, port: Path, words: bytes, **facts: Any) -> list[WatchEvent]:
    events: list[WatchEvent] = []
    with plugged(Paper(make_device(saying(words), **facts)), port):
        watch(
            lambda: SerialTransport(str(port)),
            Watched(every_s=0.0, count=2),
            events.append,
            name="board",
        )
    return [event for event in events if isinstance(event, Result | Trouble)]


def test_a_watched_device_tells_by_itself_what_its_words_are(make_device: Make, port: Path) -> None:
    words = b"\x01" + document(2, JSON)
    assert seen(make_device, port, words, abi=0) == [Result(LINE)] * 2
    with pytest.raises(RuneError, match="a tensor that ends early"):
        seen(make_device, port, words, abi=1)
    binary = b"\x07\0\0\0f32[01]" + GIVEN
    expected = Result(b"\x06\0\0\0f32[1]" + GIVEN)
    assert seen(make_device, port, b"\x05" + document(2, binary), abi=0) == [expected] * 2


def test_an_output_that_cannot_be_read_ends_one_run_and_not_the_watch(
    make_device: Make, port: Path
) -> None:
    troubles = seen(make_device, port, b"\x01" + document(2, b"{x"), abi=0)
    assert [
        (event.error.code, event.is_lost) for event in troubles if isinstance(event, Trouble)
    ] == [("R0710", False)] * 2


@pytest.mark.parametrize(
    ("words", "facts"),
    [(b"", {"abi": 0}), (b"\x01\0\0", {"abi": 0}), (LINE, {"abi": 0}), (LINE, {"abi": 2})],
)
def test_a_device_that_breaks_its_word_is_told(
    make_device: Make, port: Path, words: bytes, facts: dict[str, int]
) -> None:
    with pytest.raises(RuneError) as caught:
        seen(make_device, port, words, **facts)
    assert caught.value.code == "R0903"
