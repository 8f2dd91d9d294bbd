"""The host's side of the link, as a state machine without input or output.

Bytes and the time go in, events and bytes come out, so that the whole of docs/spec/link.md can be
tested without a device. Times are milliseconds of whichever clock the caller keeps to.

    idle --greet()--> GREETING --Hello--> idle
    idle --run()--> STARTING --ACK--> RUNNING --Finished, Failure--> idle
    idle --ask_stats()--> COUNTING --Stats--> idle
    idle --test()--> TESTING --Tested--> idle
    idle --restart()--> RESTARTING --Hello--> idle
    any --Lost--> over: nothing more is accepted
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum, auto

from runec.devices.frames import Frame, FrameReader, Text, encode_frame
from runec.devices.messages import (
    LINK_VERSION,
    MAX_PART_BYTES,
    Failure,
    Hello,
    Kind,
    LogLine,
    Need,
    Stats,
    Tested,
    parse_done,
    parse_failure,
    parse_hello,
    parse_log,
    parse_need,
    parse_part,
    parse_stats,
    parse_tested,
)

RETRY_MS = 1000.0
RETRIES = 8
SILENCE_MS = 120_000.0
MAX_RESULT_BYTES = 4 * 1024 * 1024
_MAX_NODATA_TEXT_BYTES = 200


@dataclass(frozen=True, slots=True)
class DataWanted:
    """The rune asks a capability for `length` bytes: answer with `give()` or `refuse()`."""

    capability: int
    length: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A run is over; `result` is its whole text, checked."""

    result: bytes


class LostCause(Enum):
    """Why a link cannot be used any more."""

    NO_ANSWER = auto()
    SILENCE = auto()
    RESTARTED = auto()
    BROKEN = auto()


@dataclass(frozen=True, slots=True)
class Lost:
    """The link is over."""

    cause: LostCause
    detail: str


Event = Hello | Stats | Tested | DataWanted | Finished | Failure | LogLine | Text | Lost


class _State(Enum):
    IDLE = auto()
    BOOTING = auto()
    GREETING = auto()
    STARTING = auto()
    RUNNING = auto()
    COUNTING = auto()
    TESTING = auto()
    RESTARTING = auto()
    OVER = auto()


_IN_RUN = (_State.STARTING, _State.RUNNING)


class Link:
    """The host's end of one link."""

    def __init__(
        self,
        *,
        retry_ms: float = RETRY_MS,
        silence_ms: float = SILENCE_MS,
        part_bytes: int = MAX_PART_BYTES,
    ) -> None:
        """`part_bytes` is the most that a frame with data, or with words for the device, has."""
        self._part_bytes = part_bytes
        self._retry_ms = retry_ms
        self._silence_ms = silence_ms
        self._reader = FrameReader()
        self._state = _State.IDLE
        self._out = bytearray()
        self._seq = 0
        self._request = b""
        self._retries = 0
        self.repeats = 0
        """How many requests were sent again, since the beginning."""
        self._deadline: float | None = None
        # The frame of the device that was answered last, and the answer; kept between runs.
        self._answered: Frame | None = None
        self._answer = b""
        self._device_seq: int | None = None
        self._pending: tuple[Frame, Need] | None = None
        self._data: tuple[int, bytes] | None = None
        self._result = bytearray()

    @property
    def deadline_ms(self) -> float | None:
        """When `tick()` has something to do, or None while the link is idle."""
        return self._deadline

    @property
    def is_idle(self) -> bool:
        """True when a new request may be made."""
        return self._state is _State.IDLE

    def output(self) -> bytes:
        """Return the bytes to send to the device, each once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def greet(self, now_ms: float, *, booting: bool = False) -> None:
        """Ask who is there; with `booting` after it spoke first, as its console may be off yet."""
        self._require_idle()
        if booting:
            self._state = _State.BOOTING
            self._deadline = now_ms + self._retry_ms
        else:
            self._ask(_State.GREETING, Kind.HELLO, bytes((LINK_VERSION,)), now_ms)

    def run(self, now_ms: float) -> None:
        """Start a run."""
        self._require_idle()
        self._result.clear()
        self._data = None
        self._ask(_State.STARTING, Kind.RUN, b"", now_ms)

    def ask_stats(self, now_ms: float) -> None:
        """Request the statistics of the device."""
        self._require_idle()
        self._ask(_State.COUNTING, Kind.STATS, b"", now_ms)

    def test(self, body: bytes, now_ms: float) -> None:
        """Ask for a sub-test of the self test."""
        self._require_idle()
        self._ask(_State.TESTING, Kind.SELFTEST, body, now_ms)

    def restart(self, body: bytes, now_ms: float) -> None:
        """Ask for a sub-test that restarts the device: its new hello is the answer."""
        self._require_idle()
        self._ask(_State.RESTARTING, Kind.SELFTEST, body, now_ms)

    def give(self, data: bytes, now_ms: float) -> None:
        """Answer `DataWanted` with the whole buffer."""
        frame, need = self._take_pending()
        if len(data) != need.length:
            raise ValueError(f"{len(data)} bytes instead of {need.length}")
        self._data = (need.capability, data)
        self._answer_need(frame, need, now_ms)

    def refuse(self, code: int, text: str, now_ms: float) -> None:
        """Answer `DataWanted` with the `runevm_error` that ends the run."""
        frame, _ = self._take_pending()
        words = text.encode()[: min(_MAX_NODATA_TEXT_BYTES, self._part_bytes)]
        self._reply(frame, Kind.NODATA, code.to_bytes(2, "little") + words)
        self._listen(now_ms)

    def receive(self, data: bytes, now_ms: float) -> list[Event]:
        """Take bytes from the device."""
        events: list[Event] = []
        for item in self._reader.feed(data):
            if self._state is _State.OVER:
                break
            if isinstance(item, Text):
                events.append(item)
                continue
            try:
                self._frame(item, now_ms, events)
            except ValueError as error:
                # The CRC was right, so these are the bytes that the device meant to send.
                self._lose(LostCause.BROKEN, f"kind {item.kind:02x}: {error}", events)
        return events

    def quiet(self) -> list[Text]:
        """Return the words that no zero has ended, after a device was silent for a while."""
        return self._reader.take_text()

    def tick(self, now_ms: float) -> list[Event]:
        """Advance the clock: repeat an unanswered request, or time out."""
        events: list[Event] = []
        if self._deadline is None or now_ms < self._deadline:
            return events
        if self._state is _State.BOOTING:
            self._state = _State.IDLE
            self.greet(now_ms)
        elif self._state is _State.RUNNING:
            self._lose(LostCause.SILENCE, f"for {self._silence_ms / 1000:g} s", events)
        elif self._retries >= RETRIES:
            self._lose(LostCause.NO_ANSWER, f"after {RETRIES + 1} tries", events)
        else:
            self._retries += 1
            self.repeats += 1
            self._deadline = now_ms + self._retry_ms
            self._out += self._request
        return events

    def _require_idle(self) -> None:
        if self._state is not _State.IDLE:
            raise ValueError("one request is open at a time")

    def _take_pending(self) -> tuple[Frame, Need]:
        if self._pending is None:
            raise ValueError("the device requested no data")
        pending, self._pending = self._pending, None
        return pending

    def _ask(self, state: _State, kind: Kind, body: bytes, now_ms: float) -> None:
        self._seq = (self._seq + 1) % 256
        self._state = state
        self._retries = 0
        self._deadline = now_ms + self._retry_ms
        self._request = encode_frame(Frame(kind, self._seq, body))
        self._out += self._request

    def _rest(self) -> None:
        self._state = _State.IDLE
        self._deadline = None

    def _listen(self, now_ms: float) -> None:
        """In a run the device leads; only a long silence is an error."""
        self._state = _State.RUNNING
        self._deadline = now_ms + self._silence_ms

    def _lose(self, cause: LostCause, detail: str, events: list[Event]) -> None:
        self._state = _State.OVER
        self._deadline = None
        events.append(Lost(cause, detail))

    def _reply(self, frame: Frame, kind: Kind, body: bytes = b"") -> None:
        self._answered = frame
        self._answer = encode_frame(Frame(kind, frame.seq, body))
        self._device_seq = frame.seq
        self._out += self._answer

    def _frame(self, frame: Frame, now_ms: float, events: list[Event]) -> None:
        if frame.kind == Kind.DEVICE_HELLO:
            self._hello(frame, now_ms, events)
        elif frame.kind == Kind.DEVICE_ACK:
            if self._state is _State.STARTING and frame.seq == self._seq:
                self._listen(now_ms)
        elif frame.kind == Kind.DEVICE_STATS:
            if self._state is _State.COUNTING and frame.seq == self._seq:
                events.append(parse_stats(frame.body))
                self._rest()
        elif frame.kind == Kind.DEVICE_SELFTEST:
            if self._state is _State.TESTING and frame.seq == self._seq:
                events.append(parse_tested(frame.body))
                self._rest()
        elif frame.kind == Kind.LOG:
            events.append(parse_log(frame.body))
            if self._state is _State.RUNNING:
                self._listen(now_ms)
        elif frame.kind in (Kind.NEED, Kind.RESULT, Kind.DONE, Kind.ERROR):
            self._step(frame, now_ms, events)

    def _hello(self, frame: Frame, now_ms: float, events: list[Event]) -> None:
        if self._state is _State.BOOTING:
            # The device is up now and receives what is sent from here on.
            self._state = _State.IDLE
            self.greet(now_ms)
        elif self._state is _State.GREETING and frame.seq == self._seq:
            hello = parse_hello(frame.body)
            self._rest()
            events.append(hello)
        elif frame.seq == 0 and self._state in (*_IN_RUN, _State.COUNTING, _State.TESTING):
            self._lose(LostCause.RESTARTED, "another hello", events)
        elif frame.seq == 0:
            # It restarted while nothing was open, and counts its frames from 0.
            self._answered = None
            self._device_seq = None
            if self._state in (_State.IDLE, _State.RESTARTING):
                self._rest()
                events.append(parse_hello(frame.body))

    def _step(self, frame: Frame, now_ms: float, events: list[Event]) -> None:
        """Accept a frame that needs an answer. The first one of a run also acknowledges RUN."""
        if frame == self._answered:
            self._out += self._answer
            return
        if self._state not in _IN_RUN or self._pending is not None:
            return
        if self._device_seq is not None and frame.seq != (self._device_seq + 1) % 256:
            return
        self._listen(now_ms)
        if frame.kind == Kind.NEED:
            self._need(frame, parse_need(frame.body), now_ms, events)
        elif frame.kind == Kind.RESULT:
            part = parse_part(frame.body)
            if part.offset != len(self._result):
                raise ValueError(f"part {part.offset} came after {len(self._result)} bytes")
            if len(self._result) + len(part.data) > MAX_RESULT_BYTES:
                raise ValueError(f"a result of more than {MAX_RESULT_BYTES} bytes")
            self._result += part.data
            self._reply(frame, Kind.ACK)
        elif frame.kind == Kind.DONE:
            done = parse_done(frame.body)
            if (done.length, done.crc) != (len(self._result), zlib.crc32(self._result)):
                raise ValueError("the result's length or checksum is wrong")
            self._reply(frame, Kind.ACK)
            self._rest()
            events.append(Finished(bytes(self._result)))
        else:
            failure = parse_failure(frame.body)
            self._reply(frame, Kind.ACK)
            self._rest()
            events.append(failure)

    def _need(self, frame: Frame, need: Need, now_ms: float, events: list[Event]) -> None:
        if need.offset == 0:
            self._pending = (frame, need)
            events.append(DataWanted(need.capability, need.length))
        elif (
            self._data is None
            or self._data[0] != need.capability
            or len(self._data[1]) != need.length
        ):
            raise ValueError("request for the rest of data that was not sent")
        else:
            self._answer_need(frame, need, now_ms)

    def _answer_need(self, frame: Frame, need: Need, now_ms: float) -> None:
        if self._data is None:
            raise ValueError("no data was given")
        part = self._data[1][need.offset : need.offset + self._part_bytes]
        self._reply(frame, Kind.DATA, need.offset.to_bytes(4, "little") + part)
        self._listen(now_ms)
