"""A target where a rune runs: this computer, an emulated board, or one at a serial port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal

import msgspec

from runec.boards import Board, InputKind, load_board, load_boards
from runec.cache import ANOTHER_CACHE, FIRMWARE_BYTES_MAX, cache_dir, content_key, folder_bytes
from runec.container import Rune
from runec.devices.emulator import (
    TIMEOUT_S,
    Device,
    EmulatedBoard,
    EmulatedDevice,
    check_emulator,
    sensed_part,
)
from runec.devices.session import Log
from runec.devices.transport import DEFAULT_BAUD
from runec.diagnostics import MachineError, UsageError
from runec.files import disk_error, file_name
from runec.firmware import BACKENDS, BARE, FirmwareBuild, Project, build_project, create_project
from runec.vm import Inputs, Watch, device_rune, run_rune_bytes

HOST: Literal["host"] = "host"
# What a part measures it rounds, so a host that took the recording as it is could give other bytes.
_INPUT_HINTS = {
    HOST: "omit --input: the host reads ACCEL from --accelerometer FILE; to run with a simulated "
    "sensor, use --on emulator:BOARD",
    "serial": "omit --input; to change the input of a board, use `runec flash --input`",
}
_FORMS = "host, emulator:BOARD (`runec boards`), or serial:PORT[@BAUD]"


@dataclass(frozen=True, slots=True)
class Target:
    """A target, spelled `host`, `emulator:BOARD` or `serial:PORT`, the latter with `@BAUD` at will.

    `board` is that of an emulator, as it runs there; `port` and `baud` are those of a serial port.
    """

    kind: Literal["host", "emulator", "serial"]
    board: Board | None = None
    port: str = ""
    baud: int = DEFAULT_BAUD

    def __post_init__(self) -> None:
        if self.board is not None:
            object.__setattr__(self, "board", self.board.emulated())

    def __str__(self) -> str:
        if self.board is not None:
            return f"{self.kind}:{self.board.id}"
        if self.kind == "serial":
            baud = "" if self.baud == DEFAULT_BAUD else f"@{self.baud}"
            return f"{self.kind}:{self.port}{baud}"
        return self.kind

    def with_input(self, source: InputKind | None) -> Target:
        """Return this target with ACCEL's data from elsewhere; None leaves it as it is.

        Raises:
            UsageError: R0921, it is no emulator: what a board does was decided when it was flashed.
        """
        if source is None:
            return self
        if self.board is None:
            raise UsageError(
                "R0921",
                f"--input applies to firmware that runec builds, not to {self}",
                hint=_INPUT_HINTS[self.kind],
            )
        return replace(self, board=self.board.with_input(source))

    @classmethod
    def parse(cls, text: str, *, trust_board: bool = False) -> Target:
        """Read the spelling that `str()` writes; `trust_board` is `load_board`'s `trusted`.

        Raises:
            UsageError: R0918, there is no such kind of target; R0802, no such board.
            UserFileError: R0801, R0842 to R0844, the board's file is wrong or not trusted.
        """
        if text == HOST:
            return cls(HOST)
        kind, _, name = text.partition(":")
        if kind == "emulator" and name:
            return cls("emulator", load_board(name, trusted=trust_board))
        port, at, baud = name.rpartition("@")
        if not at:
            port, baud = name, str(DEFAULT_BAUD)
        if kind != "serial" or not port or not re.fullmatch("[1-9][0-9]{1,7}", baud):
            raise UsageError("R0918", f"a rune cannot run on {text!r}", hint=f"use {_FORMS}")
        return cls("serial", port=port, baud=int(baud))

    @classmethod
    def everywhere(cls) -> list[Target]:
        """Return the host and every board that was verified in an emulator."""
        boards = [board for board in load_boards() if "emulated" in board.verified]
        return [cls(HOST), *(cls("emulator", board) for board in boards)]


def run_bytes(
    rune: Rune,
    inputs: Inputs,
    target: Target,
    *,
    repeats: int = 1,
    timeout_s: float | None = None,
    resources: Mapping[str, bytes] | None = None,
    watch: Watch | None = None,
) -> Generator[bytes, None, None]:
    """Run a rune on a target; yield what each run writes, as `runec.vm.run_rune_bytes` has it.

    The bytes are the same on every target. `timeout_s` is the time for one run without waiting for
    inputs, by the clock of the machine that runs it; at a serial port, where the board's own limit
    was set when it was flashed, it is how long this computer waits. None leaves the target's own
    limit. Only the host takes `resources` and reports steps.

    Raises:
        UsageError: R0921, the target cannot do what is asked.
        RunecError: what the target raises: `runec.vm.run_rune_bytes`, or `open_emulator` or
            `SerialDevice`, and `Device.run_bytes`.
    """
    watch = watch or Watch()
    if target.kind == "host":
        limits = {} if timeout_s is None else {"timeout_s": timeout_s}
        yield from run_rune_bytes(
            rune, inputs, repeats=repeats, resources=resources, watch=watch, **limits
        )
        return
    if resources:
        raise _host_only(f"accepts the resource {next(iter(resources))!r} at run time", target)
    if watch.step is not None:
        raise _host_only("traces a run", target)
    with _open_device(rune, target, timeout_s=timeout_s, log=watch.log) as device:
        yield from device.run_bytes(inputs, repeats=repeats)


@contextmanager
def _open_device(
    rune: Rune, target: Target, *, timeout_s: float | None, log: Log | None
) -> Iterator[Device]:
    if target.board is not None:
        board = target.board.with_time_budget(timeout_s)
        patience_s = emulator_patience_s(timeout_s)
        with open_emulator(rune, board, timeout_s=patience_s, log=log) as emulated:
            yield emulated
        return
    # Only here: most runs are on the host, and pyserial looks for a system that it knows.
    from runec.devices.serial_port import SerialDevice  # noqa: PLC0415

    limit_s = timeout_s or TIMEOUT_S
    with SerialDevice(target.port, rune, baud=target.baud, timeout_s=limit_s, log=log) as device:
        yield device


def emulator_patience_s(budget_s: float | None) -> float:
    """Return how long this host waits for one run of an emulated board, on its own clock.

    The board's time budget is virtual time, which does not count waiting for inputs either; an
    emulator is slower than the board, so this is ten times the budget, and a minute at least.
    """
    return TIMEOUT_S if budget_s is None else max(_SLOWER * budget_s, _PATIENCE_MIN_S)


_SLOWER = 10.0
_PATIENCE_MIN_S = 60.0


def _host_only(what: str, target: Target) -> UsageError:
    return UsageError("R0921", f"only the host {what}, not {target}", hint="omit --on")


def run(
    rune: Rune,
    inputs: Inputs,
    target: Target,
    *,
    repeats: int = 1,
    timeout_s: float | None = None,
    log: Log | None = None,
) -> Generator[str, None, None]:
    """Run a rune with SERIAL outputs on a target; yield its lines, without newlines.

    Raises:
        RunecError: as `run_bytes`.
    """
    results = run_bytes(
        rune, inputs, target, repeats=repeats, timeout_s=timeout_s, watch=Watch(log=log)
    )
    with contextlib.closing(results):
        for result in results:
            yield result.decode(errors="replace").removesuffix("\n")


@contextmanager
def open_emulator(
    rune: Rune, board: Board, *, timeout_s: float | None = None, log: Log | None = None
) -> Iterator[EmulatedDevice]:
    """Build the firmware for a rune, unless the cache holds it, and start it in the emulator.

    Raises:
        RunecError: as `build_firmware` and `EmulatedDevice`.
    """
    with _emulated_firmware(rune, board, log=log) as built:
        device = EmulatedDevice(*built, timeout_s=timeout_s or TIMEOUT_S, log=log)
    # The emulator has read the program by now: another process may build in the folder again.
    with device:
        yield device


def start_emulated_board(rune: Rune, board: Board, *, log: Log | None = None) -> EmulatedBoard:
    """Build the firmware for a rune, unless the cache holds it, and start it; wait for nothing.

    Raises:
        RunecError: as `build_firmware` and `EmulatedBoard`.
    """
    with _emulated_firmware(rune, board, log=log) as built:
        return EmulatedBoard(*built)


@contextmanager
def _emulated_firmware(
    rune: Rune, board: Board, *, log: Log | None
) -> Iterator[tuple[Board, Path, Rune]]:
    """Build a firmware; yield the board and the rune as they are in the emulator, and the ELF."""
    board = board.emulated()
    check_emulator(board)  # refused before a firmware is built in vain
    rune = device_rune(rune)
    sensed_part(rune, board)
    with held_firmware(rune, board, log=log) as build:
        yield board, build.elf, rune


@contextmanager
def held_firmware(rune: Rune, board: Board, *, log: Log | None = None) -> Iterator[FirmwareBuild]:
    """Build the firmware for a rune in the cache; its files stay as they are while this is open.

    Raises:
        RunecError: as `runec.firmware.create_project` and `build_project`.
        MachineError: R1001 and R1002, the cache cannot be written.
    """
    with cached_project(rune, board, log=log) as project:
        yield build_project(project, log=log)


@contextmanager
def cached_project(
    rune: Rune,
    board: Board,
    *,
    framework: str = BARE,
    backend: str = BACKENDS[0],
    lasting: bool = False,
    log: Log | None = None,
) -> Iterator[Project]:
    """Write the project of a rune for a board in the cache and hold it against other processes.

    Once it is let go of, another rune of the same name may take the folder. With `lasting` only
    the same bytes for the same board ever come into it, so that it can be named to the user.

    Raises:
        RunecError: as `runec.firmware.create_project`.
        MachineError: R1001 and R1002, the cache cannot be written.
    """
    rune = device_rune(rune)
    # One folder for all runes of a name: the next version of a rune only compiles what changed. An
    # emulated variant has a folder of its own, so that `run` and `flash` in turn build nothing.
    name = file_name(rune.require_graph().name, "rune")
    if lasting:
        key = content_key(rune.data, msgspec.json.encode(board), framework, backend)
        name = f"{name}+{key[:16]}"  # no `file_name` has a plus
    kind = board.variant_id if framework == BARE else f"{board.file_id}-{framework}"
    folder = _projects() / kind / name
    with _locked(folder, log):
        if not folder.exists():
            _prune_projects(_projects())
        yield create_project(
            rune, board, folder, framework=framework, backend=backend, in_cache=True
        )


def _projects() -> Path:
    return cache_dir() / "firmware"


def clear_projects() -> list[Path]:
    """Remove the projects in the cache; return those that are in use by another process, and stay.

    Raises:
        MachineError: R1002, there is no cache or it cannot be written.
    """
    in_use = []
    for folder in sorted(path for path in _projects().glob("*/[!.]*") if path.is_dir()):
        with _open_lock(_lock_of(folder)) as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when it is closed
                shutil.rmtree(folder)
            except BlockingIOError:
                in_use.append(folder)
            except OSError as error:
                raise disk_error(error, f"clear {folder}", elsewhere=ANOTHER_CACHE) from None
    return in_use


def _prune_projects(root: Path) -> None:
    """Delete the projects used longest ago, but those in use, until the rest is no longer too much.

    A project's lock tells when it was used last.
    """
    found = []
    for lock in root.glob("*/.*.lock"):
        folder = lock.with_name(lock.name.removeprefix(".").removesuffix(".lock"))
        with contextlib.suppress(OSError):
            found.append((lock.stat().st_mtime, folder, folder_bytes(folder)))
    total = sum(size for _, _, size in found)
    for _, folder, size in sorted(found):
        if total <= FIRMWARE_BYTES_MAX:
            return
        if not size:
            continue
        with contextlib.suppress(OSError, MachineError), _open_lock(_lock_of(folder)) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when it is closed
            shutil.rmtree(folder)
            total -= size


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def _locked(folder: Path, log: Log | None) -> Iterator[None]:
    """Hold a folder against other runec processes; the lock ends with the process at the latest."""
    path = _lock_of(folder)
    with _open_lock(path) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if log is not None:
                log(f"waiting for another process that uses {folder}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        with contextlib.ExitStack() as stack:
            stack.callback(fcntl.flock, stream, fcntl.LOCK_UN)
            with contextlib.suppress(OSError):
                os.utime(path)  # what is used is pruned last
            yield


def _open_lock(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise disk_error(error, f"write {path}", elsewhere=ANOTHER_CACHE) from None
