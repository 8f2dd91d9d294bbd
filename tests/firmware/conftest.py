from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.frontend import analyse

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MakeRune = Callable[[str], Rune]


@pytest.fixture(scope="session")
def example_rune() -> MakeRune:
    """Build the .rune of an example."""
    made: dict[str, Rune] = {}

    def build(name: str) -> Rune:
        if name not in made:
            pipeline = analyse(EXAMPLES / name / "Runefile.yml").pipeline
            made[name] = write_rune(pipeline, compile_pipeline(pipeline))
        return made[name]

    return build
