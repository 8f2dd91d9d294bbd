"""Trace of a run: tensors and time of each step.

The host runs a rune stage by stage where the rune's graph has a code map (docs/spec/rune.md,
section 3). Without one the host sees a rune where it calls: at capabilities, models and outputs,
with their tensors; the blocks between two of them are one step with their names and their time.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from runec.pipeline import TensorType
from runec.vm.output import element_texts

ELEMENTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Range:
    """What the elements of a tensor lie between, NaNs left out, and how many of them those are."""

    least: float
    most: float
    mean: float
    nan_count: int


@dataclass(frozen=True, slots=True)
class TracedTensor:
    """A tensor's type, its first elements as SERIAL spells them, and how many there are.

    One that is longer than that and made of numbers has the range of all of them.
    """

    type: str
    elements: tuple[str, ...]
    count: int
    range: Range | None = None

    def __str__(self) -> str:
        text = f"{self.type} {', '.join(self.elements)}"
        if self.count <= len(self.elements):
            return text
        text += f", … ({self.count} in all"
        if self.range is not None:
            text += f", {self.range.least:g} to {self.range.most:g}, mean {self.range.mean:.6g}"
            text += f", {self.range.nan_count} NaN" if self.range.nan_count else ""
        return f"{text})"

    def as_json(self) -> dict[str, object]:
        """Return the tensor as one JSON object."""
        bounds = None
        if self.range is not None:
            bounds = {
                key: value if math.isfinite(value) else None
                for key, value in asdict(self.range).items()
            }
        return {**asdict(self), "range": bounds}


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
        """Return the step as one JSON object; infinities are null, as JSON has none."""
        return {
            **asdict(self),
            "inputs": [tensor.as_json() for tensor in self.inputs],
            "outputs": [tensor.as_json() for tensor in self.outputs],
        }


def traced_tensor(kind: TensorType | None, data: bytes) -> TracedTensor:
    """Return a tensor for a trace; without a type it is bytes. Raises ValueError."""
    if kind is None:
        return TracedTensor("bytes", (data[:ELEMENTS_MAX].hex(" "),), len(data))
    elements = tuple(element_texts(kind, data, ELEMENTS_MAX))
    return TracedTensor(str(kind), elements, kind.element_count, _range(kind, data))


def _range(kind: TensorType, data: bytes) -> Range | None:
    code = kind.element.struct_code
    if not code or kind.element_count <= ELEMENTS_MAX:
        return None
    found = [value for (value,) in struct.iter_unpack(f"<{code}", data)]
    values = [value for value in found if not math.isnan(value)]
    if not values:
        return None
    # Of each part alone: the sum of large numbers may be no number any more.
    mean = math.fsum(value / len(values) for value in values if math.isfinite(value))
    least, most = min(values), max(values)
    if math.isinf(least) or math.isinf(most):
        mean = least + most
    return Range(least, most, mean, kind.element_count - len(values))


def pack_step(step: Step) -> bytes:
    """Return a step as bytes."""
    return json.dumps(asdict(step)).encode()


def _tensors(items: Sequence[dict[str, object]]) -> tuple[TracedTensor, ...]:
    return tuple(
        TracedTensor(
            str(item["type"]),
            tuple(map(str, item["elements"] if isinstance(item["elements"], list) else ())),
            int(str(item["count"])),
            _unpack_range(item["range"]),
        )
        for item in items
    )


def _unpack_range(item: object) -> Range | None:
    if item is None:
        return None
    if not isinstance(item, dict):
        raise TypeError("no range")
    least, most, mean = (float(item[key]) for key in ("least", "most", "mean"))
    return Range(least, most, mean, int(item["nan_count"]))


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
