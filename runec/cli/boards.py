"""`runec boards`: the boards that firmware can be built for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click
import msgspec

from runec.boards import Board, LinkKind, Overrides, board_origins, load_board, load_boards
from runec.cli.completion_values import boards, completer
from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console

_LINKS: Mapping[LinkKind, str] = {"uart": "on the console", "rtt": "in RAM, for a debugger"}


@click.group(
    "boards",
    invoke_without_command=True,
    epilog=example(
        "runec boards",
        "runec boards --format json",
    ),
)
@format_option
@click.pass_context
def command(context: click.Context) -> None:
    """List the boards, or show one."""
    if context.invoked_subcommand is not None:
        return
    console = context.ensure_object(Console)
    boards = load_boards()
    if console.is_json:
        for board in boards:
            console.result_json(msgspec.to_builtins(board))
        return
    rows = [
        (
            board.id,
            board.name,
            board.cpu.isa,
            board.memory.flash_bytes // 1024,
            board.memory.ram.size_bytes // 1024,
            board.emulator.kind if board.emulator else None,
            board.verified[-1] if board.verified else None,
        )
        for board in boards
    ]
    headers = ("board", "name", "cpu", "flash KiB", "RAM KiB", "emulator", "verified")
    console.result(table(headers, rows))


@command.command(
    "show",
    epilog=example(
        "runec boards show esp32c3",
        "runec boards show ./my_board.toml --format json",
    ),
)
@click.argument("board_id", metavar="BOARD", shell_complete=completer(boards))
@format_option
@pass_console
def show(console: Console, board_id: str) -> None:
    """Show the fields of one board, and the file that each inherited field is from.

    BOARD is an id of `runec boards`, or the path of a board file.
    """
    # Nothing of it is run here.
    board = load_board(board_id, trusted=True, progress=console.progress)
    origins = board_origins(board_id)
    if console.is_json:
        console.result_json({**msgspec.to_builtins(board), "origins": origins})
        return
    for label, value, origin in _facts(board, origins):
        inherited = f"  (from {origin})" if origin not in ("", board.id) else ""
        console.result(f"{label:<10} {value}{inherited}")


def _facts(board: Board, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield label, value, and the file that the value is inherited from (empty: the board file)."""

    def fact(label: str, value: str, key: str = "") -> tuple[str, str, str]:
        return label, value, origins.get(key, "")

    memory, hal = board.memory, board.hal
    cpu = f"{board.cpu.name}, {board.cpu.isa}, {board.cpu.clock_hz / 1_000_000:g} MHz"
    yield fact("board", board.id)
    yield fact("name", board.name)
    yield fact("url", board.url, "url")
    yield fact("verified", ", ".join(board.verified) or "nothing")
    if board.verified_reason:
        yield fact("", board.verified_reason)
    if board.vendor is not None and board.vendor.preferred_because:
        wants = f"needs --framework arduino: {board.vendor.preferred_because}"
        yield fact("silicon", wants, "vendor.preferred_because")
    yield fact("cpu", cpu, "cpu.clock_hz")
    for label, key, region in (
        ("flash", "memory.code", memory.code),
        ("constants", "memory.constants", memory.constants),
        ("RAM", "memory.ram", memory.ram),
        ("RAM for code", "memory.ram_code", memory.ram_code),
        ("storage", "memory.storage", memory.storage),
    ):
        if region is not None:
            value = f"{region.size_bytes // 1024} KiB at {region.origin:#010x}"
            yield fact(label, value, f"{key}.origin")
    yield fact("console", f"{hal.console}, {hal.baud} baud", "hal.console")
    yield fact("link", _LINKS[hal.link], "hal.link")
    if hal.i2c:
        yield fact("I2C", hal.i2c, "hal.i2c")
    for sensor in board.sensors:
        address = "" if sensor.address is None else f", address {sensor.address:#04x}"
        yield fact("sensor", f"{sensor.name} ({sensor.measures}), {sensor.bus}{address}", "sensors")
    for name, pin in board.pins.items():
        low = ", on when low" if pin.active_low else ""
        yield fact("pin", f"{name.upper()}: {pin.pin}{low}", f"pins.{name}.pin")
    if hal.ports:
        ports = ", ".join(f"{port}0 to {port}{hal.pins_per_port - 1}" for port in hal.ports)
        yield fact("pins", ports, "hal.ports")
    if not board.is_vendor_only:
        yield from _bare_facts(board, origins)
    yield from _emulator_facts(board, origins)
    if board.usb_ids:
        serial = "" if board.usb_serial else ", no serial port"
        yield fact("USB", ", ".join(board.usb_ids) + serial, "usb_ids")
    for way in (board.upload, *board.other_uploads):
        if way is not None:
            key = "upload.protocol" if way is board.upload else "other_uploads"
            yield fact("upload", f"{way.protocol}, with {way.package}", key)
    yield from _vendor_facts(board, origins)


def _bare_facts(board: Board, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    toolchain, hal = board.toolchain, board.hal
    yield "hal", ", ".join((*hal.shares, hal.folder)), origins.get("hal.folder", "")
    for name, number in hal.defines.items():
        yield "", f"{name} = {number:#x}", origins.get(f"hal.defines.{name}", "")
    packages = ", ".join(toolchain.packages)
    compiler = f"{toolchain.prefix}gcc ({packages})"
    yield "compiler", compiler, origins.get("toolchain.prefix", "")
    yield "", " ".join(toolchain.flags), origins.get("toolchain.flags", "")
    if toolchain.pio_package:
        package = f"or PlatformIO's {toolchain.pio_package}"
        yield "", package, origins.get("toolchain.pio_package", "")


def _vendor_facts(board: Board, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    vendor = board.vendor
    if vendor is None:
        return
    names = f"{vendor.package}, board {vendor.board}, framework {vendor.framework}"
    uploads = " or ".join(vendor.protocols) or "as in its manifest"
    yield "PlatformIO", f"{names}, upload {uploads}", origins.get("vendor.platform", "")
    memory = board.with_vendor().memory
    sizes = f"flash {memory.flash_bytes} bytes, RAM {memory.ram.size_bytes} bytes"
    yield "", f"memory with the core: {sizes}", origins.get("vendor.memory.flash.origin", "")
    if memory.core is not None:
        taken = f"flash {memory.core.flash_bytes} bytes, RAM {memory.core.ram_bytes} bytes"
        yield "", f"taken by the core: {taken}", origins.get("vendor.memory.core.flash_bytes", "")


def _emulator_facts(board: Board, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    emulator = board.emulator
    if emulator is None:
        return
    flags = "".join(f" {flag}" for flag in emulator.flags)
    shown = f"{emulator.kind}, {emulator.target}{flags}"
    yield "emulator", shown, origins.get("emulator.kind", "")
    for key, shown in _override_facts(emulator.overrides):
        yield "", f"in the emulator: {shown}", origins.get(f"emulator.overrides.{key}", "")


def _override_facts(overrides: Overrides) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each value that the emulated variant has instead."""
    if overrides.cpu.clock_hz is not None:
        yield "cpu.clock_hz", f"{overrides.cpu.clock_hz / 1_000_000:g} MHz"
    if overrides.toolchain.flags is not None:
        yield "toolchain.flags", " ".join(overrides.toolchain.flags)
    if overrides.hal.link is not None:
        yield "hal.link", f"the link is {_LINKS[overrides.hal.link]}"
    for name, number in overrides.hal.defines.items():
        yield f"hal.defines.{name}", f"{name} = {number:#x}"
