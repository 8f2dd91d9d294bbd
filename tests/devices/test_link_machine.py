from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.devices.frames import Text
from runec.devices.link import DataWanted, Event, Finished, Link, Lost, LostCause
from runec.devices.messages import Failure, Hello, LogLine, Stats

Run = Generator[tuple[object, ...], bytes, bytes]
INPUTS = {1: bytes(range(256)) * 2, 2: b"\x00\x01\x02\x03"}


def digest_run() -> Run:
    """Ask twice for capability 1 and once for 2; the result shows every byte that came."""
    heard = hashlib.sha256()
    for capability in (1, 2, 1):
        heard.update((yield ("need", capability, len(INPUTS[capability]))))
    return (heard.hexdigest() * 8).encode() + b"\n"


EXPECTED = (hashlib.sha256(INPUTS[1] + INPUTS[2] + INPUTS[1]).hexdigest() * 8).encode() + b"\n"


class Pair:
    """A link and a device with a faulty line between them, on one clock."""

    def __init__(self, device: Any, faults: list[tuple[str, int]] | None = None) -> None:
        self.device = device
        self.link = Link(silence_ms=60_000)
        self.now = 0.0
        self.faults = list(faults or [])
        self.events: list[Event] = []

    def spoil(self, data: bytes) -> bytes:
        if not data or not self.faults:
            return data
        kind, where = self.faults.pop(0)
        at = where % len(data)
        if kind == "lose":
            return b""
        if kind == "flip":
            return data[:at] + bytes((data[at] ^ (1 << where % 8),)) + data[at + 1 :]
        if kind == "double":
            return data + data
        if kind == "cut":
            return data[:at]
        return data

    def turn(self) -> None:
        """Carry what is on the line both ways, or else let time pass to the next deadline."""
        to_device = self.spoil(self.link.output())
        if to_device:
            self.device.receive(to_device, self.now)
        to_link = self.spoil(self.device.take())
        if to_link:
            self.handle(self.link.receive(to_link, self.now))
        if not to_device and not to_link:
            deadlines = [
                deadline
                for deadline in (self.link.deadline_ms, self.device.deadline)
                if deadline is not None
            ]
            if deadlines:
                self.now = max(self.now, min(deadlines))
            self.device.tick(self.now)
            self.handle(self.link.tick(self.now))

    def handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, DataWanted):
                self.link.give(INPUTS[event.capability][: event.length], self.now)
            else:
                self.events.append(event)

    def until(self, *kinds: type) -> Any:
        for _ in range(2000):
            for event in self.events:
                if isinstance(event, (*kinds, Lost)):
                    self.events.remove(event)
                    return event
            self.turn()
        raise AssertionError("nothing came")

    def greet(self) -> Any:
        self.device.boot()
        self.link.greet(self.now, booting=True)
        return self.until(Hello)

    def run(self) -> Any:
        self.link.run(self.now)
        return self.until(Finished, Failure)


@pytest.fixture(scope="module")
def make_pair(make_device: Callable[..., Any]) -> Callable[..., Pair]:
    def make(run: Callable[[], Run] = digest_run, faults: Any = None, **facts: Any) -> Pair:
        return Pair(make_device(run, **facts), faults)

    return make


@pytest.mark.parametrize("part_bytes", [1, 40, 232])
def test_no_frame_has_more_data_than_the_transport_delivers(
    make_pair: Callable[..., Pair], part_bytes: int
) -> None:
    pair = make_pair()
    pair.link = Link(silence_ms=60_000, part_bytes=part_bytes)
    lengths: list[int] = []
    receive = pair.device.receive

    def heard(data: bytes, now: float) -> None:
        lengths.append(len(data))
        receive(data, now)

    pair.device.receive = heard
    pair.greet()
    assert pair.run().result == EXPECTED
    # two zeros, COBS, kind and seq, offset, CRC
    assert max(lengths) == 2 + 1 + 2 + 4 + part_bytes + 4


def test_a_hello_tells_what_the_device_is(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair(status=203)
    hello = pair.greet()
    assert hello == Hello(
        1, 1, 203, bytes(range(32)), 4096, 8192, 16384, "paper", "0.1.0", "wasm3+tflm"
    )
    assert pair.events == [Text("hello from paper\r\n")]
    assert pair.now == 0, "no waiting was needed"


def test_a_device_that_was_up_before_is_asked_without_waiting_for_its_boot(
    make_pair: Callable[..., Pair],
) -> None:
    pair = make_pair()
    pair.link.greet(0)
    assert isinstance(pair.until(Hello), Hello)
    assert pair.now == 0


def test_runs_give_the_whole_result_without_waiting(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    pair.greet()
    for _ in range(40):
        assert pair.run() == Finished(EXPECTED)
    assert pair.device.runs_started == 40
    assert pair.now == 0
    pair.link.ask_stats(pair.now)
    assert pair.until(Stats) == Stats(40, 700, 900, None, None, 42)


def test_an_empty_result_is_a_result(make_pair: Callable[..., Pair]) -> None:
    def silent() -> Run:
        yield from ()
        return b""

    pair = make_pair(silent)
    pair.greet()
    assert pair.run() == Finished(b"")


def test_a_devices_error_ends_the_run_and_the_next_run_works(
    make_pair: Callable[..., Pair],
) -> None:
    def trap_once(traps: list[int]) -> Run:
        if traps:
            yield ("error", traps.pop(), "mod360", "unreachable")
        yield ("need", 2, 4)
        return b"fine\n"

    traps = [301]
    pair = make_pair(lambda: trap_once(traps))
    pair.greet()
    assert pair.run() == Failure(301, "mod360", "unreachable")
    assert pair.run() == Finished(b"fine\n")


def test_data_that_cannot_be_given_ends_the_run_with_its_code(
    make_device: Callable[..., Any],
) -> None:
    class Refusing(Pair):
        def handle(self, events: list[Event]) -> None:
            for event in events:
                if isinstance(event, DataWanted):
                    self.link.refuse(401, "the file is too short", self.now)
                else:
                    self.events.append(event)

    pair = Refusing(make_device(digest_run))
    pair.greet()
    assert pair.run() == Failure(401, "need", "the file is too short")


FAULTS = st.lists(
    st.tuples(st.sampled_from(["pass", "pass", "lose", "flip", "double", "cut"]), st.integers(0)),
    max_size=60,
)


@settings(deadline=None, max_examples=300)
@given(faults=FAULTS)
def test_faults_on_the_line_never_give_a_wrong_result(
    make_pair: Callable[..., Pair], faults: list[tuple[str, int]]
) -> None:
    pair = make_pair(faults=faults)
    if isinstance(pair.greet(), Lost):
        return
    for started in (1, 2):
        outcome = pair.run()
        if isinstance(outcome, Lost):
            assert outcome.cause in (LostCause.NO_ANSWER, LostCause.SILENCE, LostCause.RESTARTED)
            return
        assert outcome == Finished(EXPECTED)
        assert pair.device.runs_started == started


@settings(deadline=None, max_examples=100)
@given(
    faults=st.lists(
        st.tuples(st.sampled_from(["lose", "flip", "double", "cut"]), st.integers(0)), max_size=7
    )
)
def test_a_few_faults_in_a_row_are_overcome(
    make_pair: Callable[..., Pair], faults: list[tuple[str, int]]
) -> None:
    pair = make_pair()
    assert isinstance(pair.greet(), Hello)
    pair.faults = list(faults)
    assert pair.run() == Finished(EXPECTED)
    assert pair.device.runs_started == 1


def test_a_device_that_never_answers_is_given_up_after_nine_tries() -> None:
    link = Link()
    link.greet(0)
    sent = [link.output()]
    events: list[Event] = []
    now = 0.0
    while not events:
        assert link.deadline_ms is not None
        now = link.deadline_ms
        events = link.tick(now)
        sent.append(link.output())
    assert events == [Lost(LostCause.NO_ANSWER, "after 9 tries")]
    assert [data for data in sent if data] == [sent[0]] * 9
    assert now == 9000


def test_a_restart_in_the_middle_of_a_run_is_reported(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    pair.greet()
    pair.link.run(pair.now)
    for _ in range(3):
        pair.turn()
    pair.device.take()
    pair.device.reset()
    assert pair.until(Finished) == Lost(LostCause.RESTARTED, "another hello")


def test_a_restart_between_runs_does_no_harm(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    pair.greet()
    assert pair.run() == Finished(EXPECTED)
    pair.turn()
    pair.device.reset()
    pair.turn()
    assert pair.run() == Finished(EXPECTED)


def test_a_device_that_falls_silent_is_reported(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    pair.greet()
    pair.link.run(pair.now)
    pair.turn()
    pair.device.take()
    pair.device.receive = pair.device.tick = lambda *_: None
    pair.device._deadline = None
    assert pair.until(Finished) == Lost(LostCause.SILENCE, "for 60 s")
    assert pair.now >= 60_000


# What a good checksum cannot excuse: frames that break the rules. Each is sent as the first
# frame of a run, with the answer to RUN before it.
BROKEN = {
    "a need of no bytes": [(0x82, struct.pack("<III", 1, 0, 0))],
    "a need past its end": [(0x82, struct.pack("<III", 1, 4, 4))],
    "a need cut short": [(0x82, b"\1\0\0\0")],
    "the rest of data never given": [(0x82, struct.pack("<III", 1, 512, 232))],
    "a part out of order": [(0x83, struct.pack("<I", 5) + b"x")],
    "an empty part": [(0x83, struct.pack("<I", 0))],
    "a part that is too long": [(0x83, struct.pack("<I", 0) + bytes(233))],
    "a wrong checksum of the whole": [(0x83, bytes(4) + b"x"), (0x84, struct.pack("<II", 1, 0))],
    "a wrong length of the whole": [
        (0x83, bytes(4) + b"x"),
        (0x84, struct.pack("<II", 2, zlib.crc32(b"x"))),
    ],
    "an error without a code": [(0x85, b"\1")],
    "an error whose text is cut": [(0x85, b"\1\1\5ab")],
    "an error with bytes after it": [(0x85, b"\1\1\0\0z")],
}


@pytest.mark.parametrize("case", BROKEN)
def test_frames_that_break_the_rules_end_the_link(
    make_frame: Callable[..., bytes], case: str
) -> None:
    link = Link()
    link.run(0)
    events = link.receive(make_frame(0x80, 1), 0)
    for seq, (kind, body) in enumerate(BROKEN[case], start=1):
        events += link.receive(make_frame(kind, seq, body), 0)
    assert [type(event) for event in events] == [Lost]
    assert isinstance(events[0], Lost)
    assert events[0].cause is LostCause.BROKEN
    assert link.receive(make_frame(0x84, 9, bytes(8)), 0) == [], "nothing is taken after that"


@pytest.mark.parametrize("body", [b"", b"\1", bytes(48), bytes(48) + b"\5abc"])
def test_a_malformed_hello_ends_the_link(make_frame: Callable[..., bytes], body: bytes) -> None:
    link = Link()
    link.greet(0)
    events = link.receive(make_frame(0x81, 1, body), 0)
    assert isinstance(events[0], Lost)
    assert events[0].cause is LostCause.BROKEN


@pytest.mark.parametrize("body", [b"", b"\1\0\0", b"\1\0\0\0\1"])
def test_malformed_statistics_end_the_link(make_frame: Callable[..., bytes], body: bytes) -> None:
    link = Link()
    link.ask_stats(0)
    events = link.receive(make_frame(0x87, 1, body), 0)
    assert isinstance(events[0], Lost)


def test_log_lines_are_given_and_not_answered(make_frame: Callable[..., bytes]) -> None:
    link = Link()
    assert link.receive(make_frame(0x86, 9, b"\2ready"), 0) == [LogLine(2, "ready")]
    assert link.output() == b""


def test_a_result_is_limited(make_frame: Callable[..., bytes]) -> None:
    link = Link()
    link.run(0)
    events: list[Event] = []
    seq, sent = 0, 0
    while not events:
        seq = (seq + 1) % 256
        events = link.receive(make_frame(0x83, seq, struct.pack("<I", sent) + bytes(232)), 0)
        sent += 232
        assert sent < 5 * 1024 * 1024
    assert isinstance(events[0], Lost)
    assert "more than" in events[0].detail


def test_requests_overlap_is_a_mistake_of_the_caller() -> None:
    link = Link()
    link.run(0)
    with pytest.raises(ValueError, match="one request"):
        link.ask_stats(0)


@settings(max_examples=200)
@given(
    frames=st.lists(
        st.tuples(st.integers(0x80, 0x88), st.integers(0, 3), st.binary(max_size=60)), max_size=8
    )
)
def test_arbitrary_frames_never_raise(
    make_frame: Callable[..., bytes], frames: list[tuple[int, int, bytes]]
) -> None:
    link = Link()
    link.run(0)
    for kind, seq, body in frames:
        for event in link.receive(make_frame(kind, seq, body), 0):
            if isinstance(event, DataWanted):
                link.refuse(401, "", 0)
