"""An emulated board: real firmware, started for one rune, spoken to over its console."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from runec.boards import Board, Emulator
from runec.container import Graph, Rune
from runec.container.limits import ABI
from runec.devices.labwired import SimulatorTransport
from runec.devices.labwired_parts import SimulatedPart, simulated_part
from runec.devices.messages import LINK_VERSION, Failure, Hello, Stats
from runec.devices.runevm_errors import REFLASH, device_error
from runec.devices.session import Log, Provide, Session
from runec.devices.transport import StreamTransport, Transport
from runec.diagnostics import RuneError, UserFileError
from runec.firmware import BACKENDS, BARE, DeviceRune, check_carried, choose_accelerometer
from runec.pipeline import CapabilityKind
from runec.tools import find_tool
from runec.vm import InputReader, unused_input

TIMEOUT_S = 300.0
START_TIMEOUT_S = 60.0
# Chips of labwired whose UART receives nothing.
_DEAF = frozenset({"esp32"})
_ACCEL = CapabilityKind.ACCEL


def check_emulator(board: Board) -> Emulator:
    """Return a board's emulator, if it supports the link.

    Raises:
        UserFileError: R0916, the board has none; R0931, it cannot carry the board's link.
    """
    emulator, link = board.emulator, board.hal.link
    if emulator is None:
        raise UserFileError(
            "R0916",
            f"the board {board.id} has no emulator",
            hint="`runec boards` shows which boards have one",
        )
    is_labwired = emulator.kind == "labwired"
    if link == "rtt" and not is_labwired:
        raise UserFileError(
            "R0931",
            f"the emulator {emulator.program} does not expose the memory that the link of "
            f"{board.id} is in",
            hint='use `link = "uart"` in the board file, or a board that labwired emulates',
        )
    if link == "uart" and is_labwired and emulator.target in _DEAF:
        raise UserFileError(
            "R0931",
            f"the emulator labwired ({emulator.target}) has no UART that receives, which the link "
            f"of {board.id} is",
            hint='use `link = "rtt"` in [emulator.overrides.hal] of the board file',
        )
    return emulator


def start_emulator(board: Board, elf: Path, *, part: SimulatedPart | None = None) -> Transport:
    """Start the emulator that a board's file names, with a program in it and a part on its bus.

    Raises:
        UserFileError: as `check_emulator`.
        RuneError: R0930, the RTT buffers in the program's RAM are malformed.
        MachineError: R1004, R0914 and R0915, the emulator is missing or does not start.
    """
    emulator = check_emulator(board)
    if emulator.kind == "labwired":
        rtt_in = board.memory.ram if board.hal.link == "rtt" else None
        return SimulatorTransport(elf, emulator.target, rtt_in=rtt_in, part=part)
    program = find_tool(emulator.program, hint=f"apt-get install {emulator.program}")
    command: list[str | Path] = [program, "-M", emulator.target, *emulator.flags, "-kernel", elf]
    return StreamTransport(
        [*command, "-serial", "stdio", "-monitor", "none"],
        name=f"the emulator {emulator.program} ({board.id})",
    )


@dataclass(frozen=True, slots=True)
class Emulation:
    """A rune on an emulated board: all that is known before its firmware is built.

    `board` is as its emulator runs it, `backend` the engine in its firmware; `part` is what the
    firmware reads a sensor's data from.
    """

    rune: DeviceRune
    board: Board
    part: SimulatedPart | None
    backend: str = BACKENDS[0]

    def check_inputs(self, feed: InputReader) -> None:
        """Read what the rune asks for here, before its firmware is built. Raises as `check_inputs`.

        Without a recording a simulated part is at rest.
        """
        check_inputs(self.rune.rune, feed, may_lack=() if self.part is None else (_ACCEL,))


def plan_emulation(rune: Rune, board: Board, backend: str = BACKENDS[0]) -> Emulation:
    """Find out how a rune runs on an emulated board.

    Raises:
        RunecError: as `check_emulator` and `DeviceRune.of`.
        UserFileError: R0840, the board has no sensor for the rune; R0951, nor has its emulator.
    """
    board = board.emulated()
    check_emulator(board)
    device_rune = DeviceRune.of(rune)
    accelerometer = choose_accelerometer(device_rune, board, BARE)
    part = None if accelerometer is None else simulated_part(board, accelerometer)
    return Emulation(device_rune, board, part, backend)


def check_inputs(
    rune: Rune, feed: InputReader, *, may_lack: Container[CapabilityKind] = ()
) -> None:
    """Read what a rune asks for on a device, before anything is built or connected for its run.

    The device may have data of the kinds in `may_lack` itself, and needs no file for them.

    Raises:
        DeviceRefusalError: R0616, R0814, R0815, no device runs the rune.
        RunecError: as `InputReader.check`.
    """
    graph = rune.require_graph()
    check_carried(graph)
    feed.check(graph, may_lack=may_lack)


class EmulatedBoard:
    """An emulator with the firmware of a rune in it, and the part that this firmware reads.

    Where the firmware reads a sensor, the recording for ACCEL is the motion that the simulated part
    feels from the start of each run; without a recording it is at rest.
    """

    def __init__(self, emulation: Emulation, elf: Path) -> None:
        """Start the emulator.

        Raises:
            RunecError: as `start_emulator`.
        """
        self._part = emulation.part
        self._graph = emulation.rune.graph
        self.transport = start_emulator(emulation.board, elf, part=self._part)

    def before_run(self, feed: InputReader) -> None:
        """Let the part feel the recording from now on."""
        if self._part is None or not feed.inputs.accelerometer:
            return
        if not isinstance(self.transport, SimulatorTransport):
            return
        capability = next(each for each in self._graph.capabilities.values() if each.kind is _ACCEL)
        tensor = self._graph.tensors[capability.tensor]
        data = feed.provide(_ACCEL, capability.parameters, tensor.size_bytes, tensor.element)
        self.transport.play(self._part.motion(data))


class Device:
    """A device that carries one rune, over any transport. Use it as a context manager."""

    def __init__(
        self,
        transport: Transport,
        rune: Rune,
        *,
        name: str,
        booting: bool,
        start_s: float,
        timeout_s: float,
        log: Log | None,
    ) -> None:
        """Take over the transport, wait for the firmware's hello and compare it with the rune.

        Raises:
            RunecError: as `Session.greet`, and what `check_hello` raises; the transport is closed.
        """
        self._transport = transport
        self._timeout_s = timeout_s
        try:
            self._graph = rune.require_graph()
            self._session = Session(transport, name=name, graph=self._graph, log=log)
            self.hello = self._session.greet(booting=booting, timeout_s=start_s)
            speaks = self.hello.version == LINK_VERSION and self.hello.abi == ABI
            refusal = None
            if speaks and self.hello.status != 0:
                refusal = self._session.refusal(timeout_s=start_s)
            check_hello(self.hello, rune, self._session.last_words, refusal)
        except BaseException:
            transport.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run_bytes(self, feed: InputReader, *, repeats: int = 1) -> Iterator[bytes]:
        """Run the rune `repeats` times; yield what each run writes, as `runec.vm.run_rune_bytes`.

        Raises:
            RuneError: the device's error, or the link's.
            RunecError: an input is missing or wrong.
        """
        provide = provider(self._graph, feed)
        for _ in range(repeats):
            self._before_run(feed)
            yield self._session.run(provide, timeout_s=self._timeout_s)
            warn_of_sensor(self._graph, feed)

    def _before_run(self, feed: InputReader) -> None:
        """Prepare a run on this kind of device."""

    def run(self, feed: InputReader, *, repeats: int = 1) -> Iterator[str]:
        """Run a rune with SERIAL outputs; yield its lines, without their newlines.

        Raises:
            RunecError: as `run_bytes`.
        """
        for result in self.run_bytes(feed, repeats=repeats):
            yield result.decode(errors="replace").removesuffix("\n")

    def stats(self) -> Stats:
        """Return the statistics of the device."""
        return self._session.stats(timeout_s=self._timeout_s)

    def close(self) -> None:
        """Let go of the device. May be called more than once."""
        self._transport.close()


class EmulatedDevice(Device):
    """A board that runs one rune in an emulator, from its start to `close()`.

    Virtual time: a run's result does not depend on how fast the host is.
    """

    def __init__(
        self,
        emulation: Emulation,
        elf: Path,
        *,
        timeout_s: float = TIMEOUT_S,
        log: Log | None = None,
    ) -> None:
        """Start the emulator, wait for the firmware's hello and compare it with the rune.

        `timeout_s` is how long the host may work on one run, on the wall clock.

        Raises:
            RunecError: as `start_emulator`, `Session.greet` and `check_hello`.
        """
        self._board = EmulatedBoard(emulation, elf)
        super().__init__(
            self._board.transport,
            emulation.rune.rune,
            name=f"emulator:{emulation.board.id}",
            booting=True,
            # The time for a run is not that for starting: emulators take a while.
            start_s=max(timeout_s, START_TIMEOUT_S),
            timeout_s=timeout_s,
            log=log,
        )

    def _before_run(self, feed: InputReader) -> None:
        self._board.before_run(feed)


def warn_of_sensor(graph: Graph, feed: InputReader) -> None:
    """Warn of a recording that a device did not request in a run."""
    kinds = {each.kind for each in graph.capabilities.values()}
    asked = {kind for kind, _ in feed.taken}
    if feed.inputs.accelerometer and _ACCEL in kinds - asked:
        why = "the firmware reads the sensor on the board"
        files = map(str, feed.inputs.accelerometer)
        feed.inputs.warn(unused_input(" ".join(["--accelerometer", *files]), why))


def check_hello(
    hello: Hello,
    rune: Rune | None,
    words: tuple[str, ...] = (),
    refusal: Failure | None = None,
) -> None:
    """Compare what a device reports about itself with the rune that it should run; None: any rune.

    `words` are the last lines of its log, for the message; `refusal` is what it answers to a run.

    Raises:
        RuneError: R0903, it speaks another link or ABI; R0905 and R0906, it rejects the rune;
            R0917, it carries another rune.
    """
    if hello.version != LINK_VERSION or hello.abi != ABI:
        raise RuneError(
            "R0903",
            f"the firmware has version {hello.version} of the link and ABI {hello.abi}; "
            f"this runec speaks {LINK_VERSION} and {ABI}",
            hint=REFLASH,
        )
    if hello.status != 0:
        if refusal is None or refusal.code != hello.status:
            refusal = Failure(hello.status, "", "")
        raise device_error(refusal.code, refusal.place, refusal.detail, notes=words)
    if rune is not None and hello.digest != rune.digest:
        raise RuneError(
            "R0917",
            "the firmware contains another rune",
            hint="flash this rune: runec flash X.rune --board B",
        )


def provider(graph: Graph, feed: InputReader) -> Provide:
    """Return the function that answers the device's requests by capability id."""
    facts = {
        item.id: (item.kind, item.parameters, graph.tensors[item.tensor])
        for item in graph.capabilities.values()
    }

    def provide(capability: int, length: int) -> bytes:
        wanted = facts.get(capability)
        if wanted is None or length != wanted[2].size_bytes:
            raise RuneError(
                "R0903",
                f"the device requests {length} bytes of capability {capability}, "
                "which differs from the rune",
                hint="flash this rune: runec flash X.rune --board B",
            )
        kind, parameters, tensor = wanted
        return feed.provide(kind, parameters, length, tensor.element)

    return provide
