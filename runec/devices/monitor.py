"""Continuous runs on a device: results, log, connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from runec.container import Rune
from runec.devices.emulator import (
    START_TIMEOUT_S,
    TIMEOUT_S,
    check_hello,
    provider,
    warn_of_sensor,
)
from runec.devices.errors import LinkLostError
from runec.devices.messages import Hello
from runec.devices.runevm_errors import NO_DATA, device_error
from runec.devices.session import Provide, Session
from runec.devices.transport import Transport
from runec.diagnostics import MachineError, RuneError
from runec.vm import FailedRunError, InputReader, Inputs

_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Connected:
    """Hello of the device: at the start, after a restart, after a reconnection."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Result:
    """Output of a run."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the device's log."""

    line: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run failed (`is_run`), the device is lost (`is_lost`), or both; `is_last`: it ends here."""

    error: RuneError
    is_lost: bool
    is_run: bool = True
    is_last: bool = False


WatchEvent = Connected | Result | Said | Trouble


@dataclass(frozen=True, slots=True)
class Watched:
    """What to do with a device: run its rune every so often, or only listen to it.

    `rune` is the one that it must carry, and `feed` are its inputs; without it any is taken, which
    then gets no inputs from here.
    Without `every_s` no runs are requested. `count` is the number of runs. `timeout_s` is how
    long this host waits for one run.
    """

    rune: Rune | None = None
    feed: InputReader | None = None
    every_s: float | None = None
    count: int | None = None
    timeout_s: float = TIMEOUT_S


def watch(
    connect: Callable[[], Transport],
    wanted: Watched,
    tell: Callable[[WatchEvent], None],
    *,
    name: str,
    booting: bool = False,
    before_run: Callable[[InputReader], None] | None = None,
) -> None:
    """Watch a device until `wanted.count` runs are over, or an exception such as Ctrl-C ends it.

    When a device goes away, `connect` opens a new connection. The device runs a
    rune only when it is asked, so that is what this does; see docs/spec/link.md. `before_run` is
    called before each run.

    Raises:
        RunecError: `connect`'s the first time; an input is missing or wrong; R0903, R0905, R0917:
            the firmware cannot be talked with; R0912, the rune wants inputs and there are none.
        RuneError: R0901, the device has never answered; R0913, the emulator is lost.
    """
    watcher = _Watcher(wanted, tell, name, before_run)
    while True:
        try:
            transport = connect()
        except MachineError:
            if not watcher.has_met:
                raise
            time.sleep(_LOOK_S)
            continue
        with closing(transport):
            try:
                watcher.serve(transport, booting=booting)
            except LinkLostError as error:
                if not watcher.has_met:
                    raise
                is_last = watcher.is_done
                tell(Trouble(error, is_lost=True, is_run=watcher.is_running, is_last=is_last))
                if is_last:
                    return
            else:
                return


class _Watcher:
    def __init__(
        self,
        wanted: Watched,
        tell: Callable[[WatchEvent], None],
        name: str,
        before_run: Callable[[InputReader], None] | None,
    ) -> None:
        self._wanted = wanted
        self._before_run = before_run
        self._feed = wanted.feed or InputReader(Inputs())
        self._tell = tell
        self._name = name
        self._runs = 0
        self.has_met = False
        self.is_running = False
        self._provide: Provide = _nothing
        self._rune = wanted.rune
        if self._rune is not None:
            self._provide = provider(self._rune.require_graph(), self._feed)

    @property
    def is_done(self) -> bool:
        """True when as many runs are over as were wanted."""
        return self._runs == self._wanted.count

    def serve(self, transport: Transport, *, booting: bool) -> None:
        """Watch over one connection; return when enough runs are over."""
        self.is_running = False
        graph = None if self._rune is None else self._rune.require_graph()
        session = Session(transport, name=self._name, graph=graph, log=self._log)
        if self._wanted.every_s is None:
            self.has_met = True
            while True:
                self._meet(session, session.listen(1.0))
        self._meet(session, session.greet(booting=booting, timeout_s=START_TIMEOUT_S))
        while True:
            began_s = time.monotonic()
            self._runs += 1  # one in which the device is lost counts as well
            self.is_running = True
            self._run(session)
            self.is_running = False
            if self.is_done:
                return
            left_s = began_s + self._wanted.every_s - time.monotonic()
            self._meet(session, session.listen(max(left_s, 0.0)))

    def _run(self, session: Session) -> None:
        if self._before_run is not None:
            self._before_run(self._feed)
        try:
            self._tell(Result(session.run(self._provide, timeout_s=self._wanted.timeout_s)))
            if self._rune is not None:
                warn_of_sensor(self._rune.require_graph(), self._feed)
        except FailedRunError as error:
            self._tell(Trouble(error, is_lost=False))

    def _meet(self, session: Session, hello: Hello | None) -> None:
        if hello is None:
            return
        self.has_met = True
        self._tell(Connected(hello))
        if self._wanted.every_s is not None:
            check_hello(hello, self._rune, session.last_words)

    def _log(self, line: str) -> None:
        self._tell(Said(line.removeprefix(f"{self._name}: ")))


def _nothing(_capability: int, _length: int) -> bytes:
    error = device_error(NO_DATA)
    error.hint = "name the rune and its inputs: runec monitor X.rune --raw input.bin"
    raise error
