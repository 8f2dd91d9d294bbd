"""Selection of a board's serial port by the USB ids of its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from runec.boards import Board
from runec.devices.transport import DIALOUT
from runec.devices.usb import holders, is_running, usb_ids
from runec.diagnostics import MachineError, UsageError
from runec.files import is_there

# On Ubuntu 22.04, which has it from the start: espressif/esp-idf 9372.
_TAKEN_BY_BRLTTY = frozenset({"10c4:ea60"})


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port of this computer; `usb_id` is `vvvv:pppp`, or empty where it is not USB.

    `usb_device` is the same for the ports of one USB device, and empty where that is not known.
    """

    device: str
    usb_id: str
    description: str
    usb_device: str = ""

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
                (getattr(item, "location", None) or "").partition(":")[0],
            )
            for item in list_ports.comports()
        ),
        key=lambda port: port.device,
    )


def candidates(
    boards: Iterable[Board], ports: Sequence[Port] | None = None, *, for_upload: bool = False
) -> list[Port]:
    """Return the ports whose USB id is that of a board with a serial port.

    `for_upload` adds those by which it is only written to.
    """
    ids = {usb_id.lower() for board in boards for usb_id in _ids(board, for_upload=for_upload)}
    return [port for port in (serial_ports() if ports is None else ports) if port.usb_id in ids]


def _ids(board: Board, *, for_upload: bool) -> tuple[str, ...]:
    return (
        *(board.usb_ids if board.usb_serial else ()),
        *(board.usb_upload_ids if for_upload else ()),
    )


def is_for_upload_alone(port: str, board: Board) -> bool:
    """Return whether a port is one of a board's that its console is not at."""
    usb_id = next((each.usb_id for each in serial_ports() if each.device == port), "")
    return usb_id in board.usb_upload_ids


def find_port(
    boards: Sequence[Board],
    *,
    for_upload: bool = False,
    answers: Callable[[Port], bool] | None = None,
) -> Port:
    """Return the one port that a board among `boards` is at; `for_upload` as in `candidates`.

    `answers` asks whether a device of runec's is at a port, where one USB device has several.

    Raises:
        MachineError: R0942, there is none.
        UsageError: R0943, there are several.
    """
    ports = serial_ports()
    found = candidates(boards, ports, for_upload=for_upload)
    what = f"the board {boards[0].id}" if len(boards) == 1 else "a board"
    if len(boards) == 1 and not _ids(boards[0], for_upload=for_upload):
        raise MachineError(
            "R0942",
            f"the USB of {what} has no serial port",
            hint=f"connect a USB-serial adapter to {boards[0].hal.console}, and pass its port: "
            "--port PORT",
            notes=[f"found: {', '.join(map(str, ports)) or 'no serial port'}"],
        )
    if not found:
        ids = sorted({each for board in boards for each in _ids(board, for_upload=for_upload)})
        seen = ", ".join(map(str, ports)) or "no serial port at all"
        raise MachineError(
            "R0942",
            f"{what} is at no serial port" if len(boards) == 1 else "no board is at a serial port",
            hint=_why_no_port(ids),
            notes=[
                f"looked for the USB ids {', '.join(ids) or '(none in its file)'}",
                f"found: {seen}",
            ],
        )
    # Debug probes may have several ports, of which one is joined to the board's console.
    if (
        len(found) > 1
        and answers is not None
        and len({port.usb_device or port for port in found}) == 1
    ):
        heard = [port for port in found if answers(port)]
        found = heard if len(heard) == 1 else found
    if len(found) > 1:
        raise UsageError(
            "R0943",
            f"{what} could be at several ports: {', '.join(map(str, found))}",
            hint=f"choose one: --port {found[0].device}",
        )
    return found[0]


def _why_no_port(ids: Sequence[str]) -> str:
    """Return what to do where no port has one of these ids: the device may be there without one."""
    seen = sorted(usb_ids().intersection(ids))
    if not seen:
        return (
            "plug it in with a cable that carries data (`lsusb` shows it), or name its port: "
            "--port PORT"
        )
    if _TAKEN_BY_BRLTTY.intersection(seen) and is_running("brltty"):
        return (
            f"brltty, a driver of Braille displays, takes {seen[0]} for one, and its port away: "
            "sudo apt-get remove brltty (or sudo systemctl mask brltty-udev), then plug it in again"
        )
    return (
        f"{seen[0]} is plugged in, but has no port: `sudo dmesg` says why (a missing driver, or a "
        "program that has taken the device)"
    )


def check_port(port: str) -> None:
    """Make sure that a port can be opened, without opening it: that resets some boards.

    Raises:
        MachineError: R0941, it is not there, this user may not open it, or a program uses it.
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
    if users := holders(port):
        raise MachineError(
            "R0941",
            f"cannot open the serial port {port}: {users[0]} uses it",
            hint="close that program; `fuser -v PORT` lists all that use a port",
        )
