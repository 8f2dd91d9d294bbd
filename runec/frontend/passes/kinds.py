"""Capability and output kinds, in the spellings that the original accepts."""

from __future__ import annotations

from typing import TypeVar

from runec.diagnostics import Diagnostics
from runec.frontend.ast import CapabilityNode, OutNode
from runec.frontend.passes.names import NameTable
from runec.frontend.text import suggestion
from runec.pipeline import CapabilityKind, OutputKind

T = TypeVar("T")

_CAPABILITIES = {kind.name: kind for kind in CapabilityKind}
_OUTPUTS = {kind.name: kind for kind in (OutputKind.SERIAL, OutputKind.TENSOR)}


def check_capabilities(names: NameTable, diagnostics: Diagnostics) -> dict[str, CapabilityKind]:
    """The kind of each capability stage; an unknown one is reported."""
    kinds = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, CapabilityNode):
            continue
        word = stage.kind.text
        kind = _lookup(_CAPABILITIES, word)
        if kind is None:
            diagnostics.error(
                "R0105",
                f'This isn\'t one of the builtin capabilities: "{word[:40]}"',
                stage.kind.span,
                hint=suggestion(word, _CAPABILITIES),
            )
        else:
            kinds[name] = kind
    return kinds


def check_outputs(names: NameTable, diagnostics: Diagnostics) -> dict[str, OutputKind]:
    """The kind of each out stage; an unknown one is reported."""
    kinds = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, OutNode):
            continue
        word = stage.kind.text
        kind = _lookup(_OUTPUTS, word)
        if kind is None:
            diagnostics.error(
                "R0106",
                f'Unknown OUT type "{word[:40]}"',
                stage.kind.span,
                hint=suggestion(word, _OUTPUTS),
            )
        else:
            kinds[name] = kind
    return kinds


def _lookup(kinds: dict[str, T], word: str) -> T | None:
    if word not in (word.upper(), word.lower()):
        return None
    return kinds.get(word.upper().replace("-", "_"))


CAPABILITY_NAMES = tuple(_CAPABILITIES)
OUTPUT_NAMES = tuple(_OUTPUTS)
