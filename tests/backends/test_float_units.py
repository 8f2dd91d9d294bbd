"""Every operator and float function on a Cortex-M4 with its FPU and without: the host's bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runec.backends import tflm
from tests.backends.board_runs import FUNCTIONS, BoardProgram
from tests.backends.conftest import FLOAT_UNITS
from tests.backends.operator_cases import MAKERS
from tests.backends.operator_runs import same
from tests.backends.test_float_math import EDGES
from tests.backends.test_operator_sweep import on_either, trials_of

pytestmark = pytest.mark.emulated
OnUnit = Callable[[str], BoardProgram]
ARGUMENTS = 100_000


@pytest.mark.parametrize("unit", FLOAT_UNITS)
def test_every_operator_gives_the_hosts_bytes(
    on_float_unit: OnUnit, tmp_path: Path, unit: str
) -> None:
    trials = [trial for operator in sorted(MAKERS) for trial in trials_of(operator, 12, 5000)]
    assert {trial.model.operator for trial in trials} == set(tflm.KERNELS)
    hosts, boards = on_either(trials), on_float_unit(unit).models(trials, tmp_path)
    different = [
        f"{trial.model.operator} of {trial.model.given[0].dtype}, {trial.model.facts}: {board.why}"
        for trial, host, board in zip(trials, hosts, boards, strict=True)
        if host.outputs is not None and not same(trial.model, host, board)
    ]
    assert different == []
    assert sum(host.outputs is not None for host in hosts) > 0.9 * len(hosts)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float_functions_are_the_same_with_and_without_an_fpu(
    on_float_unit: OnUnit, tmp_path: Path, name: str
) -> None:
    rng = np.random.default_rng(13)
    patterns = rng.integers(0, 2**32, ARGUMENTS // 2, np.uint32).view(np.float32)
    usual = rng.uniform(-110, 110, ARGUMENTS // 2).astype(np.float32)
    arguments = np.concatenate([np.array(EDGES, np.float32), patterns, usual])
    results = {
        unit: on_float_unit(unit).function(name, arguments, tmp_path) for unit in FLOAT_UNITS
    }
    for unit, found in results.items():
        numbers = ~np.isnan(found)
        assert np.array_equal(numbers, ~np.isnan(results["hard"])), unit
        assert found[numbers].tobytes() == results["hard"][numbers].tobytes(), unit
    if name == "sqrtf":  # IEEE 754 says what the result is
        with np.errstate(invalid="ignore"):
            expected = np.sqrt(arguments)
        numbers = ~np.isnan(expected)
        assert results["hard"][numbers].tobytes() == expected[numbers].tobytes()
