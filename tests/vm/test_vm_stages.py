"""Runs stage by stage: the same results, every stage by name in traces and traps."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.codegen import compile_pipeline
from runec.container import CodeMap, Rune, write_rune
from runec.diagnostics import RuneError
from runec.frontend import analyse
from runec.pipeline import TensorType
from runec.vm import Inputs, Step, Watch, run_rune_bytes
from runec.vm.trace import pack_step, traced_tensor, unpack_step

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
# Blocks side by side, of several tensors, in place, with text; nothing of the host between them.
MANY = """
  a: {capability: RAW, outputs: [{type: f32, dimensions: [12]}]}
  b: {capability: RAW, args: {source: 1}, outputs: [{type: f32, dimensions: [12]}]}
  small: {proc-block: modulo, inputs: [a], args: {modulus: 10}}
  both: {proc-block: identity, inputs: [small, b]}
  scaled: {proc-block: normalize, inputs: [both.1]}
  best: {proc-block: most_confident_indices, inputs: [scaled], args: {count: 2}}
  words: {proc-block: label, inputs: [best], args: {wordlist: WORDS}}
  serial: {out: serial, inputs: [both.0, scaled]}
  texts: {out: serial, inputs: [words, words]}
""".replace("WORDS", json.dumps("\n".join(f"word {n}" for n in range(12))))


def build(folder: Path, stages: str) -> Rune:
    (folder / "Runefile.yml").write_text(HEAD + stages)
    pipeline = analyse(folder / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Rune:
    return build(tmp_path_factory.mktemp("many"), MANY)


def floats(path: Path, *values: float) -> Path:
    path.write_bytes(struct.pack(f"<{len(values)}f", *values))
    return path


def steps_of(rune: Rune, inputs: Inputs) -> tuple[list[Step], bytes]:
    steps: list[Step] = []
    (line,) = run_rune_bytes(rune, inputs, watch=Watch(step=steps.append))
    return steps, line


def test_each_block_is_a_step_of_its_own_with_its_tensors(many: Rune, tmp_path: Path) -> None:
    inputs = Inputs(
        raw=(
            floats(tmp_path / "a", *range(5, 17)),
            floats(tmp_path / "b", *(2.0 * n for n in range(12))),
        )
    )
    steps, line = steps_of(many, inputs)
    outputs = {step.stages: [str(tensor) for tensor in step.outputs] for step in steps}
    assert [step.stages for step in steps][:7] == [
        *(("a",), ("b",), ("small",), ("both",), ("scaled",), ("best",), ("words",)),
    ]
    assert outputs["small",] == [
        "f32[12] 5.0, 6.0, 7.0, 8.0, 9.0, 0.0, 1.0, 2.0, … (12 in all, 0 to 9, mean 4.66667)"
    ]
    assert outputs["best",] == ["u32[2] 11, 10"]
    assert outputs["words",] == ['utf8[2] "word 11", "word 10"']
    by_name = {step.stages[0]: step for step in steps}
    # What a block that works in place was given, not what it left there.
    assert by_name["small"].inputs[0].elements[0] == "5.0"
    assert by_name["small"].inputs[0].elements[7] == "12.0"
    assert by_name["both"].inputs == by_name["both"].outputs
    assert by_name["scaled"].what == "normalize"
    (plain,) = run_rune_bytes(many, inputs)
    assert plain == line


CALL = """
    (if (i32.le_u (local.get 1) (i32.const 1)) (then
        (drop (call $request_provider_response (i32.const 1024) (i32.const 16) (i32.const 1)))
        (if (i32.eq (local.get 2) (i32.const 1)) (then (return (i32.const 0))))))
    (if (i32.le_u (local.get 1) (i32.const 2)) (then
        (if (call $first (i32.const 1024) (i32.const 1040)) (then (return (i32.const 2))))
        (if (i32.eq (local.get 2) (i32.const 2)) (then (return (i32.const 0))))))
    (if (i32.le_u (local.get 1) (i32.const 3)) (then
        (if (call $second (i32.const 1040) (i32.const 1056)) (then (return (i32.const 3))))
        (if (i32.eq (local.get 2) (i32.const 3)) (then (return (i32.const 0))))))
    (drop (call $consume_output (i32.const 2) (i32.const 1056) (i32.const 16)))
    (i32.const 0)"""
MANIFEST = """
    (drop (call $request_capability (i32.const 5)))
    (drop (call $request_output (i32.const 1)))"""
FUNCTIONS = """
    (func $first (param i32 i32) (result i32) %s)
    (func $second (param i32 i32) (result i32) %s)"""
FINE = "(i32.const 0)"
# Four functions are imported.
CODE_MAP = CodeMap({"one": 4, "two": 5}, (1024, 1040, 1056))


@pytest.fixture
def two(make_rune: MakeRune, sketch: type[Sketch]) -> Callable[..., Rune]:
    """A rune with two blocks side by side: their bodies."""

    def make(
        first: str = FINE,
        second: str = FINE,
        *,
        code_map: CodeMap | None = CODE_MAP,
        call: str = CALL,
        kind: str = "i32[4]",
    ) -> Rune:
        blocks = (("one", "i32[4]"), ("two", kind))
        plan = sketch(blocks=blocks, outputs=(("serial", (2,)),), code_map=code_map)
        return make_rune(call, MANIFEST, plan, FUNCTIONS % (first, second))

    return make


def failure(rune: Rune, numbers: Path, steps: list[Step] | None = None) -> RuneError:
    watch = Watch() if steps is None else Watch(step=steps.append)
    with pytest.raises(RuneError) as caught:
        list(run_rune_bytes(rune, Inputs(raw=(numbers,)), watch=watch))
    return caught.value


@pytest.mark.parametrize("bodies", [("unreachable", FINE), (FINE, "unreachable")])
def test_a_trap_names_the_stage_that_it_happened_in(
    two: Callable[..., Rune], numbers: Path, bodies: tuple[str, str]
) -> None:
    stage = "one" if bodies[0] == "unreachable" else "two"
    assert failure(two(*bodies), numbers).message.startswith(
        f"the rune trapped in the stage {stage}: "
    )
    without = two(*bodies, code_map=None)
    assert failure(without, numbers).message.startswith("the rune trapped: ")


def test_a_stage_that_fails_is_named_and_traced(two: Callable[..., Rune], numbers: Path) -> None:
    steps: list[Step] = []
    error = failure(two(second="(i32.const 1)"), numbers, steps)
    assert error.message == "the stage two (number 3) failed"
    assert [step.stages for step in steps] == [("input",), ("one",), ("two",)]


def test_a_rune_without_a_code_map_runs_and_its_blocks_are_one_step(
    two: Callable[..., Rune], numbers: Path
) -> None:
    inputs = Inputs(raw=(numbers,))
    mapped, result = steps_of(two(), inputs)
    joined, same = steps_of(two(code_map=None), inputs)
    assert same == result
    assert [step.stages for step in mapped] == [("input",), ("one",), ("two",), ("serial",)]
    assert [step.stages for step in joined] == [("input",), ("one", "two"), ("serial",)]
    assert joined[1].what == "one, two"
    assert joined[1].inputs == joined[1].outputs == ()
    assert failure(two(second="(i32.const 1)", code_map=None), numbers).message == (
        "the stage two (number 3) failed"
    )


def test_text_that_claims_more_than_the_memory_is_left_out_of_a_trace(
    two: Callable[..., Rune], numbers: Path
) -> None:
    # The longest text that a u32 counts, at the address of the second block's output.
    steps: list[Step] = []
    long = "(i32.store (local.get 1) (i32.const -1)) (i32.const 0)"
    error = failure(two(second=long, kind="utf8[1]"), numbers, steps)
    assert error.code == "R0710"
    assert [len(step.outputs) for step in steps] == [1, 1, 0]
    assert [len(step.inputs) for step in steps] == [0, 1, 1]


def test_a_rune_that_does_not_run_in_steps_as_it_claims_is_refused(
    two: Callable[..., Rune], numbers: Path
) -> None:
    at_once = CALL
    for number in (1, 2):
        at_once = at_once.replace(f"(local.get {number})", "(i32.const 0)")
    inputs = Inputs(raw=(numbers,))
    list(run_rune_bytes(two(call=at_once, code_map=None), inputs))
    error = failure(two(call=at_once), numbers)
    assert error.code == "R0710"
    assert "more tensors for serial than the graph lists" in error.message
    last = "(if (i32.eq (local.get 1) (i32.const 4)) (then (return (i32.const 0))))"
    unfinished = CALL.replace("(drop (call $consume", f"{last} (drop (call $consume")
    nothing = failure(two(call=unfinished), numbers)
    assert "the output serial is incomplete" in nothing.message


def test_what_a_host_function_refuses_is_told_whatever_the_stage(
    two: Callable[..., Rune], numbers: Path
) -> None:
    foreign = "(drop (call $request_output (i32.const 1))) (i32.const 0)"
    error = failure(two(first=foreign), numbers)
    assert error.code == "R0710"
    assert "request_output" in error.message


def test_the_range_of_a_long_tensor_leaves_out_what_is_no_number() -> None:
    kind = TensorType.parse("f32[10]")
    values = [1.0, 2.0, 3.0, math.nan, -6.0, 0.0, 0.0, 0.0, 0.0, math.nan]
    tensor = traced_tensor(kind, struct.pack("<10f", *values))
    assert str(tensor).endswith("… (10 in all, -6 to 3, mean 0, 2 NaN)")
    step = Step(("a",), "model", 1.0, (tensor,), ())
    assert unpack_step(pack_step(step)) == step
    values[0] = math.inf
    record = Step(("a",), "m", 1.0, (traced_tensor(kind, struct.pack("<10f", *values)),), ())
    text = json.dumps(record.as_json(), allow_nan=False)
    assert json.loads(text)["inputs"][0]["range"] == {
        "least": -6.0,
        "most": None,
        "mean": None,
        "nan_count": 2,
    }
    assert traced_tensor(kind, struct.pack("<10f", *[math.nan] * 10)).range is None
