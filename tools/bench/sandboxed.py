"""Counting the instructions of runec's firmware with a rune in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from runec.boards import Board
from runec.container import Rune
from runec.container.wasm import read_module, walk_sections
from runec.devices.emulator import Device, provider
from runec.devices.transport import StreamTransport
from runec.diagnostics import RunecError
from runec.firmware import FirmwareBuild
from runec.vm import InputReader, Inputs
from tools.bench.figures import Figures, RunCost
from tools.bench.machine import counted
from tools.bench.meter import Meter
from tools.bench.probe import ProbeError

RUNS = 2
_TIMEOUT_S = 300.0
# Functions of the firmware. All but `ask` are called by way of a pointer or from another source, so
# that no compiler takes them apart; `ask` is called from four places.
_POLL, _PROVIDE, _ASK = "runec_console_read", "runevm_link_provide", "ask"
_RUN, _MODEL = "runevm_run", "12invoke_model"
# What executes the module: wasm3's, or the compiled code.
_CODE = {"wasm3": "m3_Call", "aot": "aot_run"}
# Of the id in a runevm_capability, after its name's address and length.
_ID_OFFSET = 8


class _Console:
    """The console of a device whose polls a probe answers: it never waits, and loses no time.

    The host answers when the device polls; until then the device is stopped.
    """

    retry_ms = StreamTransport.retry_ms
    silence_ms = StreamTransport.silence_ms
    part_bytes = StreamTransport.part_bytes
    has_boot_text = StreamTransport.has_boot_text

    def __init__(self, stream: StreamTransport) -> None:
        self._stream = stream
        self._bytes: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def time_ms(self) -> float:
        return self._stream.time_ms()

    def send(self, data: bytes) -> None:
        for byte in data:
            self._bytes.put(byte)

    def receive(self, until_ms: float | None, wall_limit_s: float) -> bytes:
        return self._stream.receive(until_ms, wall_limit_s)

    def close(self) -> None:
        self._bytes.put(None)
        self._stream.close()

    def next_byte(self) -> int:
        """Return what a poll finds. Raises EOFError if the host has closed the link."""
        byte = self._bytes.get()
        if byte is None:
            raise EOFError
        return byte


@dataclass
class _Watch:
    """Stands between a firmware and the host, and takes down what happens when."""

    meter: Meter
    console: _Console
    code: str
    hosts: tuple[str, ...]
    provide: Callable[[int, int], bytes]
    ready: int = 0
    asked: bool = False
    sent: list[int] = field(default_factory=list)

    def start(self, *, has_model: bool) -> None:
        """Arm everything; the program stands at reset."""
        for name in (_RUN, self.code, *self.hosts, *([_MODEL] if has_model else [])):
            self.meter.span(name)
        self.meter.span(_ASK, entered=self._asks)
        self.meter.instead(_POLL, self._polls)
        self.meter.instead(_PROVIDE, self._provides)

    def _asks(self) -> None:
        self.asked = True

    def _polls(self) -> None:
        if self.ready == 0:
            self.ready = self.meter.probe.count()
        if self.asked:
            self.sent.append(self.meter.probe.count())
            self.asked = False
        self.meter.probe.give_back(self.console.next_byte())

    def _provides(self) -> None:
        """Fill the rune's buffer, as a sensor would: nothing comes over the link."""
        probe = self.meter.probe
        capability, buffer, length = (probe.register(number) for number in (1, 2, 3))
        identity = int.from_bytes(probe.read(capability + _ID_OFFSET, 4), "little")
        probe.write(buffer, self.provide(identity, length))
        probe.give_back()

    def cost(self, index: int) -> RunCost:
        """Return what a run took, to the end of the frame that ends it."""
        runs = [span for span in self.meter.spans if span.name == _RUN]
        if len(runs) != RUNS:
            raise ProbeError(f"{len(runs)} runs were seen, not {RUNS}")
        start = runs[index].start
        last = index + 1 == RUNS
        end = max(at for at in self.sent if last or at < runs[index + 1].start)
        wasm = self.meter.inside(self.code, start, end)
        wasm -= sum(self.meter.inside(name, start, end) for name in self.hosts)
        model = self.meter.inside(_MODEL, start, end)
        return RunCost(blocks=wasm, model=model, host=end - start - wasm - model)


def _host_functions(rune: Rune, backend: str) -> tuple[str, ...]:
    """Return the functions by which the code of a rune leaves it."""
    if backend == "wasm3":
        return ("call_host",)
    imports = read_module(rune.code, walk_sections(rune.code)).imports
    return tuple(f"runevm_host_{each.name.lstrip('_')}" for each in imports)


def measure_rune(
    rune: Rune, board: Board, built: FirmwareBuild, inputs: Inputs, backend: str
) -> Figures:
    """Run a rune twice on an emulated board and count.

    Raises:
        ProbeError: the emulator does not count, or the firmware is not the one that is known here.
        RunecError: the rune or the emulator fails.
    """
    graph = rune.require_graph()
    faults: list[Exception] = []
    with counted(board, built.elf) as (stream, meter):
        console = _Console(stream)
        watch = _Watch(
            meter,
            console,
            _CODE[backend],
            _host_functions(rune, backend),
            provider(graph, InputReader(inputs)),
        )
        watch.start(has_model=bool(graph.models))

        def hold() -> None:
            try:
                meter.probe.run()
            except (ProbeError, RunecError) as error:
                faults.append(error)
                meter.probe.end()

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            with Device(
                console,
                rune,
                name=board.id,
                booting=True,
                start_s=_TIMEOUT_S,
                timeout_s=_TIMEOUT_S,
                log=None,
            ) as device:
                results = tuple(device.run(InputReader(inputs), repeats=RUNS))
                device.stats()  # what comes before its answer has been noted
        except RunecError:
            if faults:
                raise faults[0] from None
            raise
        finally:
            console.close()
            thread.join()
        if faults:
            raise faults[0]
    return Figures(
        ready=watch.ready,
        first=watch.cost(0),
        steady=watch.cost(1),
        flash_bytes=built.flash_bytes,
        ram_bytes=built.ram_bytes,
        results=results,
    )
