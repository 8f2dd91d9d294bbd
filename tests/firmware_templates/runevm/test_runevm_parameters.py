"""request_capability_set_param() against the graph; rounding to f32 compared with NumPy."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

LAYOUTS = {1: "<i", 2: "<f", 5: "<B", 6: "<h", 7: "<b"}
I32, F32 = 1, 2
REFUSED = (
    "load HOST_CALL <request_capability_set_param> "
    "<the graph does not list the parameter with this value"
)
F32_BITS_MAX = 0x7F7FFFFF


@dataclass
class WithParameters(made.Pipe):
    """A rune whose capability lists these parameters."""

    parameters: dict[str, int | float] | None = None

    def graph(self, code: bytes) -> dict[str, Any]:
        graph = super().graph(code)
        graph["capabilities"]["in"]["parameters"] = self.parameters
        return graph


def rune(listed: float, value: bytes, kind: int, key: str = "hz") -> bytes:
    name = key.encode()
    manifest = made.Orders().call("request_capability", made.RAW).poke(0, name).poke(200, value)
    manifest.call("request_capability_set_param", 1, 0, len(name), 200, len(value), kind).expect(0)
    manifest.call("request_output", made.SERIAL).leave(1)
    parameters = {"h": 1, "hz": listed, "hz2": 3}
    return WithParameters(manifest=manifest, parameters=parameters).build()


def accepted(probe: Probe, runes: list[bytes]) -> list[bool]:
    verdicts = []
    for line in probe("run", [bytes((0, 0)) + each for each in runes]):
        happened = line.split("|")[-2]
        assert happened == "load OK <> <>" or happened.startswith(REFUSED[:-5]), happened
        verdicts.append(happened.startswith("load OK"))
    return verdicts


def f32(value: float) -> bytes:
    return struct.pack("<f", value)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_value_is_accepted_when_the_graph_lists_it(probe: Probe, kind: int) -> None:
    layout = LAYOUTS[kind]
    bits = 8 * struct.calcsize(layout)
    low, high = (0, 255) if layout == "<B" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if kind == F32:
        low, high = -(2**24), 2**24
    listed = sorted({low, low + 1, 0, 7, 10, 100, high - 1, high})
    pairs = [(one, other) for one in listed for other in listed]
    runes = [rune(one, struct.pack(layout, other), kind) for one, other in pairs]
    assert accepted(probe, runes) == [one == other for one, other in pairs]


def test_a_key_that_is_not_listed_is_refused(probe: Probe) -> None:
    value = struct.pack("<i", 1)
    keys = ["h", "hz2", "hz", "", "z", "hz22", "hé"]
    listed = [rune(1, value, I32, key) for key in keys]
    assert accepted(probe, listed) == [True, False, True, False, False, False, False]


def test_integers_beyond_32_bits_are_listed_too(probe: Probe) -> None:
    pairs = [(2**62, 2.0**62), (2**62 + 1, 2.0**62), (-(2**63), -(2.0**63)), (2**40, 2.0**41)]
    verdicts = accepted(probe, [rune(one, f32(other), F32) for one, other in pairs])
    assert verdicts == [True, False, True, False]
    assert accepted(probe, [rune(2**32, bytes(4), I32)]) == [False]
    assert accepted(probe, [rune(16, f32(16.5), F32), rune(0, f32(-0.0), F32)]) == [False, True]


def test_an_integer_may_be_set_where_a_float_of_its_value_is_listed(probe: Probe) -> None:
    pairs = [(16000.0, 16000), (16000.5, 16000), (0.0, 0), (-0.0, 0), (-3.0, -3), (-3.0, 3)]
    pairs += [(2.0**30, 2**30), (16777217.0, 16777216), (2147483647.0, 2147483647)]
    runes = [rune(one, struct.pack("<i", other), I32) for one, other in pairs]
    assert accepted(probe, runes) == [float(np.float32(one)) == other for one, other in pairs]


def test_no_infinity_and_no_nan_is_listed(probe: Probe) -> None:
    values = [float("inf"), float("-inf"), float("nan")]
    runes = [rune(one, f32(value), F32) for value in values for one in (1.5, 3.5e38, 1e300)]
    assert not any(accepted(probe, runes))


def neighbours(bits: int) -> list[float]:
    """An f32, the f64 halfway to the next larger one, and f64 on both sides of that."""
    one = float(np.uint32(bits).view(np.float32))
    above = float(np.uint32(bits + 1).view(np.float32)) if bits < F32_BITS_MAX else 2.0**128
    half = (one + above) / 2
    return [one, half, float(np.nextafter(half, 0)), float(np.nextafter(half, np.inf))]


@given(
    st.lists(
        st.one_of(
            st.integers(0, F32_BITS_MAX),
            st.sampled_from([0, 1, 0x7FFFFF, 0x800000, 0x800001, 0xFFFFFF, F32_BITS_MAX]),
            st.integers(0, 0xFE).map(lambda exponent: exponent << 23),
        ),
        min_size=8,
        max_size=8,
    ),
    st.sampled_from([1.0, -1.0]),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_float_is_listed_when_it_rounds_to_the_value(
    probe: Probe, numbers: list[int], sign: float
) -> None:
    pairs = [
        (sign * listed, sign * float(np.uint32(other).view(np.float32)))
        for bits in numbers
        for listed in neighbours(bits)
        for other in (max(bits - 1, 0), bits, min(bits + 1, F32_BITS_MAX))
    ]
    verdicts = accepted(probe, [rune(one, f32(other), F32) for one, other in pairs])
    with np.errstate(over="ignore"):
        assert verdicts == [bool(np.float32(one) == np.float32(other)) for one, other in pairs]


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_float_is_listed_as_what_it_rounds_to(probe: Probe, listed: float) -> None:
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.float32(listed)
    verdict = accepted(probe, [rune(listed, rounded.tobytes(), F32)])
    assert verdict == [bool(np.isfinite(rounded))]
