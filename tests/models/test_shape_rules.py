"""Shapes of operator results, compared with LiteRT."""

from __future__ import annotations

import numpy as np
import pytest

from runec.backends.tflm import KERNELS
from runec.models import ModelFile
from runec.models.rewriting import Changes
from runec.models.shape_child import _shapes
from runec.models.shape_rules import RULES
from tests.backends.host_operator_cases import HOST_MAKERS
from tests.backends.operator_cases import MAKERS

pytest.importorskip("ai_edge_litert.interpreter")

EVERY = {**MAKERS, **HOST_MAKERS}
Shapes = list[tuple[int, ...]]


def computed(data: bytes) -> Shapes | None:
    """Return the shapes of a model's outputs as runec computes them without those of the file."""
    graph = ModelFile(data).graph
    given = {index: graph.tensors[index].shape for index in graph.inputs}  # scalars have a rank
    data = ModelFile(data).changed(Changes(given, frozenset(graph.outputs))).data
    shapes = ModelFile(data).folded.changes.shapes
    if not all(index in shapes for index in graph.outputs):
        return None
    return [shapes[index] for index in graph.outputs]


def of_litert(data: bytes) -> Shapes | None:
    """Return them as LiteRT computes them; None where it does not take the model."""
    graph = ModelFile(data).graph
    data = ModelFile(data).changed(Changes(unknown=frozenset(graph.outputs))).data
    try:
        found = _shapes(data, [list(graph.tensors[index].shape) for index in graph.inputs])
    except (RuntimeError, ValueError):
        return None
    if not all(str(index) in found for index in graph.outputs):
        return None
    return [tuple(found[str(index)]) for index in graph.outputs]


def test_every_operator_of_devices_has_a_rule() -> None:
    assert set(KERNELS) <= set(RULES)


@pytest.mark.parametrize("trials", [4, pytest.param(12, marks=pytest.mark.emulated)])
@pytest.mark.parametrize("operator", sorted(set(EVERY) & set(RULES)))
def test_a_rule_gives_the_shapes_of_litert(operator: str, trials: int) -> None:
    make, kinds = EVERY[operator]
    compared = 0
    for kind in kinds:
        for number in range(trials):
            rng = np.random.default_rng([number, *operator.encode(), *kind.encode()])
            model = make(rng, kind)
            data = model.write()
            ours, theirs = computed(data), of_litert(data)
            if theirs is not None:
                # LiteRT makes a scalar of SELECT_V2 of single elements.
                is_scalar = operator == "SELECT_V2" and theirs == [()]
                assert ours == theirs or is_scalar, model.facts
                compared += 1
            assert ours == [item.shape for item in model.outputs], model.facts
    assert compared or operator in (
        "BROADCAST_TO",
        "CEIL",
        "ELU",
        "ROUND",
    )  # no kernel, or at run time
