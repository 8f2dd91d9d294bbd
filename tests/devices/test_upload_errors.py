"""What upload tools print when they fail, and what runec makes of it.

The words are collected from the tools' sources and from reports: runec/devices/upload_errors.py.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from runec.boards import load_board, load_boards
from runec.devices.errors import LockedChipError
from runec.devices.upload_errors import (
    _WRITE_UNLOCKED,
    can_unlock,
    is_written,
    unlock_words,
    upload_error,
)
from runec.firmware import upload_way
from runec.firmware.render import upload_values
from runec.tools import Finished

AP_LOCK_012 = """\
Info : SWD DPIDR 0x2ba01477
Error: Could not find MEM-AP to control the core
Warn : target nrf52.cpu examination failed
****** WARNING ******
nRF52 device has AP lock engaged (see UICR APPROTECT register).
Debug access is denied.
Use 'nrf52_recover' to erase and unlock the device.

Error: Target not examined yet
** OpenOCD init failed **
shutdown command invoked"""
AP_LOCK_LATER = """\
****** WARNING ******
[nrf52.cpu] device has AP lock engaged (see UICR APPROTECT register).
Debug access is denied.
Error: [nrf52.cpu] Target not examined yet"""
# board, protocol, words, code, a part of the hint
WORDS = {
    "esptool, no board": (
        "esp32c3",
        None,
        "A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.",
        ("R0923", "hold its button BOOT"),
    ),
    "esptool, no permission": (
        "esp32c3",
        None,
        (
            "A fatal error occurred: Could not open PORT, the port is busy or doesn't exist.\n"
            "([Errno 13] could not open port '/dev/ttyUSB0': [Errno 13] Permission denied)"
        ),
        ("R0924", "sudo adduser $USER dialout"),
    ),
    "esptool, in use": (
        "esp32c3",
        None,
        (
            "A fatal error occurred: Could not open PORT, the port is busy or doesn't exist.\n"
            "(Could not exclusively lock port /dev/ttyUSB0: [Errno 11] Resource temporarily "
            "unavailable)"
        ),
        ("R0941", "close the monitor"),
    ),
    "esptool 4, another chip": (
        "esp32c3",
        None,
        "A fatal error occurred: This chip is ESP32, not ESP32-C3. Wrong --chip argument?",
        ("R0831", "--board"),
    ),
    "esptool 5, another chip": (
        "esp32",
        None,
        "A fatal error occurred: This chip is ESP32-S3, not ESP32. Wrong chip argument?",
        ("R0831", "--board"),
    ),
    "openocd, no probe": (
        "nucleo_f401re",
        None,
        "Error: open failed\n** OpenOCD init failed **",
        ("R0923", "`lsusb` must show it"),
    ),
    "openocd, no J-Link": (
        "nrf52_dk",
        None,
        "Error: No J-Link device found\n** OpenOCD init failed **",
        ("R0923", "`lsusb` must show it"),
    ),
    "openocd, no permission": (
        "nucleo_f401re",
        None,
        "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed",
        ("R0924", "sudo adduser $USER plugdev"),
    ),
    "openocd, probe in use": (
        "nucleo_f401re",
        None,
        "Error: the selected device is already used\nError: open failed",
        ("R0941", "debugger"),
    ),
    "openocd 0.12, locked": ("nrf52840_dk", None, AP_LOCK_012, ("R0830", "--unlock")),
    "later openocd, locked": ("nrf52_dk", None, AP_LOCK_LATER, ("R0830", "--unlock")),
    "openocd, read protection": (
        "nucleo_f401re",
        None,
        "Error: stm32x device protected\nError: failed erasing sectors 0 to 1",
        ("R0830", "STM32CubeProgrammer"),
    ),
    "openocd, another chip": (
        "nucleo_f401re",
        None,
        "Error: Cannot identify target as a STM32 family.\nError: auto_probe failed",
        ("R0831", "--board"),
    ),
    "openocd, a copy": (
        "bluepill_f103c8",
        None,
        "Warn : UNEXPECTED idcode: 0x2ba01477\nError: expected 1 of 1: 0x1ba01477",
        ("R0831", "CPUTAPID 0x2ba01477"),
    ),
    "openocd, a probe of before 2015": (
        "nucleo_f401re",
        None,
        "Error: mode (transport) not supported by device",
        ("R0920", "STSW-LINK007"),
    ),
    "openocd, another transport": (
        "nucleo_f401re",
        None,
        "Debug adapter doesn't support 'hla_swd' transport",
        ("R0920", "openocd_transport"),
    ),
    "dfu-util, no board": (
        "netduinoplus2",
        None,
        "dfu-util: No DFU capable USB device available",
        ("R0923", "hold the board's button while you plug USB in"),
    ),
    "pyocd, no probe": (
        "nrf52840_dk",
        "pyocd",
        "No connected debug probes\n0000597 E No target device available [load_cmd]",
        ("R0923", "`lsusb` must show it"),
    ),
    "pyocd, no target": (
        "netduinoplus2",
        "pyocd",
        (
            "0000561 C Target type stm32f405rgtx not recognized. Use 'pyocd list --targets' to see "
            "currently available target types. [__main__]"
        ),
        ("R0920", "pyocd pack install stm32f405rgtx"),
    ),
    "pyocd, locked": (
        "nrf52840_dk",
        "pyocd",
        (
            "0000412 W NRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]\n"
            "0000413 C No ACK received [__main__]"
        ),
        ("R0830", "--unlock"),
    ),
    "jlink, no target": (
        "nrf52840_dk",
        "jlink",
        "Cannot connect to target.",
        ("R0923", "`lsusb` must show it"),
    ),
    "another": ("esp32c3", None, "MD5 of file does not match data in flash!", ("R0920", "esptool")),
}


@pytest.mark.parametrize("case", WORDS)
def test_what_the_upload_tools_say_becomes_what_to_do(case: str) -> None:
    board_id, protocol, words, (code, hint) = WORDS[case]
    board = load_board(board_id)
    way = upload_way(board, protocol)
    assert way is not None
    port = "/dev/ttyUSB0" if way.needs_port else None
    error = upload_error(board, way, port, Finished(1, "Uploading\n", f"{words}\n"))
    assert error.code == code
    assert hint in str(error.hint)
    (diagnostic,) = error.diagnostics
    assert diagnostic.notes[-1] == words.splitlines()[-1].strip()
    assert isinstance(error, LockedChipError) == (code == "R0830")


WRITTEN = """\
Downloading element to address = 0x08000000, size = 300244
Download        [=========================] 100%       300244 bytes
Download done.
File downloaded successfully
"""
LEFT = "dfu-util: Error during download get_status\n"


@pytest.mark.parametrize(
    ("code", "said", "complained", "is_success"),
    [
        (0, WRITTEN, "", True),
        (1, WRITTEN, LEFT, True),  # of dfu-util it was 74
        (1, WRITTEN + LEFT, "", True),
        (1, WRITTEN, "dfu-util: can't detach\n", True),
        (1, "Download done.\n", LEFT, False),
        (1, "", LEFT + WRITTEN, False),
        (1, WRITTEN, "dfu-util: error resetting after download\n", False),
    ],
)
def test_a_program_that_starts_at_once_is_no_failed_upload(
    code: int, said: str, complained: str, is_success: bool
) -> None:
    done = Finished(code, said, complained)
    board = load_board("netduinoplus2")
    assert is_written(upload_way(board, None), done) == is_success
    # dfu-util alone, with :leave
    other = load_board("nucleo_f401re")
    assert is_written(upload_way(other, None), done) == (code == 0)
    assert is_written(None, done) == (code == 0)


def test_what_unlocks_is_known_for_nrf52_with_two_tools() -> None:
    found = {
        (board.id, way.protocol)
        for board in load_boards()
        for way in (board.upload, *board.other_uploads)
        if can_unlock(board, way) and way is not None
    }
    boards = ("nrf52840_dk", "nrf52_dk")
    assert found == {(board, tool) for board in boards for tool in ("openocd", "pyocd")}
    board = load_board("nrf52840_dk")
    way = upload_way(board, "openocd")
    assert way is not None
    words = unlock_words(way, upload_values(board))
    assert shlex.join(words[:7]) == (
        "openocd -f interface/jlink.cfg -c 'transport select swd' -f target/nrf52.cfg"
    )
    assert words[7:11] == ["-c", "init", "-c", "nrf52_recover"]
    assert not any("program" in word for word in words)
    pyocd = upload_way(board, "pyocd")
    assert pyocd is not None
    assert unlock_words(pyocd, upload_values(board)) == (
        ["pyocd", "erase", "--no-wait", "--mass", "--target", "nrf52840"]
    )


@pytest.mark.skipif(shutil.which("openocd") is None, reason="no OpenOCD here")
@pytest.mark.parametrize(
    ("part", "revision", "writes"),
    [(8, 4, False), (8, 5, True), (8, 6, True), (6, 6, False), (6, 7, True), (13, 9, False)],
)
def test_only_chips_that_lock_themselves_get_the_word_that_opens_them(
    part: int, revision: int, writes: bool
) -> None:
    # OpenOCD's own Tcl, with stand-ins for what needs a chip
    script = (
        f"proc mrw {{at}} {{ return [expr {{$at == 0x10000130 ? {part} : {revision}}}] }}; "
        'proc flash {args} { echo "flash $args" }; '
    )
    words = ["openocd", "-c", script + _WRITE_UNLOCKED, "-c", "shutdown"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ("flash fillw 0x10001208 0x5A 1" in done.stderr + done.stdout) == writes
