"""identity: every input comes out again, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=40)


@pytest.mark.parametrize(("element", "size"), [("u8", 1), ("i16", 2), ("f32", 4), ("f64", 8)])
@BRIEFLY
@given(raw=st.binary(min_size=24, max_size=24))
def test_keeps_every_bit(use: Use, element: str, size: int, raw: bytes) -> None:
    data = raw[: 3 * size]
    assert use("identity", f"{element}[3]", alive=True).run(data).outputs == [data]


@pytest.mark.parametrize("alive", [False, True])
def test_keeps_a_signalling_nan(use: Use, alive: bool) -> None:
    nan = bytes.fromhex("0100a0ff")
    assert use("identity", "f32[1]", alive=alive).run(nan).outputs == [nan]


@pytest.mark.parametrize("alive", [False, True])
def test_hands_on_as_many_tensors_as_it_gets(use: Use, alive: bool) -> None:
    block = use("identity", "f32[1, 1]", "u8[3]", "i64[2]", alive=alive)
    data = [b"abcd", b"xyz", bytes(range(16))]
    assert block.run(*data).outputs == data
