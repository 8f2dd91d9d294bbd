"""A rune that requests input without end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.diagnostics import RuneError
from runec.vm import REQUESTS_MAX, Inputs, run_rune

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune

ASK = "(drop (call $request_provider_response (i32.const 0) (i32.const 16) (i32.const 1)))"


def asking(times: int) -> str:
    """What `_call` does to ask so often, or, where it is negative, without end."""
    return f"""
        (loop $again
            {ASK}
            (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
            (br_if $again (i32.ne (i32.load (i32.const 64)) (i32.const {times}))))
        (i32.store (i32.const 64) (i32.const 0))
        (drop (call $consume_output (i32.const 2) (i32.const 0) (i32.const 16)))
        (i32.const 0)"""


def test_requests_without_end_end_the_run(
    make_rune: MakeRune, noop_text: tuple[str, str], numbers: Path
) -> None:
    rune = make_rune(asking(-1), noop_text[1])
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, Inputs(raw=(numbers,)), timeout_s=60))
    assert caught.value.code == "R0925"
    assert str(REQUESTS_MAX) in caught.value.message


def test_the_limit_is_of_one_run(
    make_rune: MakeRune, noop_text: tuple[str, str], numbers: Path
) -> None:
    rune = make_rune(asking(REQUESTS_MAX), noop_text[1])
    assert len(list(run_rune(rune, Inputs(raw=(numbers,)), repeats=3, timeout_s=60))) == 3
