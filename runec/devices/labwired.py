"""A board simulated by labwired, in virtual time, from the host's side."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from runec.boards import Region
from runec.devices import labwired_process, rtt
from runec.devices.labwired_parts import SimulatedPart
from runec.devices.link import SILENCE_MS
from runec.devices.messages import MAX_PART_BYTES
from runec.devices.transport import ChildProcess
from runec.diagnostics import MachineError, RuneError
from runec.files import IN_TMPDIR, write_file

_START_S = 60.0


class SimulatorTransport:
    """A labwired simulator; its clock is the simulated board's."""

    retry_ms = 1000.0
    silence_ms = SILENCE_MS
    part_bytes = MAX_PART_BYTES
    has_boot_text = False

    def __init__(
        self,
        elf: Path,
        chip: str,
        *,
        rtt_in: Region | None = None,
        part: SimulatedPart | None = None,
    ) -> None:
        """Start the simulator, optionally with a part on the chip's I2C bus.

        With `rtt_in`, the chip's RAM, the console is not its UART.

        Raises:
            RuneError: R0930, the RTT buffers are malformed.
            MachineError: R0914, labwired is not installed; R0915, it does not start.
        """
        labwired = importlib.util.find_spec("labwired")
        if labwired is None or labwired.origin is None:
            raise MachineError(
                "R0914",
                "the emulator labwired is not installed",
                hint="pip install 'runec[emulators]'",
            )
        script = Path(labwired_process.__file__)
        # -P: the script's folder holds modules whose names must not hide the standard library's.
        self._received = bytearray()
        self._outgoing = bytearray()
        self._motion = b""
        self._now_ms = 0.0
        self._asked = False
        self._first = True
        with contextlib.ExitStack() as stack:
            system: str | Path = chip
            if part is not None:
                # The simulator has read it when it answers for the first time.
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                system = Path(folder) / "system.yaml"
                described = Path(labwired.origin).parent / "configs" / "chips" / f"{chip}.yaml"
                write_file(system, part.system(described), elsewhere=IN_TMPDIR)
            command: list[str | Path] = [sys.executable, "-P", script, elf, system]
            if rtt_in is not None:
                command += [Path(rtt.__file__), str(rtt_in.origin), str(rtt_in.size_bytes)]
            self._child = ChildProcess(command, name=f"the emulator labwired ({chip})")
            try:
                self._start()
            except BaseException:
                self._child.close()
                raise
        self._first = False

    def _start(self) -> None:
        wall_limit_s = time.monotonic() + _START_S
        while self._answer(wall_limit_s) is None:
            if time.monotonic() > wall_limit_s:
                raise self._stopped(f"no answer within {_START_S:g} s")

    def time_ms(self) -> float:
        """Return the time on the simulated board."""
        return self._now_ms

    def send(self, data: bytes) -> None:
        """Send all bytes, with the next request."""
        self._outgoing += data

    def play(self, motion: bytes) -> None:
        """Let the part feel a motion (`SimulatedPart.motion`) from the next request on."""
        self._motion = motion

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        """Return bytes as soon as there are some, or nothing; see `Transport`."""
        if not self._asked:
            until_s = float("inf") if until_ms is None else until_ms / 1000
            data = bytes(self._outgoing)
            self._outgoing.clear()
            motion, self._motion = self._motion, b""
            head = labwired_process.REQUEST.pack(len(data), len(motion), until_s)
            self._child.write(head + data + motion)
            self._asked = True
        answer = self._answer(wall_limit_s)
        if answer is None:
            return b""
        self._asked = False
        return answer

    def close(self) -> None:
        """End the simulator."""
        self._child.close()

    def _answer(self, wall_limit_s: float) -> bytes | None:
        head = labwired_process.ANSWER.size
        while True:
            if len(self._received) >= head:
                length, status, now_s = labwired_process.ANSWER.unpack_from(self._received)
                if len(self._received) >= head + length:
                    break
            data = self._child.read(wall_limit_s - time.monotonic())
            if not data:
                return None
            self._received += data
        said = bytes(self._received[head : head + length])
        del self._received[: head + length]
        self._now_ms = now_s * 1000
        if status == labwired_process.MALFORMED:
            raise RuneError(
                "R0930",
                f"the RTT buffers of the device are malformed: {said.decode(errors='replace')}",
                hint="build the firmware with this version of runec; otherwise the "
                "firmware has overwritten its memory",
            )
        if status != labwired_process.RUNS:
            raise self._stopped(said.decode(errors="replace"))
        return said

    def _stopped(self, words: str) -> RuneError | MachineError:
        if self._first:
            return MachineError(
                "R0915", f"the emulator labwired does not start: {words}", hint="runec doctor"
            )
        return self._child.gone(words)
