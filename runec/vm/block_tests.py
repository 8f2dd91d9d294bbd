"""Running the tests of a block: each use of it compiled to a rune, its outputs compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest

from runec.codegen import compile_pipeline
from runec.container import F32, F64, spell_float, write_rune
from runec.diagnostics import RuneError
from runec.pipeline import (
    Capability,
    CapabilityKind,
    ElementType,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Stage,
    Tensor,
    TensorType,
)
from runec.proc_blocks import Block, Catalogue
from runec.proc_blocks.vectors import Elements, Run, Vectors, pack, unpack
from runec.vm.errors import StageFailedError
from runec.vm.inputs import InputReader, Inputs
from runec.vm.messages import Document, Outputs
from runec.vm.output import split_text
from runec.vm.run import Watch, run_rune_feeds

_LENGTH_BYTES = 4
# Around each tensor; a block that writes there is reported.
_GUARD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Difference:
    """An element that differs from the expected one; run, output and element are counted from 0."""

    run: int
    output: int
    type: TensorType
    element: int
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one test: passed, different elements, or an error of the rune."""

    name: str
    differences: tuple[Difference, ...] = ()
    problem: str | None = None

    @property
    def is_ok(self) -> bool:
        """True if the outputs are the expected ones."""
        return not self.differences and self.problem is None

    def as_json(self) -> dict[str, object]:
        """Return the outcome as one JSON object."""
        return {
            "test": self.name,
            "status": "ok" if self.is_ok else "failed",
            "problem": self.problem,
            "differences": [
                {
                    "run": item.run,
                    "output": item.output,
                    "type": str(item.type),
                    "element": item.element,
                    "expected": item.expected,
                    "got": item.got,
                }
                for item in self.differences
            ],
        }

    def lines(self, differences_max: int) -> Iterator[str]:
        """Yield what people read: a line, and one for each of the first differences."""
        yield f"{'ok    ' if self.is_ok else 'FAILED'}  {self.name}"
        if self.problem is not None:
            yield f"          {self.problem}"
        for item in self.differences[:differences_max]:
            place = f"run {item.run}, output {item.output}, {item.type} element {item.element}"
            yield f"          {place}: expected {item.expected}, got {item.got}"
        if (rest := len(self.differences) - differences_max) > 0:
            yield f"          and {rest} more"


def use_in_test(block: Block, test: Vectors) -> Pipeline:
    """Return the pipeline of a test: RAW inputs, the block, SERIAL."""
    return _pipeline(block, test)[0]


def run_block_tests(
    block: Block, tests: Sequence[Vectors], *, timeout_s: float = 10.0
) -> Iterator[Outcome]:
    """Compile and run the tests of a block one after the other.

    Raises:
        UserFileError: R05xx, the block does not compile.
        MachineError: this machine lacks a compiler, or cannot execute runes.
    """
    for test in tests:
        yield _run_test(block, test, timeout_s)


class _Given(InputReader):
    """The bytes of one run, by the number of the input."""

    def __init__(self, tensors: Sequence[bytes]) -> None:
        super().__init__(Inputs())
        self._tensors = tensors

    def provide(
        self,
        kind: CapabilityKind,  # noqa: ARG002 - all are RAW
        parameters: Mapping[str, int | float],
        length: int,
        element: ElementType | None,  # noqa: ARG002
    ) -> bytes:
        """Return the bytes of an input."""
        return self._tensors[int(parameters["source"])][:length]


def _run_test(block: Block, test: Vectors, timeout_s: float) -> Outcome:
    pipeline, words = _pipeline(block, test)
    rune = write_rune(pipeline, compile_pipeline(pipeline, guard_bytes=_GUARD_BYTES))
    feeds = [_Given(_packed(test, run, words)) for run in test.runs]
    results = run_rune_feeds(rune, feeds, timeout_s=timeout_s, resources={}, watch=Watch())
    differences: list[Difference] = []
    with closing(results):
        for number, run in enumerate(test.runs):
            try:
                _, outputs = next(results)
            except RuneError as error:
                return _ended(test, number, run, error, tuple(differences))
            if run.fails is not None:
                problem = f"run {number} does not fail, but should with {run.fails!r}"
                return Outcome(test.name, tuple(differences), problem)
            differences += _compare(test, number, run, outputs)
    return Outcome(test.name, tuple(differences))


def _ended(
    test: Vectors, number: int, run: Run, error: RuneError, differences: tuple[Difference, ...]
) -> Outcome:
    if run.fails is None:
        return Outcome(test.name, differences, f"run {number}: {error.message} ({error.code})")
    if isinstance(error, StageFailedError) and run.fails in error.message:
        return Outcome(test.name, differences)
    problem = f"run {number} should fail with {run.fails!r}, but: {error.message} ({error.code})"
    return Outcome(test.name, differences, problem)


def _pipeline(block: Block, test: Vectors) -> tuple[Pipeline, dict[int, tuple[str, ...]]]:
    """RAW inputs -> the block -> SERIAL, and the words of each input of texts.

    RAW provides no texts: such an input is numbers, which `label` converts to its words.
    """
    label = Catalogue.builtin().find("label")
    assert label is not None  # noqa: S101 - it comes with runec
    stages: list[Stage] = []
    given: list[Tensor] = []
    before: list[Stage] = []
    words: dict[int, tuple[str, ...]] = {}
    count = len(test.inputs)
    for number, kind in enumerate(test.inputs):
        is_text = kind.element is ElementType.UTF8
        sent = TensorType(ElementType.U32, kind.dimensions) if is_text else kind
        tensor = Tensor(number, sent, sent.size_bytes)
        capability = Capability(
            f"input {number}", CapabilityKind.RAW, {"source": number}, (tensor,)
        )
        stages.append(capability)
        if is_text:
            words[number] = tuple(
                dict.fromkeys(str(text) for run in test.runs for text in run.inputs[number])
            )
            longest = max(len(word.encode()) for word in words[number])
            made = Tensor(count, kind, kind.element_count * (_LENGTH_BYTES + longest))
            arguments = {"wordlist": words[number]}
            name = f"texts {number}"
            before.append(ProcBlock(name, label, "label", arguments, (tensor,), (made,)))
            tensor, count = made, count + 1
        given.append(tensor)
    outputs = tuple(
        Tensor(count + number, output.type, output.capacity_bytes)
        for number, output in enumerate(test.resolved.outputs)
    )
    tested = ProcBlock(
        block.name,
        block,
        f"./{block.name}",
        test.resolved.arguments,
        tuple(given),
        outputs,
    )
    last = Output("outputs of it", OutputKind.SERIAL, outputs)
    return Pipeline("test", (*stages, *before, tested, last), {}), words


def _packed(test: Vectors, run: Run, words: Mapping[int, tuple[str, ...]]) -> list[bytes]:
    packed = []
    for number, (kind, elements) in enumerate(zip(test.inputs, run.inputs, strict=True)):
        if number in words:
            indices = tuple(words[number].index(str(text)) for text in elements)
            packed.append(pack(TensorType(ElementType.U32, kind.dimensions), indices))
        else:
            packed.append(pack(kind, elements))
    return packed


def _compare(test: Vectors, number: int, run: Run, outputs: Outputs) -> Iterator[Difference]:
    ((_, consumed),) = outputs
    tensors = [item for item in consumed if not isinstance(item, Document)]
    for output, ((kind, data), elements) in enumerate(zip(tensors, run.outputs, strict=True)):
        if kind.element is ElementType.UTF8:
            texts = split_text(data, kind.element_count)
            got: Elements = tuple(text.decode(errors="replace") for text in texts)
            wanted = elements
        else:
            got, wanted = unpack(kind, data), unpack(kind, pack(kind, elements))
        for index, (expected, found) in enumerate(zip_longest(wanted, got)):
            if not _equal(expected, found, test.tolerance):
                yield Difference(
                    *(number, output, kind, index), _spell(kind, expected), _spell(kind, found)
                )


def _equal(expected: int | float | str, got: int | float | str, tolerance: float) -> bool:
    if not isinstance(expected, float) or not isinstance(got, float):
        return expected == got
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if expected == got:
        # Zeros have signs, which one run must not lose unless it is allowed to be off.
        return tolerance > 0 or math.copysign(1, expected) == math.copysign(1, got)
    return abs(expected - got) <= tolerance


def _spell(kind: TensorType, value: int | float | str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, float):
        return spell_float(value, F32 if kind.element is ElementType.F32 else F64)
    return repr(value) if isinstance(value, str) else str(value)
