"""What every engine does with a module; `run_engine` is each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.backends.engine_modules import module

OK, TRAP, OUT_OF_BOUNDS, STACK, TIME, ENGINE, NO_DATA = 0, 301, 302, 303, 307, 308, 401

RunEngine = Callable[..., list[Any]]


def test_exports_are_called_and_return_their_results(run_engine: RunEngine) -> None:
    answers = run_engine(module("i32.const 7"), "load", "manifest", "call")
    assert [(said.error, said.result) for said in answers] == [(OK, 0), (OK, 1), (OK, 7)]


def test_host_functions_get_their_arguments_and_give_their_result(run_engine: RunEngine) -> None:
    head = """(import "env" "request_provider_response"
                (func $ask (param i32 i32 i32) (result i32)))
              (import "env" "rune_resource_close" (func $close (param i32)))"""
    call = "i32.const 5 call $close i32.const 1 i32.const 2 i32.const 3 call $ask"
    *_, called, count = run_engine(module(call, head=head), "load", "call", "calls")
    assert (called.error, called.result) == (OK, 321)
    assert count.result == 6


def test_a_host_functions_error_ends_the_call_and_comes_back(run_engine: RunEngine) -> None:
    head = '(import "env" "request_capability" (func $ask (param i32) (result i32)))'
    call = "i32.const 1 call $ask drop unreachable"
    *_, called = run_engine(module(call, head=head), "load", "call")
    assert called.error == NO_DATA


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("unreachable", TRAP),
        ("i32.const 1 i32.const 0 i32.div_s", TRAP),
        ("i32.const 0x80000000 i32.const -1 i32.div_s", TRAP),
        ("f32.const nan i32.trunc_f32_s", TRAP),
        ("i32.const 997 i32.load", OUT_OF_BOUNDS),
        ("i32.const 1000 i32.const 1 i32.store8 i32.const 0", OUT_OF_BOUNDS),
        ("i32.const -1 i32.load8_u", OUT_OF_BOUNDS),
        ("i32.const -4 i32.load offset=4294967295", OUT_OF_BOUNDS),
        ("i32.const 996 i32.load", OK),
        ("i32.const 999 i32.load8_u", OK),
        ("i32.const 0 i32.const 0 i32.const 0 call $call", STACK),
        ("loop $l br $l end i32.const 0", TIME),
        ("loop $l i32.const 1 br_if $l end i32.const 0", TIME),
        ("loop $l i32.const 0 br_table $l $l end i32.const 0", TIME),
        ("loop $a loop $b br $a end end i32.const 0", TIME),
    ],
)
def test_what_a_rune_may_not_do_ends_in_its_error(
    run_engine: RunEngine, call: str, error: int
) -> None:
    *_, called, manifest = run_engine(module(call), "load", "call", "manifest", memory=1000)
    assert called.error == error
    assert manifest.error == OK, "the engine lives on"


@pytest.mark.parametrize(("turns", "looks"), [(1, 0), (1000, 0), (5000, 4), (102_500, 100)])
def test_the_clock_is_looked_at_once_in_1024_turns(
    run_engine: RunEngine, turns: int, looks: int
) -> None:
    loop = f"""i32.const {turns} local.set 0
        loop $l local.get 0 i32.const 1 i32.sub local.tee 0 br_if $l end i32.const 0"""
    *_, spent = run_engine(module(loop), "load", "spent")
    assert (spent.error, spent.result) == (OK, looks)


def test_calls_that_take_time_without_depth_are_stopped(run_engine: RunEngine) -> None:
    twice = "local.get 0 i32.const 1 i32.sub call $f " * 2
    head = f"""(func $f (param i32) (result i32)
        local.get 0 i32.eqz if (result i32) i32.const 1 else {twice} i32.add end)"""
    text = module("i32.const 40 call $f", head="").replace("(memory", f"{head} (memory", 1)
    *_, called = run_engine(text, "load", "call")
    assert called.error == TIME


def test_indirect_calls_check_table_and_type(run_engine: RunEngine) -> None:
    table = "(table 2 2 funcref) (elem (i32.const 0) $call) (type $other (func (result i64)))"
    for index in (0, 1, 7):
        call = f"i32.const {index} call_indirect (type $other) drop i32.const 0"
        text = module(call).replace("(memory", f"{table} (memory", 1)
        *_, called = run_engine(text, "load", "call")
        assert called.error == TRAP


def test_memory_does_not_grow(run_engine: RunEngine) -> None:
    *_, called = run_engine(module("i32.const 1 memory.grow"), "load", "call")
    assert (called.error, called.result) == (OK, 0xFFFFFFFF)


def test_only_the_declared_memory_exists(run_engine: RunEngine) -> None:
    *_, memory = run_engine(module("i32.const 0"), "load", "memory", memory=1088)
    assert memory.result == 1088


def test_a_new_instance_starts_with_clean_memory(run_engine: RunEngine) -> None:
    call = "i32.const 0 i32.const 9 i32.store unreachable"
    answers = run_engine(module(call), "load", "call", "memory", "load", "memory", "manifest")
    assert [said.detail for said in answers if said.detail in ("zero", "not zero")] == [
        "not zero",
        "zero",
    ]
    assert answers[-1].error == OK


def test_deep_recursion_stops_at_the_c_stacks_floor(run_engine: RunEngine) -> None:
    call = "i32.const 0 i32.const 0 i32.const 0 call $call"
    for c_stack in (0, 1024, 16 * 1024):
        *_, called = run_engine(module(call), "load", "call", c_stack=c_stack)
        assert called.error == STACK
