"""A conversation with a device: the link's state machine, kept running over a transport."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from runec.container import Graph
from runec.devices.errors import LinkLostError
from runec.devices.frames import Text
from runec.devices.link import (
    DataWanted,
    Event,
    Finished,
    Link,
    Lost,
    LostCause,
)
from runec.devices.messages import Failure, Hello, LogLine, Stats, Tested
from runec.devices.runevm_errors import NO_DATA, REFLASH, device_error
from runec.devices.transport import Transport
from runec.diagnostics import RunecError, RuneError
from runec.vm import REQUESTS_MAX, ResultError, check_result, too_many_requests

Log = Callable[[str], None]
Provide = Callable[[int, int], bytes]
"""Takes a capability's id and a length in bytes; returns that many bytes."""

_NO_ANSWER_AT_PORT = (
    "set the baud rate, PORT@BAUD (`runec boards show B` prints it), or flash the rune: "
    "runec flash X.rune --board B"
)
_NO_ANSWER = "check clock, console and link in the board file: runec boards show B"
_LAST_WORDS = 3
_QUIET_S = 0.3
_LEVELS = ("error", "warning", "info", "debug")
_Wanted = TypeVar("_Wanted", Hello, Stats, Tested, Finished, Failure)


def lost_error(lost: Lost, name: str, words: tuple[str, ...] = ()) -> RuneError:
    """Return the error for a link that is over; `words` are the device's last."""
    if lost.cause is LostCause.NO_ANSWER:
        return LinkLostError(
            "R0901",
            f"{name} does not answer, {lost.detail}",
            hint=_NO_ANSWER_AT_PORT if name.startswith("serial:") else _NO_ANSWER,
        )
    if lost.cause is LostCause.SILENCE:
        return LinkLostError(
            "R0901",
            f"{name} stopped responding, {lost.detail}",
            hint="check for an endless loop: run the rune on the host first",
            notes=words,
        )
    if lost.cause is LostCause.RESTARTED:
        return LinkLostError(
            "R0902",
            f"{name} restarted in the middle of a run",
            hint="run it on the host first; on a real board check the power supply as well",
            notes=words,
        )
    return RuneError(
        "R0903",
        f"{name} violates the link's protocol: {lost.detail}",
        hint=REFLASH,
    )


class Session:
    """Sends requests to a device and waits for the answers, one at a time."""

    def __init__(
        self,
        transport: Transport,
        *,
        name: str,
        graph: Graph | None = None,
        log: Log | None = None,
    ) -> None:
        """`graph` is that of the rune on the device, if known."""
        self._transport = transport
        self._name = name
        self._log = log
        self._boot_text: deque[str] = deque(maxlen=_LAST_WORDS)
        self._is_booted = not transport.has_boot_text
        self.begin_anew()
        self._graph = graph
        self._requests = 0
        self._refused: RunecError | None = None
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    @property
    def last_words(self) -> tuple[str, ...]:
        """The last lines of the device's log."""
        return tuple(self._last_words)

    @property
    def repeats(self) -> int:
        """How many requests were sent again because no answer came in time."""
        return self._link.repeats

    def begin_anew(self) -> None:
        """Forget a link that was lost; the next request is a greeting."""
        self._link = Link(
            retry_ms=self._transport.retry_ms,
            silence_ms=self._transport.silence_ms,
            part_bytes=self._transport.part_bytes,
        )

    def greet(self, *, booting: bool, timeout_s: float) -> Hello:
        """Return what the device reports about itself.

        Text before its first frame may be those of a boot ROM, read at another speed than it
        sends with: they are dropped, or are notes of the error where no frame follows.

        Raises:
            RuneError: R0901, R0903, R0913.
        """
        self._link.greet(self._transport.time_ms(), booting=booting)
        try:
            hello = self._wait(Hello, None, timeout_s)
        except LinkLostError as error:
            error.notes = (*error.notes, *self._boot_text)
            raise
        finally:
            self._boot_text.clear()
        self._is_booted = True
        return hello

    def run(self, provide: Provide, *, timeout_s: float) -> bytes:
        """Run the rune once and return its result text.

        Raises:
            RuneError: the device's error, or R0901 to R0904 and R0913 for a lost link; R0903, the
                result is not the output of a rune; R0925, the rune requests input without end.
            RunecError: what `provide` raised; the device was informed.
        """
        self._refused = None
        self._requests = 0
        self._link.run(self._transport.time_ms())
        result = self._wait(Finished, provide, timeout_s).result
        try:
            check_result(result, self._graph)
        except ResultError as error:
            fact = f"{self._name} returned {error}"
            raise RuneError("R0903", fact, hint=error.hint, notes=self.last_words) from None
        return result

    def refusal(self, *, timeout_s: float) -> Failure:
        """Return what keeps the rune of a device from running: any run is answered by it."""
        self._link.run(self._transport.time_ms())
        return self._wait(Failure, None, timeout_s)

    def stats(self, *, timeout_s: float) -> Stats:
        """Return the statistics of the device."""
        self._link.ask_stats(self._transport.time_ms())
        return self._wait(Stats, None, timeout_s)

    def test(self, request: bytes, *, timeout_s: float) -> Tested:
        """Return the answer to a sub-test of the self test (docs/spec/link.md, section 6).

        Raises:
            RuneError: R0901 to R0904, R0913, R0940: the link is lost.
        """
        self._link.test(request, self._transport.time_ms())
        return self._wait(Tested, None, timeout_s)

    def restart(self, request: bytes, *, timeout_s: float) -> Hello:
        """Ask for a sub-test that restarts the device; return its new hello.

        Raises:
            RuneError: as `test`.
        """
        self._link.restart(request, self._transport.time_ms())
        return self._wait(Hello, None, timeout_s)

    def listen(self, duration_s: float) -> Hello | None:
        """Receive log and hello for at most `duration_s`; return a hello if the device starts.

        Its log lines go to `log`.

        Raises:
            RuneError: R0903, R0913, R0940: the link is lost.
        """
        self._is_booted = True  # who listens wants to see all of it
        wall_limit_s = time.monotonic() + duration_s
        hello: Hello | None = None
        heard_s = time.monotonic()
        while hello is None and (now_s := time.monotonic()) < wall_limit_s:
            data = self._transport.receive(None, min(wall_limit_s, now_s + _QUIET_S))
            now_s = time.monotonic()
            events: list[Event] = []
            if data:
                heard_s = now_s
                events += self._link.receive(data, self._transport.time_ms())
            elif now_s - heard_s >= _QUIET_S:
                events += self._link.quiet()
            for event in events:
                if isinstance(event, Hello):
                    hello = event
                else:
                    self._handle(event, None)
            self._flush()
        return hello

    def _wait(self, wanted: type[_Wanted], provide: Provide | None, timeout_s: float) -> _Wanted:
        wall_limit_s = time.monotonic() + timeout_s
        result: _Wanted | None = None
        sends_bytes = False
        while result is None:
            self._flush()
            data = self._transport.receive(self._link.deadline_ms, wall_limit_s)
            sends_bytes = sends_bytes or bool(data)
            now_ms = self._transport.time_ms()
            events = self._link.receive(data, now_ms) if data else self._link.tick(now_ms)
            for event in events:
                if isinstance(event, wanted):
                    result = event
                else:
                    self._handle(event, provide)
            if result is None and time.monotonic() > wall_limit_s:
                if wanted is Hello:
                    detail = f"after {timeout_s:g} s"
                    detail += ", although it sends bytes" if sends_bytes else ""
                    raise lost_error(Lost(LostCause.NO_ANSWER, detail), self._name)
                raise LinkLostError(
                    "R0904",
                    f"{self._name} did not finish within {timeout_s:g} s of this host's clock",
                    hint="increase --timeout or simplify the pipeline",
                )
        self._flush()
        return result

    def _flush(self) -> None:
        data = self._link.output()
        if data:
            self._transport.send(data)

    def _handle(self, event: Event, provide: Provide | None) -> None:
        self._is_booted = self._is_booted or not isinstance(event, Text | Lost)
        if isinstance(event, Text):
            for line in event.text.splitlines():
                if line.strip() and self._is_booted:
                    self._say(line)
                elif line.strip():
                    self._boot_text.append(line)
        elif isinstance(event, LogLine):
            level = _LEVELS[min(event.level, len(_LEVELS) - 1)]
            for line in event.text.splitlines() or [""]:
                self._say(f"{level}: {line}")
        elif isinstance(event, Lost):
            raise lost_error(event, self._name, self.last_words)
        elif isinstance(event, Failure):
            self._flush()
            if self._refused is not None:
                raise self._refused
            raise device_error(event.code, event.place, event.detail)
        elif isinstance(event, DataWanted):
            self._provide(event, provide)

    def _provide(self, wanted: DataWanted, provide: Provide | None) -> None:
        try:
            if provide is None:
                raise device_error(NO_DATA)
            self._requests += 1
            if self._requests > REQUESTS_MAX:
                raise too_many_requests()
            data = provide(wanted.capability, wanted.length)
            if len(data) != wanted.length:
                raise RuneError(
                    "R0903",
                    f"the device requests {wanted.length} bytes of capability {wanted.capability}, "
                    f"which has {len(data)}",
                    hint=REFLASH,
                )
        except RunecError as error:
            # The device ends its run and says so; then this error is the user's answer.
            self._refused = error
            self._link.refuse(NO_DATA, error.message, self._transport.time_ms())
        else:
            self._link.give(data, self._transport.time_ms())

    def _say(self, line: str) -> None:
        self._last_words.append(line)
        if self._log is not None:
            self._log(f"{self._name}: {line}")
