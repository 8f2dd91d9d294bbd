"""A firmware in an emulator that counts, from reset on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runec.boards import Board
from runec.devices.transport import StreamTransport
from runec.files import read_file
from runec.tools import find_tool
from tools.bench.meter import Meter, function_addresses
from tools.bench.probe import Probe, ProbeError, emulator_flags

# What starts the clock's interrupt. The emulator's clock moves while the debugger holds the
# program, so the interrupt would come more or less often from bench to bench.
_CLOCK_START = "systick_start"


@contextmanager
def counted(board: Board, elf: Path) -> Iterator[tuple[StreamTransport, Meter]]:
    """Start a firmware and hold it before its first instruction; its console is the transport.

    Raises:
        ProbeError: the board's emulator does not count.
        MachineError: R1004, R0914, the emulator is missing or does not start.
    """
    emulator = board.emulator
    if emulator is None or emulator.kind != "qemu":
        raise ProbeError(f"{board.id} has no emulator that counts instructions")
    program = find_tool(emulator.program, hint=f"apt-get install {emulator.program}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        door = Path(folder) / "door"
        flags = emulator_flags(tuple(emulator.flags), door)
        command: list[str | Path] = [program, "-M", emulator.target, *flags, "-kernel", elf]
        transport = StreamTransport(
            [*command, "-serial", "stdio", "-monitor", "none"],
            name=f"the emulator {emulator.program} ({board.id})",
        )
        try:
            probe = Probe(door)
            try:
                meter = Meter(probe, function_addresses(read_file(elf, "the firmware")))
                meter.instead(_CLOCK_START, probe.give_back)
                yield transport, meter
            finally:
                probe.close()
        finally:
            transport.close()
