"""A program in QEMU, watched through the debugger's door: where it is, after how many instructions.

QEMU counts instructions (`-icount`) and says how many there were while it records a run
(`rr=record`), exactly: a breakpoint ends before the instruction that it stands on. The clock that
a program sees in there cannot be used for it: it moves on while a debugger holds the program.

The protocol is that of GDB: "Debugging with GDB", appendix E.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

_START_S = 20.0
# QEMU takes packets of 4096 bytes; memory goes as two digits a byte.
_CHUNK_BYTES = 1024
_COUNT = re.compile(r"instruction count = (\d+)")
THUMB = 1
"""The lowest bit of the address of a function of Thumb instructions, as a register holds it."""
_REGISTER_NUMBERS = {"sp": 13, "lr": 14, "pc": 15}

Handler = Callable[[], None]


class ProbeError(Exception):
    """The debugger's door said something else than expected, or the program is lost."""


def emulator_flags(flags: tuple[str, ...], door: Path) -> list[str]:
    """Return a board's flags of QEMU, changed so that a `Probe` can be let in at `door`.

    Raises:
        ProbeError: the board's flags do not count instructions.
    """
    if "shift=0" not in flags:
        raise ProbeError("the board's emulator does not count instructions one by one")
    # What is recorded is never played back.
    counted = [
        f"{flag},rr=record,rrfile=/dev/null" if flag == "shift=0" else flag for flag in flags
    ]
    return [*counted, "-S", "-gdb", f"unix:{door},server=on,wait=off"]


class Probe:
    """Holds a program, lets it run to chosen addresses, and calls what waits there.

    One thread may use it at a time.
    """

    def __init__(self, door: Path) -> None:
        """Go in; the program stands before its first instruction.

        Raises:
            ProbeError: there is no door.
        """
        self._socket = _connect(door)
        self._stream = self._socket.makefile("rb")
        self._waiting: dict[int, list[Handler]] = {}
        self._standing: dict[int, Handler] = {}
        # QEMU takes single registers only from those who asked how they are called.
        self._ask("qXfer:features:read:target.xml:0,ffb")

    def close(self) -> None:
        """Leave. The program stays as it is."""
        self._stream.close()
        self._socket.close()

    def end(self) -> None:
        """End the emulator."""
        self._send("k")

    def count(self) -> int:
        """Return the number of instructions since the start."""
        self._send("qRcmd," + b"info replay".hex())
        said = ""
        while (answer := self._receive()) != "OK":
            if not answer.startswith("O"):
                raise ProbeError(f"no count of instructions: {answer}")
            said += bytes.fromhex(answer[1:]).decode()
        found = _COUNT.search(said)
        if found is None:
            raise ProbeError(f"no count of instructions: {said.strip()}")
        return int(found[1])

    def register(self, name: str | int) -> int:
        """Return r0 to r12 by number, or `sp`, `lr` or `pc`."""
        number = name if isinstance(name, int) else _REGISTER_NUMBERS[name]
        return int(struct.unpack("<I", bytes.fromhex(self._ask(f"p{number:x}")))[0])

    def give_back(self, value: int = 0) -> None:
        """Return from the function that was entered, with an integer."""
        self._set(0, value)
        self._set(_REGISTER_NUMBERS["pc"], self.register("lr") & ~THUMB)

    def read(self, address: int, length: int) -> bytes:
        """Return bytes of the memory."""
        data = b""
        for at in range(0, length, _CHUNK_BYTES):
            part = min(_CHUNK_BYTES, length - at)
            data += bytes.fromhex(self._ask(f"m{address + at:x},{part:x}"))
        if len(data) != length:
            raise ProbeError(f"no {length} bytes at {address:#x}")
        return data

    def write(self, address: int, data: bytes) -> None:
        """Write bytes into memory, not into registers of devices."""
        for at in range(0, len(data), _CHUNK_BYTES):
            part = data[at : at + _CHUNK_BYTES]
            self._expect_ok(f"M{address + at:x},{len(part):x}:{part.hex()}")

    def once(self, address: int, handler: Handler) -> None:
        """Call `handler` when the program comes to an address, the next time only.

        Where several wait, the last one is called first. A handler must not wait for the address
        that the program stands at.
        """
        handlers = self._waiting.setdefault(address, [])
        if not handlers and address not in self._standing:
            self._expect_ok(f"Z1,{address:x},2")
        handlers.append(handler)

    def instead(self, address: int, handler: Handler) -> None:
        """Call `handler`, which must `give_back()`, in the place of the function at an address."""
        self._expect_ok(f"Z1,{address:x},2")
        self._standing[address] = handler

    def run(self) -> None:
        """Let the program run and call handlers, until no caller waits or the emulator has ended.

        Raises:
            ProbeError: it stops where no caller waits.
        """
        try:
            while self._waiting or self._standing:
                self._ask("c")
                address = self.register("pc")
                handlers = self._waiting.pop(address, [])
                if handlers and address not in self._standing:
                    self._expect_ok(f"z1,{address:x},2")
                if not handlers and address not in self._standing:
                    raise ProbeError(f"the program stopped at {address:#x}")
                for handler in reversed(handlers):
                    handler()
                if address in self._standing:
                    self._standing[address]()
        except (EOFError, OSError):
            return  # whoever started the emulator has ended it

    def _set(self, number: int, value: int) -> None:
        self._expect_ok(f"P{number:x}={struct.pack('<I', value).hex()}")

    def _expect_ok(self, packet: str) -> None:
        answer = self._ask(packet)
        if answer != "OK":
            raise ProbeError(f"the emulator answers {answer!r} to {packet[:20]!r}")

    def _ask(self, packet: str) -> str:
        self._send(packet)
        return self._receive()

    def _send(self, packet: str) -> None:
        data = packet.encode()
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def _receive(self) -> str:
        while (byte := self._byte()) != b"$":
            if byte not in b"+":
                raise ProbeError(f"no packet of GDB's protocol: {byte!r}")
        data = b""
        while (byte := self._byte()) != b"#":
            data += byte
        self._byte()
        self._byte()
        self._socket.sendall(b"+")
        return data.decode()

    def _byte(self) -> bytes:
        byte = self._stream.read(1)
        if not byte:
            raise EOFError
        return byte


def _connect(door: Path) -> socket.socket:
    """Go in as soon as there is a door."""
    limit_s = time.monotonic() + _START_S
    while True:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(door))
        except OSError as error:
            made.close()
            if time.monotonic() > limit_s:
                raise ProbeError(f"the emulator opens no door: {error.strerror}") from None
            time.sleep(0.02)
        else:
            return made
