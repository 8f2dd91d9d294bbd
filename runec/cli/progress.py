"""What a terminal shows while something takes longer: one line, with a clock, gone at the end."""

from __future__ import annotations

import os
import shutil
import threading
import time
from types import TracebackType
from typing import TextIO

from runec.diagnostics import printable

DELAY_S = 0.5
_FRAME_S = 0.125
_FRAMES = "|/-\\"
_CLEAR = "\r\x1b[K"


class Progress:
    """A line at the bottom of a terminal, drawn by a thread once `DELAY_S` have passed.

    Use it as a context manager. Whoever writes to the terminal meanwhile holds `lock` and calls
    `clear` first; the line comes back with its next frame.
    """

    def __init__(self, stream: TextIO, what: str, lock: threading.RLock) -> None:
        self._stream = stream
        self._what = printable(what)
        self._lock = lock
        self._started_s = time.monotonic()
        self._is_drawn = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            self.clear()

    def clear(self) -> None:
        """Take the line away. The caller holds the lock."""
        if self._is_drawn:
            self._is_drawn = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _columns(self) -> int:
        try:
            # Of this stream: the other one may be a pipe.
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns or shutil.get_terminal_size().columns

    def _draw(self) -> None:
        wait_s = DELAY_S
        number = 0
        while not self._over.wait(wait_s):
            wait_s = _FRAME_S
            seconds = int(time.monotonic() - self._started_s)
            clock = f" {seconds} s" if seconds else ""
            # One column less than there are, so that no terminal breaks the line.
            room = max(8, self._columns() - 1 - len(clock) - 2)
            line = f"{_FRAMES[number % len(_FRAMES)]} {self._what[:room]}{clock}"
            number += 1
            with self._lock:
                if not self._over.is_set():
                    self._is_drawn = True
                    self._stream.write(f"{_CLEAR}{line}")
                    self._stream.flush()
