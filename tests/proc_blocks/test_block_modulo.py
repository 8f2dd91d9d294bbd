"""modulo: x - trunc(x / m) * m in f32, cast back."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=40)

MODULI = [360.0, 2.0, 0.1, 1e-45, 3.4028235e38]
COUNT = 8


def expected(values: np.ndarray, modulus: float) -> np.ndarray:
    """NumPy's fmod, exact for f32; then Rust's `as`: truncated, saturated, NaN to 0."""
    with np.errstate(all="ignore"):
        rest = np.fmod(values.astype(np.float32), np.float32(modulus)).astype(np.float32)
        if values.dtype.kind == "f":
            return rest.astype(values.dtype)
    low, high = int(np.iinfo(values.dtype).min), int(np.iinfo(values.dtype).max)
    return np.array([max(low, min(high, int(r))) for r in rest], values.dtype)


def canonical(values: np.ndarray) -> bytes:
    quiet = {4: b"\0\0\xc0\x7f", 8: b"\0\0\0\0\0\0\xf8\x7f"}
    return b"".join(
        quiet[value.itemsize] if np.isnan(value) else value.tobytes() for value in values
    )


@pytest.mark.parametrize("element", ["u8", "i16", "i32", "u64", "f32", "f64"])
def test_gives_the_originals_vectors(use: Use, element: str) -> None:
    block = use("modulo", f"{element}[6]", modulus=2.0)
    assert block.array([0, 1, 2, 3, 4, 5]).tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("element", ["i16", "u16", "i32", "u64", "f32", "f64"])
def test_402_modulo_360_is_42(use: Use, element: str) -> None:
    assert use("modulo", f"{element}[1]", modulus=360.0).array([402]).tolist() == [42]


@pytest.mark.parametrize("modulus", MODULI)
@BRIEFLY
@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=COUNT, max_size=COUNT))
def test_f32_equals_fmod_for_every_bit_pattern(use: Use, modulus: float, bits: list[int]) -> None:
    data = struct.pack(f"<{COUNT}I", *bits)
    values = np.frombuffer(data, "<f4")
    done = use("modulo", f"f32[{COUNT}]", modulus=modulus, alive=modulus == 2.0).run(data)
    assert done.outputs == [canonical(expected(values, modulus))]


@pytest.mark.parametrize("modulus", MODULI)
@BRIEFLY
@given(
    quotients=st.lists(st.floats(-4, 4, width=32), min_size=COUNT, max_size=COUNT),
    steps=st.lists(st.integers(-2, 2), min_size=COUNT, max_size=COUNT),
)
def test_f32_is_exact_around_multiples(
    use: Use, modulus: float, quotients: list[float], steps: list[int]
) -> None:
    with np.errstate(over="ignore"):
        near = np.trunc(np.array(quotients, "<f4")) * np.float32(modulus)
    values = (near.view("<i4") + np.array(steps, "<i4")).astype("<i4").view("<f4")
    done = use("modulo", f"f32[{COUNT}]", modulus=modulus).run(values.tobytes())
    assert done.outputs == [canonical(expected(values, modulus))]


@pytest.mark.parametrize("element", ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f64"])
@BRIEFLY
@given(data=st.data())
def test_other_types_go_through_f32_and_saturate(
    use: Use, dtypes: Mapping[str, str], element: str, data: st.DataObject
) -> None:
    raw = data.draw(st.binary(min_size=64, max_size=64))
    values = np.frombuffer(raw, dtypes[element])[:COUNT]
    done = use("modulo", f"{element}[{COUNT}]", modulus=360.0).run(values.tobytes())
    assert done.outputs == [canonical(expected(values, 360.0))]


@pytest.mark.parametrize("element", ["u32", "i32", "u64", "i64"])
def test_a_rounded_extreme_saturates_instead_of_trapping(
    use: Use, dtypes: Mapping[str, str], element: str
) -> None:
    info = np.iinfo(dtypes[element])
    values = np.array([info.min, info.max, info.max - 1, 0], dtypes[element])
    done = use("modulo", f"{element}[4]", modulus=1e30).run(values.tobytes())
    assert done.outputs == [expected(values, 1e30).tobytes()]


def test_a_nan_keeps_neither_sign_nor_payload(use: Use) -> None:
    signalling = bytes.fromhex("0100a0ff")
    done = use("modulo", "f32[1]", modulus=360.0).run(signalling)
    assert done.outputs == [bytes.fromhex("0000c07f")]
