"""Models of the original platform in the conformance matrix, with published results."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from runec.devices import Target
from tools import conformance as tool

PROJECT = Path(__file__).resolve().parents[2]
MODELS = PROJECT.parent / "shared" / "data" / "hotg"
# Inputs as in the original platform's documents.
PUBLISHED = {
    "gesture": {"example_ring.csv": "Ring"},
    "microspeech": {"up.wav": "up", "left.wav": "left"},
    "person_detection": {"image.png": "person"},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_originals_models_say_what_was_published(tmp_path: Path, name: str) -> None:
    if not MODELS.is_dir():
        pytest.skip("no ../shared/data/hotg here")
    folder = PROJECT / "examples" / name
    runs = tool.read_conformance(folder / "conformance.toml")
    own = [tool.Example(name, folder, None, runs)]  # type: ignore[arg-type] # its rune is not run
    for example in tool.with_other_models(own, MODELS, tmp_path):
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
