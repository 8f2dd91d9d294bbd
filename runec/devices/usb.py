"""What Linux says of USB devices and ports without opening them, in sysfs and procfs.

Where these are missing (another system, a container) nothing is found, and nothing is concluded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SYS = Path("/sys")
PROC = Path("/proc")
_MASS_STORAGE = "08"


def usb_ids() -> set[str]:
    """Return `vvvv:pppp` of each USB device that is plugged in, whether it has a port or not."""
    found = set()
    for device in _entries(SYS / "bus" / "usb" / "devices"):
        vendor, product = _text(device / "idVendor"), _text(device / "idProduct")
        if vendor and product:
            found.add(f"{vendor}:{product}")
    return found


def has_mass_storage(port: str) -> bool | None:
    """Return whether the USB device of a serial port is a drive as well; None: not known."""
    interface = SYS / "class" / "tty" / Path(port).name / "device"
    try:
        device = interface.resolve(strict=True).parent
    except OSError:
        return None
    classes = {_text(each / "bInterfaceClass") for each in _entries(device)}
    return _MASS_STORAGE in classes if classes - {""} else None


def holders(port: str) -> list[str]:
    """Return the other programs that have a port open, as `NAME (process N)`.

    Only those whose files this user may see.
    """
    try:
        wanted = Path(port).stat().st_rdev
    except OSError:
        return []
    found = []
    for process in _entries(PROC):
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        if any(_is_device(each, wanted) for each in _entries(process / "fd")):
            found.append(f"{_text(process / 'comm') or 'a program'} (process {process.name})")
    return sorted(found)


def is_running(name: str) -> bool:
    """Return whether a program of this name runs."""
    processes = (each for each in _entries(PROC) if each.name.isdecimal())
    return any(_text(each / "comm") == name for each in processes)


def _is_device(descriptor: Path, wanted: int) -> bool:
    try:
        return bool(wanted) and descriptor.stat().st_rdev == wanted
    except OSError:
        return False


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
