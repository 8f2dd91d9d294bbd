"""Modules that mean harm: each ends in a coded error, in time, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.container import Rune
from runec.diagnostics import RuneError
from runec.pipeline import CapabilityKind
from runec.vm import Inputs, run_rune
from tests.common import children

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def failure(rune: Rune, *, timeout_s: float = 30, inputs: Inputs | None = None) -> RuneError:
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, inputs or Inputs(random_seed=1), timeout_s=timeout_s))
    assert caught.value.hint
    assert caught.value.exit_code == 3
    return caught.value


# What traps, and a word of what to do.
TRAPS = {
    "unreachable executed": ("(unreachable)", "panic"),
    "integer divide by zero": ("(i32.div_s (i32.const 1) (i32.const 0))", "divisor of zero"),
    "integer overflow": ("(i32.div_s (i32.const 0x80000000) (i32.const -1))", "integer type"),
    "out of bounds memory access": ("(i32.load (i32.const 65533))", "outside its tensors"),
    "invalid conversion to integer": ("(i32.trunc_f32_s (f32.const nan))", "NaN"),
}


@pytest.mark.parametrize("kind", TRAPS)
def test_a_trap_is_named(make_rune: MakeRune, kind: str) -> None:
    call, advice = TRAPS[kind]
    error = failure(make_rune(call))
    assert error.code == "R0708"
    assert kind in error.message
    assert advice in str(error.hint)


def test_memory_past_what_the_rune_declares_is_out_of_bounds(make_rune: MakeRune) -> None:
    used = make_rune("(i32.const 0)").require_graph().memory_used
    assert used % 65536, "else the page ends there as well"
    within = make_rune(f"(drop (i32.load8_u (i32.const {used - 1}))) (i32.const 0)")
    assert failure(within).code == "R0710", "it ran, but gave no output"
    for access in (
        f"(i32.load8_u (i32.const {used}))",
        f"(i32.load (i32.const {used - 3}))",
        f"(i32.store8 (i32.const {used}) (i32.const 1)) (i32.const 0)",
        "(i32.load8_u (i32.const 65535))",
    ):
        error = failure(make_rune(access))
        assert error.code == "R0708"
        assert "out of bounds memory access" in error.message


def test_a_trap_names_the_set_up_and_without_a_code_map_no_stage(make_rune: MakeRune) -> None:
    assert failure(make_rune("(unreachable)")).message.startswith("the rune trapped: ")
    message = failure(make_rune("(i32.const 0)", "(unreachable)")).message
    assert message.startswith("the rune trapped while it was set up: ")


def test_a_loop_without_end_is_stopped(make_rune: MakeRune) -> None:
    rune = make_rune("(loop $again (br $again)) (i32.const 0)")
    start = time.monotonic()
    error = failure(rune, timeout_s=1.5)
    assert error.code == "R0711"
    assert "1.5 s" in error.message
    assert time.monotonic() - start < 10


def test_a_loop_without_end_in_the_manifest_is_stopped(make_rune: MakeRune) -> None:
    rune = make_rune("(i32.const 0)", "(loop $again (br $again))")
    assert failure(rune, timeout_s=1.5).code == "R0711"


def test_recursion_without_end_is_stopped(make_rune: MakeRune) -> None:
    more = "(func $deep (param i32) (result i32) (call $deep (local.get 0)))"
    error = failure(make_rune("(call $deep (i32.const 1))", more=more))
    assert error.code == "R0708"
    assert "stack overflow" in error.message
    assert "stack_bytes" in str(error.hint)


def test_recursion_with_many_locals_is_stopped(make_rune: MakeRune) -> None:
    more = (
        "(func $deep (param i64) (result i64) (i64.add (call $deep (local.get 0)) (local.get 0)))"
    )
    error = failure(make_rune("(drop (call $deep (i64.const 1))) (i32.const 0)", more=more))
    assert error.code in {"R0708", "R0712"}


def test_memory_does_not_grow(make_rune: MakeRune) -> None:
    rune = make_rune(
        "(if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (i32.const 5)"
    )
    assert failure(rune).code == "R0709"  # 5: it was reached, growing failed


def test_a_log_without_end_is_stopped(make_rune: MakeRune) -> None:
    rune = make_rune(
        "(loop $again (drop (call $_debug (i32.const 0) (i32.const 4096))) (br $again))"
        " (i32.const 0)"
    )
    lines: list[str] = []
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, Inputs(), log=lines.append, timeout_s=30))
    assert caught.value.code == "R0715"
    assert 0 < len(lines) <= 256


def test_log_lines_without_text_are_bounded_too(make_rune: MakeRune) -> None:
    rune = make_rune(
        "(loop $again (drop (call $_debug (i32.const 0) (i32.const 0))) (br $again)) (i32.const 0)"
    )
    assert failure(rune, timeout_s=60).code in {"R0715", "R0711"}


# What `_call` does, with which part of the message.
BAD_CALLS = {
    "_debug outside": ("(drop (call $_debug (i32.const -1) (i32.const 2)))", "outside"),
    "_debug longer than memory": ("(drop (call $_debug (i32.const 0) (i32.const -1)))", "outside"),
    "past the declared memory": ("(drop (call $_debug (i32.const 4090) (i32.const 7)))", "4096"),
    "capability in a run": ("(drop (call $request_capability (i32.const 1)))", "_manifest only"),
    "output in a run": ("(drop (call $request_output (i32.const 1)))", "_manifest only"),
    "model in a run": (
        "(drop (call $rune_model_open (i32.const 0) (i32.const 1)))",
        "_manifest only",
    ),
    "unknown capability": (
        "(drop (call $request_provider_response (i32.const 0) (i32.const 16) (i32.const 2)))",
        "2 is not a capability's id",
    ),
    "another length": (
        "(drop (call $request_provider_response (i32.const 0) (i32.const 15) (i32.const 1)))",
        "15 bytes for a tensor i32[4]",
    ),
    "data outside": (
        "(drop (call $request_provider_response (i32.const 4084) (i32.const 16) (i32.const 1)))",
        "outside",
    ),
    "unknown model": (
        "(drop (call $rune_model_infer (i32.const 1) (i32.const 0) (i32.const 0)))",
        "1 is not a model's id",
    ),
    "unknown output": (
        "(drop (call $consume_output (i32.const 1) (i32.const 0) (i32.const 16)))",
        "1 is not an output's id",
    ),
    "output of another length": (
        "(drop (call $consume_output (i32.const 2) (i32.const 0) (i32.const 17)))",
        "17 bytes for a tensor i32[4]",
    ),
    "output outside": (
        "(drop (call $consume_output (i32.const 2) (i32.const -16) (i32.const 16)))",
        "outside",
    ),
    "output twice": (
        "(drop (call $consume_output (i32.const 2) (i32.const 0) (i32.const 16)))" * 2,
        "more tensors",
    ),
    "no output at all": ("", "incomplete"),
    "unknown resource": (
        "(drop (call $rune_resource_read (i32.const 9) (i32.const 0) (i32.const 1)))",
        "no resource is open",
    ),
    "closing an unknown resource": (
        "(call $rune_resource_close (i32.const 1))",
        "no resource is open",
    ),
}


@pytest.mark.parametrize("what", BAD_CALLS)
def test_a_bad_call_of_the_host_in_a_run_traps(
    make_rune: MakeRune, sketch: type[Sketch], what: str
) -> None:
    call, part = BAD_CALLS[what]
    manifest = "(drop (call $request_capability (i32.const 1)))"
    manifest += "(drop (call $request_output (i32.const 1)))"
    plan = sketch(capabilities=(("noise", CapabilityKind.RAND, "i32[4]"),))
    error = failure(make_rune(f"{call} (i32.const 0)", manifest, plan))
    assert error.code == "R0710"
    assert part in error.message


CAPABILITY = "(drop (call $request_capability (i32.const 1)))"
PARAMETER = """(drop (call $request_capability_set_param (i32.const 1) (i32.const 1026)
    (i32.const 2) (i32.const 0) (i32.const 4) (i32.const {})))"""
PROVIDE = "(drop (call $request_provider_response (i32.const 0) (i32.const 16) (i32.const 1)))"
OPEN = "(drop (call $rune_model_open (i32.const 0) (i32.const {})))"

BAD_SETUPS = {
    "unknown capability kind": ("(drop (call $request_capability (i32.const 77)))", "77"),
    "another capability kind": ("(drop (call $request_capability (i32.const 5)))", "no RAW"),
    "a capability too many": (CAPABILITY * 2, "id 2"),
    "unknown output kind": ("(drop (call $request_output (i32.const 0)))", "0"),
    "an output before the capability": ("(drop (call $request_output (i32.const 1)))", "id 1"),
    "an unknown model": (OPEN.format(3), "no model"),
    "a name without end": (OPEN.format(-1), "a name of"),
    "a name that is not text": (
        "(drop (call $rune_resource_open (i32.const 1024) (i32.const 2)))",
        "UTF-8",
    ),
    "a parameter of nobody": (PARAMETER.format(1), "1 is not a capability's id"),
    "an unlisted parameter": (CAPABILITY + PARAMETER.format(1), "the graph does not list"),
    "a value of another type": (CAPABILITY + PARAMETER.format(9), "value type 9"),
    "data in the set-up": (CAPABILITY + PROVIDE, "_call only"),
}


@pytest.mark.parametrize("what", BAD_SETUPS)
def test_a_bad_call_of_the_host_in_the_manifest_traps(
    make_rune: MakeRune, sketch: type[Sketch], what: str
) -> None:
    manifest, part = BAD_SETUPS[what]
    plan = sketch(capabilities=(("noise", CapabilityKind.RAND, "i32[4]"),))
    more = '(data (i32.const 1024) "\\ff\\fehz")'
    error = failure(make_rune("(i32.const 0)", manifest, plan, more))
    assert error.code == "R0710"
    assert part in error.message


def test_a_text_that_does_not_fit_its_tensor_traps(
    make_rune: MakeRune, sketch: type[Sketch]
) -> None:
    plan = sketch(capabilities=(), blocks=(("label", "utf8[1]"),))
    manifest = "(drop (call $request_output (i32.const 1)))"
    for start, length in (("\\05\\00\\00\\00Ring", 8), ("\\03\\00\\00\\00Ring", 8), ("\\01", 2)):
        call = f"(drop (call $consume_output (i32.const 1) (i32.const 1024) (i32.const {length})))"
        rune = make_rune(
            call + "(i32.const 0)", manifest, plan, f'(data (i32.const 1024) "{start}")'
        )
        error = failure(rune)
        assert error.code == "R0710"
        assert "text" in error.message


def test_pointers_of_a_model_outside_memory_trap(
    make_rune: MakeRune, sketch: type[Sketch], sine: bytes
) -> None:
    plan = sketch(
        capabilities=(("noise", CapabilityKind.RAND, "f32[1, 1]"),),
        model=("sine", "f32[1, 1]"),
        outputs=(("serial", (1,)),),
        resources={"sine": sine},
    )
    manifest = """
        (drop (call $request_capability (i32.const 1)))
        (drop (call $rune_model_open (i32.const 1024) (i32.const 4)))"""
    more = """(data (i32.const 1024) "sine") (data (i32.const 1032) "\\fd\\0f\\00\\00")"""
    for inputs, outputs in ((-4, 1040), (1032, 1040), (1040, 1032), (1040, 4094)):
        call = f"(call $rune_model_infer (i32.const 2) (i32.const {inputs}) (i32.const {outputs}))"
        error = failure(make_rune(call, manifest, plan, more))
        assert error.code == "R0710"
        assert "outside" in error.message


FORBIDDEN = {
    "bulk memory": "(memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (i32.const 0)",
    "vectors": "(i32x4.extract_lane 0 (v128.const i32x4 0 0 0 0))",
    "several results": "(block (result i32 i32) (i32.const 0) (i32.const 0)) (drop)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_features_that_devices_lack_are_refused(make_rune: MakeRune, what: str) -> None:
    assert failure(make_rune(FORBIDDEN[what])).code == "R0707"


def test_allowed_features_run(make_rune: MakeRune) -> None:
    call = """
        (i32.add (i32.extend8_s (i32.const 0x80))
            (i32.add (i32.const 128) (i32.trunc_sat_f32_s (f32.const 2.5))))"""
    assert "number 2" in failure(make_rune(call)).message


def test_invalid_code_is_refused_before_it_runs(make_rune: MakeRune, sketch: type[Sketch]) -> None:
    from runec.container import read_rune
    from runec.container.writer import assemble

    good = make_rune("(i32.add (i32.const 1) (i32.const 2))").code
    bad = good.replace(b"\x41\x01\x41\x02\x6a", b"\x41\x01\x41\x02\x92")  # f32.add of two i32
    assert bad != good
    rune = read_rune(assemble(sketch().graph(bad), bad, {}))
    error = failure(rune)
    assert error.code == "R0707"
    assert "type mismatch" in error.message


def test_leaving_the_iterator_ends_the_process(noop: Rune, numbers: Path) -> None:
    before = children()
    lines = run_rune(noop, Inputs(raw=(numbers,)), repeats=3)
    next(lines)
    assert len(children() - before) == 1
    lines.close()
    assert children() == before


def test_a_process_that_is_killed_is_an_error(noop: Rune, numbers: Path) -> None:
    before = children()
    lines = run_rune(noop, Inputs(raw=(numbers,)), repeats=2)
    next(lines)
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(RuneError) as caught:
        next(lines)
    assert caught.value.code == "R0712"
    assert "SIGKILL" in caught.value.message


INTERRUPTED = """
import sys
from pathlib import Path
from runec.container import load_rune
from runec.vm import Inputs, run_rune
print("ready", flush=True)
rune = load_rune(Path(sys.argv[1]))
try:
    list(run_rune(rune, Inputs(), timeout_s=60, log=lambda text: print(text, flush=True)))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_both_processes(endless_rune: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(endless_rune)], stdout=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "ready\n"
            assert parent.stdout.readline() == "start\n"
            (child,) = children(parent.pid)
            parent.send_signal(signal.SIGINT)
            assert parent.stdout.readline() == "interrupted\n"
            assert parent.wait(timeout=10) == 0
            assert not Path(f"/proc/{child}").exists()
        finally:
            parent.kill()
