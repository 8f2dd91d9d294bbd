"""A device is watched: its results as they come, its log, its going away and coming back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runec.container import GraphCapability, Rune
from runec.devices.emulator import warn_of_sensor
from runec.devices.monitor import Connected, Result, Said, Trouble, Watched, WatchEvent, watch
from runec.devices.serial_port import SerialTransport
from runec.diagnostics import Diagnostic, MachineError, RunecError, RuneError
from runec.pipeline import CapabilityKind
from runec.vm import InputReader, Inputs
from tests.devices.plugged_port import Paper, echo, plugged

RESULT = Result(b'{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}\n')
Make = Callable[..., Any]


class Enough(Exception):  # noqa: N818 - no error: what a user's Ctrl-C is
    """The test has seen what it wanted."""


def watched(
    port: Path,
    wanted: Watched,
    until: Callable[[Sequence[WatchEvent]], bool] = lambda _: False,
) -> list[WatchEvent]:
    """Watch a port until enough runs are over, or until the test has seen enough."""
    events: list[WatchEvent] = []

    def tell(event: WatchEvent) -> None:
        events.append(event)
        if until(events):
            raise Enough

    try:
        watch(lambda: SerialTransport(str(port)), wanted, tell, name="board")
    except Enough:
        return events
    assert wanted.count is not None
    return events


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return tmp_path / "ttyACM0"


def sensor() -> Generator[tuple[object, ...], bytes, bytes]:
    """A run that needs nothing from the host."""
    return b'{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}\n'
    yield ()


def test_a_board_with_sensors_is_run_as_often_as_asked_without_its_rune(
    make_device: Make, port: Path
) -> None:
    device = make_device(sensor)
    with plugged(Paper(device), port):
        events = watched(port, Watched(every_s=0.0, count=3))
    assert [event for event in events if isinstance(event, Result)] == [RESULT] * 3
    assert isinstance(events[0], Connected)
    assert events[0].hello.board == "paper"
    assert device.runs_started == 3


def test_before_each_run_a_simulated_sensor_may_get_its_motion(
    make_device: Make, port: Path
) -> None:
    device = make_device(sensor)
    begun: list[int] = []
    with plugged(Paper(device), port):
        watch(
            lambda: SerialTransport(str(port)),
            Watched(every_s=0.0, count=3),
            lambda _: None,
            name="board",
            before_run=lambda _: begun.append(device.runs_started),
        )
    assert begun == [0, 1, 2]


def test_a_recording_that_a_board_with_a_sensor_did_not_read_is_warned_of(rune: Rune) -> None:
    motion = GraphCapability(1, CapabilityKind.ACCEL, {}, 0)
    graph = replace(rune.require_graph(), capabilities={"motion": motion})
    warned: list[Diagnostic] = []
    feed = InputReader(Inputs(accelerometer=(Path("r.csv"),), warn=warned.append))
    warn_of_sensor(rune.require_graph(), feed)
    warn_of_sensor(graph, InputReader(Inputs(warn=warned.append)))
    assert warned == []
    warn_of_sensor(graph, feed)
    (warning,) = warned
    assert warning.code == "R0749"
    assert (
        "--accelerometer r.csv has no effect: the firmware reads the sensor on the board"
        in warning.message
    )
    with pytest.raises(RunecError):
        feed.provide(CapabilityKind.ACCEL, {}, 12, None)
    warn_of_sensor(graph, feed)
    assert len(warned) == 1, "it was asked for"


def test_runs_start_as_far_apart_as_asked(make_device: Make, port: Path) -> None:
    with plugged(Paper(make_device(sensor)), port):
        began_s = time.monotonic()
        watched(port, Watched(every_s=0.3, count=3))
    assert time.monotonic() - began_s > 0.6


def test_inputs_come_from_files(make_device: Make, port: Path, rune: Rune, inputs: Inputs) -> None:
    with plugged(Paper(make_device(echo)), port):
        events = watched(port, Watched(rune, InputReader(inputs), every_s=0.0, count=2))
    assert events.count(RESULT) == 2


def test_a_rune_that_wants_inputs_and_gets_none_says_how_they_are_given(
    make_device: Make, port: Path
) -> None:
    with plugged(Paper(make_device(echo)), port), pytest.raises(RuneError) as caught:
        watched(port, Watched(every_s=0.0, count=1))
    assert caught.value.code == "R0912"
    assert "runec monitor X.rune --raw" in str(caught.value.hint)


def test_another_rune_than_the_one_named_is_refused(
    make_device: Make, port: Path, rune: Rune, inputs: Inputs
) -> None:
    device = make_device(echo, digest=bytes(32))
    with plugged(Paper(device), port), pytest.raises(RuneError) as caught:
        watched(port, Watched(rune, InputReader(inputs), every_s=0.0, count=1))
    assert caught.value.code == "R0917"
    assert device.runs_started == 0


def test_a_run_that_fails_is_told_and_the_next_one_is_asked_for(
    make_device: Make, port: Path
) -> None:
    def trap() -> Generator[tuple[object, ...], bytes, bytes]:
        yield ("error", 302, "mod360", "load at 70000")
        return b""

    runs = iter([sensor(), trap(), sensor()])
    with plugged(Paper(make_device(lambda: next(runs))), port):
        events = watched(port, Watched(every_s=0.0, count=3))
    _, first, trouble, last = events
    assert (first, last) == (RESULT, RESULT)
    assert isinstance(trouble, Trouble)
    assert (trouble.error.code, trouble.is_lost) == ("R0907", False)


def test_a_board_that_is_unplugged_is_waited_for_and_goes_on(make_device: Make, port: Path) -> None:
    with plugged(Paper(make_device(sensor)), port) as unplug:
        again = threading.Event()
        events: list[WatchEvent] = []

        def until(seen: Sequence[WatchEvent]) -> bool:
            events[:] = seen
            if seen.count(RESULT) == 2 and not again.is_set():
                again.set()
                unplug()
            return seen.count(RESULT) == 4

        thread = threading.Thread(
            target=watched, args=(port, Watched(every_s=0.05), until), daemon=True
        )
        thread.start()
        deadline_s = time.monotonic() + 30
        while not any(isinstance(event, Trouble) for event in events):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
    device = make_device(sensor)
    with plugged(Paper(device), port):
        thread.join(30)
    assert not thread.is_alive()
    kinds = [type(event) for event in events]
    assert kinds == [Connected, Result, Result, Trouble, Connected, Result, Result]
    trouble = events[3]
    assert isinstance(trouble, Trouble)
    assert (trouble.error.code, trouble.is_lost) == ("R0940", True)
    assert device.runs_started == 2


def test_a_restart_between_runs_is_told(make_device: Make, port: Path) -> None:
    device = make_device(sensor)
    with plugged(Paper(device), port):

        def until(seen: Sequence[WatchEvent]) -> bool:
            if seen[-1] == RESULT and seen.count(RESULT) == 1:
                threading.Timer(0.2, device.reset).start()
            return seen.count(RESULT) == 2

        events = watched(port, Watched(every_s=1.0), until)
    kinds = [type(event) for event in events]
    assert kinds == [Connected, Result, Said, Connected, Result]
    assert events[2] == Said("hello from paper")


def test_listening_asks_for_nothing_and_shows_words_that_nothing_ends(
    make_device: Make, port: Path
) -> None:
    class Talking(Paper):
        # Again and again: what is said before the port is opened is thrown away there.
        def exchange(self, data: bytes) -> bytes:
            assert data == b""
            return b"plain words of another firmware\r\nand more\r\n"

    with plugged(Talking(make_device(sensor)), port):
        events = watched(port, Watched(), lambda seen: len(seen) == 2)
    assert events == [Said("plain words of another firmware"), Said("and more")]


def test_a_port_that_was_never_there_is_an_error_at_once(port: Path) -> None:
    with pytest.raises(MachineError) as caught:
        watched(port, Watched(every_s=0.0, count=1))
    assert caught.value.code == "R0941"


def test_a_board_that_never_answered_is_no_board_to_wait_for(
    port: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def exchange(self, _data: bytes) -> bytes:
            return b""

    monkeypatch.setattr(SerialTransport, "retry_ms", 20.0)
    with plugged(Silent(), port), pytest.raises(RuneError) as caught:
        watched(port, Watched(every_s=0.0, count=1))
    assert caught.value.code == "R0901"
