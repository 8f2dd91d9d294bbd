"""Print what each example takes on each board, as a table in Markdown, and what builds take.

Flash and RAM are the linker's, so only boards that build take part. With --time each firmware is
built twice with an empty object cache: cold, and again with nothing changed. Builds are reported in
seconds of processors, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from runec.boards import Board, load_boards
from runec.cache import cache_dir
from runec.cli.console import Console
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.diagnostics import RunecError
from runec.firmware import BACKENDS, BudgetError, DeviceRune, build_project, create_project
from runec.frontend import analyse

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SIZE_COLUMNS = 7


def cpu_seconds() -> float:
    """Return the time that processors have worked for this process and those that it waited for."""
    return sum(os.times()[:4])


def rows(name: str, rune: Rune, boards: Sequence[Board], folder: Path) -> Iterator[list[str]]:
    """Yield the cells of each engine on each board."""
    device_rune = DeviceRune.of(rune)
    for engine, board in itertools.product(BACKENDS, boards):
        place = folder / engine / board.id / name
        try:
            start_s = cpu_seconds()
            built = build_project(create_project(device_rune, board, place, backend=engine))
            cold_s = cpu_seconds() - start_s
            start_s = cpu_seconds()
            build_project(create_project(device_rune, board, place, backend=engine))
            warm_s = cpu_seconds() - start_s
        except BudgetError:
            yield [name, engine, board.id, *["too big"] * 4, "", ""]
            continue
        sizes = (
            built.flash_bytes,
            built.ram_bytes,
            built.linear_memory_bytes,
            built.arena_bytes,
        )
        yield [name, engine, board.id, *map(str, sizes), f"{cold_s:.2f}", f"{warm_s:.2f}"]


def size_rows(examples: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield example, engine, board, flash, RAM, linear memory, arena, cold s, warm s.

    `examples` names some of them; none are all.

    Raises:
        RunecError: one cannot be built for another reason than its size.
    """
    with tempfile.TemporaryDirectory(prefix="board-sizes-") as scratch:
        for runefile in sorted(EXAMPLES.glob("*/Runefile.yml")):
            if examples and runefile.parent.name not in examples:
                continue
            pipeline = analyse(runefile).pipeline
            rune = write_rune(pipeline, compile_pipeline(pipeline))
            yield from rows(pipeline.name, rune, load_boards(), Path(scratch))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--example", action="append", default=[], help="only this one")
    parser.add_argument(
        "--time", action="store_true", help="show CPU seconds of builds, from an empty cache"
    )
    options = parser.parse_args(arguments)
    headers = ["example", "engine", "board", "flash", "RAM", "linear memory", "arena"]
    headers += ["cold CPU s", "warm CPU s"]
    columns = len(headers) if options.time else SIZE_COLUMNS
    with tempfile.TemporaryDirectory(prefix="board-sizes-") as scratch:
        if options.time:
            # Sources stay where they are; only objects are made again.
            for name in ("wasm3", "tflm"):
                found = next((cache_dir() / "components").glob(f"{name}-*"), None)
                if found is not None:
                    os.environ[f"RUNEC_COMPONENT_{name.upper()}"] = str(found)
            os.environ["RUNEC_CACHE_DIR"] = scratch
        lines = [headers[:columns], ["---"] * columns]
        lines += [row[:columns] for row in size_rows(options.example)]
    for line in lines:
        sys.stdout.write(f"| {' | '.join(line)} |\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunecError as error:
        Console().report(error.diagnostics)
        sys.exit(error.exit_code)
