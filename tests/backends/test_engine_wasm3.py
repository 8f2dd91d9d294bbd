from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

from runec.backends import wasm3
from tests.backends.engine_modules import module

OK, HEAP, ENGINE = 0, 203, 308

RunEngine = Callable[..., list[Any]]


@pytest.mark.parametrize(
    "text",
    [
        module("i32.const 0", head='(import "env" "exit" (func (param i32)))'),
        module(
            "i32.const 0",
            head='(import "wasi" "request_capability" (func (param i32) (result i32)))',
        ),
        module(
            "i32.const 0",
            head='(import "env" "request_capability" (func (param i64) (result i32)))',
        ),
        module("i32.const 0", head='(import "env" "request_capability" (func (param i32)))'),
        module("i32.const 0").replace('"_manifest"', '"_other"'),
        module("i32.const 0").replace("(result i32) i32.const 1)", "(result i64) i64.const 1)"),
        module("i32.const 0").replace("(memory", "(func $s) (start $s) (memory", 1),
    ],
)
def test_modules_that_are_no_runes_are_refused(run_wasm3: RunEngine, text: str) -> None:
    loaded, called = run_wasm3(text, "load", "call")
    assert loaded.error == ENGINE
    assert loaded.detail
    assert called.error == ENGINE


def test_a_pool_of_any_size_is_enough_or_says_so(run_wasm3: RunEngine) -> None:
    head = """(import "env" "request_provider_response"
        (func $ask (param i32 i32 i32) (result i32)))"""
    call = "i32.const 1 i32.const 2 i32.const 3 call $ask"
    text = (
        module(call, head=head)
        .replace("(memory", "(global $g i32 (i32.const 3)) (memory", 1)
        .replace("(func (export", '(data (i32.const 8) "abc") (func (export', 1)
    )
    outcomes = []
    for pool in range(0, 24 * 1024, 331):
        loaded, called = run_wasm3(text, "load", "call", memory=256, pool=pool)
        assert loaded.error in (OK, HEAP)
        assert (called.error == OK) == (loaded.error == OK)
        outcomes.append(loaded.error)
    assert outcomes == sorted(outcomes, reverse=True), "more room never hurts"
    assert outcomes[0] == HEAP
    assert outcomes[-1] == OK


@pytest.mark.parametrize("blocks", [1, 40])
def test_the_heap_rule_is_an_upper_bound(run_wasm3: RunEngine, blocks: int) -> None:
    body = "local.get 0 i32.const 3 i32.mul i32.const 100 i32.add local.set 0 " * 8
    functions = "".join(
        f"(func $f{i} (param i32) (result i32) {body} local.get 0)" for i in range(blocks)
    )
    call = "local.get 0 " + "".join(f"call $f{i} " for i in range(blocks))
    text = module(call).replace("(memory", f"{functions} (memory", 1)
    code = len(bytes(wasmtime.wat2wasm(text)))
    bound = wasm3.engine_heap_bytes(code, blocks + 2)
    pool = 1088 + bound
    loaded, called, heap = run_wasm3(text, "load", "call", "heap", memory=1088, pool=2 * pool)
    assert (loaded.error, called.error) == (OK, OK)
    # Pointers here have 8 bytes, on devices 4; what the engine holds is mostly pointers.
    assert heap.result < 2 * bound
