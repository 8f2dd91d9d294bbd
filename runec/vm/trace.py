"""What a run did, step by step, and how long it took.

The host sees a rune where it calls: at capabilities, models and outputs, with their tensors. Blocks
run between two calls; their time is known, and their tensors where the next stage takes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from runec.pipeline import TensorType
from runec.vm.output import element_texts

ELEMENTS_MAX = 8


@dataclass(frozen=True, slots=True)
class TracedTensor:
    """A tensor's type, its first elements as SERIAL spells them, and how many there are."""

    type: str
    elements: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        more = f", … ({self.count} in all)" if self.count > len(self.elements) else ""
        return f"{self.type} {', '.join(self.elements)}{more}"


@dataclass(frozen=True, slots=True)
class Step:
    """One or more stages: what they are, their time, the tensors they took and gave."""

    stages: tuple[str, ...]
    what: str
    milliseconds: float
    inputs: tuple[TracedTensor, ...]
    outputs: tuple[TracedTensor, ...]

    def lines(self) -> list[str]:
        """Return the step as text."""
        head = f"{', '.join(self.stages)} ({self.what}) {self.milliseconds:.3f} ms"
        return [
            head,
            *(f"  <- {tensor}" for tensor in self.inputs),
            *(f"  -> {tensor}" for tensor in self.outputs),
        ]

    def as_json(self) -> dict[str, object]:
        """Return the step as one JSON object."""
        return asdict(self)


def traced_tensor(kind: TensorType | None, data: bytes) -> TracedTensor:
    """Return a tensor for a trace; without a type it is bytes. Raises ValueError."""
    if kind is None:
        return TracedTensor("bytes", (data[:ELEMENTS_MAX].hex(" "),), len(data))
    return TracedTensor(
        str(kind), tuple(element_texts(kind, data, ELEMENTS_MAX)), kind.element_count
    )


def pack_step(step: Step) -> bytes:
    """Return a step as bytes."""
    return json.dumps(asdict(step)).encode()


def _tensors(items: Sequence[dict[str, object]]) -> tuple[TracedTensor, ...]:
    return tuple(
        TracedTensor(
            str(item["type"]),
            tuple(map(str, item["elements"] if isinstance(item["elements"], list) else ())),
            int(str(item["count"])),
        )
        for item in items
    )


def unpack_step(body: bytes) -> Step:
    """Read what `pack_step` wrote. Raises ValueError, KeyError, TypeError for anything else."""
    document = json.loads(body)
    return Step(
        tuple(map(str, document["stages"])),
        str(document["what"]),
        float(document["milliseconds"]),
        _tensors(document["inputs"]),
        _tensors(document["outputs"]),
    )
