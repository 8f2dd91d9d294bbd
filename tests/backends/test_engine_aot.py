"""What only the compiler to C has: what it rejects, what it counts, how much stack it plans."""

from __future__ import annotations

import pytest
import wasmtime

from runec.backends.aot import AOT, compile_module
from runec.backends.aot.call_graph import UNCOUNTED_COST_MAX, analyse_calls, deepest_stack
from runec.backends.aot.code_module import CodeModule, read_code_module
from runec.container.errors import RuneFileError
from tests.backends.engine_modules import module


def code(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def parsed(functions: str) -> CodeModule:
    return read_code_module(code(f"(module (memory 1 1) {functions})"))


@pytest.mark.parametrize(
    "text",
    [
        module("i32.const 0", head='(import "env" "exit" (func (param i32)))'),
        module(
            "i32.const 0",
            head='(import "env" "request_capability" (func (param i64) (result i32)))',
        ),
        module("i32.const 0").replace('"_manifest"', '"_other"'),
        module("i32.const 0").replace("(result i32) i32.const 1)", "(result i64) i64.const 1)"),
        module("i32.const 0").replace("(memory", "(func $s) (start $s) (memory", 1),
        module("i32.const 0", head='(import "env" "memory2" (global i32))'),
        module("i32.const 0 i32.const 0 i32.const 0 memory.fill i32.const 0"),
    ],
)
def test_what_no_rune_has_is_rejected(text: str) -> None:
    with pytest.raises(RuneFileError):
        compile_module(code(text), 65536)


def test_a_damaged_module_raises_and_reads_nothing_else() -> None:
    whole = code(module("loop $l i32.const 1 br_if $l end i32.const 0"))
    rejected = 0
    for end in range(8, len(whole)):
        try:
            compile_module(whole[:end], 65536)
        except RuneFileError:
            rejected += 1
    # Only a custom section at the end may be missing.
    assert rejected >= whole.index(b"_call")


def test_short_calls_are_not_counted_and_long_ones_are() -> None:
    short, long_body = "nop " * 20, "nop " * (UNCOUNTED_COST_MAX + 1)
    leaf, caller, large, above = analyse_calls(
        parsed(
            f"(func $leaf {short}) (func $caller call $leaf call $leaf)"
            f"(func $large {long_body}) (func $above call $large)"
        )
    )
    assert [each.changes_steps for each in (leaf, caller)] == [False, False]
    assert large.counts_entry
    assert not above.has_steps
    assert above.changes_steps, "its callers must not keep a copy across the call"


def test_calls_that_double_at_each_level_are_counted_somewhere() -> None:
    levels = "(func $f0 nop)" + "".join(
        f"(func $f{n} call $f{n - 1} call $f{n - 1})" for n in range(1, 40)
    )
    counted = [each.counts_entry for each in analyse_calls(parsed(levels))]
    assert any(counted)
    # Between two counted levels the cost stays bounded.
    assert max(b - a for a, b in zip([0, *_places(counted)], _places(counted), strict=False)) < 15


def _places(flags: list[bool]) -> list[int]:
    return [index for index, flag in enumerate(flags) if flag]


def test_recursion_counts_its_calls_and_has_no_bound_of_stack() -> None:
    circular = parsed("(func $a call $b) (func $b call $a) (func $c call $a)")
    a, b, c = analyse_calls(circular)
    assert a.counts_entry
    assert b.counts_entry
    assert not c.counts_entry
    assert deepest_stack(circular) is None
    by_table = parsed(
        "(table 1 1 funcref) (elem (i32.const 0) $f) (func $f i32.const 0 call_indirect)"
    )
    assert deepest_stack(by_table) is None


def test_the_stack_is_that_of_the_deepest_path() -> None:
    flat = deepest_stack(parsed("(func $a) (func $b)"))
    deep = deepest_stack(parsed("(func $a) (func $b call $a) (func $c call $b)"))
    wide = deepest_stack(parsed(f"(func $a {'(local i64) ' * 100})"))
    assert flat is not None
    assert deep == 3 * flat
    assert wide == flat + 800


def test_a_rune_gets_the_stack_that_it_needs() -> None:
    assert AOT.stack_bytes(code(module("i32.const 0"))) == AOT.stack_least
    locals_ = "(local i64) " * 2000
    large = module("i32.const 0").replace("(param i32 i32 i32)", "(param i32 i32 i32)")
    large = large.replace("(result i32) i32.const 0", f"(result i32) {locals_} i32.const 0")
    assert (AOT.stack_bytes(code(large)) or 0) > 16_000
    recursive = module("i32.const 0 i32.const 0 i32.const 0 call $call")
    assert AOT.stack_bytes(code(recursive)) is None
