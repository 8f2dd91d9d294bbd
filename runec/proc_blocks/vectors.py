"""`tests.toml`: inputs and expected outputs of a block, run by `runec block test`.

[[tests]]
name       of the test
inputs     the type of each input, `f32[3]`
outputs    the types that a Runefile would declare; for a block that has no `declared` needless
arguments  as in a Runefile
tolerance  how far a float may be off; 0: to the last bit

[[tests.runs]]            one after the other: a block keeps its state from run to run
inputs     the elements of each input, nested as one likes
outputs    those of each output; a NaN equals any NaN
fails      instead of outputs: part of the expected error message, which ends the test
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from runec.diagnostics import UserFileError
from runec.files import is_file
from runec.proc_blocks.block import Block, Resolved
from runec.proc_blocks.mismatch import BlockMismatch
from runec.proc_blocks.reading import GUIDE
from runec.toml import Place, TomlFile, TomlSort, read_toml
from runec.values import ArgumentValue, ElementType, TensorType

TESTS = "tests.toml"

_SORT = TomlSort("R0432", "block tests", GUIDE, max_bytes=4 * 1024 * 1024)

Element = int | float | str
Elements = tuple[Element, ...]


class _Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...] | None = None
    fails: str | None = None


class _Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    inputs: tuple[str, ...]
    runs: tuple[_Run, ...]
    outputs: tuple[str, ...] = ()
    arguments: dict[str, int | float | str | list[str]] = {}
    tolerance: float = 0.0


class _Tests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tests: tuple[_Test, ...]


class Run(msgspec.Struct, frozen=True):
    """The elements of each input and, unless the run `fails`, of each output."""

    inputs: tuple[Elements, ...]
    outputs: tuple[Elements, ...]
    fails: str | None


class Vectors(msgspec.Struct, frozen=True):
    """A test: one use of a block, checked, and runs of it."""

    name: str
    inputs: tuple[TensorType, ...]
    resolved: Resolved
    tolerance: float
    runs: tuple[Run, ...]


def pack(kind: TensorType, elements: Elements) -> bytes:
    """Return the packed elements of a tensor of numbers, each rounded to its type."""
    return struct.pack(f"<{len(elements)}{kind.element.struct_code}", *elements)


def unpack(kind: TensorType, data: bytes) -> Elements:
    """Return the elements of a tensor of numbers."""
    return struct.unpack(f"<{kind.element_count}{kind.element.struct_code}", data)


def load_vectors(block: Block) -> tuple[Vectors, ...]:
    """Read the tests of a block's folder and check them against the block.

    Raises:
        UserFileError: R0432, there are none, or they are wrong.
    """
    path = (block.own_path or block.directory) / TESTS
    if not is_file(path):
        raise UserFileError(
            "R0432",
            f"the block {block.name!r} has no {TESTS}",
            hint="create one as docs/guides/blocks.md describes, or with runec block new",
        )
    file = read_toml(path, _SORT)
    tests = file.decode(_Tests).tests
    if not tests:
        raise file.error("it holds no tests", ("tests",), "add [[tests]] to it")
    names = [test.name for test in tests]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise file.error(f"two tests are called {name!r}", ("tests", number, "name"))
    return tuple(_Checker(file, block, number, test).check() for number, test in enumerate(tests))


class _Checker(msgspec.Struct, frozen=True):
    file: TomlFile
    block: Block
    number: int
    test: _Test

    def check(self) -> Vectors:
        test = self.test
        at: Place = ("tests", self.number)
        inputs = self._types("inputs", test.inputs)
        declared = self._types("outputs", test.outputs)
        arguments: dict[str, ArgumentValue] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in test.arguments.items()
        }
        try:
            resolved = self.block.resolve(inputs, declared, arguments)
        except BlockMismatch as mismatch:
            place = (*at, mismatch.about, mismatch.argument or "")
            raise self.file.error(mismatch.message, place, mismatch.hint) from None
        if not test.runs:
            raise self.file.error("a test has at least one run", at, "add [[tests.runs]] to it")
        if not 0 <= test.tolerance < math.inf:
            raise self.file.error("the tolerance is not a positive number", (*at, "tolerance"))
        given = tuple(output.type for output in resolved.outputs)
        runs = tuple(
            self._run((*at, "runs", index), run, inputs, given)
            for index, run in enumerate(test.runs)
        )
        for index, run in enumerate(test.runs[:-1]):
            if run.fails is not None:
                raise self.file.error(
                    "only the last run of a test can fail: it ends the block",
                    (*at, "runs", index, "fails"),
                    "move the runs after it to another test",
                )
        return Vectors(test.name, inputs, resolved, test.tolerance, runs)

    def _types(self, key: str, texts: Sequence[str]) -> tuple[TensorType, ...]:
        types = []
        for text in texts:
            try:
                types.append(TensorType.parse(text))
            except ValueError:
                place = ("tests", self.number, key)
                problem = f"{text[:40]!r} is not a type"
                raise self.file.error(problem, place, "write it like f32[1, 3]") from None
        return tuple(types)

    def _run(
        self,
        at: Place,
        run: _Run,
        inputs: Sequence[TensorType],
        outputs: Sequence[TensorType],
    ) -> Run:
        if (run.outputs is None) == (run.fails is None):
            raise self.file.error(
                "a run has either outputs or fails", at, "add the expected outputs"
            )
        wanted = () if run.outputs is None else run.outputs
        return Run(
            self._tensors((*at, "inputs"), run.inputs, inputs),
            () if run.outputs is None else self._tensors((*at, "outputs"), wanted, outputs),
            run.fails,
        )

    def _tensors(
        self, at: Place, given: Sequence[Any], types: Sequence[TensorType]
    ) -> tuple[Elements, ...]:
        if len(given) != len(types):
            raise self.file.error(
                f"{len(given)} tensors, but the block has {len(types)} {at[-1]}",
                at,
                f"write a list of elements for each of {', '.join(map(str, types))}",
            )
        return tuple(
            self._elements((*at, index), value, kind)
            for index, (value, kind) in enumerate(zip(given, types, strict=True))
        )

    def _elements(self, at: Place, value: Any, kind: TensorType) -> Elements:
        elements = tuple(_flat(value))
        if len(elements) != kind.element_count:
            raise self.file.error(
                f"{kind} has {kind.element_count} elements, not {len(elements)}", at
            )
        for element in elements:
            if not _fits(element, kind.element):
                raise self.file.error(f"{element!r} is not of the type {kind.element.value}", at)
        return elements


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _fits(value: Any, element: ElementType) -> bool:
    if element is ElementType.UTF8 or isinstance(value, str):
        return element is ElementType.UTF8 and isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        struct.pack(f"<{element.struct_code}", value)
    except (struct.error, OverflowError):
        return False
    return True
