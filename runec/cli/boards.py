"""`runec boards`: the boards that firmware can be built for."""

from __future__ import annotations

import click
import msgspec

from runec.boards import Board, load_board, load_boards
from runec.cli.console import Console, table
from runec.cli.examples import example
from runec.cli.options import format_option, pass_console


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
            ", ".join(board.verified),
        )
        for board in boards
    ]
    headers = ("board", "name", "cpu", "flash KiB", "RAM KiB", "emulator", "verified")
    console.result(table(headers, rows))


@command.command(
    "show",
    epilog=example(
        "runec boards show esp32c3",
    ),
)
@click.argument("board_id", metavar="BOARD")
@format_option
@pass_console
def show(console: Console, board_id: str) -> None:
    """Show one board."""
    board = load_board(board_id)
    if console.is_json:
        console.result_json(msgspec.to_builtins(board))
        return
    for label, value in _facts(board):
        console.result(f"{label:<10} {value}")


def _facts(board: Board) -> list[tuple[str, str]]:
    memory = board.memory
    facts = [
        ("board", board.id),
        ("name", board.name),
        ("url", board.url),
        ("cpu", f"{board.cpu.name}, {board.cpu.isa}, {board.cpu.clock_hz // 1_000_000} MHz"),
        ("flash", f"{memory.flash_bytes // 1024} KiB at {memory.code.origin:#010x}"),
        ("RAM", f"{memory.ram.size_bytes // 1024} KiB at {memory.ram.origin:#010x}"),
        ("console", f"{board.hal.console}, {board.hal.baud} baud"),
        ("compiler", f"{board.toolchain.prefix}gcc ({', '.join(board.toolchain.packages)})"),
    ]
    if board.emulator is not None:
        facts.append(("emulator", f"{board.emulator.kind}, {board.emulator.target}"))
    if board.upload is not None:
        facts.append(("upload", f"{board.upload.protocol} ({board.upload.package})"))
    facts.append(("verified", ", ".join(board.verified)))
    return facts
