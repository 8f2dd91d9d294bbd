"""A target where a rune runs: the host, an emulated board, or one at a serial port."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from runec.boards import Board, InputKind, load_board, load_boards
from runec.container import Rune
from runec.devices.emulator import (
    TIMEOUT_S,
    Device,
    EmulatedBoard,
    EmulatedDevice,
    Emulation,
    check_inputs,
    plan_emulation,
)
from runec.devices.session import Log
from runec.devices.transport import DEFAULT_BAUD
from runec.diagnostics import UsageError
from runec.firmware import BACKENDS, held_firmware
from runec.pipeline import CapabilityKind
from runec.vm import InputReader, Inputs, Watch, run_rune_bytes

HOST: Literal["host"] = "host"
# A sensor rounds its data, so a host that uses the recording unchanged could return other bytes.
_INPUT_HINTS = {
    HOST: "omit --input: the host reads ACCEL from --accelerometer FILE; to run with a simulated "
    "sensor, use --on emulator:BOARD",
    "serial": "omit --input; to change the input of a board, use `runec flash --input`",
}
_FORMS = "host, emulator:BOARD[@ENGINE] (`runec boards`), or serial:PORT[@BAUD]"


@dataclass(frozen=True, slots=True)
class Target:
    """A target: `host`, `emulator:BOARD[@ENGINE]` or `serial:PORT[@BAUD]`.

    `board` is that of an emulator and `backend` its engine; `port` and `baud` are those of a
    serial port.
    """

    kind: Literal["host", "emulator", "serial"]
    board: Board | None = None
    port: str = ""
    baud: int = DEFAULT_BAUD
    backend: str = BACKENDS[0]

    def __str__(self) -> str:
        if self.board is not None:
            engine = "" if self.backend == BACKENDS[0] else f"@{self.backend}"
            return f"{self.kind}:{self.board.id}{engine}"
        if self.kind == "serial":
            baud = "" if self.baud == DEFAULT_BAUD else f"@{self.baud}"
            return f"{self.kind}:{self.port}{baud}"
        return self.kind

    def with_input(self, source: InputKind | None) -> Target:
        """Return this target with another ACCEL source; None: unchanged.

        Raises:
            UsageError: R0921, not an emulator: the source of a board is set when it is flashed.
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

    def with_backend(self, backend: str | None) -> Target:
        """Return this target with another engine, if it is an emulator; None leaves it as it is."""
        return self if backend is None or self.board is None else replace(self, backend=backend)

    @classmethod
    def parse(cls, text: str, *, trust_board: bool = False) -> Target:
        """Parse the output of `str()`; `trust_board` is `trusted` of `load_board`.

        Raises:
            UsageError: R0918, no such kind of target; R0802, no such board.
            UserFileError: R0801, R0842 to R0844, the board's file is wrong or not trusted.
        """
        if text == HOST:
            return cls(HOST)
        kind, _, name = text.partition(":")
        if kind == "emulator" and name:
            board, _, backend = name.rpartition("@")
            if not board or backend not in BACKENDS:
                board, backend = name, BACKENDS[0]
            return cls("emulator", load_board(board, trusted=trust_board), backend=backend)
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
    """Run a rune on a target; yield the output of each run, as `runec.vm.run_rune_bytes`.

    The bytes are the same on every target. `timeout_s` is the time for one run without waiting for
    inputs, by the clock of the machine that runs it; at a serial port, where the board's own limit
    was set when it was flashed, it is how long the host waits. None leaves the target's own
    limit. Only the host takes `resources` and reports steps.

    Raises:
        UsageError: R0921, the target does not support the request.
        RunecError: what the target raises: `runec.vm.run_rune_bytes`; or `check_inputs`, then
            `open_emulator` or `SerialDevice`, and `Device.run_bytes`.
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
    feed = InputReader(inputs)
    with _open_device(rune, feed, target, timeout_s=timeout_s, log=watch.log) as device:
        yield from device.run_bytes(feed, repeats=repeats)


@contextmanager
def _open_device(
    rune: Rune, feed: InputReader, target: Target, *, timeout_s: float | None, log: Log | None
) -> Iterator[Device]:
    if target.board is not None:
        board = target.board.with_time_budget(timeout_s)
        emulation = plan_emulation(rune, board, target.backend)
        emulation.check_inputs(feed)
        patience_s = emulator_patience_s(timeout_s)
        with open_emulator(emulation, timeout_s=patience_s, log=log) as emulated:
            yield emulated
        return
    # Firmware of the user's own may have any data itself.
    check_inputs(rune, feed, may_lack=frozenset(CapabilityKind))
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
    emulation: Emulation, *, timeout_s: float | None = None, log: Log | None = None
) -> Iterator[EmulatedDevice]:
    """Build the firmware for a rune, unless the cache holds it, and start it in the emulator.

    Raises:
        RunecError: as `held_firmware` and `EmulatedDevice`.
    """
    with held_firmware(
        emulation.rune, emulation.board, backend=emulation.backend, log=log
    ) as built:
        device = EmulatedDevice(emulation, built.elf, timeout_s=timeout_s or TIMEOUT_S, log=log)
    # The emulator has read the program by now: another process may build in the folder again.
    with device:
        yield device


def start_emulated_board(emulation: Emulation, *, log: Log | None = None) -> EmulatedBoard:
    """Build the firmware for a rune, unless the cache holds it, and start it; wait for nothing.

    Raises:
        RunecError: as `held_firmware` and `EmulatedBoard`.
    """
    with held_firmware(
        emulation.rune, emulation.board, backend=emulation.backend, log=log
    ) as built:
        return EmulatedBoard(emulation, built.elf)
