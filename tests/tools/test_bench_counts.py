"""The same numbers every time, for a rune and for its peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.boards import load_board
from tools.bench.__main__ import compare
from tools.bench.report import as_json

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.emulated
def test_two_benches_count_the_same_instructions() -> None:
    board = load_board("netduinoplus2")
    (one,), (two,) = (compare(EXAMPLES / "sine", board, ["wasm3"]) for _ in range(2))
    assert as_json(one) == as_json(two)
    assert one.rune.steady.model > 0
    assert one.rune.steady.blocks > one.peer.steady.blocks > 0
    # Nothing stands between a model and its engine but two copies of a tensor.
    assert abs(one.rune.steady.model / one.peer.steady.model - 1) < 0.05
    assert one.rune.results == one.peer.results


@pytest.mark.emulated
def test_a_rune_without_a_model_is_counted_too() -> None:
    (found,) = compare(EXAMPLES / "noop", load_board("netduinoplus2"), ["wasm3"])
    assert found.rune.first == found.rune.steady
    assert found.rune.steady.model == found.peer.steady.model == 0


@pytest.mark.emulated
def test_compiled_blocks_take_little_more_than_without_a_sandbox() -> None:
    interpreted, compiled = compare(
        EXAMPLES / "gesture", load_board("netduinoplus2"), ["wasm3", "aot"]
    )
    native = compiled.peer.steady.blocks
    assert compiled.rune.steady.blocks < 1.4 * native
    assert interpreted.rune.steady.blocks > 10 * native
    assert compiled.rune.flash_bytes < interpreted.rune.flash_bytes - 40 * 1024
