"""The aggregators and moving_window, which remember, and control_logic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.pipeline import TensorType

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import CompiledBlock, Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=30)

AGGREGATORS = ["gesture_agg", "microspeech_agg", "person_detection_agg", "debounce"]
GESTURES = ("Wing", "Ring", "Slope", "Unknown")
MISSING = "<MISSING>"


def words(block: CompiledBlock, values: list[float], dtype: str = "<f4") -> str:
    (word,) = block.words(np.array(values).astype(dtype).tobytes())
    return word


@pytest.mark.parametrize("name", AGGREGATORS)
def test_aggregators_give_the_originals_vectors(use: Use, name: str) -> None:
    once = use(name, "f32[4]", labels=GESTURES).restart()
    assert words(once, [0.010419448, 0.9256067, 0.016922968, 0.047050953]) == "Ring"
    throttled = use(name, "f32[4]", labels=GESTURES, throttle_interval=3).restart()
    got = [words(throttled, [0, 1, 0, 0]) for _ in range(4)]
    assert got == ["Ring", MISSING, MISSING, "Ring"]


def test_an_aggregator_of_bytes_does_not_overflow(use: Use) -> None:
    labels = ("unknown", "silence", "yes", "no")
    block = use("microspeech_agg", "u8[1, 4]", labels=labels, throttle_interval=1).restart()
    got = [words(block, [128, 245, 0, 0], "<u1") for _ in range(20)]
    assert got == ["silence"] * 20


ELEMENTS = st.sampled_from([0.0, 1.0, 2.0, -1.0, math.nan, math.inf])


@pytest.mark.parametrize("interval", [0, 1, 4])
@pytest.mark.parametrize("element", ["f32", "i8", "u64"])
@BRIEFLY
@given(data=st.data())
def test_an_aggregator_is_the_largest_mean_of_the_last_runs(
    use: Use, dtypes: Mapping[str, str], element: str, interval: int, data: st.DataObject
) -> None:
    numbers = ELEMENTS if element == "f32" else st.integers(0, 100)
    rows = data.draw(st.lists(st.lists(numbers, min_size=3, max_size=3), max_size=9))
    block = use(
        "debounce",
        f"{element}[3, 1]",
        labels="a\nb\nc",
        unknown_label="-",
        history=3,
        throttle_interval=interval,
    ).restart()
    last_word = -100
    for run, row in enumerate(rows):
        got = words(block, row, dtypes[element])
        if run - last_word < interval:
            assert got == "-"
            continue
        last_word = run
        with np.errstate(all="ignore"):
            means = np.array(rows[max(0, run - 2) : run + 1], float).mean(axis=0)
        means = np.where(np.isnan(means), -1e9, means)
        assert got == "abc"[int(means.argmax())]


def test_control_logic_gives_the_originals_vectors(use: Use) -> None:
    block = use("control_logic", "u32[1]", "u32[1]")
    assert block.array([1], [7]).tolist() == [7]
    assert block.array([0], [7]).tolist() == [2]


@BRIEFLY
@given(seen=st.integers(0, 2**32 - 1) | st.just(4), passed=st.integers(0, 2**32 - 1))
def test_control_logic_waits_for_what_it_is_told(use: Use, seen: int, passed: int) -> None:
    block = use("control_logic", "u32[2]", "u32[1]", expected=4, otherwise=6)
    assert block.array([seen, 4], [passed]).tolist() == [passed if seen == 4 else 6]


@pytest.mark.parametrize("window", [1, 2, 5])
@pytest.mark.parametrize("kind", ["u8[3]", "f32[1, 2]", "f64[1]"])
@BRIEFLY
@given(data=st.data())
def test_moving_window_is_the_last_inputs_bit_for_bit(
    use: Use, kind: str, window: int, data: st.DataObject
) -> None:
    given_ = TensorType.parse(kind)
    size = given_.size_bytes
    block = use("moving_window", kind, window=window).restart()
    assert block.outputs[0].type == TensorType(given_.element, (window, *given_.dimensions))
    runs = data.draw(st.lists(st.binary(min_size=size, max_size=size), max_size=8))
    expected = [bytes(size)] * window
    for run in runs:
        expected = [*expected[1:], run]
        assert block.run(run).outputs == [b"".join(expected)]
