"""The memory plan: tensors that live together never overlap, and the rest share."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from runec.codegen.plan import MemoryPlan, lifetimes, plan_memory
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Stage,
    Tensor,
    TensorType,
)
from tests.blocks import block_without_source


def in_place(pipeline: Pipeline) -> frozenset[str]:
    """The stages whose block allows it."""
    return frozenset(stage.name for stage in pipeline.proc_blocks if stage.block.in_place)


def f32(id_: int, count: int) -> Tensor:
    kind = TensorType.parse(f"f32[{count}]")
    return Tensor(id_, kind, kind.size_bytes)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Capabilities, then blocks that read any earlier tensors, then outputs, all in any mix."""
    tensors: list[Tensor] = []
    stages: list[Stage] = []

    def new() -> Tensor:
        # A few sizes, so that equal ones (which can be taken over) are common.
        made = f32(len(tensors), draw(st.sampled_from([1, 1, 3, 8, 8, 100])))
        tensors.append(made)
        return made

    count = draw(st.integers(1, 3))
    stages += [Capability(f"c{i}", CapabilityKind.RAW, {}, (new(),)) for i in range(count)]
    for index in range(draw(st.integers(0, 8))):
        inputs = tuple(draw(st.lists(st.sampled_from(tensors), min_size=1, max_size=3)))
        kind = draw(st.sampled_from(["in_place", "elsewhere", "output"]))
        if kind == "output":
            stages.append(Output(f"o{index}", OutputKind.SERIAL, inputs))
        else:
            outputs = tuple(new() for _ in range(draw(st.integers(1, 3))))
            block = block_without_source(kind, in_place=kind == "in_place")
            stages.append(ProcBlock(f"b{index}", block, kind, {}, inputs, outputs))
    return Pipeline("any", tuple(stages), {})


def bytes_of(plan: MemoryPlan, tensor: Tensor) -> range:
    start = plan.offsets[tensor.id]
    return range(start, start + tensor.capacity_bytes)


@given(pipeline=pipelines())
def test_no_two_tensors_that_live_together_overlap(pipeline: Pipeline) -> None:
    plan = plan_memory(pipeline, in_place(pipeline))
    spans = lifetimes(pipeline.stages)
    for one in pipeline.tensors:
        for other in pipeline.tensors[one.id + 1 :]:
            (start, end), (other_start, other_end) = spans[one.id], spans[other.id]
            if end < other_start or other_end < start:
                continue
            taken_over = plan.in_place.get(other.id) == one.id and end == other_start
            a, b = bytes_of(plan, one), bytes_of(plan, other)
            assert taken_over or a.stop <= b.start or b.stop <= a.start


@given(pipeline=pipelines())
def test_every_tensor_is_aligned_inside_and_the_whole_not_larger_than_the_sum(
    pipeline: Pipeline,
) -> None:
    plan = plan_memory(pipeline, in_place(pipeline))
    assert set(plan.offsets) == {tensor.id for tensor in pipeline.tensors}
    assert all(offset % 8 == 0 for offset in plan.offsets.values())
    assert all(bytes_of(plan, tensor).stop <= plan.size_bytes for tensor in pipeline.tensors)
    assert plan.size_bytes <= sum(-(-t.capacity_bytes // 8) * 8 for t in pipeline.tensors)


@given(pipeline=pipelines())
def test_only_a_block_that_allows_it_takes_over_an_input_that_is_not_read_again(
    pipeline: Pipeline,
) -> None:
    plan = plan_memory(pipeline, in_place(pipeline))
    spans = lifetimes(pipeline.stages)
    for output, source in plan.in_place.items():
        assert plan.offsets[output] == plan.offsets[source]
        stage = pipeline.stages[spans[output][0]]
        assert isinstance(stage, ProcBlock)
        assert stage.block.in_place
        place = [tensor.id for tensor in stage.outputs].index(output)
        assert stage.inputs[place].id == source
        assert [tensor.id for tensor in stage.inputs].count(source) == 1
        assert spans[source][1] == spans[output][0]


@given(pipeline=pipelines())
def test_the_same_pipeline_gives_the_same_plan(pipeline: Pipeline) -> None:
    assert plan_memory(pipeline, in_place(pipeline)) == plan_memory(pipeline, in_place(pipeline))


def test_a_chain_needs_no_more_than_its_widest_step() -> None:
    tensors = [f32(0, 100), f32(1, 4), f32(2, 100), f32(3, 4)]
    stages: list[Stage] = [Capability("c", CapabilityKind.RAW, {}, (tensors[0],))]
    block = block_without_source("x")
    for before, after in itertools.pairwise(tensors):
        stages.append(ProcBlock(f"b{after.id}", block, "x", {}, (before,), (after,)))
    plan = plan_memory(Pipeline("chain", tuple(stages), {}), frozenset())
    assert plan.size_bytes == 400 + 16
    assert plan.offsets[0] == plan.offsets[2]


def test_a_pipeline_without_tensors_needs_nothing() -> None:
    assert plan_memory(Pipeline("empty", (), {}), frozenset()).size_bytes == 0
