"""Results of a bench as tables, as JSON and as docs/bench.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from runec.files import write_file
from tools.bench.figures import Comparison, Figures

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bench.md"
HEAD = """\
# Instructions, counted

Written by `python -m tools.bench --page`; `make bench` prints the same tables. The results
do not depend on the speed of the host: QEMU counts the instructions of an emulated {board},
and repeated runs print the same numbers.

QEMU runs with `-icount shift=0` and records, which makes its counter readable; breakpoints at
functions of the firmware that `runec flash` would upload read it. Three costs are excluded, because
they depend on the host or on the clock: waiting for the host (each poll is answered at once),
receiving inputs (they are written to the buffer of a sensor driver), and the interrupt of the clock
(5 instructions per millisecond). An instruction is not a
cycle: a Cortex-M4 takes one to two for most, and more where its flash is slow.

The **peer** is hand-written firmware for one pipeline: the C that runec generated for
it, compiled by the board's compiler with the same flags, and the same TensorFlow Lite Micro on the
same start-up code; no WebAssembly, no digest, no checks, no link, no JSON. It has the same inputs
and must return the same bytes, else no page is written. **x** is the rune's figure divided by that
of the peer.
"""
INSTRUCTIONS = """\
## Instructions of a rune

`hello`: from reset until HELLO is sent: the .rune is verified, its module compiled, its models
prepared. `first result`: from reset until the first result is sent. `run`: the
second run: `blocks` in the engine, `model` in TensorFlow Lite Micro, `host` the rest: host
functions, the result as JSON, frames.
"""
BESIDE = """\
## Comparison with the peer

`ready` corresponds to hello: from reset until the first run.
"""
BYTES = """\
## Bytes

Flash and RAM of the whole firmware by the linker; both reserve the same stack and arena.
`tools/board_sizes.py` prints the sizes for other boards.
"""

Columns = Sequence[tuple[str, Callable[[Comparison], str]]]


def _number(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def ratio(ours: int, theirs: int) -> str:
    """Return how many times as much: three digits, `-` where one of both is nothing."""
    if not ours or not theirs:
        return "-"
    value = ours / theirs
    return f"x{value:.2f}" if value < 10 else f"x{value:.1f}" if value < 100 else f"x{value:.0f}"


def _times(value: Callable[[Figures], int]) -> Callable[[Comparison], str]:
    return lambda found: ratio(value(found.rune), value(found.peer))


_OURS: Columns = (
    ("example", lambda found: found.example),
    ("engine", lambda found: found.engine),
    ("hello", lambda found: _number(found.rune.ready)),
    ("first result", lambda found: _number(found.rune.first_result)),
    ("run", lambda found: _number(found.rune.steady.total)),
    ("blocks", lambda found: _number(found.rune.steady.blocks)),
    ("model", lambda found: _number(found.rune.steady.model)),
    ("host", lambda found: _number(found.rune.steady.host)),
)
_PEERS: Columns = (
    ("example", lambda found: found.example),
    ("engine", lambda found: found.engine),
    ("ready", lambda found: _number(found.peer.ready)),
    ("x", _times(lambda each: each.ready)),
    ("first result", lambda found: _number(found.peer.first_result)),
    ("x", _times(lambda each: each.first_result)),
    ("run", lambda found: _number(found.peer.steady.total)),
    ("x", _times(lambda each: each.steady.total)),
    ("blocks", lambda found: _number(found.peer.steady.blocks)),
    ("x", _times(lambda each: each.steady.blocks)),
    ("model", lambda found: _number(found.peer.steady.model)),
    ("x", _times(lambda each: each.steady.model)),
)
_SIZES: Columns = (
    ("example", lambda found: found.example),
    ("engine", lambda found: found.engine),
    ("flash", lambda found: _number(found.rune.flash_bytes)),
    ("of the peer", lambda found: _number(found.peer.flash_bytes)),
    ("x", _times(lambda each: each.flash_bytes)),
    ("RAM", lambda found: _number(found.rune.ram_bytes)),
    ("of the peer", lambda found: _number(found.peer.ram_bytes)),
    ("x", _times(lambda each: each.ram_bytes)),
    ("linear memory", lambda found: _number(found.linear_memory_bytes)),
    ("arena", lambda found: _number(found.arena_bytes)),
)
TABLES = ((INSTRUCTIONS, _OURS), (BESIDE, _PEERS), (BYTES, _SIZES))


def rows(found: Iterable[Comparison], columns: Columns) -> list[list[str]]:
    """Return the cells of a table, its heads first."""
    return [[head for head, _ in columns], *([cell(each) for _, cell in columns] for each in found)]


def page(found: Sequence[Comparison], board: str) -> str:
    """Return the whole page."""
    lines = [HEAD.format(board=board)]
    for head, columns in TABLES:
        first, *others = (f"| {' | '.join(cells)} |" for cells in rows(found, columns))
        lines += [head, first, f"|{' --- |' * len(columns)}", *others, ""]
    return "\n".join(lines)


def write_page(found: Sequence[Comparison], board: str) -> None:
    """Write docs/bench.md. Raises MachineError R1001, R1002."""
    write_file(PAGE, page(found, board), only_if_changed=True)


def as_json(found: Comparison) -> str:
    """Return one JSON object: counts and bytes of the rune and its peer, and the ratios."""
    record = asdict(found)
    for name, figures in (("rune", found.rune), ("peer", found.peer)):
        del record[name]["results"]
        record[name]["first_result"] = figures.first_result
        record[name]["first"]["total"] = figures.first.total
        record[name]["steady"]["total"] = figures.steady.total
    record["ratio"] = {
        name: round(value(found.rune) / value(found.peer), 4) if value(found.peer) else None
        for name, value in _RATIOS.items()
    }
    return json.dumps(record)


_RATIOS: dict[str, Callable[[Figures], int]] = {
    "ready": lambda each: each.ready,
    "first_result": lambda each: each.first_result,
    "run": lambda each: each.steady.total,
    "blocks": lambda each: each.steady.blocks,
    "model": lambda each: each.steady.model,
    "flash": lambda each: each.flash_bytes,
    "ram": lambda each: each.ram_bytes,
}
