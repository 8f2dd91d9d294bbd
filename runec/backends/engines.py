"""The engines by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runec.backends.aot import AOT
from runec.backends.engine import Engine
from runec.backends.wasm3 import WASM3

DEFAULT = WASM3

ENGINES: Mapping[str, Engine] = MappingProxyType({each.name: each for each in (WASM3, AOT)})
