"""The process of labwired (`labwired_process.py`) with a log of what registers hold.

`PIN_SPY` in the environment: a file, and the addresses of 32-bit registers. Whenever one of them
has another value than before, all of them are appended to the file as a line.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import labwired

from runec.devices import labwired_process

_Sim: Any = labwired.Sim


class Spy:
    def __init__(self, *words: Any, **names: Any) -> None:
        self._sim = _Sim(*words, **names)
        path, *addresses = os.environ["PIN_SPY"].split()
        self._file = Path(path)
        self._addresses = [int(address) for address in addresses]
        self._before: list[int] = []

    def run_for(self, duration_s: float) -> Any:
        reason = self._sim.run_for(duration_s)
        now = [self._sim.read_u32(address) for address in self._addresses]
        if now != self._before:
            with self._file.open("a") as stream:
                stream.write(" ".join(map(str, now)) + "\n")
            self._before = now
        return reason

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sim, name)


if __name__ == "__main__":
    labwired.Sim = Spy
    runpy.run_path(str(Path(labwired_process.__file__)), run_name="__main__")
