"""Streams of bytes to a device, each with its own clock."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from runec.devices.messages import MAX_PART_BYTES
from runec.diagnostics import MachineError, RuneError
from runec.files import IN_TMPDIR, disk_error
from runec.tools import EMULATOR_LIMITS

DEFAULT_BAUD = 115_200
DIALOUT = "sudo adduser $USER dialout, then log in again"
"""Command that lets a user of Debian open serial ports."""

_STOP_S = 2.0
_NOTE_LINES = 4
_WARNING = re.compile(r"\bwarning\b", re.IGNORECASE)
_ERROR = re.compile(r"\b(?:fatal|error|panicked)\b", re.IGNORECASE)
# What QEMU prints when the program in it cannot go on.
_CRASH = re.compile(r"\bfatal: ")


class Transport(Protocol):
    """A console of a device. `close()` may be called at any time and more than once."""

    retry_ms: float
    """How long to wait for an answer, on this transport's clock."""
    silence_ms: float
    """How long a device may be silent in the middle of a run, on this transport's clock."""
    part_bytes: int
    """The most data bytes of a frame that this transport delivers whole."""
    has_boot_text: bool
    """Whether what comes before the first frame may be a boot ROM's, at another speed."""

    def time_ms(self) -> float:
        """Return the time on this transport's clock: the device's own where that can be known."""

    def send(self, data: bytes) -> None:
        """Send all bytes."""

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        """Return bytes as soon as there are some, or nothing.

        Nothing is returned when the clock has passed `until_ms`, or `time.monotonic()`
        `wall_limit_s`; or, now and then, for no reason.

        Raises:
            RuneError: R0913, the device is lost.
        """

    def close(self) -> None:
        """Let go of the device; what was started for it is ended."""


class ChildProcess:
    """A program spoken to over its stdin and stdout; killed on every way out.

    Its stderr is kept in a temporary file for messages, so that it can never block.
    """

    def __init__(self, command: Sequence[str | Path], *, name: str) -> None:
        self.name = name
        arguments = EMULATOR_LIMITS.apply_to(command)
        try:
            self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        except OSError as error:
            what = f"write the output of {name} to a temporary file"
            raise disk_error(error, what, elsewhere=IN_TMPDIR) from None
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                # Ctrl-C goes to runec alone, which then ends the child in its own order.
                start_new_session=True,
            )
        except OSError as error:
            self._stderr.close()
            raise MachineError(
                "R0914", f"cannot start {name}: {error.strerror}", hint="runec doctor"
            ) from None
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)

    @property
    def _in(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        return self._process.stdout

    def write(self, data: bytes) -> None:
        """Send all bytes. Raises RuneError R0913 when the program is lost."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._in.fileno(), view) :]
        except OSError:
            raise self.gone() from None

    def read(self, wait_s: float) -> bytes:
        """Return received bytes, waiting `wait_s` seconds at most. Raises RuneError R0913."""
        if not self._selector.select(max(0.0, wait_s)):
            return b""
        data = os.read(self._out.fileno(), 65536)
        if not data:
            raise self.gone()
        return data

    def gone(self, detail: str = "") -> RuneError:
        """Return the error of a program that exited, with its last output."""
        self._stderr.seek(0)
        words = detail or self._stderr.read(65536).decode(errors="replace")
        last = _last_words(words)
        crashed = bool(last) and _CRASH.search(last[0]) is not None
        return RuneError(
            "R0913",
            f"{self.name} exited" + (f": {last[0]}" if last else ""),
            hint="the firmware stopped the CPU: see its log with --verbose"
            if crashed
            else "check the emulator with runec doctor",
            notes=last[1:],
        )

    def close(self) -> None:
        """Kill the program and wait for its end."""
        if self._stderr.closed:
            return
        try:
            self._process.kill()
            self._process.wait(timeout=_STOP_S)
        finally:
            self._selector.close()
            self._in.close()
            self._out.close()
            self._stderr.close()


def _last_words(text: str) -> list[str]:
    """Return the line with the reason of an exit, and a few lines after it.

    QEMU puts a dump of registers below its reason; Python puts its reason last.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if any(line.startswith("Traceback ") for line in lines):
        return lines[-1:]
    reasons = [index for index, line in enumerate(lines) if _ERROR.search(line)]
    remarks = [index for index, line in enumerate(lines) if not _WARNING.search(line)]
    first = next(iter(reasons or remarks), 0)
    return lines[first : first + 1 + _NOTE_LINES]


class StreamTransport:
    """A program whose stdin and stdout are the device's console, on the wall clock: QEMU.

    The pipe keeps what the device has not read yet, so nothing is lost and waiting long for an
    answer costs nothing: an emulated device is slower than a real one.
    """

    retry_ms = 20_000.0
    # Its time budget is counted in virtual time, which passes as slowly as this host emulates: only
    # the limit of a run on the wall clock ends it.
    silence_ms = float("inf")
    part_bytes = MAX_PART_BYTES
    has_boot_text = False

    def __init__(self, command: Sequence[str | Path], *, name: str) -> None:
        self._child = ChildProcess(command, name=name)

    def time_ms(self) -> float:
        """Return the wall clock's time."""
        return time.monotonic() * 1000

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        self._child.write(data)

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        """Return bytes as soon as there are some, or nothing; see `Transport`."""
        now_s = time.monotonic()
        wait_s = wall_limit_s - now_s
        if until_ms is not None:
            wait_s = min(wait_s, until_ms / 1000 - now_s)
        return self._child.read(wait_s)

    def close(self) -> None:
        """End the program."""
        self._child.close()
