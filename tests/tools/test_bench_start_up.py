"""A check starts quickly: its one budget, in instructions."""

from __future__ import annotations

import shutil

import pytest

from tools.bench import start_up
from tools.bench.probe import ProbeError


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_check_stays_within_its_budget() -> None:
    found = start_up.measure()
    assert found.check <= start_up.BUDGET * found.empty, str(found)


def test_figures_are_shown_beside_the_budget() -> None:
    assert str(start_up.StartUp(470_123_456, 40_000_000)) == (
        "runec check examples/sine: 470 123 456 instructions, "
        "x11.75 of an empty Python; at most x12"
    )


def test_a_machine_without_valgrind_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ProbeError, match="valgrind is not installed"):
        start_up.measure()
