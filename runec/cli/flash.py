"""`runec flash`: onto a real board."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from runec.boards import Board, load_board
from runec.cli.completion_values import completer, ports, protocols
from runec.cli.console import Console
from runec.cli.firmware_options import FirmwareChoice, announce_download, firmware_options
from runec.cli.help_epilog import example
from runec.cli.input_options import used_input
from runec.cli.monitor import monitor_port, serial_target
from runec.cli.options import (
    RUNE_OR_RUNEFILE,
    board_option,
    format_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.rune_sources import load_source
from runec.container import Rune
from runec.devices import (
    Flashed,
    FlashPlan,
    Target,
    check_inputs,
    flash,
    flash_selftest,
    plan_flash,
    plan_flash_selftest,
)
from runec.devices.errors import LockedChipError
from runec.devices.monitor import Watched
from runec.devices.ports import is_for_upload_alone
from runec.diagnostics import RunecError
from runec.firmware import ARDUINO, BARE
from runec.pipeline import CapabilityKind
from runec.vm import InputReader, Inputs, MissingInputError

_RTT_HINT = (
    "the link is RTT: start `rtt server` of OpenOCD, or the RTT server of J-Link, "
    "then runec monitor --port socket://localhost:9090"
)


@click.command(
    "flash",
    epilog=example(
        "runec flash examples/sine --board esp32c3",
        "runec flash examples/sine --board esp32c3 --port /dev/ttyUSB0 --monitor",
        "runec flash sine.rune --board esp32c3 --port /dev/ttyUSB0 --dry-run",
        "runec flash sine.rune --board nrf52840_dk --protocol jlink",
        "runec flash --selftest --board nrf52840_dk",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE", default=Path(), type=RUNE_OR_RUNEFILE)
@board_option()
@click.option(
    "-p",
    "--port",
    shell_complete=completer(ports),
    help="Serial port of the board. [default: by USB id]",
)
@firmware_options
@click.option(
    "--protocol",
    metavar="NAME",
    shell_complete=protocols,
    help="Upload protocol, as listed by `runec boards show`.",
)
@click.option("--monitor", is_flag=True, help="Start `runec monitor` after the upload.")
@click.option("--unlock", is_flag=True, help="Erasure of all of a locked nRF52, which unlocks it.")
@click.option("--selftest", "is_selftest", is_flag=True, help="Self test instead of a rune.")
@click.option("--dry-run", is_flag=True, help="Commands of the upload, printed and not run.")
@outside_option
@trust_option
@format_option
@click.pass_context
@pass_console
def command(
    console: Console,
    ctx: click.Context,
    *,
    source: Path,
    board_id: str,
    port: str | None,
    choice: FirmwareChoice,
    protocol: str | None,
    monitor: bool,
    unlock: bool,
    is_selftest: bool,
    dry_run: bool,
) -> None:
    """Build the firmware of a .rune or a Runefile and upload it to a board with PlatformIO.

    Without X.rune or RUNEFILE: the Runefile in the current folder. A firmware that is up to date is
    not built again. The default port is the only one with a USB id of the board file.
    """
    if monitor and dry_run:
        raise click.UsageError("--monitor cannot be combined with --dry-run")
    board = choice.board(
        load_board(board_id, trusted=console.trust_board, progress=console.progress)
    )
    if is_selftest:
        _require_selftest_alone(ctx, choice, monitor=monitor)
        _flash_selftest(console, board, port, protocol, dry_run=dry_run)
        return
    in_ram = choice.framework == BARE and board.hal.link == "rtt"
    if monitor and in_ram and "://" not in (port or ""):
        raise click.UsageError(
            f"--monitor needs a UART, and the link of {board.id} is RTT: "
            "omit --link rtt, or pass the debugger's RTT server, --port socket://localhost:9090"
        )
    loaded = load_source(console, source)
    rune = loaded.rune
    used_input(console, rune, choice.source_of_input)
    if monitor:
        _require_no_files(rune, board)
    if choice.framework == BARE and board.upload is not None and board.upload.note:
        console.say(f"note: {board.upload.note}")
    with loaded.blamed():
        loaded.warn_of_pins(console, board)
    if dry_run:
        with loaded.blamed(), console.progress("creating the project"):
            plan = plan_flash(
                rune,
                board,
                port=port,
                protocol=protocol,
                framework=choice.framework,
                backend=choice.backend,
            )
        _show_plan(console, board, plan)
        _prefer_vendor(console, board, choice.framework)
        return
    announce_download(console, board, choice.framework)

    def put(*, erases: bool) -> Flashed:
        with loaded.blamed():
            return flash(
                rune,
                board,
                port=port,
                protocol=protocol,
                framework=choice.framework,
                backend=choice.backend,
                unlock=erases,
                log=console.log,
                say=console.say,
                progress=console.progress,
            )

    try:
        done = put(erases=unlock)
    except LockedChipError as error:
        if unlock or not error.can_unlock or not _agrees(console, error):
            raise
        done = put(erases=True)
    if console.is_json:
        console.result_json(
            {"rune": rune.name, "board": board.id, "port": done.port, "link": done.link}
        )
    console.say(
        f"{rune.name or source.name} is on {board.id}" + (f" ({done.port})" if done.port else "")
    )
    _prefer_vendor(console, board, choice.framework)
    if done.link == "rtt":
        console.say(_RTT_HINT)
        if not monitor:
            return
    talks_at = port or done.port
    if talks_at is not None and is_for_upload_alone(talks_at, board):
        talks_at = None
    target = _target(console, board, talks_at, choice.framework, must=monitor)
    if monitor and target is not None:
        monitor_port(console, target, Watched(rune, every_s=1.0))
    elif target is not None:
        run = shlex.join(["runec", "run", str(source), "--on", str(target)])
        watch = ["runec", "monitor", str(source), "--port", f"{target.port}@{target.baud}"]
        console.say(f"run: {run}, with its inputs\nmonitor: {shlex.join(watch)}")


def _agrees(console: Console, error: LockedChipError) -> bool:
    """Ask whether a locked chip is to be erased: only somebody at a terminal can say so."""
    if console.is_json or not _is_terminal():
        return False
    console.say(error.message)
    return click.confirm("Erase all of it, program and data, to unlock it?", err=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _require_selftest_alone(ctx: click.Context, choice: FirmwareChoice, *, monitor: bool) -> None:
    if ctx.get_parameter_source("source") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--selftest is written in the place of a rune: name none")
    if monitor:
        raise click.UsageError("--monitor shows the results of a rune: not with --selftest")
    if choice.framework != BARE or choice.source_of_input or choice.time_budget:
        raise click.UsageError(
            "--selftest tests runec's own start-up code, without a rune: --framework, --input and "
            "--time-budget do not go with it"
        )


def _flash_selftest(
    console: Console, board: Board, port: str | None, protocol: str | None, *, dry_run: bool
) -> None:
    if dry_run:
        _show_plan(console, board, plan_flash_selftest(board, port=port, protocol=protocol))
        return
    done, _ = flash_selftest(
        board, port=port, protocol=protocol, log=console.log, progress=console.progress
    )
    if console.is_json:
        console.result_json({"rune": None, "board": board.id, "port": done.port, "link": done.link})
    console.say(
        f"the self test is on {board.id}; measure: "
        f"runec doctor --board {shlex.quote(board.id)} --selftest --no-upload"
    )


def _require_no_files(rune: Rune, board: Board) -> None:
    """Reject a rune that this verb has no inputs for, before anything is built to be watched."""
    try:
        sensed = (CapabilityKind.ACCEL,) if board.input == "sensor" else ()
        check_inputs(rune, InputReader(Inputs()), may_lack=sensed)
    except MissingInputError as error:
        error.hint = f"omit --monitor, then pass its inputs: runec monitor X.rune {error.flag} FILE"
        raise


def _show_plan(console: Console, board: Board, plan: FlashPlan) -> None:
    """Print the commands; errors that would stop them go to stderr."""
    if console.is_json:
        tool = plan.tool
        console.result_json(
            {
                "command": plan.command,
                "tool": None if tool is None else tool.words,
                "script": [] if tool is None else tool.script,
                "port": plan.port,
                "link": plan.link,
                "missing": [each.as_json() for error in plan.missing for each in error.diagnostics],
            }
        )
        return
    console.result(shlex.join(plan.command))
    if plan.tool is None:
        vendor = board.vendor.platform if board.vendor else "its platform"
        console.say(f"PlatformIO's {vendor} starts the vendor's upload tool")
    else:
        console.say("PlatformIO builds the firmware, then starts:")
        console.result(shlex.join(plan.tool.words))
        for line in plan.tool.script:
            console.result(f"  {line}")
    for error in plan.missing:
        console.say(f"missing: {error.message}\n  {error.hint}")


def _prefer_vendor(console: Console, board: Board, framework: str) -> None:
    """Print a note if a real board needs the vendor's build and did not get it."""
    if framework == BARE and board.vendor is not None and board.vendor.preferred_because:
        console.say(
            f"note: a real {board.id} needs the vendor's build, --framework {ARDUINO}: "
            f"{board.vendor.preferred_because}"
        )


def _target(
    console: Console, board: Board, port: str | None, framework: str, *, must: bool
) -> Target | None:
    """Return the board's target, or None if it is unknown and not `must`."""
    try:
        return serial_target(console, port, [board])
    except RunecError as error:
        if must:
            raise
        console_of = board.hal.console if framework == BARE else "the core's Serial"
        console.say(
            f"the link is {board.hal.baud} baud on {console_of}; "
            f"{error.message}; pass the port: runec monitor --port PORT@BAUD"
        )
        return None
