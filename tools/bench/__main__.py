"""Count the instructions of every example and its peer in QEMU, and those of `runec check`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from runec.boards import Board, load_board
from runec.cli.console import Console, table
from runec.codegen import compile_pipeline
from runec.container import write_rune
from runec.diagnostics import RunecError
from runec.firmware import BACKENDS, DeviceRune, held_firmware
from runec.frontend import analyse
from tools import board_sizes
from tools.bench import start_up
from tools.bench.figures import Comparison
from tools.bench.peer import build_peer, measure_peer
from tools.bench.probe import ProbeError
from tools.bench.report import TABLES, as_json, rows, write_page
from tools.bench.sandboxed import measure_rune
from tools.conformance import read_conformance

BOARD = "netduinoplus2"


def compare(folder: Path, board: Board, backends: Sequence[str]) -> list[Comparison]:
    """Measure an example in each engine, and its peer, with the first inputs of its list.

    Raises:
        ProbeError: the emulator does not count, or both do not give the same results.
        RunecError: the example cannot be built or run.
    """
    inputs = read_conformance(folder / "conformance.toml")[0].inputs(folder)
    pipeline = analyse(folder / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        peer_built = build_peer(pipeline, rune, board, Path(scratch) / "peer")
        peers = measure_peer(rune, board, peer_built, inputs)
    found = []
    for backend in backends:
        with held_firmware(DeviceRune.of(rune), board, backend=backend) as built:
            ours = measure_rune(rune, board, built, inputs, backend)
        if ours.results != peers.results:
            raise ProbeError(f"the rune gives {ours.results}, its peer {peers.results}")
        found.append(
            Comparison(
                example=folder.name,
                engine=backend,
                board=board.id,
                rune=ours,
                peer=peers,
                linear_memory_bytes=built.linear_memory_bytes,
                arena_bytes=built.arena_bytes,
            )
        )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where something cannot be measured."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--example", action="append", default=[], help="only this one")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="only this engine")
    parser.add_argument("--json", action="store_true", help="one JSON object an example")
    parser.add_argument("--page", action="store_true", help="write docs/bench.md at the end")
    parser.add_argument(
        "--build-times",
        action="store_true",
        help="instead: sizes on every board, and CPU seconds of a first and a second build",
    )
    options = parser.parse_args(arguments)
    if options.build_times:
        named = (word for name in options.example for word in ("--example", name))
        return board_sizes.main(["--time", *named])
    if options.page and options.example:
        parser.error("--page tells of every example")
    board = load_board(BOARD)
    found = []
    for path in sorted(board_sizes.EXAMPLES.glob("*/conformance.toml")):
        if options.example and path.parent.name not in options.example:
            continue
        print(f"{path.parent.name} ...", file=sys.stderr, flush=True)
        found += compare(path.parent, board, options.backend or BACKENDS)
        if options.json:
            print(as_json(found[-1]), flush=True)
    if not found:
        print("no example to measure", file=sys.stderr)
        return 1
    if not options.json:
        for _, columns in TABLES:
            heads, *cells = rows(found, columns)
            print(table(heads, cells), end="\n\n")
        print(start_up.measure())
    if options.page:
        write_page(found, board.name)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProbeError as error:
        sys.exit(f"bench: {error}")
    except RunecError as error:
        Console().report(error.diagnostics)
        sys.exit(error.exit_code)
