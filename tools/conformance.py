"""Run every example on every target and compare the bytes: `make conformance`.

Examples are the folders of `examples/` with a `conformance.toml`; targets are the host and every
board whose file says that it was verified in an emulator. Nothing here knows the name of either.
What must come out stands in `conformance.toml`, written by hand or by an independent
implementation; a target that prints anything else is a failed cell. A board that has too little
memory for a rune is not a failure. Where the models of the original platform lie beside the
project, those that fit into an example take part as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from runec.cli.console import Console, table
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import EmulatedDevice, Target, plan_emulation, run
from runec.diagnostics import RunecError, UserFileError
from runec.files import read_file
from runec.firmware import BACKENDS, held_firmware
from runec.frontend import analyse
from runec.models import ModelFile
from runec.vm import InputReader, Inputs
from tools.conformance_page import matrix, write_page

PROJECT = Path(__file__).resolve().parent.parent
RUNS_MIN = 3
WORKERS = 2
HOST_ENGINE = "wasm3"
RUNEFILES = ("Runefile.yml", "Runefile")
OTHER_MODELS = PROJECT.parent / "shared" / "data" / "hotg"
ORIGINALS = Path(__file__).resolve().parent / "originals"
TOO_LITTLE = {"R0811": "RAM", "R0812": "flash"}
INPUT_KINDS = {".bin": "raw", ".csv": "accelerometer", ".wav": "sound", ".png": "image"}


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[run]]`: input files, relative to the example's folder, and the lines expected.

    `expected` is None where only equality between targets is asked for.
    """

    expected: tuple[str, ...] | None = None
    raw: tuple[str, ...] = ()
    accelerometer: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    random: int | None = None
    repeats: int = 1

    def inputs(self, folder: Path) -> Inputs:
        """Return the run's inputs."""
        return Inputs(
            raw=tuple(folder / name for name in self.raw),
            accelerometer=tuple(folder / name for name in self.accelerometer),
            sound=tuple(folder / name for name in self.sound),
            image=tuple(folder / name for name in self.image),
            random_seed=self.random,
        )


class Conformance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `conformance.toml`."""

    run: tuple[Run, ...]


Reach = Literal["everywhere", "quick", "first"]


@dataclass(frozen=True)
class Example:
    """A rune, its runs, and the folder that its inputs lie in.

    `reach` says where it runs: on every target, in the `quick` ones where a simulator would take
    minutes for each run, or in the `first` alone where that shows it.
    """

    name: str
    folder: Path
    rune: Rune
    runs: tuple[Run, ...]
    reach: Reach = "everywhere"

    def targets(self, where: Sequence[Target]) -> list[Target]:
        """Return those of the targets that it runs in; the first of them always."""
        others = where[1:] if self.reach != "first" else ()
        return [*where[:1], *(p for p in others if self.reach == "everywhere" or not is_slow(p))]


@dataclass
class Cell:
    """One example on one target, in one engine."""

    example: str
    target: str
    engine: str
    runs: int = 0
    seconds: float = 0.0
    differences: list[dict[str, object]] = field(default_factory=list)
    too_little: str | None = None

    @property
    def verdict(self) -> str:
        """`ok` with the number of runs, `DIFF` with that of wrong ones, or what is too little."""
        if self.too_little is not None:
            return f"too little {self.too_little}"
        wrong = len(self.differences)
        return f"DIFF {wrong} of {self.runs}" if wrong else f"ok, {self.runs} runs"


def compile_example(runefile: Path) -> Rune:
    """Compile a Runefile in memory."""
    pipeline = analyse(runefile).pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def read_conformance(path: Path) -> tuple[Run, ...]:
    """Read a `conformance.toml`. Raises UserFileError R1104 when it is wrong or too short."""
    data = read_file(path, "the list of runs")
    try:
        runs = msgspec.toml.decode(data, type=Conformance).run
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserFileError("R1104", f"{path}: {error}", hint="see the other examples") from None
    if len(runs) < RUNS_MIN:
        raise UserFileError(
            "R1104", f"{path} lists {len(runs)} runs", hint=f"list at least {RUNS_MIN}"
        )
    return runs


def find_examples(names: Sequence[str]) -> Iterator[Example]:
    """Yield each example, compiled, once for each of its Runefiles; all where `names` is empty."""
    for path in sorted((PROJECT / "examples").glob("*/conformance.toml")):
        folder = path.parent
        if names and folder.name not in names:
            continue
        runs = read_conformance(path)
        for runefile in RUNEFILES:
            if (folder / runefile).is_file():
                rune = compile_example(folder / runefile)
                name = folder.name if runefile == RUNEFILES[0] else f"{folder.name}/{runefile}"
                # The other dialect compiles to the same pipeline: one target shows it.
                reach: Reach = "everywhere" if runefile == RUNEFILES[0] else "first"
                yield Example(name, folder, rune, runs, reach)


def model_types(path: Path) -> tuple[list[str], list[str]]:
    """Return the types of what a model takes and gives."""
    info = ModelFile(read_file(path, "the model")).info
    return [str(item.type) for item in info.inputs], [str(item.type) for item in info.outputs]


def with_other_models(
    examples: Sequence[Example], folder: Path, scratch: Path
) -> Iterator[Example]:
    """Yield the examples with a namesake in `folder`, with its model and inputs, in `scratch`.

    A namesake's model that takes or gives other tensors does not fit into the example's pipeline:
    then the Runefile is that of `originals/`, or it is left out. Those take a simulator minutes a
    run, so they run in the quick targets. What must come out is not written down there: every
    target must print what the first one does.
    """
    for example in examples:
        models = sorted((folder / example.folder.name).glob("*.tflite"))
        own = sorted(example.folder.glob("*.tflite"))
        if len(models) != 1 or len(own) != 1:
            continue
        fits = model_types(models[0]) == model_types(own[0])
        name = f"{example.folder.name}.yml"
        if not fits and not (ORIGINALS / name).is_file():
            continue
        copy = scratch / example.folder.name
        shutil.copytree(example.folder, copy)
        shutil.copyfile(models[0], copy / own[0].name)
        if not fits:
            shutil.copyfile(ORIGINALS / name, copy / RUNEFILES[0])
        own_runs = example.runs[:RUNS_MIN]
        runs = [msgspec.structs.replace(each, expected=None) for each in own_runs]
        runs += [
            msgspec.structs.replace(Run(), **{INPUT_KINDS[path.suffix]: (str(path),)})
            for path in sorted(models[0].parent.iterdir())
            if path.suffix in INPUT_KINDS
        ]
        rune = compile_example(copy / RUNEFILES[0])
        label = f"{example.name}, other model"
        yield Example(label, copy, rune, tuple(runs), "everywhere" if fits else "quick")


def targets(names: Sequence[str]) -> list[Target]:
    """Return the host, then every emulated board with each engine; or the targets named."""
    if names:
        return [Target.parse(name) for name in names]
    host, *boards = Target.everywhere()
    return [host, *(board.with_backend(name) for name in BACKENDS for board in boards)]


Start = Callable[[Inputs, int], list[str]]
"""Runs a rune from a fresh start: takes inputs and repeats, gives the lines."""


@contextmanager
def starter(rune: Rune, target: Target) -> Iterator[Start]:
    """Make ready what a rune needs on a target, once for all its runs."""
    board = target.board
    if board is None:
        yield lambda inputs, repeats: list(run(rune, inputs, target, repeats=repeats))
        return
    emulation = plan_emulation(rune, board, target.backend)
    with held_firmware(emulation.rune, emulation.board, backend=target.backend) as built:

        def start(inputs: Inputs, repeats: int) -> list[str]:
            with EmulatedDevice(emulation, built.elf) as device:
                return list(device.run(InputReader(inputs), repeats=repeats))

        yield start


def check(
    example: Example, target: Target, expected: list[list[str] | None], stop: threading.Event
) -> Cell:
    """Run all of an example on one target; fill in what is expected where it is not known yet."""
    where = str(target.with_backend(BACKENDS[0]))
    cell = Cell(example.name, where, HOST_ENGINE if target.board is None else target.backend)
    began = time.monotonic()
    try:
        with starter(example.rune, target) as start:
            fill(cell, example, start, expected, stop)
    except RunecError as error:
        cell.too_little = TOO_LITTLE.get(error.code)
        if cell.too_little is None:
            cell.differences.append({"got": [f"{error.code}: {error.message}"]})
    cell.seconds = round(time.monotonic() - began, 1)
    return cell


def fill(
    cell: Cell,
    example: Example,
    start: Start,
    expected: list[list[str] | None],
    stop: threading.Event,
) -> None:
    """Run all of an example and note what differs."""
    for index, each in enumerate(example.runs):
        if stop.is_set():
            break
        cell.runs += 1
        try:
            got = start(each.inputs(example.folder), each.repeats)
            failed = len(got) < each.repeats
        except RunecError as error:
            got = [f"{error.code}: {error.message}"]
            failed = True
        if expected[index] is None and not failed:
            expected[index] = got
        if got != (expected[index] or [])[: each.repeats]:
            given = [*each.raw, *each.accelerometer, *each.sound, *each.image]
            cell.differences.append({"inputs": given, "expected": expected[index], "got": got})


def is_slow(target: Target) -> bool:
    """Report whether a target takes long for each run: the simulators that step in Python do."""
    emulator = target.board.emulator if target.board else None
    return emulator is not None and emulator.kind == "labwired"


def part_for(example: Example, target: Target) -> Example:
    """Return what a target runs: all, or the first inputs, each once, where a run takes long.

    There the other engines get the first input alone: they are the same on every board.
    """
    if not is_slow(target):
        return example
    first = example.runs[: RUNS_MIN if target.backend == BACKENDS[0] else 1]
    once = (
        msgspec.structs.replace(run, repeats=1, expected=run.expected and run.expected[:1])
        for run in first
    )
    return replace(example, runs=tuple(once))


def check_all(
    examples: Sequence[Example], where: Sequence[Target], tell: Callable[[Cell], None]
) -> list[list[Cell]]:
    """Return the cells of each example, told one by one as they come.

    The first target of an example goes first: it states what is not known yet. Of the others those
    begin first that take longest, so that no worker is left alone with one of them in the end.
    """
    stop = threading.Event()
    expected = [
        [None if run.expected is None else [*run.expected] for run in each.runs]
        for each in examples
    ]
    targeted = [each.targets(where) for each in examples]

    def one(row: int, column: int) -> Cell:
        target = targeted[row][column]
        cell = check(part_for(examples[row], target), target, expected[row], stop)
        tell(cell)
        return cell

    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            rows = [[cell] for cell in pool.map(lambda row: one(row, 0), range(len(examples)))]
            others = [
                (row, column) for row, each in enumerate(targeted) for column in range(1, len(each))
            ]
            others.sort(key=lambda at: not is_slow(targeted[at[0]][at[1]]))
            begun = {at: pool.submit(one, *at) for at in others}
            for row, column in sorted(begun):
                rows[row].append(begun[row, column].result())
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return rows


def tell(cell: Cell) -> None:
    """Print the progress of a cell."""
    lines = [f"{cell.example} {cell.target} {cell.engine} {cell.verdict} ({cell.seconds:g} s)"]
    lines += [f"  {json.dumps(each, ensure_ascii=False)}" for each in cell.differences]
    print("\n".join(lines), file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the matrix; 1 when any cell differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--example", action="append", default=[], help="only this one")
    parser.add_argument("--on", action="append", default=[], metavar="TARGET", help="only here")
    parser.add_argument("--json", action="store_true", help="one JSON object a cell")
    parser.add_argument("--page", action="store_true", help="write docs/conformance.md at the end")
    options = parser.parse_args(arguments)
    if options.page and (options.example or options.on):
        parser.error("--page tells of every example on every target")
    where = targets(options.on)
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        examples = list(find_examples(options.example))
        yaml = [example for example in examples if "/" not in example.name]
        examples += with_other_models(yaml, OTHER_MODELS, Path(scratch))
        if not examples:
            print("no example to run", file=sys.stderr)
            return 1
        found = check_all(examples, where, tell)
    told = [{**vars(cell), "verdict": cell.verdict} for cells in found for cell in cells]
    if options.json:
        print("\n".join(map(json.dumps, told)))
    else:
        head, *rows = matrix(told)
        print(table(head, rows))
    failed = any(cell.differences for cells in found for cell in cells)
    if options.page and not failed:
        write_page(told)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunecError as error:
        Console().report(error.diagnostics)
        sys.exit(error.exit_code)
