"""One Runefile, one .rune, the same bytes everywhere: `make demo`.

Compiles an example, runs it with its input on the host and on every board that was verified in an
emulator, prints what each of them says, and what it costs there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runec.boards import Board, load_boards
from runec.cli.console import Console, table
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import EmulatedDevice, Target, plan_emulation, run
from runec.diagnostics import RunecError, UserFileError
from runec.firmware import held_firmware
from runec.frontend import analyse
from runec.vm import InputReader, Inputs

PROJECT = Path(__file__).resolve().parent.parent
HEADERS = ("bytes", "wasm", "linear memory", "flash", "RAM", "arena")
SUFFIXES = (".bin", ".csv", ".wav", ".png")


def example_inputs(folder: Path) -> Inputs:
    """Return the inputs of an example: its file `input.<ext>`."""
    files: dict[str, tuple[Path, ...]] = {
        suffix: tuple(sorted(folder.glob(f"input{suffix}"))) for suffix in SUFFIXES
    }
    if not any(files.values()):
        raise UserFileError("R1105", f"{folder} has no input{', input'.join(SUFFIXES)}")
    return Inputs(
        raw=files[".bin"], accelerometer=files[".csv"], sound=files[".wav"], image=files[".png"]
    )


def run_and_measure(
    rune: Rune, inputs: Inputs, target: Target
) -> tuple[list[str], list[int | None]]:
    """Return what a rune prints on a target, and what it costs there, as `HEADERS` says."""
    graph = rune.require_graph()
    cost: list[int | None] = [graph.code_bytes, graph.memory_used]
    if target.board is None:
        arena = sum(model.arena for model in graph.models.values())
        return list(run(rune, inputs, target)), [*cost, None, None, arena]
    emulation = plan_emulation(rune, target.board)
    with (
        held_firmware(emulation.rune, emulation.board) as built,
        EmulatedDevice(emulation, built.elf) as device,
    ):
        answer = list(device.run(InputReader(inputs)))
    return answer, [*cost, built.flash_bytes, built.ram_bytes, built.arena_bytes]


def some_boards() -> list[Board]:
    """Return one emulated board for each compiler, of those that somebody can flash.

    `make conformance` takes them all.
    """
    emulated = [board for board in load_boards() if board.upload and "emulated" in board.verified]
    emulated.sort(key=lambda board: board.emulator is None or board.emulator.kind != "qemu")
    chosen: dict[str, Board] = {}
    for board in emulated:
        chosen.setdefault(board.toolchain.prefix, board)
    return list(chosen.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the lines and the table; 1 when two targets disagree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=PROJECT / "examples" / "sine", help="an example"
    )
    options = parser.parse_args(arguments)
    console = Console()
    pipeline = analyse(options.folder / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    inputs = example_inputs(options.folder)
    targets = [Target("host"), *(Target("emulator", board) for board in some_boards())]
    answers: list[list[str]] = []
    rows: list[list[object]] = []
    for target in targets:
        with console.progress(f"{pipeline.name} on {target}"):
            answer, cost = run_and_measure(rune, inputs, target)
        answers.append(answer)
        rows.append([str(target), *cost])
        for line in answer:
            print(f"{target}: {line}", flush=True)
    print()
    print(table(HEADERS, rows))
    if not answers[0] or any(answer != answers[0] for answer in answers):
        print("\nthe targets do not agree", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunecError as error:
        Console().report(error.diagnostics)
        sys.exit(error.exit_code)
