"""audio_frontend against TensorFlow's own micro frontend, and against NumPy where sound is drawn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

ROOM = Path(__file__).resolve().parent
PROJECT = ROOM.parents[1]
# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=20)


def script(path: Path) -> ModuleType:
    """A Python file that is part of no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look for themselves there
    spec.loader.exec_module(module)
    return module


vectors = script(ROOM / "audio_frontend_vectors.py")
numpy_frontend = script(PROJECT / "examples" / "microspeech" / "train" / "frontend.py")
CASES = {case.name: case for case in vectors.cases()}
with np.load(vectors.VECTORS) as archive:
    TENSORFLOWS = {name: archive[name] for name in archive.files}

each_case = pytest.mark.parametrize("name", CASES)


def run(use: Use, name: str, element: str = "u16") -> np.ndarray:
    """The frames that the block makes of a case's sound in one run."""
    frames, channels = TENSORFLOWS[name].shape
    block = use(
        "audio_frontend",
        f"i16[{len(CASES[name].sound)}]",
        declared=(f"{element}[{frames}, {channels}]",),
        frames=frames,
        **CASES[name].arguments,
    ).restart()
    return block.array(CASES[name].sound).reshape(frames, channels)


@each_case
def test_the_frames_of_a_sound_are_tensorflows(use: Use, name: str) -> None:
    np.testing.assert_array_equal(run(use, name), TENSORFLOWS[name])


@each_case
def test_the_numpy_frontends_frames_are_tensorflows(name: str) -> None:
    frontend = numpy_frontend.MicroFrontend(**CASES[name].arguments)
    np.testing.assert_array_equal(frontend.process(CASES[name].sound), TENSORFLOWS[name])


def test_every_case_has_its_vector() -> None:
    assert TENSORFLOWS.keys() == CASES.keys()
