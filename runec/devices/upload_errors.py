"""What the upload tools print, and what to do about it.

Each rule cites where the tool prints the words. The order counts: words about a locked or another
chip come beside others that only say that nothing was reached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runec.boards import Board, Upload
from runec.devices.errors import LockedChipError
from runec.devices.transport import DIALOUT
from runec.diagnostics import MachineError
from runec.tools import Finished

_NO_PERMISSION = re.compile(
    r"permission denied|errno 13|LIBUSB_ERROR_ACCESS|insufficient permissions|access denied",
    re.IGNORECASE,
)
# nRF: tcl/target/nordic/ of OpenOCD, target_nRF52.py of pyOCD. STM32: stm32f1x.c, stm32f2x.c.
_LOCKED = re.compile(r"AP lock engaged|APPROTECT enabled|stm32x device protected")
# loader.py of esptool 4 and 5; stm32f2x.c and stm32f1x.c of OpenOCD.
_OTHER_CHIP = re.compile(
    r"This chip is (?P<chip>\S+),? not \S+|Cannot identify target as (?:a|an) (?P<family>\S+)"
)
# hla_interface.c of OpenOCD; this is the number of a Cortex-M4, and of the STM32F103's copies.
_COPY = re.compile(r"UNEXPECTED idcode: 0x2ba01477")
# esptool with pyserial's words; stlink_usb.c of OpenOCD; libusb.
_BUSY = re.compile(
    r"errno 16|resource busy|exclusively lock|Resource temporarily unavailable"
    r"|selected device is already used|LIBUSB_ERROR_BUSY",
    re.IGNORECASE,
)
# stlink_usb.c and transport.c of OpenOCD.
_OLD_PROBE = re.compile(
    r"mode \(transport\) not supported by device|selected mode \(transport\) not supported"
)
_NO_TRANSPORT = re.compile(r"doesn't support '\S+' transport")
# board.py of pyOCD.
_NO_PACK = re.compile(r"Target type (?P<target>\S+) not recognized")
# What the upload tools say when there is no board, or none that listens.
_NO_ANSWER = re.compile(
    r"failed to connect|no serial data received|timed out waiting for packet|"  # esptool
    r"open failed|init mode failed|unable to connect to the target|no device found|"  # OpenOCD
    r"no J-Link device found|no ST-LINK detected|"
    r"target not examined|unable to find a matching|"
    r"no DFU capable usb device|"  # dfu-util
    r"no available debug probes|no connected debug probes|no ACK received|"  # pyOCD
    r"cannot connect to target|connecting to j-link.*failed|could not connect",  # J-Link
    re.IGNORECASE,
)
# `:leave` starts the program, which may be away before the tool has asked how it is: dfu-util then
# ends with 74 (EX_IOERR). Seen with the boot loaders of STM32F4s, in monome/crow 128.
_WRITTEN = "File downloaded successfully"
_LEFT = re.compile(r"Error during download get_status|can't detach", re.IGNORECASE)
_LEAVES = ":leave"

_WAKE = {
    "esptool": "hold its button BOOT, press RESET, let BOOT go, then run the same command again",
    "dfu": "bring it into its boot loader (hold BOOT0, press RESET): `dfu-util --list` must show "
    "it; then run the same command again",
}
_USB_HINT = (
    "sudo apt-get install openocd (its udev rules name the probes) && sudo adduser $USER plugdev, "
    "then log in again and plug the board in again"
)
_PROBE = (
    "check the probe's cable (`lsusb` must show it) and that the board has power, then run the "
    "same command again"
)


@dataclass(frozen=True, slots=True)
class _Upload:
    """An upload that failed: the last lines of its tool, all of its words."""

    board: Board
    way: Upload | None
    port: str | None
    words: str
    notes: list[str]

    @property
    def tool(self) -> str:
        return "the upload tool" if self.way is None else self.way.command[0]

    @property
    def place(self) -> str:
        return f"the port {self.port}" if self.port else "the debug probe"


def is_written(way: Upload | None, done: Finished) -> bool:
    """Return whether an upload succeeded, whatever its tool's exit code says of what followed."""
    if done.returncode == 0:
        return True
    if way is None or not any(_LEAVES in word for word in way.command):
        return False
    _, found, after = f"{done.stdout}\n{done.stderr}".partition(_WRITTEN)
    return bool(found) and _LEFT.search(after) is not None


def upload_error(
    board: Board, way: Upload | None, port: str | None, done: Finished
) -> MachineError:
    """Return the error for an upload that failed.

    Its code: R0830, the chip is locked (a LockedChipError); R0831, it is another chip; R0941, the
    port is in use; R0924, no permission; R0923, the board does not answer; R0920, anything else.
    """
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines()]
    notes = [line for line in lines if line][-4:]
    failed = _Upload(board, way, port, "\n".join(lines), notes)
    return (
        _of_chip(failed)
        or _of_place(failed)
        or _of_tool(failed)
        or _silent(failed)
        or MachineError(
            "R0920",
            f"the upload to {board.id} failed",
            hint=f"the last lines of {failed.tool} say why; --verbose shows all of them",
            notes=notes,
        )
    )


def _of_chip(failed: _Upload) -> MachineError | None:
    board, way = failed.board, failed.way
    if _LOCKED.search(failed.words):
        return LockedChipError(board.id, can_unlock=can_unlock(board, way), notes=failed.notes)
    if other := _OTHER_CHIP.search(failed.words):
        what = f"is {other['chip']}" if other["chip"] else f"is no {other['family']}"
        return MachineError(
            "R0831",
            f"the chip at {failed.place} {what}, and {board.id} has {board.cpu.name}",
            hint="name the board that it is: --board (`runec boards` lists them); nothing was "
            "written",
            notes=failed.notes,
        )
    if _COPY.search(failed.words):
        return MachineError(
            "R0831",
            f"the chip at {failed.place} is a copy of {board.cpu.name}, with another debug port",
            hint='in a board file of your own, put "-c", "set CPUTAPID 0x2ba01477" before the '
            "target into the command",
            notes=failed.notes,
        )
    return None


def _of_place(failed: _Upload) -> MachineError | None:
    if _NO_PERMISSION.search(failed.words):
        on = f"the port {failed.port}" if failed.port else "the board's USB"
        hint = DIALOUT if failed.port else _USB_HINT
        return MachineError(
            "R0924", f"{failed.tool} may not use {on}", hint=hint, notes=failed.notes
        )
    if _BUSY.search(failed.words):
        return MachineError(
            "R0941",
            f"another program uses {failed.place}",
            hint="close the monitor, debugger or other runec that uses it",
            notes=failed.notes,
        )
    return None


def _of_tool(failed: _Upload) -> MachineError | None:
    hint = None
    if pack := _NO_PACK.search(failed.words):
        hint = f"pyocd pack install {pack['target']}, then run the same command again"
    elif _OLD_PROBE.search(failed.words):
        hint = (
            "the firmware of the ST-LINK is from before 2015 (V2J24): update it with ST's "
            "STSW-LINK007, or use another probe"
        )
    elif _NO_TRANSPORT.search(failed.words):
        hint = (
            "this OpenOCD has another name for it: set openocd_interface and openocd_transport "
            "below [upload_values] of a board file of your own"
        )
    if hint is None:
        return None
    return MachineError(
        "R0920", f"the upload to {failed.board.id} failed", hint=hint, notes=failed.notes
    )


def _silent(failed: _Upload) -> MachineError | None:
    if not _NO_ANSWER.search(failed.words):
        return None
    board, way = failed.board, failed.way
    usual = board.vendor.upload_protocol if board.vendor else None
    protocol = (usual or "") if way is None else way.protocol
    own = "" if way is None else way.wake
    return MachineError(
        "R0923",
        f"the board {board.id} does not answer {failed.tool}",
        hint=own or _WAKE.get(protocol, _PROBE),
        notes=failed.notes,
    )


# Of an nRF52 by OpenOCD: all is erased (nrf52_recover), then chips of build code Fxx and later get
# the word without which their port locks again: nrf52_configuration_249() in Nordic's
# nrf52_erratas.h. A chip before these would be locked by it.
_WRITE_UNLOCKED = (
    "set part [mrw 0x10000130]; set revision [mrw 0x10000134]; "
    "if {($part == 8 && $revision >= 5) || ($part == 6 && $revision >= 7)} "
    "{flash fillw 0x10001208 0x5A 1}"
)
_NRF52_OPENOCD = (
    "-c",
    "init",
    "-c",
    "nrf52_recover",
    "-c",
    "halt",
    "-c",
    _WRITE_UNLOCKED,
    "-c",
    "shutdown",
)


def can_unlock(board: Board, way: Upload | None) -> bool:
    """Return whether `unlock_words` knows how to unlock a board's chip."""
    return board.hal.folder == "nrf52" and way is not None and way.protocol in ("openocd", "pyocd")


def unlock_words(way: Upload, values: dict[str, str]) -> list[str]:
    """Return the command that erases and unlocks an nRF52, by the tool of `way`.

    `values` are what stands for the names in braces. pyOCD erases when it connects, and writes the
    same word by itself (persist_unlock() of target_nRF52.py).
    """
    words = [word.format_map(_Names(values)) for word in way.command]
    if way.protocol == "pyocd":
        target = words[words.index("--target") + 1]
        return [words[0], "erase", "--no-wait", "--mass", "--target", target]
    return [*words[: words.index("-c", words.index("-c") + 1)], *_NRF52_OPENOCD]


class _Names(dict[str, str]):
    """Names of files, which do not matter here, stand for themselves."""

    def __missing__(self, key: str) -> str:
        return key
