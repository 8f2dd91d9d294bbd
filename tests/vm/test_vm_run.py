from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime

from runec.container import Rune
from runec.diagnostics import RunecError, RuneError, UserFileError
from runec.pipeline import CapabilityKind, OutputKind
from runec.vm import Inputs, run_rune
from tests.originals import HOTG, needing

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch


def refused(rune: Rune, inputs: Inputs | None = None) -> RunecError:
    with pytest.raises(RunecError) as caught:
        list(run_rune(rune, inputs or Inputs(), timeout_s=20))
    assert caught.value.hint
    return caught.value


def test_noop_gives_the_originals_line(noop: Rune, numbers: Path) -> None:
    golden = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}'
    assert list(run_rune(noop, Inputs(raw=(numbers,)))) == [golden]
    assert list(run_rune(noop, Inputs(raw=(numbers,)), repeats=3)) == [golden] * 3


def test_a_missing_input_is_said_in_the_originals_words(noop: Rune) -> None:
    error = refused(noop)
    assert isinstance(error, UserFileError)
    assert error.code == "R0701"
    assert 'Unable to load the "RAW" input' in error.message
    assert error.hint == "add --raw FILE"


@pytest.mark.parametrize(
    ("length", "message"),
    [(15, "Requested 16 bytes but only 15 were provided"), (17, "Requested 16 bytes but 17 were")],
)
def test_an_input_of_the_wrong_length_is_refused_with_both_numbers(
    noop: Rune, tmp_path: Path, length: int, message: str
) -> None:
    path = tmp_path / "input.bin"
    path.write_bytes(bytes(length))
    error = refused(noop, Inputs(raw=(path,)))
    assert error.code == "R0702"
    assert message in error.message
    assert "input.bin" in error.message


def test_an_input_that_cannot_be_read_is_refused(noop: Rune, tmp_path: Path) -> None:
    assert refused(noop, Inputs(raw=(tmp_path / "none",))).code == "R1003"


def test_outputs_stand_in_order_of_consumption(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    call = """
        (drop (call $request_provider_response (i32.const 1024) (i32.const 4) (i32.const 1)))
        (drop (call $request_provider_response (i32.const 1032) (i32.const 4) (i32.const 2)))
        (drop (call $consume_output (i32.const 4) (i32.const 1032) (i32.const 4)))
        (drop (call $consume_output (i32.const 4) (i32.const 1024) (i32.const 4)))
        (drop (call $consume_output (i32.const 3) (i32.const 1024) (i32.const 4)))
        (i32.const 0)"""
    manifest = "(drop (call $request_capability (i32.const 5)))" * 2
    manifest += "(drop (call $request_output (i32.const 1)))" * 2
    raw = CapabilityKind.RAW
    plan = sketch(
        capabilities=(("a", raw, "f32[1]"), ("b", raw, "u8[2, 2]")),
        outputs=(("one", (0,)), ("two", (1, 0))),
    )
    path = tmp_path / "input.bin"
    path.write_bytes(struct.pack("<f", 1.5))
    f32 = '{"element-type":"f32","dimensions":[1],"elements":[1.5]}'
    u8 = '{"element-type":"u8","dimensions":[2,2],"elements":[0,0,192,63]}'
    assert list(run_rune(make_rune(call, manifest, plan), Inputs(raw=(path,)))) == [
        f'{{"4":[{u8},{f32}],"3":[{f32}]}}'
    ]


def test_a_source_picks_its_file(make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bytes([number] * 16))
        paths.append(path)
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_capability_set_param (i32.const 1) (i32.const 1024) (i32.const 6)
            (i32.const 1032) (i32.const 4) (i32.const 1)))
        (drop (call $request_output (i32.const 1)))"""
    data = '(data (i32.const 1024) "source") (data (i32.const 1032) "\\02\\00\\00\\00")'
    call = """
        (drop (call $request_provider_response (i32.const 2048) (i32.const 16) (i32.const 1)))
        (drop (call $consume_output (i32.const 2) (i32.const 2048) (i32.const 16)))
        (i32.const 0)"""
    rune = make_rune(call, manifest, sketch(parameters={"source": 2}), data)
    (line,) = run_rune(rune, Inputs(raw=tuple(paths)))
    assert f'"elements":[{",".join(["33686018"] * 4)}]' in line
    error = refused(rune, Inputs(raw=tuple(paths[:2])))
    assert error.code == "R0701"
    assert "number 3" in error.message


def test_random_data_goes_on_from_run_to_run_and_repeats_with_its_seed(
    make_rune: MakeRune, sketch: type[Sketch], noop_text: tuple[str, str]
) -> None:
    call, manifest = noop_text
    rune = make_rune(
        call,
        manifest.replace("(i32.const 5)", f"(i32.const {CapabilityKind.RAND.value})"),
        sketch(capabilities=(("input", CapabilityKind.RAND, "i32[4]"),)),
    )
    seven = list(run_rune(rune, Inputs(random_seed=7), repeats=2))
    assert len(set(seven)) == 2
    assert list(run_rune(rune, Inputs(random_seed=7), repeats=2)) == seven
    assert list(run_rune(rune, Inputs(random_seed=8))) != seven[:1]
    assert list(run_rune(rune, Inputs())) == list(run_rune(rune, Inputs(random_seed=0)))


def test_text_comes_out_as_text(make_rune: MakeRune, sketch: type[Sketch]) -> None:
    more = '(data (i32.const 1024) "\\04\\00\\00\\00Ring\\03\\00\\00\\00a\\ff\\22")'
    rune = make_rune(
        "(drop (call $consume_output (i32.const 1) (i32.const 1024) (i32.const 15))) (i32.const 0)",
        "(drop (call $request_output (i32.const 1)))",
        sketch(capabilities=(), blocks=(("label", "utf8[2]"),), outputs=(("serial", (0,)),)),
        more,
    )
    (line,) = run_rune(rune, Inputs())
    assert line == (
        '{"1":[{"element_type":"utf8","dimensions":[2],"elements":["Ring","a\ufffd\\""]}]}'
    )


def test_resources_are_read_piece_by_piece(make_rune: MakeRune, sketch: type[Sketch]) -> None:
    # Four bytes, then the two that are left, then none; what each read returned comes out too.
    call = """
        (i32.store (i32.const 1044)
            (call $rune_resource_read (i32.const 1) (i32.const 1040) (i32.const 4)))
        (i32.store (i32.const 1052)
            (call $rune_resource_read (i32.const 1) (i32.const 1048) (i32.const 4)))
        (i32.store (i32.const 1056)
            (call $rune_resource_read (i32.const 1) (i32.const 1060) (i32.const 4)))
        (call $rune_resource_close (i32.const 1))
        (drop (call $consume_output (i32.const 2) (i32.const 1040) (i32.const 20)))
        (i32.const 0)"""
    manifest = """
        (drop (call $rune_resource_open (i32.const 1024) (i32.const 5)))
        (if (i32.ne (call $rune_resource_open (i32.const 1024) (i32.const 4)) (i32.const -1))
            (then (unreachable)))
        (drop (call $request_output (i32.const 1)))"""
    plan = sketch(
        capabilities=(),
        blocks=(("read", "i32[5]"),),
        resources={"words": b"abcdef"},
        opened=1,
    )
    rune = make_rune(call, manifest, plan, '(data (i32.const 1024) "words")')
    first, second = (int.from_bytes(part, "little") for part in (b"abcd", b"ef\0\0"))
    (line,) = run_rune(rune, Inputs())
    assert f'"elements":[{first},4,{second},2,0]' in line


def run_sine(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes, value: float, folder: Path
) -> str:
    call = """
        (drop (call $request_provider_response (i32.const 1024) (i32.const 4) (i32.const 1)))
        (i32.store (i32.const 1040) (i32.const 1024))
        (i32.store (i32.const 1048) (i32.const 1032))
        (drop (call $rune_model_infer (i32.const 2) (i32.const 1040) (i32.const 1048)))
        (drop (call $consume_output (i32.const 3) (i32.const 1032) (i32.const 4)))
        (i32.const 0)"""
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 4)))
        (drop (call $request_output (i32.const 1)))"""
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAW, "f32[1, 1]"),),
        model=("sine", "f32[1, 1]"),
        outputs=(("serial", (1,)),),
        resources={"sine": sine},
    )
    rune = make_rune(call, manifest, plan, '(data (i32.const 1056) "sine")')
    path = folder / "input.bin"
    path.write_bytes(struct.pack("<f", value))
    (line,) = run_rune(rune, Inputs(raw=(path,)))
    return line


def test_a_model_gives_what_the_library_gives(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes, tmp_path: Path
) -> None:
    interpreter = runtime.Interpreter.from_bytes(sine, arena_size=100_000)
    interpreter.set_input(np.array([[0.8]], np.float32), 0)
    interpreter.invoke()
    expected = interpreter.get_output(0)[0, 0]
    line = run_sine(make_rune, sketch, sine, 0.8, tmp_path)
    assert line == (
        f'{{"3":[{{"element-type":"f32","dimensions":[1,1],"elements":[{expected!s}]}}]}}'
    )


@needing("sine/sinemodel.tflite")
def test_the_original_sine_model_gives_the_golden_line(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    model = (HOTG / "sine" / "sinemodel.tflite").read_bytes()
    assert run_sine(make_rune, sketch, model, 0.8, tmp_path) == (
        '{"3":[{"element-type":"f32","dimensions":[1,1],"elements":[0.69727874]}]}'
    )


def test_a_model_whose_tensors_are_not_the_graphs_is_refused(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes
) -> None:
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAW, "f32[1, 2]"),),
        model=("sine", "f32[1, 1]"),
        outputs=(("serial", (1,)),),
        resources={"sine": sine},
    )
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 4)))"""
    rune = make_rune("(i32.const 0)", manifest, plan, '(data (i32.const 1056) "sine")')
    error = refused(rune)
    assert error.code == "R0714"
    assert "f32[1, 2]" in error.message
    assert "f32[1, 1]" in error.message


@pytest.mark.parametrize(
    ("change", "hint"),
    [("none", "name the .tflite"), ("damaged", "export the model again"), ("operator", "operator")],
)
def test_a_model_that_the_library_refuses_is_an_error_that_says_why(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes, change: str, hint: str
) -> None:
    expected = "the model sine cannot be run"
    model = sine
    if change == "none":
        model = b"a text, and no model"
    elif change == "damaged":
        model = sine[:1200] + bytes(len(sine) - 1200)
    else:
        # FULLY_CONNECTED (9) becomes HASHTABLE_LOOKUP (10), which neither library gives these.
        at = sine.index(b"\x09\x00\x00\x00", len(sine) - 64)
        model = sine[:at] + b"\x0a" + sine[at + 1 :]
        model = model.replace(b"\x00\x09\x04\x00", b"\x00\x0a\x04\x00")
        expected = "HASHTABLE_LOOKUP"
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAW, "f32[1, 1]"),),
        model=("sine", "f32[1, 1]"),
        outputs=(("serial", (1,)),),
        resources={"sine": model},
    )
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 4)))"""
    rune = make_rune("(i32.const 0)", manifest, plan, '(data (i32.const 1056) "sine")')
    error = refused(rune)
    assert error.code in {"R0713", "R0721"}
    assert expected in error.message
    if error.code == "R0713":
        assert hint in (error.hint or "")


def test_output_kinds_without_writer_are_refused_by_name(
    make_rune: MakeRune, sketch: type[Sketch]
) -> None:
    error = refused(make_rune(sketch=sketch(output_kind=OutputKind.BLE)))
    assert error.code == "R0706"
    assert "BLE" in error.message


def test_what_the_rune_says_goes_to_the_log(
    make_rune: MakeRune, noop_text: tuple[str, str], numbers: Path
) -> None:
    call, manifest = noop_text
    say = "(drop (call $_debug (i32.const 1200) (i32.const {length})))"
    original = "{\\22message\\22:\\22from rust\\22,\\22level\\22:\\22INFO\\22}"
    rune = make_rune(
        say.format(length=5) + call,
        manifest + "(drop (call $_debug (i32.const 1210) (i32.const 38)))",
        None,
        f'(data (i32.const 1200) "hello") (data (i32.const 1210) "{original}")',
    )
    said: list[str] = []
    assert len(list(run_rune(rune, Inputs(raw=(numbers,)), log=said.append))) == 1
    assert said == ["from rust", "hello"]


def test_a_failed_stage_is_named_with_its_message(
    make_rune: MakeRune, noop_text: tuple[str, str], sketch: type[Sketch]
) -> None:
    rune = make_rune(
        "(drop (call $_debug (i32.const 1200) (i32.const 9))) (i32.const 2)",
        noop_text[1],
        sketch(blocks=(("label", "i32[4]"),)),
        '(data (i32.const 1200) "no label!")',
    )
    error = refused(rune)
    assert isinstance(error, RuneError)
    assert (error.code, error.exit_code) == ("R0709", 3)
    assert "the stage label (number 2) failed: no label!" in error.message
