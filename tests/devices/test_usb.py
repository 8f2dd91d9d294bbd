"""What is read of USB and of programs in sysfs and procfs, from trees of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from runec.boards import load_board
from runec.devices import ports, serial_port, usb
from runec.diagnostics import MachineError


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /sys and /proc."""
    monkeypatch.setattr(usb, "SYS", tmp_path / "sys")
    monkeypatch.setattr(usb, "PROC", tmp_path / "proc")
    monkeypatch.setattr(list_ports, "comports", list)
    return tmp_path


def device(linux: Path, name: str, usb_id: str, *classes: str) -> Path:
    """A USB device with interfaces of these classes; gives its folder."""
    folder = linux / "sys" / "devices" / name
    folder.mkdir(parents=True)
    bus = linux / "sys" / "bus" / "usb" / "devices"
    bus.mkdir(parents=True, exist_ok=True)
    (bus / name).symlink_to(folder)
    vendor, product = usb_id.split(":")
    (folder / "idVendor").write_text(f"{vendor}\n")
    (folder / "idProduct").write_text(f"{product}\n")
    for number, kind in enumerate(classes):
        interface = folder / f"{name}:1.{number}"
        interface.mkdir()
        (interface / "bInterfaceClass").write_text(f"{kind}\n")
    return folder


def process(linux: Path, number: int, name: str) -> None:
    folder = linux / "proc" / str(number)
    folder.mkdir(parents=True)
    (folder / "comm").write_text(f"{name}\n")


def test_without_sysfs_nothing_is_known(linux: Path) -> None:
    assert usb.usb_ids() == set()
    assert usb.has_mass_storage("/dev/ttyACM0") is None
    assert not usb.is_running("brltty")
    with pytest.raises(MachineError) as caught:
        ports.find_port([load_board("esp32")])
    assert "a cable that carries data" in str(caught.value.hint)
    assert not (linux / "sys").exists()


@pytest.mark.parametrize(
    ("plugged", "running", "hint"),
    [
        ("10c4:ea60", "brltty", "sudo apt-get remove brltty"),
        ("10c4:ea60", "bash", "10c4:ea60 is plugged in, but has no port"),
        ("1366:1015", "brltty", "a cable that carries data"),
    ],
)
def test_an_adapter_whose_port_is_missing_is_seen(
    linux: Path, plugged: str, running: str, hint: str
) -> None:
    device(linux, "1-2", plugged, "ff")
    process(linux, 77, running)
    with pytest.raises(MachineError) as caught:
        ports.find_port([load_board("esp32")])
    assert caught.value.code == "R0942"
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("usb_id", "classes", "part_bytes"),
    [
        ("1366:1015", ("08", "02", "0a"), 40),
        ("1366:1015", ("02", "0a", "ff"), 232),
        ("1366:1061", (), 40),  # not known
        ("0483:374b", ("08", "02", "0a"), 232),
    ],
)
def test_frames_to_a_jlink_beside_a_drive_are_short(
    linux: Path,
    monkeypatch: pytest.MonkeyPatch,
    usb_id: str,
    classes: tuple[str, ...],
    part_bytes: int,
) -> None:
    folder = device(linux, "1-3", usb_id, *classes)
    tty = linux / "sys" / "class" / "tty" / "ttyACM0"
    tty.mkdir(parents=True)
    if classes:
        (tty / "device").symlink_to(folder / "1-3:1.1")
    vendor, product = (int(each, 16) for each in usb_id.split(":"))
    port = SimpleNamespace(device="/dev/ttyACM0", vid=vendor, pid=product, description="n/a")
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    opened: list[object] = []
    monkeypatch.setattr(serial, "serial_for_url", lambda *_, **options: opened.append(options))
    assert serial_port.SerialTransport("/dev/ttyACM0").part_bytes == part_bytes
    # the largest frame around so many bytes is what a transfer may have
    assert part_bytes == 232 or 2 + 1 + 2 + 4 + part_bytes + 4 <= 64
    assert len(opened) == 1


@pytest.fixture
def terminal() -> str:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    os.set_inheritable(master, False)
    return name


HOLDER = "import sys; file = open(sys.argv[1], 'rb+', buffering=0); print(); sys.stdin.read()"


def test_a_program_that_has_a_port_open_is_named(
    terminal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    ports.check_port(terminal)
    with open(terminal, "rb", buffering=0):  # this program itself is no other one  # noqa: PTH123
        ports.check_port(terminal)
    words = [sys.executable, "-c", HOLDER, terminal]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(MachineError) as caught:
            ports.check_port(terminal)
        assert holder.stdin is not None
        holder.stdin.close()
    assert caught.value.code == "R0941"
    assert f"(process {holder.pid}) uses it" in caught.value.message
    ports.check_port(terminal)
