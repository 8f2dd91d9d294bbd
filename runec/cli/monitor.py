"""`runec monitor`: results and log of a device as they arrive."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from runec.boards import Board, InputKind, load_board, load_boards
from runec.cli.completion_values import completer, devices, ports
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.input_options import InputCommand, input_options, used_input, warn_of_unused
from runec.cli.options import (
    MAX_SECONDS,
    RUNE_OR_RUNEFILE,
    Seconds,
    Whole,
    board_option,
    format_option,
    input_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.run_compare import json_result, output_names
from runec.cli.rune_sources import load_source
from runec.devices import (
    EmulatedBoard,
    Target,
    check_inputs,
    emulator_patience_s,
    plan_emulation,
    start_emulated_board,
)
from runec.devices.emulator import TIMEOUT_S
from runec.devices.monitor import (
    Connected,
    Result,
    Said,
    Trouble,
    Watched,
    WatchEvent,
    watch,
)
from runec.devices.ports import Port, find_port, serial_ports
from runec.devices.serial_port import SerialTransport, says_hello
from runec.devices.transport import Transport
from runec.diagnostics import Diagnostic, RuneError, Severity, UsageError, printable
from runec.pipeline import CapabilityKind
from runec.vm import InputReader, Inputs, unused_inputs


@click.command(
    "monitor",
    cls=InputCommand,
    epilog=example(
        "runec monitor",
        "runec monitor --board nucleo_f401re --plot",
        "runec monitor sine.rune --raw input.bin --port /dev/ttyACM0 --every 0.2",
        "runec monitor gesture.rune --accel ring.csv --on emulator:esp32c3 --count 3",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", required=False, type=RUNE_OR_RUNEFILE)
@click.option(
    "-p",
    "--port",
    metavar="PORT[@BAUD]",
    shell_complete=completer(ports),
    help="Serial port of the board. [default: by USB id]",
)
@board_option(required=False, help_text="Board: its USB ids and baud rate.")
@click.option(
    "--on",
    "on",
    metavar="TARGET",
    shell_complete=completer(devices),
    help="Target: emulator:BOARD or serial:PORT[@BAUD].",
)
@click.option(
    "--every",
    type=Seconds(0, MAX_SECONDS),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Interval between the starts of two runs.",
)
@click.option("--count", type=Whole(1), help="Number of runs. [default: until Ctrl-C]")
@click.option(
    "--timeout",
    type=Seconds(0, MAX_SECONDS, min_open=True),
    metavar="SECONDS",
    help="Time limit of one run, as for `runec run`. [default: the target's]",
)
@click.option("--listen", is_flag=True, help="Log of the device only; no runs are requested.")
@click.option(
    "--plot", is_flag=True, help="Plot of the results in the terminal, newest at the right."
)
@input_options
@input_option
@outside_option
@trust_option
@format_option
@pass_console
def command(
    console: Console,
    *,
    source: Path | None,
    port: str | None,
    board_id: str | None,
    on: str | None,
    every: float,
    count: int | None,
    timeout: float | None,
    listen: bool,
    plot: bool,
    inputs: Inputs,
    source_of_input: InputKind | None,
) -> int:
    """Run the rune on a device repeatedly, and print results and log lines as they arrive.

    Sensors on the board need no option; for other inputs name the rune and files. `monitor` waits
    for reconnection and reports failed runs; Ctrl-C ends it. With --count the exit code is 3 if a
    run failed. Times are those of arrival at the host.
    """
    if plot and (console.is_json or not sys.stdout.isatty()):
        raise click.UsageError("--plot needs a terminal, and cannot be combined with --format json")
    if listen and count is not None:
        raise click.UsageError("--count cannot be combined with --listen, which requests no runs")
    if sum(each is not None for each in (port, on)) > 1 or (on and board_id):
        raise click.UsageError("--on cannot be combined with --port or --board")
    rune = None if source is None else load_source(console, source).rune
    board = (
        None
        if board_id is None
        else load_board(board_id, trusted=console.trust_board, progress=console.progress)
    )
    if source_of_input is not None and on is None:
        raise click.UsageError(
            "--input needs --on emulator:BOARD; for a real board: runec flash --input"
        )
    target = None
    if on is not None:
        if rune is not None:
            source_of_input = used_input(console, rune, source_of_input)
        target = Target.parse(on, trust_board=console.trust_board).with_input(source_of_input)
    if rune is None or listen:
        why = "--listen requests no runs" if listen else "no rune reads it: none was named"
        for warning in unused_inputs(inputs, (), why):
            inputs.warn(warning)
    else:
        warn_of_unused(rune, inputs)
    if listen and timeout is not None:
        raise click.UsageError("--timeout cannot be combined with --listen, which requests no runs")
    limit_s = timeout or TIMEOUT_S
    if target is not None and target.board is not None:
        limit_s = emulator_patience_s(timeout)
        target = replace(target, board=target.board.with_time_budget(timeout))
    feed = InputReader(inputs)
    wanted = Watched(rune, feed, None if listen else every, count, limit_s)
    if target is not None and target.board is not None:
        if rune is None:
            raise click.UsageError("an emulated board needs a rune: X.rune or a Runefile")
        emulation = plan_emulation(rune, target.board)
        if not listen:
            emulation.check_inputs(feed)
        with console.progress(f"building the firmware for {target.board.id}"):
            emulated = _Emulated(lambda: start_emulated_board(emulation, log=console.log))
        return _show(
            console,
            emulated.connect,
            wanted,
            str(target),
            plot=plot,
            booting=True,
            before_run=emulated.before_run,
        )
    if target is not None and target.kind != "serial":
        raise click.UsageError("the host is not a device; use runec run")
    if rune is not None and not listen:
        check_inputs(rune, feed, may_lack=frozenset(CapabilityKind))
    if target is None:
        target = serial_target(console, port, [board] if board else load_boards())
    return monitor_port(console, target, wanted, plot=plot, board=board)


def monitor_port(
    console: Console,
    target: Target,
    wanted: Watched,
    *,
    plot: bool = False,
    board: Board | None = None,
) -> int:
    """Watch the device at a serial port until Ctrl-C; warn if it is not `board`.

    Return the exit code: 3 if a counted run failed.

    Raises:
        RunecError: as `watch` and `SerialTransport`.
    """
    return _show(
        console,
        lambda: SerialTransport(target.port, target.baud),
        wanted,
        str(target),
        plot=plot,
        booting=False,
        board=board,
    )


def serial_target(console: Console, port: str | None, boards: Sequence[Board]) -> Target:
    """Return the target of a port that is named, or of the only one that a board is at.

    Raises:
        MachineError: R0942, no board is there.
        UsageError: R0943, there are several, or boards of one USB id whose baud rates differ.
    """
    if port is not None and "@" in port:
        return Target.parse(f"serial:{port}")
    if port is None:
        found = find_port(boards, answers=lambda each: _answers(console, each, boards))
        console.say(f"found {found}")
        bauds = {each.hal.baud for each in boards if found.usb_id in each.usb_ids}
        if len(bauds) > 1:
            ids = " or ".join(each.id for each in boards if found.usb_id in each.usb_ids)
            raise UsageError(
                "R0943",
                f"{found.device} could be boards with different baud rates: {ids}",
                hint=f"choose with --board, or --port {found.device}@BAUD",
            )
        port = found.device
    else:
        usb_id = next((each.usb_id for each in serial_ports() if each.device == port), "")
        known = [each for each in boards if usb_id in each.usb_ids] or boards
        bauds = {each.hal.baud for each in known}
    target = Target.parse(f"serial:{port}")
    return replace(target, baud=bauds.pop()) if len(bauds) == 1 else target


def _answers(console: Console, port: Port, boards: Sequence[Board]) -> bool:
    """Return whether a firmware of runec's answers at one of several ports of a probe."""
    baud = next(each.hal.baud for each in boards if port.usb_id in each.usb_ids)
    with console.progress(f"asking {port.device}"):
        return says_hello(port.device, baud)


class _Emulated:
    """An emulated board that is restarted if it is lost, as with a run that does not end."""

    def __init__(self, start: Callable[[], EmulatedBoard]) -> None:
        self._start = start
        self._board = start()
        self._is_new = True

    def connect(self) -> Transport:
        if not self._is_new:
            self._board = self._start()
        self._is_new = False
        return self._board.transport

    def before_run(self, feed: InputReader) -> None:
        self._board.before_run(feed)


def _show(
    console: Console,
    connect: Callable[[], Transport],
    wanted: Watched,
    name: str,
    *,
    plot: bool,
    booting: bool,
    board: Board | None = None,
    before_run: Callable[[InputReader], None] | None = None,
) -> int:
    shown = _Shown(console, board, output_names(wanted.rune), plot=plot)
    try:
        with closing(shown):
            watch(connect, wanted, shown.tell, name=name, booting=booting, before_run=before_run)
    except KeyboardInterrupt:
        # Ctrl-C is the usual end, not a failure.
        console.say("stopped")
        return 0
    return RuneError.exit_code if shown.failed_runs and wanted.count is not None else 0


class _Shown:
    """What happens, as lines or as a drawing."""

    def __init__(
        self, console: Console, board: Board | None, names: Mapping[str, str], *, plot: bool
    ) -> None:
        self.failed_runs = 0
        self._console = console
        self._board = board
        self._names = names
        self._plot = None
        if plot:
            from runec.cli.plotting import Plot  # noqa: PLC0415 - imports rich

            self._plot = Plot(sys.stdout, names)

    def tell(self, event: WatchEvent) -> None:
        if isinstance(event, Trouble) and event.is_run:
            self.failed_runs += 1
        self._tell(event)
        if isinstance(event, Connected) and self._board is not None:
            self._compare(event.hello.board, self._board.id)

    def close(self) -> None:
        """Keep the plot."""
        if self._plot is not None:
            self._plot.clear(keep=True)

    def _compare(self, found: str, named: str) -> None:
        if found != named:
            what = f"this is the board {found}, not {named}"
            hint = f"use --board {found}, or --port for another board"
            self._console.warn(Diagnostic("R1112", what, Severity.WARNING, hint=hint))

    def _tell(self, event: WatchEvent) -> None:
        if self._console.is_json:
            record = _record(event)
            if isinstance(event, Result) and self._names:
                shown = record["outputs"].keys() & self._names.keys()
                record["names"] = {key: self._names[key] for key in sorted(shown)}
            self._console.result_json({**record, "time": _now().isoformat(timespec="milliseconds")})
            return
        if self._plot is None:
            self._line(event)
            return
        if isinstance(event, Result):
            self._plot.add(json_result(event.data))
        else:
            self._plot.clear()
            self._line(event)
        self._plot.draw()

    def _line(self, event: WatchEvent) -> None:
        stamp = _now().time().isoformat(timespec="milliseconds")
        if isinstance(event, Result):
            # A pipe gets lines of JSON and nothing else.
            line = json_result(event.data)
            head = f"{stamp} {self._named(line)}" if sys.stdout.isatty() else ""
            self._console.result_bytes(head.encode() + line)
        elif isinstance(event, Said):
            self._console.say(f"{stamp} log: {event.line}")
        elif isinstance(event, Connected):
            hello = event.hello
            self._console.say(
                f"{stamp} {hello.board}, firmware {hello.firmware}, {hello.engine}, "
                f"rune {hello.digest.hex()[:12]}"
            )
        else:
            self._console.say(f"{stamp} {'connection lost' if event.is_lost else 'run failed'}")
            self._console.report(event.error.diagnostics)
            if event.is_lost and not event.is_last:
                self._console.say("waiting for reconnection; Ctrl-C ends")

    def _named(self, line: bytes) -> str:
        """Return the names of the outputs that a line has, each behind its id."""
        known = [f"{key}={self._names[key]}" for key in json.loads(line) if key in self._names]
        return " ".join([*map(printable, known), ""])


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


def _record(event: WatchEvent) -> dict[str, Any]:
    if isinstance(event, Result):
        return {"event": "result", "outputs": json.loads(json_result(event.data))}
    if isinstance(event, Said):
        return {"event": "log", "text": event.line}
    if isinstance(event, Trouble):
        (diagnostic,) = event.error.diagnostics
        return {"event": "lost" if event.is_lost else "failed", **diagnostic.as_json()}
    hello = event.hello
    return {
        "event": "connected",
        "board": hello.board,
        "firmware": hello.firmware,
        "engine": hello.engine,
        "digest": hello.digest.hex(),
    }
