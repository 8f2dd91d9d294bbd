"""Every operator, in random models: the host's bytes on the device, or runec rejects the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.backends import tflm
from runec.models import ModelFile
from tests.backends.operator_cases import MAKERS, values
from tests.backends.operator_models import Model, Tensor, constant
from tests.backends.operator_runs import Outcome, Trial, on_device, on_host, same

TABLE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
ARENA = 202


def trials_of(operator: str, count: int, first: int) -> Iterator[Trial]:
    """Make the trials of an operator that runec lets through to a device."""
    make, types = MAKERS[operator]
    for dtype in types:
        for number in range(first, first + count):
            rng = np.random.default_rng([number, *operator.encode(), *dtype.encode()])
            model = make(rng, dtype)
            data = model.write()
            if not tflm.objections(ModelFile(data).graph):
                yield Trial(model, data, tuple(values(rng, item) for item in model.given))


def on_either(trials: Sequence[Trial]) -> list[Outcome]:
    """Run trials as the host does: in its library of today, what that rejects in LiteRT."""
    outcomes = on_host(trials, "tflm")
    refused = [index for index, outcome in enumerate(outcomes) if outcome.outputs is None]
    others = on_host([trials[index] for index in refused], "litert")
    for index, outcome in zip(refused, others, strict=True):
        outcomes[index] = outcome
    return outcomes


def differences(program: Path, folder: Path, trials: Sequence[Trial]) -> list[str]:
    """Return what the host computes and the device does not, or otherwise."""
    hosts, devices = on_either(trials), on_device(program, trials, folder)
    return [
        f"{trial.model.operator} of {trial.model.given[0].dtype}, {trial.model.facts}: {device.why}"
        for trial, host, device in zip(trials, hosts, devices, strict=True)
        if host.outputs is not None and not same(trial.model, host, device)
    ]


def test_every_operator_has_models() -> None:
    assert set(MAKERS) == set(tflm.KERNELS)


def test_what_is_not_refused_gives_the_hosts_bytes(model_program: Path, tmp_path: Path) -> None:
    trials = [trial for operator in sorted(MAKERS) for trial in trials_of(operator, 3, 0)]
    assert {trial.model.operator for trial in trials} == set(tflm.KERNELS)
    assert differences(model_program, tmp_path, trials) == []


@pytest.mark.emulated
@pytest.mark.parametrize("operator", sorted(MAKERS))
def test_many_models_give_the_hosts_bytes(
    model_program: Path, tmp_path: Path, operator: str
) -> None:
    trials = list(trials_of(operator, 60, 1000))
    assert differences(model_program, tmp_path, trials) == []


def test_an_arena_of_any_size_is_enough_or_says_so(model_program: Path, tmp_path: Path) -> None:
    trials = [next(trials_of(operator, 8, 0)) for operator in sorted(MAKERS)]
    found: dict[str, set[str]] = {trial.model.operator: set() for trial in trials}
    for arena in range(0, 2600, 104):
        for trial, outcome in zip(
            trials, on_device(model_program, trials, tmp_path, arena), strict=True
        ):
            found[trial.model.operator].add(outcome.why.partition(" ")[2].partition(" ")[0])
    assert found == {operator: {"", str(ARENA)} for operator in MAKERS}


def table() -> str:
    kinds = ("float32", "int8", "uint8", "int16", "int32", "int64", "bool")
    lines = [f"| operator | {' | '.join(kinds)} |", "| --- |" + " :-: |" * len(kinds)]
    for operator, elements in sorted(tflm.ELEMENTS.items()):
        marks = ["x" if kind in elements else "" for kind in kinds]
        lines.append(f"| {operator} | {' | '.join(marks)} |")
    return "\n".join(lines)


def test_the_page_shows_the_operators() -> None:
    assert table() in TABLE.read_text(encoding="utf-8")


def refused() -> Iterator[tuple[str, Model]]:
    """Models that the host computes, with what is said of them."""
    pixel = (Tensor("float32", (1, 3, 3, 1)), constant(np.array([5, 5], np.int32)))
    half = schema.ResizeNearestNeighborOptionsT()
    half.halfPixelCenters = True
    other = Tensor("int8", (4,), scales=(0.3,), zero_points=(5,))
    axes = constant(np.array([0], np.int32))
    long = Tensor("float32", (1, 2, 1, 2, 1))
    short = Tensor("float32", (1, 2, 3, 2, 1))
    yield (
        "RELU whose output has another scale than its input",
        Model("RELU", (Tensor("int8", (4,), scales=(0.1,), zero_points=(0,)),), (other,)),
    )
    yield (
        "MAX_POOL_2D of int16",
        Model(
            "MAX_POOL_2D",
            (Tensor("int16", (1, 2, 2, 1), scales=(0.1,), zero_points=(0,)),),
            (Tensor("int16", (1, 2, 2, 1), scales=(0.1,), zero_points=(0,)),),
            pool(),
        ),
    )
    yield (
        "MEAN over other axes than 1 and 2 of 4",
        Model(
            "MEAN",
            (Tensor("float32", (3, 4)), axes),
            (Tensor("float32", (4,)),),
            schema.ReducerOptionsT(),
        ),
    )
    yield (
        "RESIZE_NEAREST_NEIGHBOR with half pixel centers",
        Model("RESIZE_NEAREST_NEIGHBOR", pixel, (Tensor("float32", (1, 5, 5, 1)),), half),
    )
    yield (
        "ADD that broadcasts tensors of more than 4 dimensions",
        Model("ADD", (long, short), (short,), schema.AddOptionsT()),
    )
    yield (
        "SOFTMAX of more than 5 dimensions",
        Model(
            "SOFTMAX",
            (Tensor("float32", (1, 1, 1, 1, 2, 3)),),
            (Tensor("float32", (1, 1, 1, 1, 2, 3)),),
            softmax(),
        ),
    )


def pool() -> Any:
    options = schema.Pool2DOptionsT()
    options.strideW = options.strideH = options.filterWidth = options.filterHeight = 1
    return options


def softmax() -> Any:
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return options


@pytest.mark.parametrize(("said", "model"), list(refused()))
def test_what_is_refused_does_not_give_the_hosts_bytes(
    model_program: Path, tmp_path: Path, said: str, model: Model
) -> None:
    data = model.write()
    assert tflm.objections(ModelFile(data).graph) == (said,)
    rng = np.random.default_rng(2)
    trial = Trial(model, data, tuple(values(rng, item) for item in model.given))
    (host,) = on_either([trial])
    assert host.outputs is not None
    (device,) = on_device(model_program, [trial], tmp_path)
    assert not same(model, host, device)
