"""`runec doctor`: what this machine has and lacks, and the commands that install the rest."""

from __future__ import annotations

from typing import Literal

import click

from runec.cli.completion_values import completer, ports, protocols
from runec.cli.console import Console, table
from runec.cli.doctor_checks import commands, run_checks
from runec.cli.help_epilog import example
from runec.cli.options import (
    MAX_SECONDS,
    Seconds,
    Whole,
    board_option,
    format_option,
    pass_console,
    trust_option,
)
from runec.diagnostics import MachineError


@click.command(
    "doctor",
    epilog=example(
        "runec doctor",
        "runec doctor --format json",
        "runec doctor --board nucleo_f401re --selftest --format json > report.json",
        note="Exit codes: 0 nothing is missing; 3 the self test failed; 4 a required part is "
        "missing.",
    ),
)
@click.option(
    "--selftest",
    "is_selftest",
    is_flag=True,
    help="Self test of a board: upload its firmware, measure, print a report.",
)
@board_option(required=False, help_text="Board of the self test.")
@click.option(
    "-p",
    "--port",
    metavar="PORT[@BAUD]",
    shell_complete=completer(ports),
    help="Serial port of its console. [default: by USB id]",
)
@click.option(
    "--on", "on", type=click.Choice(["emulator"]), help="Self test of the emulated board."
)
@click.option(
    "--protocol",
    metavar="NAME",
    shell_complete=protocols,
    help="Upload protocol, as listed by `runec boards show`.",
)
@click.option("--no-upload", is_flag=True, help="No upload: `runec flash --selftest` made it.")
@click.option(
    "--idle",
    type=Seconds(0, MAX_SECONDS),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Idle time of each of the two passes.",
)
@click.option(
    "--rounds",
    type=Whole(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Number of reads of the image, per pass.",
)
@click.option("--loopback", metavar="PIN,PIN", help="Two free pins that a wire joins.")
@click.option("--power-cycle", is_flag=True, help="Power cycle between the passes, not a reset.")
@trust_option
@format_option
@click.pass_context
@pass_console
def command(
    console: Console,
    ctx: click.Context,
    *,
    is_selftest: bool,
    board_id: str | None,
    port: str | None,
    on: Literal["emulator"] | None,
    protocol: str | None,
    no_upload: bool,
    idle: float,
    rounds: int,
    loopback: str | None,
    power_cycle: bool,
) -> None:
    """Check compilers, emulators, packages, sources and the cache.

    Prints the commands that install missing parts. --selftest tests a board instead and prints the
    report: see docs/guides/devices.md.
    """
    if not is_selftest:
        _refuse_selftest_options(ctx)
        _check_machine(console)
        return
    if board_id is None:
        raise click.UsageError("--selftest needs --board")
    if on is not None and (port or protocol or no_upload or power_cycle or loopback):
        raise click.UsageError("--on emulator goes with none of the options for a real board")
    from runec.cli.selftest import SelftestChoice, selftest  # noqa: PLC0415 - imports pyserial

    selftest(
        console,
        SelftestChoice(
            board_id=board_id,
            port=port,
            on_emulator=on is not None,
            protocol=protocol,
            idle_s=idle,
            rounds=rounds,
            loopback=loopback,
            power_cycle=power_cycle,
            is_on_board=no_upload,
        ),
    )


_SELFTEST_OPTIONS = {
    "board_id": "--board",
    "port": "--port",
    "on": "--on",
    "protocol": "--protocol",
    "no_upload": "--no-upload",
    "idle": "--idle",
    "rounds": "--rounds",
    "loopback": "--loopback",
    "power_cycle": "--power-cycle",
}


def _refuse_selftest_options(ctx: click.Context) -> None:
    for name, option in _SELFTEST_OPTIONS.items():
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} goes with --selftest")


def _check_machine(console: Console) -> None:
    with console.progress("checking"):
        checks = list(run_checks())
    to_run = commands(checks)
    if console.is_json:
        for check in checks:
            console.result_json(check.as_json())
    else:
        rows = [
            (each.status, each.part, each.found or each.install, each.purpose) for each in checks
        ]
        console.result(table(("status", "part", "found, or how to install it", "for"), rows))
        if to_run:
            console.result("\n".join(["", "To install the missing parts:", *to_run]))
    missing = dict.fromkeys(check.part for check in checks if check.status == "missing")
    if missing:
        what = f"missing on this machine: {', '.join(missing)}"
        raise MachineError("R1106", what, hint="; ".join(to_run))
