from __future__ import annotations

from collections.abc import Callable

import pytest

from runec.container import Rune
from tests.common import rune_of_example

MakeRune = Callable[[str], Rune]


@pytest.fixture(scope="session")
def example_rune() -> MakeRune:
    """Build the .rune of an example."""
    return rune_of_example
