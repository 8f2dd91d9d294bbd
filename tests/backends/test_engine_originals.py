"""The memory of original runes, which grows: up to what the engine was told, and no further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runec.backends import wasm3

OK, OUT_OF_BOUNDS = 0, 302
PAGE = 65536
POOL = 6 * PAGE

RunEngine = Callable[..., list[Any]]


def module(call: str, *, manifest: str = "i32.const 1", head: str = "", pages: int = 1) -> str:
    return f"""(module {head}
        (memory (export "memory") {pages})
        (func (export "_manifest") (result i32) {manifest})
        (func (export "_call") (param i32 i32 i32) (result i32) {call}))"""


def results(answers: list[Any]) -> list[tuple[int, int]]:
    return [(said.error, said.result) for said in answers]


def test_memory_starts_as_the_module_says_and_grows_up_to_the_limit(
    run_original: RunEngine,
) -> None:
    text = module("i32.const 1 memory.grow", manifest="memory.size")
    commands = ("load", "manifest", "memory", "call", "memory", "call", "memory", "call", "memory")
    answers = run_original(text, *commands, memory=3 * PAGE, pool=POOL)
    assert results(answers[1:]) == [
        (OK, 1),
        (OK, PAGE),
        (OK, 1),
        (OK, 2 * PAGE),
        (OK, 2),
        (OK, 3 * PAGE),
        (OK, 0xFFFFFFFF),
        (OK, 3 * PAGE),
    ]


def test_more_than_there_is_gives_minus_one_and_changes_nothing(run_original: RunEngine) -> None:
    for pages in ("3", "65535", "0x7fffffff"):
        text = module(f"i32.const {pages} memory.grow", manifest="memory.size")
        answers = run_original(text, "load", "call", "manifest", memory=3 * PAGE, pool=POOL)
        assert results(answers[1:]) == [(OK, 0xFFFFFFFF), (OK, 1)]


def test_what_was_there_stays_and_what_comes_is_zero(run_original: RunEngine) -> None:
    # The last word of the old page is kept, every word of the new ones is zero.
    call = """
        (local $at i32) (local $bits i32)
        (i32.store (i32.const 65532) (i32.const 77))
        (drop (memory.grow (i32.const 2)))
        (local.set $at (i32.const 65536))
        (loop $next
            (local.set $bits (i32.or (local.get $bits) (i32.load (local.get $at))))
            (i32.store (local.get $at) (i32.const -1))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 196608))))
        (i32.add (local.get $bits) (i32.load (i32.const 65532)))"""
    # Instantiated twice: what the first instance wrote is gone.
    answers = run_original(module(call), "load", "call", "load", "call", memory=3 * PAGE, pool=POOL)
    assert results(answers) == [(OK, 0), (OK, 77)] * 2


def test_an_access_past_what_has_been_grown_to_traps(run_original: RunEngine) -> None:
    load = "(i32.load (i32.const 131068))"
    before = run_original(module(load), "load", "call", memory=3 * PAGE, pool=POOL)
    assert before[1].error == OUT_OF_BOUNDS
    grown = module(f"(drop (memory.grow (i32.const 1))) {load}")
    assert run_original(grown, "load", "call", memory=3 * PAGE, pool=POOL)[1].error == OK


def test_growing_moves_nothing_and_needs_no_second_block(run_original: RunEngine) -> None:
    """The pool is what a firmware reserves; with a copy of the memory it would not be enough."""
    text = module("i32.const 1 memory.grow")
    heap = wasm3.engine_heap_bytes(200, 2, is_original=True)
    answers = run_original(
        text, "load", "call", "call", "call", "heap", memory=4 * PAGE, pool=4 * PAGE + 2 * heap
    )
    assert results(answers[1:4]) == [(OK, 1), (OK, 2), (OK, 3)]
    assert 0 < answers[4].result <= 2 * heap  # 64-bit pointers: twice that of a device


def test_data_and_memory_in_the_middle_of_a_page_work(run_original: RunEngine) -> None:
    head = '(data (i32.const 65530) "\\01\\02")'
    answers = run_original(
        module("(i32.load8_u (i32.const 65531))", head=head), "load", "call", memory=PAGE, pool=POOL
    )
    assert results(answers) == [(OK, 0), (OK, 2)]


def test_a_negative_growth_leaves_memory_that_is_checked(run_original: RunEngine) -> None:
    text = module(
        "(drop (memory.grow (i32.const -1))) (i32.load (i32.const 65536))",
        manifest="i32.const 1 memory.grow",
    )
    answers = run_original(text, "load", "manifest", "call", memory=3 * PAGE, pool=POOL)
    assert answers[1].error == OK
    # wasm3 of the host shrinks the memory here as well; nobody reaches past its end.
    assert answers[2].error == OUT_OF_BOUNDS
