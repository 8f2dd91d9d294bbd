"""Selection of a board's serial port by the USB ids of its file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from runec.boards import Board
from runec.devices.transport import DIALOUT
from runec.diagnostics import MachineError, UsageError
from runec.files import is_there


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port of the host; `usb_id` is `vvvv:pppp`, or empty where it is not USB."""

    device: str
    usb_id: str
    description: str

    def __str__(self) -> str:
        words = ", ".join(word for word in (self.usb_id, self.description) if word)
        return f"{self.device} ({words})" if words else self.device


def serial_ports() -> list[Port]:
    """Return the serial ports that are there, by name."""
    return sorted(
        (
            Port(
                item.device,
                "" if item.vid is None or item.pid is None else f"{item.vid:04x}:{item.pid:04x}",
                "" if item.description in (None, "n/a") else item.description,
            )
            for item in list_ports.comports()
        ),
        key=lambda port: port.device,
    )


def candidates(boards: Iterable[Board], ports: Sequence[Port] | None = None) -> list[Port]:
    """Return the ports whose USB id is that of a board with a serial port."""
    ids = {usb_id.lower() for board in boards if board.usb_serial for usb_id in board.usb_ids}
    return [port for port in (serial_ports() if ports is None else ports) if port.usb_id in ids]


def find_port(boards: Sequence[Board]) -> Port:
    """Return the one port that a board among `boards` is at.

    Raises:
        MachineError: R0942, there is none.
        UsageError: R0943, there are several.
    """
    ports = serial_ports()
    found = candidates(boards, ports)
    what = f"the board {boards[0].id}" if len(boards) == 1 else "a board"
    if len(boards) == 1 and not (boards[0].usb_serial and boards[0].usb_ids):
        raise MachineError(
            "R0942",
            f"the USB of {what} has no serial port",
            hint=f"connect a USB-serial adapter to {boards[0].hal.console}, and pass its port: "
            "--port PORT",
            notes=[f"found: {', '.join(map(str, ports)) or 'no serial port'}"],
        )
    if not found:
        ids = sorted({usb_id for board in boards if board.usb_serial for usb_id in board.usb_ids})
        seen = ", ".join(map(str, ports)) or "no serial port"
        raise MachineError(
            "R0942",
            f"{what} is at no serial port" if len(boards) == 1 else "no board is at a serial port",
            hint="connect it with a data cable (`lsusb` prints it), or pass its port: --port PORT",
            notes=[
                f"looked for the USB ids {', '.join(ids) or '(none in its file)'}",
                f"found: {seen}",
            ],
        )
    if len(found) > 1:
        raise UsageError(
            "R0943",
            f"{what} could be at several ports: {', '.join(map(str, found))}",
            hint=f"choose one: --port {found[0].device}",
        )
    return found[0]


def check_port(port: str) -> None:
    """Make sure that a port can be opened, without opening it: that resets some boards.

    Raises:
        MachineError: R0941, it is not there, or this user may not open it.
    """
    if "://" in port:
        return
    if not is_there(Path(port)):
        found = ", ".join(map(str, serial_ports())) or "none"
        raise MachineError(
            "R0941",
            f"cannot open the serial port {port}: no such port",
            hint=f"connect the board; found: {found}",
        )
    if not os.access(port, os.R_OK | os.W_OK):
        raise MachineError(
            "R0941", f"cannot open the serial port {port}: permission denied", hint=DIALOUT
        )
