"""Check of the clocks in a board file against those that the HAL sets up.

A wrong `clock_hz` is a wrong baud rate, wrong times and wrong samples, and nothing reports it. Each
folder of `firmware_templates/hal/` with start-up code states in `clocks.toml` at what its chips
run: a few fixed clocks, or the PLL that the board file's `HAL_PLL_...` set up.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import msgspec

from runec.boards.board import Board
from runec.data import data_dir

KeyPath = tuple[str, ...]
_CLOCK = ("cpu", "clock_hz")
_MHZ = 1_000_000
_PLL_P = (2, 4, 6, 8)
_PLL_Q_MIN, _PLL_Q_MAX = 2, 15
_WAIT_STATES_MAX = 15
# PPRE1 and PPRE2 of RCC_CFGR; the processor's own divider, HPRE, stays 0.
_APB1_SHIFT, _APB2_SHIFT, _BUS_BITS = 10, 13, 0xFC00
# The USARTs of the second bus; all others and I2C are on the first one.
_ON_APB2 = frozenset({0x4001_1000, 0x4001_1400, 0x4001_3800})


@dataclass(frozen=True, slots=True)
class WrongClock:
    """A key with an invalid value, the error, and the nearest valid value."""

    key: KeyPath
    problem: str
    hint: str


class _Pll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all chips of a folder have in common, in Hz."""

    input_hz: int
    vco_hz_max: int
    rng_hz_max: int
    wait_state_hz: int


class _Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of a chip."""

    clock_hz_max: int
    apb1_hz_max: int
    apb2_hz_max: int
    vco_hz_min: int


class _Clocks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `clocks.toml`: `clock_hz` and its buses, or `pll` and the limits of `chips`."""

    clock_hz: tuple[int, ...] = ()
    apb1_hz: int | None = None
    apb2_hz: int | None = None
    pll: _Pll | None = None
    chips: dict[str, _Chip] = {}


def wrong_clock(board: Board) -> WrongClock | None:
    """Return the first clock of a board that its HAL folder or its chip contradicts."""
    clocks = _clocks(board.hal.folder)
    return None if clocks is None else next(_wrong(board, clocks), None)


@cache
def _clocks(folder: str) -> _Clocks | None:
    path = data_dir("firmware_templates") / "hal" / folder / "clocks.toml"
    if not path.is_file():
        return None
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), type=_Clocks)


def _wrong(board: Board, clocks: _Clocks) -> Iterator[WrongClock]:
    clock, defines = board.cpu.clock_hz, board.hal.defines
    if clocks.pll is not None:
        name = board.cpu.name.upper()
        prefix = max((each for each in clocks.chips if name.startswith(each)), key=len)
        yield from _pll(board, clocks.pll, clocks.chips[prefix])
        return
    if clock not in clocks.clock_hz:
        nearest = min(clocks.clock_hz, key=lambda hz: abs(hz - clock))
        known = " or ".join(map(_number, clocks.clock_hz))
        problem = f"clock_hz is {_number(clock)}, but hal/{board.hal.folder} runs at {known}"
        yield WrongClock(_CLOCK, problem, f"clock_hz = {_number(nearest)}")
    if clocks.apb1_hz is not None and clocks.apb2_hz is not None:
        yield from _buses(defines, clocks.apb1_hz, clocks.apb2_hz)


def _pll(board: Board, pll: _Pll, chip: _Chip) -> Iterator[WrongClock]:
    defines, clock = board.hal.defines, board.cpu.clock_hz
    names = ("HAL_PLL_N", "HAL_PLL_P", "HAL_PLL_Q", "HAL_BUS_DIVIDERS", "HAL_WAIT_STATES")
    if not defines.keys() >= set(names):
        return  # the compiler reports which is missing
    n, p, q, dividers, wait_states = (defines[name] for name in names)
    yield from _factors(n, p, clock, pll, chip)
    if clock > chip.clock_hz_max:
        yield WrongClock(
            _CLOCK,
            f"clock_hz is {_number(clock)}, but {board.cpu.name} runs at "
            f"{_number(chip.clock_hz_max)} at most",
            f"clock_hz = {_number(chip.clock_hz_max)}, "
            f"{_settings(chip.clock_hz_max, pll, chip) or 'with other HAL_PLL_N and HAL_PLL_P'}",
        )
    has_rng = defines.get("HAL_RNG_BASE", 0) != 0
    least_q = max(-(-n * pll.input_hz // pll.rng_hz_max), _PLL_Q_MIN) if has_rng else _PLL_Q_MIN
    if not least_q <= q <= _PLL_Q_MAX:
        problem = f"HAL_PLL_Q is {q}, but only {least_q} to {_PLL_Q_MAX} are possible" + (
            f": the random number generator runs at {pll.rng_hz_max // _MHZ} MHz at most"
            if has_rng
            else ""
        )
        yield _define("HAL_PLL_Q", problem, min(max(q, least_q), _PLL_Q_MAX))
    apb1 = clock // _divider(dividers >> _APB1_SHIFT)
    apb2 = clock // _divider(dividers >> _APB2_SHIFT)
    if dividers & ~_BUS_BITS or apb1 > chip.apb1_hz_max or apb2 > chip.apb2_hz_max:
        right = _bits(clock, chip.apb1_hz_max) << _APB1_SHIFT
        right |= _bits(clock, chip.apb2_hz_max) << _APB2_SHIFT
        yield WrongClock(
            ("hal", "defines", "HAL_BUS_DIVIDERS"),
            f"HAL_BUS_DIVIDERS is {dividers:#06x}, which sets APB1 to {apb1 / _MHZ:g} MHz and APB2 "
            f"to {apb2 / _MHZ:g} MHz: {chip.apb1_hz_max / _MHZ:g} and "
            f"{chip.apb2_hz_max / _MHZ:g} MHz are the most, and bits 10 to 15 the only ones",
            f"HAL_BUS_DIVIDERS = {right:#06x}",
        )
    yield from _buses(defines, apb1, apb2)
    least = -(-clock // pll.wait_state_hz) - 1
    if not least <= wait_states <= _WAIT_STATES_MAX:
        problem = f"HAL_WAIT_STATES is {wait_states}, but at {clock / _MHZ:g} MHz {least} to "
        yield _define("HAL_WAIT_STATES", f"{problem}{_WAIT_STATES_MAX} are possible", least)


def _factors(n: int, p: int, clock: int, pll: _Pll, chip: _Chip) -> Iterator[WrongClock]:
    low, high = chip.vco_hz_min // pll.input_hz, pll.vco_hz_max // pll.input_hz
    if p not in _PLL_P:
        nearest = min(_PLL_P, key=lambda each: abs(each - p))
        yield _define(
            "HAL_PLL_P", f"HAL_PLL_P is {p}, but only 2, 4, 6 and 8 are possible", nearest
        )
    elif not low <= n <= high:
        problem = f"HAL_PLL_N is {n}, but only {low} to {high} are possible"
        yield _define("HAL_PLL_N", problem, min(max(n, low), high))
    elif n * pll.input_hz != clock * p:
        implied = n * pll.input_hz // p
        settings = _settings(clock, pll, chip)
        yield WrongClock(
            _CLOCK,
            f"clock_hz is {_number(clock)}, but HAL_PLL_N = {n} and HAL_PLL_P = {p} make "
            f"{_number(implied)}",
            f"clock_hz = {_number(implied)}" + (f"; or {settings}" if settings else ""),
        )


def _settings(clock: int, pll: _Pll, chip: _Chip) -> str:
    """Return what makes a clock, with the fastest oscillator; empty where nothing does."""
    found = [
        (clock * p // pll.input_hz, p)
        for p in _PLL_P
        if chip.vco_hz_min <= clock * p <= pll.vco_hz_max and clock * p % pll.input_hz == 0
    ]
    if clock > chip.clock_hz_max or not found:
        return ""
    n, p = max(found)
    return f"HAL_PLL_N = {n} and HAL_PLL_P = {p} for {_number(clock)}"


def _buses(defines: Mapping[str, int], apb1: int, apb2: int) -> Iterator[WrongClock]:
    bus, usart = ("APB2", apb2) if defines.get("HAL_USART_BASE") in _ON_APB2 else ("APB1", apb1)
    for name, where, right in (
        ("HAL_USART_CLOCK_HZ", bus, usart),
        ("HAL_I2C_CLOCK_HZ", "APB1", apb1),
    ):
        found = defines.get(name)
        if found is not None and found != right:
            problem = f"{name} is {_number(found)}, but {where} runs at {_number(right)}"
            yield _define(name, problem, right)


def _divider(bits: int) -> int:
    """Return by what three bits of PPRE divide."""
    return 1 << ((bits & 3) + 1) if bits & 4 else 1


def _bits(clock: int, most: int) -> int:
    """Return the three bits of PPRE that divide a clock least, so that it is `most` or below."""
    return next((bits for bits in (0, 4, 5, 6) if clock // _divider(bits) <= most), 7)


def _define(name: str, problem: str, right: int) -> WrongClock:
    return WrongClock(("hal", "defines", name), problem, f"{name} = {_number(right)}")


def _number(value: int) -> str:
    return f"{value:_}"
