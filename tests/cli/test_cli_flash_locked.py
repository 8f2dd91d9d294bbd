"""`runec flash` on a locked chip: asked at a terminal, refused elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from runec.cli import flash
from runec.devices import Flashed
from runec.devices.errors import LockedChipError


@pytest.fixture
def unlocks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each attempt was to unlock; the first that is gets through."""
    attempts: list[bool] = []

    def attempt(_rune: object, board: Any, *, unlock: bool, **_: object) -> Flashed:
        attempts.append(unlock)
        if not unlock:
            raise LockedChipError(board.id, can_unlock=board.hal.folder == "nrf52", notes=())
        return Flashed(None, "openocd", "uart")

    monkeypatch.setattr(flash, "flash", attempt)
    return attempts


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    def make(answer: bool) -> None:
        monkeypatch.setattr(flash, "_is_terminal", lambda: True)
        monkeypatch.setattr(click, "confirm", lambda *_, **__: answer)

    return make


def test_without_a_terminal_nothing_is_erased(
    runec: Callable[..., Any], noop_rune: Path, unlocks: list[bool]
) -> None:
    assert not sys.stdin.isatty()
    done = runec("flash", noop_rune, "--board", "nrf52_dk")
    assert (done.code, unlocks) == (4, [False])
    assert "error[R0830]: the chip of nrf52_dk is locked" in done.stderr
    assert "--unlock, which erases all of the chip" in done.stderr


def test_the_option_erases(runec: Callable[..., Any], noop_rune: Path, unlocks: list[bool]) -> None:
    assert runec("flash", noop_rune, "--board", "nrf52_dk", "--unlock").code == 0
    assert unlocks == [True]


@pytest.mark.parametrize("answer", [True, False])
def test_at_a_terminal_it_is_asked(
    runec: Callable[..., Any],
    noop_rune: Path,
    unlocks: list[bool],
    terminal: Callable[[bool], None],
    answer: bool,
) -> None:
    terminal(answer)
    done = runec("flash", noop_rune, "--board", "nrf52840_dk")
    assert (done.code, unlocks) == ((0, [False, True]) if answer else (4, [False]))


def test_what_runec_cannot_unlock_is_not_asked(
    runec: Callable[..., Any],
    noop_rune: Path,
    unlocks: list[bool],
    terminal: Callable[[bool], None],
) -> None:
    terminal(True)
    done = runec("flash", noop_rune, "--board", "nucleo_f401re")
    assert (done.code, unlocks) == (4, [False])
    assert "STM32CubeProgrammer" in done.stderr
