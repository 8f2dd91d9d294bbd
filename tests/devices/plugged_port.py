"""A pseudo-terminal with a device behind it, that can be unplugged: a serial port for tests."""

from __future__ import annotations

import os
import select
import struct
import threading
import time
import tty
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

POLL_S = 0.01


class Wire(Protocol):
    """What is behind the port."""

    def exchange(self, data: bytes) -> bytes: ...


class Paper:
    """conftest's device, on the wall clock."""

    def __init__(self, device: Any) -> None:
        self.device = device

    def exchange(self, data: bytes) -> bytes:
        now = time.monotonic() * 1000
        self.device.receive(data, now)
        self.device.tick(now)
        said: bytes = self.device.take()
        return said


class Plug:
    """A device at the other end of a file descriptor, in a thread, until it is pulled."""

    def __init__(self, wire: Wire, descriptor: int) -> None:
        self._wire = wire
        self._descriptor = descriptor
        self._pulled = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._pulled.is_set():
            ready = select.select([self._descriptor], [], [], POLL_S)[0]
            try:
                said = self._wire.exchange(os.read(self._descriptor, 4096) if ready else b"")
                if said:
                    os.write(self._descriptor, said)
            except OSError:
                return

    def pull(self) -> None:
        self._pulled.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(30)


@contextmanager
def plugged(wire: Wire, port: Path) -> Iterator[Callable[[], None]]:
    """Give the port a device; gives what unplugs it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    port.unlink(missing_ok=True)
    port.symlink_to(os.ttyname(slave))
    plug = Plug(wire, master)
    left = [master, slave]

    def unplug() -> None:
        plug.pull()
        while left:
            os.close(left.pop())

    try:
        yield unplug
    finally:
        unplug()
        port.unlink()


def echo() -> Generator[tuple[object, ...], bytes, bytes]:
    data = yield ("need", 1, 4)
    (value,) = struct.unpack("<f", data)
    tensor = f'{{"element-type":"f32","dimensions":[1,1],"elements":[{value:.7g}]}}'
    return f'{{"2":[{tensor}]}}\n'.encode()
