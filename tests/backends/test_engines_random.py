"""Random modules in every engine beside wasmtime: the same results, and the same traps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

from tests.backends.random_modules import random_module

OK, TRAP, OUT_OF_BOUNDS, STACK = 0, 301, 302, 303
FUNCTIONS, MEMORY = 25, 1024
CODES: dict[wasmtime.TrapCode | None, int] = {
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: OUT_OF_BOUNDS,
    wasmtime.TrapCode.STACK_OVERFLOW: STACK,
}


def by_wasmtime(text: str) -> list[tuple[int, int]]:
    """Return error and result of each function; memory is what its pages hold."""
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, text)
    exports = wasmtime.Instance(store, module, []).exports(store)
    call = exports["_call"]
    assert isinstance(call, wasmtime.Func)
    found = []
    for number in range(FUNCTIONS):
        try:
            found.append((OK, call(store, 0, number, number) & 0xFFFFFFFF))
        except wasmtime.Trap as trap:
            found.append((CODES.get(trap.trap_code, TRAP), 0))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_random_modules_compute_what_wasmtime_computes(
    run_engine: Callable[..., list[Any]], seed: int
) -> None:
    # One page: wasmtime has no smaller memory.
    text = random_module(seed, FUNCTIONS, MEMORY)
    stages = [f"stage:{number}" for number in range(FUNCTIONS)]
    loaded, *answers = run_engine(text, "load", *stages, memory=65536, pool=1 << 20)
    assert loaded.error == OK
    expected = by_wasmtime(text)
    assert [(said.error, said.result) for said in answers] == expected
    assert sum(error == OK for error, _ in expected) >= 3, "most of it would not be compared"
