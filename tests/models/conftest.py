from __future__ import annotations

from pathlib import Path

import pytest
import tflite_micro


@pytest.fixture(scope="session")
def sine_path() -> Path:
    """A small float model that the tflite-micro wheel carries."""
    return Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"


@pytest.fixture(scope="session")
def sine(sine_path: Path) -> bytes:
    """Its bytes."""
    return sine_path.read_bytes()
