"""Binary outputs, resources given at run time, and traces."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from runec.container import Rune
from runec.diagnostics import RunecError, UsageError, UserFileError
from runec.pipeline import CapabilityKind, OutputKind, TensorType
from runec.vm import Inputs, Step, Watch, run_rune, run_rune_bytes
from runec.vm.output import output_bytes, parse_output_bytes
from runec.vm.trace import pack_step, traced_tensor, unpack_step

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch


def tensor_rune(make_rune: MakeRune, sketch: type[Sketch], noop_text: tuple[str, str]) -> Rune:
    call, manifest = noop_text
    manifest = manifest.replace("request_output (i32.const 1)", "request_output (i32.const 5)")
    return make_rune(call, manifest, sketch(output_kind=OutputKind.TENSOR))


def test_a_tensor_output_is_binary(
    make_rune: MakeRune, sketch: type[Sketch], noop_text: tuple[str, str], numbers: Path
) -> None:
    rune = tensor_rune(make_rune, sketch, noop_text)
    golden = b"\x06\0\0\0i32[4]" + struct.pack("<4i", 0, 1, 2, 3)
    assert list(run_rune_bytes(rune, Inputs(raw=(numbers,)), repeats=3)) == [golden] * 3


def test_a_text_output_is_a_line(noop: Rune, numbers: Path) -> None:
    (line,) = run_rune(noop, Inputs(raw=(numbers,)))
    assert list(run_rune_bytes(noop, Inputs(raw=(numbers,)))) == [line.encode() + b"\n"]


def test_binary_tensors_are_written_one_after_another_and_read_again() -> None:
    tensors = [
        (TensorType.parse("f32[1, 2]"), np.array([1.5, -2], "<f4").tobytes()),
        (TensorType.parse("u8[3]"), b"abc"),
    ]
    data = output_bytes([(3, tensors[:1]), (4, tensors[1:])])
    first = b"\x09\0\0\0f32[1, 2]\x00\x00\xc0\x3f\x00\x00\x00\xc0"
    assert data == first + b"\x05\0\0\0u8[3]abc"
    assert parse_output_bytes(data) == tensors


@pytest.mark.parametrize(
    "content",
    [
        b"\1",
        b"\xff\xff\xff\xffu8[1]",
        b"\x05\0\0\0u8[3]ab",
        b"\x07\0\0\0utf8[1]\0\0\0\0",
        b"\x05\0\0\0shape",
    ],
)
def test_bytes_that_are_no_tensors_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse_output_bytes(content)


def resource_rune(
    make_rune: MakeRune, sketch: type[Sketch], default: bytes | None, block: str = "read"
) -> Rune:
    call = """
        (drop (call $rune_resource_read (i32.const 1) (i32.const 1040) (i32.const 4)))
        (call $rune_resource_close (i32.const 1))
        (drop (call $consume_output (i32.const 2) (i32.const 1040) (i32.const 4)))
        (i32.const 0)"""
    manifest = """
        (drop (call $rune_resource_open (i32.const 1024) (i32.const 5)))
        (drop (call $request_output (i32.const 1)))"""
    plan = sketch(
        capabilities=(), blocks=((block, "i32[1]"),), resources={"words": default}, opened=1
    )
    return make_rune(call, manifest, plan, '(data (i32.const 1024) "words")')


def test_a_resource_is_given_at_run_time(make_rune: MakeRune, sketch: type[Sketch]) -> None:
    rune = resource_rune(make_rune, sketch, None)
    (line,) = run_rune_bytes(rune, Inputs(), resources={"words": b"abcd"})
    assert f'"elements":[{int.from_bytes(b"abcd", "little")}]' in line.decode()


def refused(rune: Rune, resources: dict[str, bytes]) -> RunecError:
    with pytest.raises(RunecError) as caught:
        list(run_rune_bytes(rune, Inputs(), resources=resources))
    assert caught.value.hint
    return caught.value


def test_resources_that_are_missing_unknown_or_used_up_are_told(
    make_rune: MakeRune, sketch: type[Sketch]
) -> None:
    open_one = resource_rune(make_rune, sketch, None)
    missing = refused(open_one, {})
    assert isinstance(missing, UserFileError)
    assert (missing.code, missing.hint) == (
        "R0725",
        "add --file-resource words=FILE or --string-resource words=TEXT",
    )
    unknown = refused(open_one, {"wrods": b""})
    assert isinstance(unknown, UsageError)
    assert (unknown.code, unknown.hint) == ("R0723", "it has words")
    fixed = refused(resource_rune(make_rune, sketch, b"abcd"), {"words": b"efgh"})
    assert isinstance(fixed, UsageError)
    assert fixed.code == "R0724"


def test_a_model_is_given_at_run_time(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes
) -> None:
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAND, "f32[1, 1]"),),
        model=("sine", "f32[1, 1]"),
        outputs=(("serial", (1,)),),
        resources={"sine": b"another model"},
    )
    manifest = """
        (drop (call $request_capability (i32.const 1)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 4)))
        (drop (call $request_output (i32.const 1)))"""
    rune = make_rune(SINE_CALL, manifest, plan, '(data (i32.const 1056) "sine")')
    assert refused(rune, {}).code == "R0713"
    assert len(list(run_rune_bytes(rune, Inputs(), resources={"sine": sine}))) == 1


SINE_CALL = """
    (drop (call $request_provider_response (i32.const 1024) (i32.const 4) (i32.const 1)))
    (i32.store (i32.const 1040) (i32.const 1024))
    (i32.store (i32.const 1048) (i32.const 1032))
    (drop (call $rune_model_infer (i32.const 2) (i32.const 1040) (i32.const 1048)))
    (drop (call $consume_output (i32.const 3) (i32.const 1032) (i32.const 4)))
    (i32.const 0)"""


def test_a_trace_shows_every_stage_with_its_tensors(
    make_rune: MakeRune, sketch: type[Sketch], noop_text: tuple[str, str], numbers: Path
) -> None:
    call, manifest = noop_text
    rune = make_rune(
        call, manifest, sketch(blocks=(("twice", "i32[4]"),), outputs=(("out", (1,)),))
    )
    steps: list[Step] = []
    watch = Watch(step=steps.append)
    assert len(list(run_rune_bytes(rune, Inputs(raw=(numbers,)), repeats=2, watch=watch))) == 2
    assert [(step.stages, step.what) for step in steps] == 2 * [
        (("input",), "RAW"),
        (("twice",), "twice"),
        (("out",), "SERIAL"),
    ]
    assert all(step.milliseconds >= 0 for step in steps)
    assert [str(tensor) for tensor in steps[0].outputs] == ["i32[4] 0, 1, 2, 3"]
    assert steps[2].inputs == steps[0].outputs
    assert steps[0].lines()[1] == "  -> i32[4] 0, 1, 2, 3"


def test_a_long_tensor_is_cut_in_a_trace() -> None:
    tensor = traced_tensor(TensorType.parse("u8[100]"), bytes(range(100)))
    assert str(tensor) == "u8[100] 0, 1, 2, 3, 4, 5, 6, 7, … (100 in all, 0 to 99, mean 49.5)"
    step = Step(("a", "b"), "model", 1.25, (tensor,), ())
    assert unpack_step(pack_step(step)) == step
    assert step.lines()[0] == "a, b (model) 1.250 ms"


def test_nobody_who_does_not_ask_pays_for_a_trace(noop: Rune, numbers: Path) -> None:
    log: list[str] = []
    list(run_rune_bytes(noop, Inputs(raw=(numbers,)), watch=Watch(log=log.append)))
    assert log == []
