"""A real board on a serial port, on the wall clock; or on one of pyserial's URLs, as socket://.

A debugger's RTT server is such a socket: OpenOCD's `rtt server start 9090 0`, or J-Link's at 19021.
"""

from __future__ import annotations

import errno
import time
import urllib.parse
from contextlib import closing

import serial

from runec.container import Rune
from runec.devices.emulator import TIMEOUT_S, Device
from runec.devices.errors import LinkLostError
from runec.devices.link import SILENCE_MS
from runec.devices.messages import MAX_PART_BYTES
from runec.devices.ports import serial_ports
from runec.devices.session import Log, Session
from runec.devices.transport import DEFAULT_BAUD, DIALOUT
from runec.devices.usb import has_mass_storage
from runec.diagnostics import MachineError, RuneError

GREETING_S = 30.0
ASKED_S = 2.5
_SEGGER = "1366:"
_PART_BYTES_BESIDE_A_DRIVE = 40
_GONE = (OSError, serial.SerialException, TypeError)
"""What pyserial raises for a port that goes away; TypeError where another thread closed it."""


class SerialTransport:
    """An open serial port."""

    retry_ms = 1000.0
    silence_ms = SILENCE_MS

    def __init__(self, port: str, baud: int = DEFAULT_BAUD) -> None:
        """Open the port.

        Raises:
            MachineError: R0941, it cannot be opened.
        """
        self._name = port
        self.part_bytes = _part_bytes(port)
        # That of the boot ROMs of Espressif's chips is at 115200 baud.
        self.has_boot_text = baud != DEFAULT_BAUD
        options: dict[str, object] = {} if "://" in port else {"exclusive": True}
        try:
            self._port = serial.serial_for_url(
                port, baudrate=baud, timeout=0, write_timeout=10, **options
            )
        except (OSError, serial.SerialException, ValueError) as error:
            raise _cannot_open(port, error) from None

    def time_ms(self) -> float:
        """Return the wall clock's time."""
        return time.monotonic() * 1000

    def send(self, data: bytes) -> None:
        """Send all bytes. Raises LinkLostError R0940 when the port is lost."""
        try:
            self._port.write(data)
        except _GONE as error:
            raise self._gone(error) from None

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        """Return bytes as soon as there are some, or nothing; see `Transport`.

        Raises:
            LinkLostError: R0940, the port is lost.
        """
        wait_s = wall_limit_s - time.monotonic()
        if until_ms is not None:
            wait_s = min(wait_s, until_ms / 1000 - time.monotonic())
        try:
            self._port.timeout = max(0.0, wait_s)
            data: bytes = self._port.read(1)
            if data:
                self._port.timeout = 0
                data += self._port.read(65536)
        except _GONE as error:
            raise self._gone(error) from None
        return data

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _gone(self, error: Exception) -> LinkLostError:
        return LinkLostError(
            "R0940",
            f"lost the serial port {self._name}",
            hint="check cable and power, then run the command again",
            notes=[str(error)],
        )


def _part_bytes(port: str) -> int:
    """Return how much data a frame to a port may have.

    A J-Link whose USB is a drive as well loses bytes of transfers of more than 64: Zephyr's
    nordic_segger.rst, "Disabling the Mass Storage Device functionality". 40 bytes make a frame of
    53. Where sysfs does not say whether there is a drive, there may be one.
    """
    usb_id = next((each.usb_id for each in serial_ports() if each.device == port), "")
    if not usb_id.startswith(_SEGGER) or has_mass_storage(port) is False:
        return MAX_PART_BYTES
    return _PART_BYTES_BESIDE_A_DRIVE


def says_hello(port: str, baud: int) -> bool:
    """Return whether a firmware of runec's answers at a port; waits `ASKED_S` for it."""
    try:
        transport = SerialTransport(port, baud)
    except MachineError:
        return False
    with closing(transport):
        try:
            Session(transport, name=f"serial:{port}").greet(booting=False, timeout_s=ASKED_S)
        except RuneError:
            return False
    return True


def _names_a_host(port: str) -> bool:
    place = urllib.parse.urlsplit(port)
    try:
        return place.hostname is not None and place.port is not None
    except ValueError:  # a port that is not a number
        return False


def _cannot_open(port: str, error: Exception) -> MachineError:
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        why, hint = "no permission", DIALOUT
    elif number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        why, hint = "it is in use by another program", "close that program, such as another runec"
    elif "://" in port:
        why = str(error)
        if not _names_a_host(port):
            why = "no host and port in it"
        hint = "start the server and pass its address: socket://HOST:PORT, rfc2217://HOST:PORT"
    else:
        found = [str(item) for item in serial_ports()]
        why = "no such port" if number == errno.ENOENT else str(error)
        if "Could not configure port" in why:
            why = "it is not a serial port"
        hint = f"connect the board; found: {', '.join(found) or 'none'}"
    return MachineError("R0941", f"cannot open the serial port {port}: {why}", hint=hint)


class SerialDevice(Device):
    """A board at a serial port that carries the firmware of one rune; a context manager."""

    def __init__(
        self,
        port: str,
        rune: Rune,
        *,
        baud: int = DEFAULT_BAUD,
        timeout_s: float = TIMEOUT_S,
        log: Log | None = None,
    ) -> None:
        """Open the port, ask the board who it is and compare that with the rune.

        Raises:
            MachineError: R0941, the port cannot be opened.
            RuneError: R0940, it goes away; what `Session.greet` and `check_hello` raise.
        """
        super().__init__(
            SerialTransport(port, baud),
            rune,
            name=f"serial:{port}",
            # A board that opening the port resets says hello by itself; one that was up does not.
            booting=False,
            start_s=GREETING_S,
            timeout_s=timeout_s,
            log=log,
        )
