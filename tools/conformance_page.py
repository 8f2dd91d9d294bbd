"""Write docs/conformance.md from the output of `tools.conformance --json`, and from sizes.

    python -m tools.conformance --json > cells.jsonl
    python -m tools.conformance_page cells.jsonl

The page has no times and no dates.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools.board_sizes import SIZE_COLUMNS, size_rows

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance.md"
HEAD = """\
# The same bytes everywhere

Written by `python -m tools.conformance --page`, which runs what `make conformance` runs: every
example on every target, restarted for each input. A cell has the number of inputs whose output
bytes are those that `examples/*/conformance.toml` lists; the host and QEMU take the whole list,
slower simulators the first three, once each, and the first one with further engines. "too little"
is a board without the memory, as the build reports. "Other model" is the original platform's model
of that name, with its own inputs: every target must print the same as the host; models that need
minutes per run in a simulator are run on the host and in QEMU only. `X/Runefile` is the same
example in the legacy dialect: it compiles to the same pipeline, so it runs on the host only.
"""
SIZES = """\
## Flash and RAM

Bytes by the linker, for the firmware with the rune in it; RAM includes the arena, linear memory,
the engine's pool and the stack. `tools/board_sizes.py` prints these numbers alone.
"""

Cell = Mapping[str, object]


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def matrix(cells: Sequence[Cell]) -> list[list[str]]:
    """Return the table: a row for each example and engine, a column for each target, heads first.

    `cells` are those that `conformance.py --json` prints.
    """
    targets = list(dict.fromkeys(str(cell["target"]) for cell in cells))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in cells:
        row = rows.setdefault((str(cell["example"]), str(cell["engine"])), {})
        row[str(cell["target"])] = str(cell["verdict"])
    heads = ["example", "engine", *(name.removeprefix("emulator:") for name in targets)]
    lines = [[*key, *(row.get(name, "") for name in targets)] for key, row in rows.items()]
    return [heads, *lines]


def page(cells: Sequence[Cell], sizes: Iterable[Sequence[str]]) -> str:
    """Return the page; `sizes` are rows of `size_rows`, without the times."""
    head, *rows = matrix(cells)
    lines = [HEAD, _row(head), _row(["---"] * len(head)), *map(_row, rows), "", SIZES]
    headers = ["example", "engine", "board", "flash", "RAM", "linear memory", "arena"]
    lines += [_row(headers), _row(["---"] * len(headers))]
    lines += [_row(row) for row in sizes]
    return "\n".join(lines) + "\n"


def write_page(cells: Sequence[Cell]) -> None:
    """Measure the sizes and write the page.

    Raises:
        RunecError: an example cannot be built.
    """
    PAGE.write_text(page(cells, (row[:SIZE_COLUMNS] for row in size_rows())), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page from a file of cells; 1 when any of them differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cells", type=Path, help="output of conformance.py --json")
    options = parser.parse_args(arguments)
    cells = [json.loads(line) for line in options.cells.read_text(encoding="utf-8").splitlines()]
    if any(cell["differences"] for cell in cells):
        print("no page is written: some bytes differ", file=sys.stderr)
        return 1
    write_page(cells)
    return 0


if __name__ == "__main__":
    sys.exit(main())
