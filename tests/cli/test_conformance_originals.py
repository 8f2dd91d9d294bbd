"""Models of the original platform in the conformance matrix, with published results."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from runec.devices import Target
from tests.originals import EXAMPLES, HOTG, needing
from tools import conformance as tool

# What the original's documents say of its own inputs.
PUBLISHED = {
    "gesture": {"example_ring.csv": "Ring"},
    "microspeech": {"up.wav": "up", "left.wav": "left"},
    "person_detection": {"image.png": "person"},
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=needing(f"{name}/model.tflite", *(f"{name}/{file}" for file in files))
        )
        for name, files in PUBLISHED.items()
    ],
)
def test_the_originals_models_say_what_was_published(tmp_path: Path, name: str) -> None:
    folder = EXAMPLES / name
    runs = tool.read_conformance(folder / "conformance.toml")
    own = [tool.Example(name, folder, None, runs)]  # type: ignore[arg-type] # its rune is not run
    for example in tool.with_other_models(own, HOTG, tmp_path):
        expected: list[list[str] | None] = [None] * len(example.runs)
        cell = tool.check(example, Target("host"), expected, threading.Event())
        assert cell.differences == []
        assert example.reach == ("everywhere" if name == "gesture" else "quick")
        assert cell.runs == len(example.runs) >= tool.RUNS_MIN
        said = {
            Path(path).name: " ".join(lines or [])
            for run, lines in zip(example.runs, expected, strict=True)
            for path in (*run.accelerometer, *run.sound, *run.image)
        }
        for file, label in PUBLISHED[name].items():
            assert f'"{label}"' in said[file]
        break
    else:
        pytest.fail("no model of the original takes part")
