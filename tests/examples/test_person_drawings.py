"""Drawings for the training of person_detection, and positions of a person's parts."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SOURCES = Path(__file__).resolve().parents[2] / "examples" / "person_detection" / "train"
HEAD, LEGS = 0, 3


@pytest.fixture
def pictures() -> Iterator[ModuleType]:
    """The module that draws, imported with its folder on the path and forgotten again."""
    before = set(sys.modules)
    wrote_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(SOURCES))
    try:
        yield importlib.import_module("pictures")
    finally:
        sys.path.remove(str(SOURCES))
        sys.dont_write_bytecode = wrote_bytecode
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is not None and Path(origin).parent == SOURCES:
                del sys.modules[name]


def test_only_pictures_of_people_have_parts_and_heads_are_above_legs(pictures: ModuleType) -> None:
    _, labels, parts = pictures.data_set(5, 20, pictures.TRAINING)
    covered = parts.astype(np.int64).sum(axis=(1, 2))  # [picture, part]
    assert (covered[labels == 0] == 0).all()
    assert (covered[labels == 1].sum(axis=1) > 0).all()
    rows = np.arange(pictures.CELLS)[None, :, None]
    heights = (parts * rows[..., None]).sum(axis=(1, 2)) / np.maximum(covered, 1)
    both = (covered[:, HEAD] > 0) & (covered[:, LEGS] > 0)
    assert both.sum() >= 10
    assert (heights[both, HEAD] < heights[both, LEGS]).all()


def test_the_picture_of_a_data_set_is_the_one_that_picture_draws(pictures: ModuleType) -> None:
    made, labels, _ = pictures.data_set(6, 1, pictures.ELSEWHERE)
    rng = np.random.default_rng(6)
    for one, label in zip(made, labels, strict=True):
        again = pictures.picture(rng, pictures.ELSEWHERE, pictures.LABELS[label])
        np.testing.assert_array_equal(one[..., 0], again)
