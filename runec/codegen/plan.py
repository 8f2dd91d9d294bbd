"""Memory plan of the tensors: one static area, shared by tensors whose lifetimes do not overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runec.pipeline import Capability, Output, Pipeline, ProcBlock, Stage, Tensor

ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Byte offsets in the tensor area.

    `offsets` holds every tensor's, by id; multiples of 8. `in_place` maps the id of an output to
    the id of the input of the same block whose memory it takes over.
    """

    offsets: Mapping[int, int]
    in_place: Mapping[int, int]
    size_bytes: int


@dataclass(slots=True)
class _Buffer:
    """Tensors that follow one another in the same place; alive in stages `start` to `end`."""

    tensors: list[int]
    size_bytes: int
    start: int
    end: int
    offset: int = -1

    def overlaps(self, other: _Buffer) -> bool:
        return self.start <= other.end and other.start <= self.end


def stage_inputs(stage: Stage) -> tuple[Tensor, ...]:
    """The tensors a stage reads."""
    return () if isinstance(stage, Capability) else stage.inputs


def stage_outputs(stage: Stage) -> tuple[Tensor, ...]:
    """The tensors a stage writes."""
    return () if isinstance(stage, Output) else stage.outputs


def lifetimes(stages: Sequence[Stage]) -> dict[int, tuple[int, int]]:
    """Map each tensor's id to the stages that write it and that read it last (both included)."""
    spans: dict[int, tuple[int, int]] = {}
    for index, stage in enumerate(stages):
        for tensor in stage_inputs(stage):
            spans[tensor.id] = (spans[tensor.id][0], index)
        for tensor in stage_outputs(stage):
            spans[tensor.id] = (index, index)
    return spans


def _taken_over(
    stage: ProcBlock, index: int, spans: Mapping[int, tuple[int, int]]
) -> list[tuple[Tensor, Tensor]]:
    """Pairs of output and input of one block that can share their memory."""
    read = [tensor.id for tensor in stage.inputs]
    return [
        (output, given)
        for output, given in zip(stage.outputs, stage.inputs, strict=False)
        if output.type.element is given.type.element
        and output.capacity_bytes == given.capacity_bytes
        and spans[given.id][1] == index
        and read.count(given.id) == 1
    ]


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def plan_memory(
    pipeline: Pipeline, in_place_stages: frozenset[str], guard_bytes: int = 0
) -> MemoryPlan:
    """Place all tensors: the largest first, each at the lowest offset free while it lives.

    The blocks of the stages in `in_place_stages` may write an output over the input of the same
    number.
    With `guard_bytes`, a multiple of 8, that much lies free before and behind each buffer, and no
    two share memory.
    (Greedy by size: Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference,
    2020, section 5.)
    """
    spans = lifetimes(pipeline.stages)
    buffers: dict[int, _Buffer] = {}
    in_place: dict[int, int] = {}
    for index, stage in enumerate(pipeline.stages):
        if isinstance(stage, ProcBlock) and stage.name in in_place_stages:
            for output, given in _taken_over(stage, index, spans):
                buffer = buffers[given.id]
                buffer.tensors.append(output.id)
                buffer.end = spans[output.id][1]
                buffers[output.id] = buffer
                in_place[output.id] = given.id
        for tensor in stage_outputs(stage):
            if tensor.id not in buffers:
                start, end = spans[tensor.id]
                buffers[tensor.id] = _Buffer(
                    [tensor.id], _aligned(tensor.capacity_bytes), start, end
                )

    unique = [buffer for id_, buffer in buffers.items() if buffer.tensors[0] == id_]
    placed: list[_Buffer] = []
    for buffer in sorted(unique, key=lambda b: (-b.size_bytes, b.tensors[0])):
        offset = 0
        for other in sorted(placed, key=lambda b: b.offset):
            overlaps = guard_bytes > 0 or buffer.overlaps(other)
            if overlaps and other.offset < offset + buffer.size_bytes + 2 * guard_bytes:
                offset = max(offset, other.offset + other.size_bytes + guard_bytes)
        buffer.offset = offset + guard_bytes
        placed.append(buffer)
    return MemoryPlan(
        offsets={id_: buffers[id_].offset for id_ in sorted(buffers)},
        in_place=dict(sorted(in_place.items())),
        size_bytes=max((b.offset + b.size_bytes + guard_bytes for b in placed), default=0),
    )
