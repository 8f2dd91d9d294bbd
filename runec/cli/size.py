"""`runec size`: what takes a board's flash and RAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from runec.boards import load_board
from runec.cli.console import Console, table
from runec.cli.firmware_options import announce_download, backend_option
from runec.cli.help_epilog import example
from runec.cli.options import (
    RUNE_OR_RUNEFILE,
    Whole,
    board_option,
    format_option,
    outside_option,
    pass_console,
    trust_option,
)
from runec.cli.rune_sources import load_source
from runec.diagnostics import Span
from runec.firmware import (
    ARDUINO,
    BARE,
    FRAMEWORKS,
    DeviceRune,
    PartSize,
    Project,
    build_project,
    cached_project,
    is_project,
    load_project,
    measure_parts,
)

_TOP = 10


@click.command(
    "size",
    epilog=example(
        "runec size sine.rune --board netduinoplus2",
        "runec size examples/gesture --board esp32c3 --top 20",
        "runec size sine.rune --board esp32 --framework arduino",
        "runec size sine-netduino",
    ),
)
@click.argument("source", metavar="X.rune|RUNEFILE|DIR", type=RUNE_OR_RUNEFILE)
@board_option(required=False)
@click.option(
    "--top",
    type=Whole(0),
    default=_TOP,
    show_default=True,
    help="Number of the largest functions and objects to list.",
)
@click.option(
    "--framework",
    type=click.Choice(list(FRAMEWORKS)),
    help=f"Framework of the firmware. [default: {BARE}; {ARDUINO} for pio:ID]",
)
@backend_option
@outside_option
@trust_option
@format_option
@pass_console
def command(
    console: Console,
    *,
    source: Path,
    board_id: str | None,
    top: int,
    framework: str | None,
    backend: str,
) -> None:
    """Show flash and RAM of a firmware by part, and the limits of the board.

    Builds the firmware of a .rune or a Runefile for --board, or of a project folder. Every byte is
    counted once: arenas as RAM of the models, linear memory as RAM of the rune, heap as RAM of the
    engine. The bytes of a stage are those that its removal would save.
    """
    if is_project(source):
        if board_id is not None:
            raise click.UsageError(
                "--board cannot be combined with a project folder, which has a board"
            )
        if framework is not None:
            raise click.UsageError(
                "--framework cannot be combined with a project folder, which has one"
            )
        _show(console, load_project(source), {}, top)
        return
    if board_id is None:
        raise click.UsageError("a .rune or a Runefile needs --board")
    board = load_board(board_id, trusted=console.trust_board, progress=console.progress)
    framework = framework or (ARDUINO if board.is_vendor_only else BARE)
    announce_download(console, board, framework)
    loaded = load_source(console, source)
    with (
        loaded.blamed(),
        cached_project(
            DeviceRune.of(loaded.rune),
            board,
            framework=framework,
            backend=backend,
            log=console.log,
        ) as project,
    ):
        _show(console, project, loaded.spans, top)


def _show(console: Console, project: Project, spans: Mapping[str, Span], top: int) -> None:
    with console.progress("building the firmware"):
        built = build_project(project, log=console.log)
        parts = measure_parts(project, built)
    memory = project.board.memory
    limits = (memory.flash_bytes, memory.ram.size_bytes)
    if console.is_json:
        console.result_json(_document(project, parts, spans, top))
        return
    totals = (built.flash_bytes, built.ram_bytes)
    rows: list[tuple[object, ...]] = [
        (part.part, part.flash_bytes, part.ram_bytes) for part in parts
    ]
    rows += [("all", *totals), (f"of {project.board.id}", *limits)]
    console.result(table((project.rune_name, "flash", "RAM"), rows))
    used = [
        f"{100 * size / limit:.1f} % of the {name}"
        for size, limit, name in zip(totals, limits, ("flash", "RAM"), strict=True)
    ]
    console.result(", ".join(used))
    console.result("")
    stages = table(("because of the stage", "line", "flash", "RAM"), _stages(project, spans))
    console.result(stages)
    if top:
        console.result("")
        largest = [(name, part, flash, ram) for part, name, flash, ram in _largest(parts, top)]
        console.result(table(("the largest", "part", "flash", "RAM"), largest))


def _stages(
    project: Project, spans: Mapping[str, Span]
) -> Iterator[tuple[str, int | None, int, int]]:
    """Return the cost of each stage, and its line if the Runefile was given."""
    for cost in project.plan.stages:
        line = spans[cost.stage].line if cost.stage in spans else None
        yield cost.stage, line, cost.flash_bytes, cost.ram_bytes


def _largest(parts: tuple[PartSize, ...], top: int) -> list[tuple[str, str, int, int]]:
    pieces = [(part.part, *piece) for part in parts for piece in part.pieces]
    pieces.sort(key=lambda piece: (-piece[2] - piece[3], piece[0], piece[1]))
    return pieces[:top]


def _document(
    project: Project, parts: tuple[PartSize, ...], spans: Mapping[str, Span], top: int
) -> dict[str, object]:
    memory = project.board.memory
    return {
        "rune": project.rune_name,
        "board": project.board.id,
        "flash_bytes": sum(part.flash_bytes for part in parts),
        "ram_bytes": sum(part.ram_bytes for part in parts),
        "flash_limit_bytes": memory.flash_bytes,
        "ram_limit_bytes": memory.ram.size_bytes,
        "parts": [
            {"part": part.part, "flash_bytes": part.flash_bytes, "ram_bytes": part.ram_bytes}
            for part in parts
        ],
        "stages": [
            {"stage": stage, "line": line, "flash_bytes": flash, "ram_bytes": ram}
            for stage, line, flash, ram in _stages(project, spans)
        ],
        "largest": [
            {"part": part, "name": name, "flash_bytes": flash, "ram_bytes": ram}
            for part, name, flash, ram in _largest(parts, top)
        ],
    }
