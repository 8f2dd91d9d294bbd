"""`runec monitor`: what a device says, as it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from runec.boards import Board, load_board, load_boards
from runec.cli.comparing import json_result
from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.feeding import input_options
from runec.cli.options import (
    INPUT_FILE,
    MAX_SECONDS,
    Seconds,
    board_option,
    format_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.plotting import Screen, Series
from runec.cli.sources import load_source
from runec.devices import (
    Place,
    check_emulator,
    emulator_patience_s,
    held_firmware,
    start_emulator,
)
from runec.devices.emulator import TIMEOUT_S
from runec.devices.transport import Transport
from runec.devices.watching import (
    Connected,
    Result,
    Said,
    Trouble,
    Watched,
    WatchEvent,
    watch,
)
from runec.diagnostics import Diagnostic, Severity, UsageError
from runec.vm import Inputs


@click.command(
    "monitor",
    epilog=example(
        "runec monitor",
        "runec monitor --board nucleo_f401re --plot",
        "runec monitor sine.rune --raw input.bin --port /dev/ttyACM0 --every 0.2",
        "runec monitor gesture.rune --accel ring.csv --on emulator:esp32c3 --count 3",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", required=False, type=INPUT_FILE)
@click.option("-p", "--port", metavar="PORT[@BAUD]", help="Its serial port. [default: by USB id]")
@board_option(required=False, help_text="Which board: its USB ids and baud.")
@click.option("--on", "on", metavar="PLACE", help="emulator:BOARD, or serial:PORT[@BAUD].")
@click.option(
    "--every",
    type=Seconds(0, MAX_SECONDS),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often the rune is run: from the start of a run to that of the next one.",
)
@click.option("--count", type=click.IntRange(1), help="End after so many runs.")
@click.option(
    "--timeout",
    type=Seconds(0, MAX_SECONDS, min_open=True),
    metavar="SECONDS",
    help="Time limit of one run, as for `runec run`. [default: the target's]",
)
@click.option("--listen", is_flag=True, help="Ask for no runs; only show what the device says.")
@click.option("--plot", is_flag=True, help="Draw numbers in the terminal, the newest at the right.")
@input_options
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
) -> None:
    """Run the rune on a device again and again, and show results and log lines as they come.

    Inputs that the board's own sensors give need nothing; for others name the rune and files. A
    device that is unplugged is waited for. Ctrl-C ends it.
    """
    if plot and (console.is_json or not sys.stdout.isatty()):
        raise click.UsageError("--plot draws in a terminal: not with --format json, nor in a pipe")
    if listen and count is not None:
        raise click.UsageError("--count counts runs, and --listen asks for none")
    if sum(each is not None for each in (port, on)) > 1 or (on and board_id):
        raise click.UsageError("--on does not go with --port or --board")
    rune = None if source is None else load_source(console, source).rune
    board = None if board_id is None else load_board(board_id, trusted=console.trust_board)
    place = None if on is None else Place.parse(on, trust_board=console.trust_board)
    if listen and timeout is not None:
        raise click.UsageError("--timeout is for runs, and --listen asks for none")
    limit_s = timeout or TIMEOUT_S
    if place is not None and place.board is not None:
        limit_s = emulator_patience_s(timeout)
        place = replace(place, board=place.board.with_time_budget(timeout))
    wanted = Watched(rune, inputs, None if listen else every, count, limit_s)
    if place is not None and place.board is not None:
        check_emulator(place.board)  # refused before a firmware is built in vain
        if rune is None:
            raise click.UsageError("an emulated board needs a rune to carry: X.rune or a Runefile")
        with console.progress(f"building the firmware for {place.board.id}"):
            connect = _emulator(console, wanted, place.board)
        _show(console, connect, wanted, str(place), plot=plot, booting=True)
        return
    if place is not None and place.kind != "serial":
        raise click.UsageError("the host is no device: runec run runs a rune here")
    if place is None:
        place = serial_place(console, port, [board] if board else load_boards())
    monitor_port(console, place, wanted, plot=plot, board=board)


def monitor_port(
    console: Console,
    place: Place,
    wanted: Watched,
    *,
    plot: bool = False,
    board: Board | None = None,
) -> None:
    """Watch the device at a serial port until Ctrl-C; warn where it is another than `board`.

    Raises:
        RunecError: as `watch` and `SerialTransport`.
    """
    # Only here: pyserial looks for a system that it knows.
    from runec.devices.serial_port import SerialTransport  # noqa: PLC0415

    _show(
        console,
        lambda: SerialTransport(place.port, place.baud),
        wanted,
        str(place),
        plot=plot,
        booting=False,
        board=board,
    )


def serial_place(console: Console, port: str | None, boards: Sequence[Board]) -> Place:
    """Return the place of a port that is named, or of the only one that a board is at.

    Raises:
        MachineError: R0942, no board is there.
        UsageError: R0943, there are several, or boards of one USB id whose baud rates differ.
    """
    if port is not None and "@" in port:
        return Place.parse(f"serial:{port}")
    # Only here: pyserial looks for a system that it knows.
    from runec.devices.ports import find_port, serial_ports  # noqa: PLC0415

    if port is None:
        found = find_port(boards)
        console.say(f"found {found}")
        bauds = {each.hal.baud for each in boards if found.usb_id in each.usb_ids}
        if len(bauds) > 1:
            ids = " or ".join(each.id for each in boards if found.usb_id in each.usb_ids)
            raise UsageError(
                "R0943",
                f"{found.device} could be boards with different baud rates: {ids}",
                hint=f"say which it is, with --board, or --port {found.device}@BAUD",
            )
        port = found.device
    else:
        usb_id = next((each.usb_id for each in serial_ports() if each.device == port), "")
        known = [each for each in boards if usb_id in each.usb_ids] or boards
        bauds = {each.hal.baud for each in known}
    place = Place.parse(f"serial:{port}")
    return replace(place, baud=bauds.pop()) if len(bauds) == 1 else place


def _emulator(console: Console, wanted: Watched, board: Board) -> Callable[[], Transport]:
    rune = wanted.rune
    assert rune is not None  # noqa: S101 - asked for above

    def start() -> Transport:
        with held_firmware(rune, board, log=console.log) as built:
            # The emulator has read the program by then: another process may build in the folder.
            return start_emulator(board, built.elf)

    started = [start()]
    # Lost, as with a run that does not end, it is started anew.
    return lambda: started.pop() if started else start()


def _show(
    console: Console,
    connect: Callable[[], Transport],
    wanted: Watched,
    name: str,
    *,
    plot: bool,
    booting: bool,
    board: Board | None = None,
) -> None:
    shown = _Shown(console, board, plot=plot)
    try:
        watch(connect, wanted, shown.tell, name=name, booting=booting)
    except KeyboardInterrupt:
        # That is how somebody ends this, and no failure.
        console.say("stopped")


class _Shown:
    """What happens, as lines or as a drawing."""

    def __init__(self, console: Console, board: Board | None, *, plot: bool) -> None:
        self._console = console
        self._board = board
        self._series = Series()
        self._screen = Screen(sys.stdout) if plot else None

    def tell(self, event: WatchEvent) -> None:
        self._tell(event)
        if isinstance(event, Connected) and self._board is not None:
            self._compare(event.hello.board, self._board.id)

    def _compare(self, found: str, named: str) -> None:
        if found != named:
            what = f"this is the board {found}, not {named}"
            hint = f"say --board {found}, or --port for the one that you mean"
            self._console.warn(Diagnostic("R1112", what, Severity.WARNING, hint=hint))

    def _tell(self, event: WatchEvent) -> None:
        if self._console.is_json:
            self._console.result_json(_record(event))
            return
        if self._screen is None:
            self._line(event)
            return
        if isinstance(event, Result):
            self._series.add(json_result(event.data))
        else:
            self._screen.clear()
            self._line(event)
        self._screen.draw(self._series)

    def _line(self, event: WatchEvent) -> None:
        if isinstance(event, Result):
            self._console.result_bytes(json_result(event.data))
        elif isinstance(event, Said):
            self._console.say(f"log: {event.line}")
        elif isinstance(event, Connected):
            hello = event.hello
            self._console.say(
                f"{hello.board}, firmware {hello.firmware}, {hello.engine}, "
                f"rune {hello.digest.hex()[:12]}"
            )
        else:
            self._console.report(event.error.diagnostics)
            if event.is_lost:
                self._console.say("waiting for it to come back; Ctrl-C ends")


def _record(event: WatchEvent) -> dict[str, object]:
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
