from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runec.models import ModelFile
from tests.originals import EXAMPLES, HOTG, needing

# The smallest arena with which the TensorFlow Lite Micro of July 2020 (crate tfmicro 0.1.0, built
# for a 32-bit target) opens and runs each model: docs/arena.md describes how.
REALLY_USED = {
    "sine/sinemodel.tflite": 1264,
    "gesture/model.tflite": 15856,
    "microspeech/model.tflite": 7376,
    "person_detection/model.tflite": 88416,
}

MEASURE = """
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=1 << 20)
details = interpreter.get_input_details(0)
interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)
interpreter.invoke()
interpreter.print_allocations()
"""


def host_allocations(path: Path) -> dict[str, int]:
    """What today's library takes on the host: `head` and `tail`, in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    found = re.findall(r"Arena allocation (\w+) (\d+) bytes", done.stdout + done.stderr)
    return {name: int(size) for name, size in found}


@pytest.mark.parametrize("name", [pytest.param(name, marks=needing(name)) for name in REALLY_USED])
def test_the_figure_is_what_the_devices_library_really_takes(name: str) -> None:
    assert ModelFile((HOTG / name).read_bytes()).arena_bytes == REALLY_USED[name]


def test_the_figure_is_right_for_the_wheels_own_model(sine: bytes) -> None:
    assert ModelFile(sine).arena_bytes == 1264


MODELS = ("gesture/model.tflite", "microspeech/model.tflite")
EACH_ORIGINAL = [pytest.param(HOTG / name, marks=needing(name)) for name in MODELS]


@pytest.mark.parametrize("path", [*(EXAMPLES / name for name in MODELS), *EACH_ORIGINAL])
def test_the_figure_is_above_the_hosts_head(path: Path) -> None:
    assert host_allocations(path)["head"] < ModelFile(path.read_bytes()).arena_bytes


@pytest.mark.parametrize("path", EACH_ORIGINAL)
def test_the_figure_is_at_most_the_hosts_total(path: Path) -> None:
    """Of models with one scale a tensor: docs/arena.md, what devices take for each channel."""
    assert ModelFile(path.read_bytes()).arena_bytes <= sum(host_allocations(path).values())


def test_the_figure_is_a_multiple_of_16(sine: bytes) -> None:
    figures = [ModelFile(path.read_bytes()).arena_bytes for path in EXAMPLES.glob("*/*.tflite")]
    assert len(figures) > 3
    assert all(figure % 16 == 0 for figure in [*figures, ModelFile(sine).arena_bytes])
