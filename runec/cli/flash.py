"""`runec flash`: onto a real board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from runec.boards import Board, load_board
from runec.cli.completion_values import completer, ports, protocols
from runec.cli.console import Console
from runec.cli.firmware_options import FirmwareChoice, firmware_options, tell_of_fetching
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
    FlashPlan,
    Target,
    check_inputs,
    flash,
    flash_selftest,
    plan_flash,
    plan_flash_selftest,
)
from runec.devices.monitor import Watched
from runec.diagnostics import RunecError
from runec.firmware import ARDUINO, BARE
from runec.pipeline import CapabilityKind
from runec.vm import InputReader, Inputs, MissingInputError

_RTT_HINT = (
    "it talks over RAM that a debug probe reaches: start `rtt server` of OpenOCD, or J-Link's, "
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
    help="Its serial port, to write over or to talk. [default: by USB id]",
)
@firmware_options
@click.option(
    "--protocol",
    metavar="NAME",
    shell_complete=protocols,
    help="Another way onto the board: `runec boards show` lists them.",
)
@click.option("--monitor", is_flag=True, help="Then show its results and log: see runec monitor.")
@click.option("--selftest", "is_selftest", is_flag=True, help="The self test, not a rune.")
@click.option("--dry-run", is_flag=True, help="Only show the commands: PlatformIO's, the tool's.")
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
    is_selftest: bool,
    dry_run: bool,
) -> None:
    """Build the firmware for a .rune or a Runefile and put it on a board, through PlatformIO.

    Without either it is the Runefile of the current folder. What is built already is not built
    again. The port is the one that has a USB id of the board's file; where several have, none is
    guessed.
    """
    if monitor and dry_run:
        raise click.UsageError("--monitor does not go with --dry-run")
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
            f"--monitor finds nothing at a serial port of {board.id} while its link is in RAM: "
            "leave --link rtt out, or name your debugger's RTT server, "
            "--port socket://localhost:9090"
        )
    loaded = load_source(console, source)
    rune = loaded.rune
    used_input(console, rune, choice.source_of_input)
    if monitor:
        _require_no_files(rune, board)
    if choice.framework == BARE and board.upload is not None and board.upload.note:
        console.say(f"note: {board.upload.note}")
    if dry_run:
        with loaded.blamed(), console.progress("making the project"):
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
    tell_of_fetching(console, board, choice.framework)
    with loaded.blamed():
        done = flash(
            rune,
            board,
            port=port,
            protocol=protocol,
            framework=choice.framework,
            backend=choice.backend,
            log=console.log,
            progress=console.progress,
        )
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
    target = _target(console, board, port or done.port, choice.framework, must=monitor)
    if monitor and target is not None:
        monitor_port(console, target, Watched(rune, every_s=1.0))
    elif target is not None:
        run = shlex.join(["runec", "run", str(source), "--on", str(target)])
        watch = ["runec", "monitor", str(source), "--port", f"{target.port}@{target.baud}"]
        console.say(f"run it: {run}, with its inputs\nwatch it: {shlex.join(watch)}")


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
    """Refuse a rune that this verb has no inputs for, before anything is built to be watched."""
    try:
        sensed = (CapabilityKind.ACCEL,) if board.input == "sensor" else ()
        check_inputs(rune, InputReader(Inputs()), may_lack=sensed)
    except MissingInputError as error:
        error.hint = (
            f"leave --monitor out, then name its inputs: runec monitor X.rune {error.flag} FILE"
        )
        raise


def _show_plan(console: Console, board: Board, plan: FlashPlan) -> None:
    """Print what would be done; what would stop it goes to stderr."""
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
        console.say(f"PlatformIO's {vendor} then starts its own upload tool, with its own offsets")
    else:
        console.say("it builds the firmware, then starts:")
        console.result(shlex.join(plan.tool.words))
        for line in plan.tool.script:
            console.result(f"  {line}")
    for error in plan.missing:
        console.say(f"missing: {error.message}\n  {error.hint}")


def _prefer_vendor(console: Console, board: Board, framework: str) -> None:
    """Say where a real board wants the vendor's build and did not get it."""
    if framework == BARE and board.vendor is not None and board.vendor.preferred_because:
        console.say(
            f"note: a real {board.id} wants the vendor's build, --framework {ARDUINO}: "
            f"{board.vendor.preferred_because}"
        )


def _target(
    console: Console, board: Board, port: str | None, framework: str, *, must: bool
) -> Target | None:
    """Return the board's target; None where it is unknown, unless it `must` be known."""
    try:
        return serial_target(console, port, [board])
    except RunecError as error:
        if must:
            raise
        console_of = board.hal.console if framework == BARE else "the core's Serial"
        console.say(
            f"it runs at {board.hal.baud} baud on {console_of}; "
            f"{error.message}, so name the port to talk to it: runec monitor --port PORT@BAUD"
        )
        return None
