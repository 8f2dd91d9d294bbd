"""Which element types the host's libraries read parameters as: axes, paddings, permutations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from runec.models import ModelFile
from runec.models.element_rules import PARAMETERS
from runec.models.tflite import type_name
from tests.backends.operator_models import Model
from tests.backends.operator_runs import Outcome, Trial, on_host, same
from tests.backends.test_host_operators import EVERY, is_rounding, trials_of

pytest.importorskip("ai_edge_litert.interpreter")

INTEGERS = ("int8", "int16", "int32", "int64")
# Two parameters that must be of one type.
TOGETHER = {"SLICE": (1, 2)}
# Of BROADCAST_ARGS the parameters are the data: test_host_operators.py has these types.
MEASURED = sorted({key for key in PARAMETERS if key[0] in EVERY.keys() - {"BROADCAST_ARGS"}})


def of_type(trial: Trial, positions: tuple[int, ...], kind: str) -> Trial | None:
    """Return a trial with its parameters in another type; None where it has none there."""
    inputs = list(trial.model.inputs)
    for at in positions:
        tensor = inputs[at] if at < len(inputs) else None
        if tensor is None or tensor.dtype not in INTEGERS:
            return None
        data = None if tensor.data is None else np.asarray(tensor.data).astype(kind)
        inputs[at] = dataclasses.replace(tensor, dtype=kind, data=data)
    model = dataclasses.replace(trial.model, inputs=tuple(inputs))
    given = zip(trial.inputs, model.given, strict=True)
    return Trial(model, model.write(), tuple(np.asarray(x, item.dtype) for x, item in given))


def of_an_operator(name: str, position: int) -> Iterator[tuple[Trial, Trial, str]]:
    """Yield trials with int32 parameters, the same of another type, and which type that is."""
    positions = TOGETHER.get(name, (position,))
    for trial in trials_of(name, EVERY[name][1][:2], 3, 3):
        base = of_type(trial, positions, "int32")
        for kind in INTEGERS if base else ():
            changed = of_type(trial, positions, kind)
            if changed is not None and base is not None:
                yield base, changed, kind


@pytest.mark.parametrize(("name", "position"), MEASURED, ids=str)
def test_a_library_reads_the_types_that_are_listed(name: str, position: int) -> None:
    """Every other type is refused, or runs in LiteRT alone."""
    rows = list(of_an_operator(name, position))
    every, litert_alone = (
        {type_name(code) for code in codes} for codes in PARAMETERS[name, position]
    )
    read = [row for row in rows if row[2] in every | litert_alone]
    assert read or every == {"bool"}
    for library in ("tflm", "litert"):
        base = on_host([row[0] for row in read], library)
        got = on_host([row[1] for row in read], library)
        for row, one, other in zip(read, base, got, strict=True):
            if one.outputs is not None and (library == "litert" or row[2] in every):
                assert is_equal(row[1].model, one, other, row[0]), (library, row[2])
    for base_trial, changed, kind in rows:
        found = ModelFile(changed.data).findings
        if kind not in every | litert_alone:
            assert any(f", which {name} reads as " in fact for fact in found.wrong), kind
        elif kind in litert_alone:
            assert found.wrong == ()
            assert f"{name} with a parameter of {kind}" in found.unverified
        else:
            assert found.objection == ModelFile(base_trial.data).findings.objection, kind


def is_equal(model: Model, one: Outcome, other: Outcome, trial: Trial) -> bool:
    return same(model, one, other) or is_rounding(trial, one, other)


@pytest.mark.parametrize("name", ["CONV_2D", "FULLY_CONNECTED"])
def test_litert_reads_a_bias_of_int32_as_int64(name: str) -> None:
    """Of int16 data. TensorFlow Lite Micro computes what both do with the same bias of int64."""
    wide = [
        trial for trial in trials_of(name, ("int16",), 12, 0) if trial.model.inputs[2] is not None
    ]
    narrow = [found for trial in wide if (found := of_type(trial, (2,), "int32"))]
    assert len(narrow) == len(wide) > 4
    micro, litert, right = on_host(narrow, "tflm"), on_host(narrow, "litert"), on_host(wide, "tflm")
    wrong = 0
    for mine, other, expected in zip(micro, litert, right, strict=True):
        first, second, third = (
            np.frombuffer((item.outputs or (b"",))[0], "<i2").astype(int)
            for item in (mine, other, expected)
        )
        assert np.abs(first - third).max() <= 1
        wrong += bool(np.abs(second - third).max() > 1)
    assert wrong > len(wide) // 2


@pytest.mark.parametrize("name", ["DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"])
def test_a_bias_of_int32_with_data_of_int16_is_rejected(name: str) -> None:
    """Kernels read it as int64, behind its end."""
    at = 3 if name == "TRANSPOSE_CONV" else 2
    trials = [
        found
        for trial in trials_of(name, ("int16",), 12, 0)
        if len(trial.model.inputs) > at and (found := of_type(trial, (at,), "int32"))
    ]
    assert trials
    for trial in trials:
        (fact,) = ModelFile(trial.data).findings.wrong
        assert fact.endswith(f", which {name} reads as int64")
