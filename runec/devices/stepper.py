"""The process that holds a labwired simulator. Run as a script: ELF CHIP; knows nothing of runec.

It has a process of its own because the simulator prints consoles on the process's stdout and
because a fault in native code must not end runec. Virtual time advances only while a request is
served. Requests on stdin, answers on stdout, little-endian:

    request: length u32, until f64 (virtual seconds), bytes for the console
    answer:  length u32, status u8 (0 runs, 1 stopped), now f64 (virtual seconds), bytes or text

A request ends when the console has said something, when virtual time has come to `until`, or after
half a second of the wall clock.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from typing import Any

REQUEST = struct.Struct("<Id")
ANSWER = struct.Struct("<IBd")
RUNS, STOPPED = 0, 1

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


def main() -> None:
    """Serve requests until stdin ends."""
    elf, chip = sys.argv[1:]
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    now = 0.0

    def answer(status: int, data: bytes) -> None:
        _write(answers, ANSWER.pack(len(data), status, now) + data)

    try:
        import labwired  # noqa: PLC0415 - only after stdout was put aside

        sim = labwired.Sim(elf, chip=chip)
        answer(RUNS, b"")
        while True:
            length, until = REQUEST.unpack(_read(0, REQUEST.size))
            data = _read(0, length)
            if data:
                sim.send_bytes(data)
            step = _FIRST_STEP_S
            wall_end = time.monotonic() + _SLICE_S
            while True:
                now = sim.time
                said = sim.read_uart_bytes()
                if said or now >= until or time.monotonic() > wall_end:
                    break
                _advance(sim, min(step, max(until - now, 1e-9)))
                step = min(step * 2, _LONGEST_STEP_S)
            answer(RUNS, said)
    except BaseException as error:  # noqa: BLE001 - a panic of native code is a BaseException
        answer(STOPPED, f"{type(error).__name__}: {error}".encode())


if __name__ == "__main__":
    main()
