"""The process that holds a labwired simulator. Run as a script; knows nothing of runec.

    ELF SYSTEM                          the console is the chip's UART
    ELF SYSTEM RTT ORIGIN BYTES         it is in RAM (ORIGIN, BYTES); RTT is the path of rtt.py

SYSTEM is the name of one of labwired's chips, or the path of a file that ends in .yaml.

It has a process of its own because the simulator prints consoles on the process's stdout and
because a fault in native code must not end runec. Virtual time advances only while a request is
served. Requests on stdin, answers on stdout, little-endian:

    request: length u32, motion length u32, until f64 (virtual seconds),
             bytes for the console, motion
    motion:  JSON, {"counter": symbol, "channels": names, "samples": rows of numbers}: what a
             simulated sensor feels, the first sample from now on, and the next one each time the
             firmware has counted one in the u32 at the symbol; the last one stays
    answer:  length u32, status u8, now f64 (virtual seconds), bytes or text
    status:  0 runs, 1 stopped, 2 the RTT buffers in the chip's RAM are malformed

A request ends when the console has said something, when virtual time has come to `until`, or after
half a second of the wall clock.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import sys
import time
from types import ModuleType
from typing import Any, Protocol

REQUEST = struct.Struct("<IId")
ANSWER = struct.Struct("<IBd")
RUNS, STOPPED, MALFORMED = 0, 1, 2

# Short steps right after something happened keep round trips short; long ones save calls later.
_FIRST_STEP_S = 5e-6
_LONGEST_STEP_S = 5e-4
_SLICE_S = 0.5


def _read(descriptor: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = os.read(descriptor, length - len(data))
        if not more:
            # Whoever asked is gone.
            os._exit(0)
        data += more
    return data


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _advance(sim: Any, duration_s: float) -> None:
    reason = sim.run_for(duration_s)
    if reason.kind != "reached":
        raise RuntimeError(f"the chip stopped: {reason.kind}")


class _Motion:
    """What a simulated sensor feels: nothing, until there is a motion.

    It goes on by the firmware's own count of samples: simulated clocks of a chip are up to a fifth
    away from virtual time.
    """

    def __init__(self, sim: Any) -> None:
        self._sim = sim
        self._counter = 0
        self._channels: list[str] = []
        self._samples: list[list[float]] = []
        self._felt = 0

    def begin(self, motion: bytes) -> None:
        """Let a motion begin now, in place of the last one."""
        told = json.loads(motion)
        address = self._sim.symbol(told["counter"])
        if address is None:
            raise RuntimeError(f"the program has no symbol {told['counter']}")
        self._counter = address
        self._sim.write_u32(address, 0)
        self._channels = told["channels"]
        self._samples = told["samples"]
        self._feel(0)

    def go_on(self) -> None:
        """Set what is felt now."""
        if self._samples:
            taken = self._sim.read_u32(self._counter)
            if taken != self._felt and taken < len(self._samples):
                self._feel(taken)

    def _feel(self, index: int) -> None:
        values = dict(zip(self._channels, self._samples[index], strict=True))
        self._sim.set_inputs(values)
        self._felt = index


class _Console(Protocol):
    def send(self, data: bytes) -> None: ...

    def exchange(self) -> bytes: ...


class _Uart:
    def __init__(self, sim: Any) -> None:
        self._sim = sim

    def send(self, data: bytes) -> None:
        self._sim.send_bytes(data)

    def exchange(self) -> bytes:
        said: bytes = self._sim.read_uart_bytes()
        return said


class _Memory:
    """The simulated chip's memory, for rtt.py."""

    def __init__(self, sim: Any) -> None:
        self._sim = sim

    def read(self, address: int, length: int) -> bytes:
        return bytes(self._sim.read_memory(address, length))

    def write_word(self, address: int, value: int) -> None:
        self._sim.write_u32(address, value)


def _load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("rtt", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class _Malformed(Exception):  # noqa: N818 - what is wrong, not who
    pass


class _RamConsole:
    def __init__(self, sim: Any, path: str, ram_origin: int, ram_bytes: int) -> None:
        self._code = _load(path)
        address = sim.symbol(self._code.SYMBOL)
        if address is None:
            raise _Malformed(f"the program has no symbol {self._code.SYMBOL}")
        try:
            self._rtt = self._code.Rtt(_Memory(sim), address, ram_origin, ram_bytes)
        except self._code.RttError as error:
            raise _Malformed(str(error)) from None

    def send(self, data: bytes) -> None:
        self._rtt.send(data)

    def exchange(self) -> bytes:
        try:
            said: bytes = self._rtt.exchange()
        except self._code.RttError as error:
            raise _Malformed(str(error)) from None
        return said


def main() -> None:
    """Serve requests until stdin ends."""
    elf, system, *ram = sys.argv[1:]
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    now = 0.0

    def answer(status: int, data: bytes) -> None:
        _write(answers, ANSWER.pack(len(data), status, now) + data)

    try:
        import labwired  # noqa: PLC0415 - only after stdout was put aside

        kind = "system" if system.endswith(".yaml") else "chip"
        sim = labwired.Sim(elf, **{kind: system})
        motion = _Motion(sim)
        console: _Console = _Uart(sim)
        if ram:
            console = _RamConsole(sim, ram[0], int(ram[1]), int(ram[2]))
        answer(RUNS, b"")
        while True:
            length, motion_length, until = REQUEST.unpack(_read(0, REQUEST.size))
            data = _read(0, length)
            if motion_length:
                motion.begin(_read(0, motion_length))
            if data:
                console.send(data)
            step = _FIRST_STEP_S
            wall_end = time.monotonic() + _SLICE_S
            while True:
                now = sim.time
                motion.go_on()
                said = console.exchange()
                if said or now >= until or time.monotonic() > wall_end:
                    break
                _advance(sim, min(step, max(until - now, 1e-9)))
                step = min(step * 2, _LONGEST_STEP_S)
            answer(RUNS, said)
    except _Malformed as error:
        answer(MALFORMED, str(error).encode())
    except BaseException as error:  # noqa: BLE001 - a panic of native code is a BaseException
        answer(STOPPED, f"{type(error).__name__}: {error}".encode())


if __name__ == "__main__":
    main()
