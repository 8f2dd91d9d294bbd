from __future__ import annotations

from pathlib import Path

import pytest
import tflite_micro

HOTG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hotg"


@pytest.fixture(scope="session")
def sine_path() -> Path:
    """A small float model that the tflite-micro wheel carries."""
    return Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"


@pytest.fixture(scope="session")
def sine(sine_path: Path) -> bytes:
    """Its bytes."""
    return sine_path.read_bytes()


@pytest.fixture(scope="session")
def hotg() -> Path:
    """The models and recordings of the original platform, which are not part of the project."""
    if not HOTG.is_dir():
        pytest.skip("../shared/data/hotg is not there")
    return HOTG
