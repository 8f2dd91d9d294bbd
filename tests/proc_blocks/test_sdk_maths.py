"""rune_math.h as WebAssembly against mpmath: at most 1 ulp, the same bits in both engines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import wasm3
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.codegen.build import _LINK_FLAGS, COMPILE_FLAGS
from runec.codegen.toolchain import find_toolchain
from runec.proc_blocks import sdk_dir
from runec.tools import run_tool

Apply = Callable[..., np.ndarray]
BRIEFLY = settings(deadline=None, max_examples=60)
HARNESS = Path(__file__).resolve().parent / "maths_harness.c"
INFINITY, NAN = math.inf, math.nan


def _compile(folder: Path) -> bytes:
    tools = find_toolchain()
    compiled = run_tool(
        [*tools.compiler, *COMPILE_FLAGS, "-I", sdk_dir(), "-c", HARNESS, "-o", "maths.o"],
        cwd=folder,
    )
    assert compiled.returncode == 0, compiled.stderr
    linked = run_tool([*tools.linker, *_LINK_FLAGS, "maths.o", "-o", "maths.wasm"], cwd=folder)
    assert linked.returncode == 0, linked.stderr
    return (folder / "maths.wasm").read_bytes()


@pytest.fixture(scope="module")
def apply(tmp_path_factory: pytest.TempPathFactory) -> Apply:
    """`apply("exp", xs)`: the function's values in f64; fails when the engines disagree."""
    code = _compile(tmp_path_factory.mktemp("maths"))
    runtime = wasm3.Environment().new_runtime(16384)
    module = wasm3.Environment().parse_module(code)
    runtime.load(module)
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, code), [])
    exports: Any = instance.exports(store)
    memory = exports["memory"]

    def run(name: str, *arguments: Any) -> np.ndarray:
        count = len(arguments[0])
        data = [np.asarray(values, "<f8").tobytes() for values in arguments]
        for place, values in zip(("first", "second"), data, strict=False):
            at = exports[place](store)
            memory.write(store, values, at)
            runtime.get_memory(0)[at : at + len(values)] = values
        exports[f"rune_{name}"](store, count)
        runtime.find_function(f"rune_{name}")(count)
        at = exports["results"](store)
        results = bytes(memory.read(store, at, at + 8 * count))
        assert results == bytes(runtime.get_memory(0)[at : at + 8 * count])
        return np.frombuffer(results, "<f8")

    run.keep = module  # type: ignore[attr-defined]
    return run


def worst_ulps(
    got: np.ndarray, exact: Callable[..., Any], arguments: Sequence[Any], kind: Any
) -> float:
    """The largest distance from the exact value, in units of the result's last place."""
    lowest = -1074 if kind is np.float64 else -149
    bits = 53 if kind is np.float64 else 24
    largest = mpmath.mpf(float(np.finfo(kind).max))
    worst = 0.0
    with mpmath.workprec(160):
        for value, *given_ in zip(got, *arguments, strict=True):
            wanted = exact(*(mpmath.mpf(float(x)) for x in given_))
            if math.isinf(value):
                assert abs(wanted) > largest
                continue
            exponent = mpmath.frexp(wanted)[1] if wanted else lowest
            unit = mpmath.mpf(2) ** max(int(exponent) - bits, lowest)
            worst = max(worst, float(abs(mpmath.mpf(float(value)) - wanted) / unit))
    return worst


def spread(kind: Any, low: float, high: float, count: int = 1500) -> np.ndarray:
    """Numbers between two bounds: even steps, and even steps of the exponent."""
    random = np.random.default_rng(1)
    steps = random.uniform(low, high, count)
    bound = math.log2(max(abs(low), abs(high)))
    powers = np.exp2(random.uniform(-30, bound, count)) * np.sign(steps)
    near_one = 1 + random.uniform(-0.3, 0.3, count) * np.exp2(random.uniform(-50, 0, count))
    every: np.ndarray = np.concatenate([steps, powers, near_one]).astype(kind)
    return every[(every >= low) & (every <= high)].astype(np.float64)[:4096]


class Case(NamedTuple):
    name: str
    kind: Any
    exact: Any
    low: float
    high: float
    ulps: float


def log2(x: Any) -> Any:
    return mpmath.log(x, 2)


CASES = [
    Case("exp", np.float64, mpmath.exp, -746, 711, 1),
    Case("log", np.float64, mpmath.log, 2.0**-40, 1e300, 1),
    Case("log2", np.float64, log2, 2.0**-40, 2.0**60, 1),
    Case("sqrt", np.float64, mpmath.sqrt, 0, 1e300, 0.5),
    Case("expf", np.float32, mpmath.exp, -104, 89, 0.51),
    Case("logf", np.float32, mpmath.log, 2.0**-40, 1e38, 0.51),
    Case("log2f", np.float32, log2, 2.0**-40, 1e38, 0.51),
    Case("sqrtf", np.float32, mpmath.sqrt, 0, 1e38, 0.5),
    Case("tanhf", np.float32, mpmath.tanh, -11, 11, 0.51),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@EACH
def test_dense_samples_are_within_the_bound(apply: Apply, case: Case) -> None:
    xs = spread(case.kind, case.low, case.high)
    assert worst_ulps(apply(case.name, xs), case.exact, [xs], case.kind) <= case.ulps


@EACH
@BRIEFLY
@given(data=st.data())
def test_any_argument_is_within_the_bound(apply: Apply, case: Case, data: st.DataObject) -> None:
    positive = case.name[:3] in ("log", "sqr")
    x = data.draw(
        st.floats(
            width=64 if case.kind is np.float64 else 32,
            allow_nan=False,
            allow_infinity=False,
            min_value=0 if positive else None,
            exclude_min=positive,
        )
    )
    (got,) = apply(case.name, [x])
    if case.name.startswith("exp") and abs(x) > 1000:
        assert got == (INFINITY if x > 0 else 0)
    elif case.name == "tanhf" and abs(x) > 1000:
        assert got == math.copysign(1, x)
    else:
        assert worst_ulps(np.array([got]), case.exact, [[x]], case.kind) <= case.ulps


@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        ("exp", [-INFINITY, INFINITY, 0.0, -0.0, 1e308, -1e308], [0, INFINITY, 1, 1, INFINITY, 0]),
        ("expf", [-INFINITY, INFINITY, 89, -104], [0, INFINITY, INFINITY, 0]),
        ("log", [0, -0.0, 1, INFINITY], [-INFINITY, -INFINITY, 0, INFINITY]),
        (
            "log2",
            [0, 1, 2.0**-1074, 2.0**1023, 8, INFINITY],
            [-INFINITY, 0, -1074, 1023, 3, INFINITY],
        ),
        ("logf", [0, 1, INFINITY], [-INFINITY, 0, INFINITY]),
        ("log2f", [0, 2.0**-149, 2.0**127], [-INFINITY, -149, 127]),
        ("sqrt", [0, INFINITY, 4], [0, INFINITY, 2]),
        ("tanhf", [0, INFINITY, -INFINITY, 1e-45], [0, 1, -1, float(np.float32(1e-45))]),
    ],
)
def test_limits_are_exact(
    apply: Apply, name: str, arguments: list[float], wanted: list[float]
) -> None:
    assert apply(name, arguments).tolist() == wanted


@pytest.mark.parametrize(
    ("name", "x"),
    [(case.name, NAN) for case in CASES]
    + [(name, -1.0) for name in ("log", "log2", "logf", "log2f", "sqrt", "sqrtf")]
    + [("log", -INFINITY), ("sqrtf", -INFINITY)],
)
def test_what_has_no_value_is_the_canonical_nan(apply: Apply, name: str, x: float) -> None:
    assert apply(name, [x]).tobytes().hex() == "000000000000f87f"


def test_powers_are_within_half_an_ulp(apply: Apply) -> None:
    random = np.random.default_rng(2)
    xs = np.exp2(random.uniform(-20, 20, 3000)).astype(np.float32).astype(float)
    ys = random.uniform(-6, 6, 3000).astype(np.float32).astype(float)
    assert worst_ulps(apply("powf", xs, ys), mpmath.power, [xs, ys], np.float32) <= 0.51


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, 2.0**24 + 2, 1e30, -1e30]


@pytest.mark.parametrize("y", [*SPECIAL, INFINITY, -INFINITY, NAN])
def test_special_powers_are_those_of_c99(apply: Apply, y: float) -> None:
    xs = [*SPECIAL, INFINITY, -INFINITY, NAN]
    with np.errstate(all="ignore"):
        # In f64, and one exponent for each: NumPy takes a root for 0.5, which loses the sign of -0.
        powers = np.power(np.array(xs), np.full(len(xs), y))
        wanted = powers.astype(np.float32).astype(float)
    got = apply("powf", xs, [y] * len(xs))
    np.testing.assert_array_equal(got, wanted)
    known = ~np.isnan(wanted)
    assert np.signbit(got[known]).tolist() == np.signbit(wanted[known]).tolist()


@BRIEFLY
@given(data=st.data(), turn=st.integers(1, 2**26) | st.sampled_from([8, 511, 512]))
def test_parts_of_a_turn_are_within_half_an_ulp(
    apply: Apply, data: st.DataObject, turn: int
) -> None:
    n = data.draw(st.integers(0, 2**32 - 1))
    for name, exact in (("sinf_turns", mpmath.sinpi), ("cosf_turns", mpmath.cospi)):
        got = apply(name, [n], [turn])
        wanted = lambda x, y, f=exact: f(2 * (x % y) / y)  # noqa: E731
        assert worst_ulps(got, wanted, [[n], [turn]], np.float32) <= 0.51


@pytest.mark.parametrize("turn", [511, 512])
def test_the_turns_of_a_window_and_of_a_transform_are_exact_to_half_an_ulp(
    apply: Apply, turn: int
) -> None:
    n = np.arange(turn, dtype=float)
    turns = np.full(turn, float(turn))
    cosines = apply("cosf_turns", n, turns)
    wanted = lambda x, y: mpmath.cospi(2 * x / y)  # noqa: E731
    assert worst_ulps(cosines, wanted, [n, turns], np.float32) <= 0.51


@BRIEFLY
@given(data=st.data(), turn=st.integers(1, 2**28) | st.sampled_from([7, 8, 511, 2048, 2**28]))
def test_parts_of_a_turn_in_f64_are_within_one_ulp(
    apply: Apply, data: st.DataObject, turn: int
) -> None:
    n = data.draw(st.integers(0, 2**32 - 1))
    got = apply("sin_turns", [n], [turn])
    wanted = lambda x, y: mpmath.sinpi(2 * (x % y) / y)  # noqa: E731
    assert worst_ulps(got, wanted, [[n], [turn]], np.float64) <= 1


@pytest.mark.parametrize("turn", [30, 480, 511, 2048])
def test_the_turns_of_a_transform_in_f64_are_within_one_ulp(apply: Apply, turn: int) -> None:
    n = np.arange(turn, dtype=float)
    turns = np.full(turn, float(turn))
    wanted = lambda x, y: mpmath.sinpi(2 * x / y)  # noqa: E731
    assert worst_ulps(apply("sin_turns", n, turns), wanted, [n, turns], np.float64) <= 1


@BRIEFLY
@given(x=st.floats(0, 2 * math.pi))
def test_cosines_up_to_a_turn_are_within_one_ulp(apply: Apply, x: float) -> None:
    assert worst_ulps(apply("cos", [x]), mpmath.cos, [[x]], np.float64) <= 1


def test_cosines_around_quarters_of_a_turn_are_within_one_ulp(apply: Apply) -> None:
    x = [0.0, 5e-324, 1e-9]
    for quarter in range(1, 5):
        around = quarter * math.pi / 2
        x += [math.nextafter(around, 0), around, around * (1 - 1e-12), around - 0.7853]
    x += np.linspace(0, 2 * math.pi, 4001)[:-1].tolist()
    assert worst_ulps(apply("cos", x), mpmath.cos, [x], np.float64) <= 1
