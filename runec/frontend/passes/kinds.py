"""Names of capability and output kinds that the original platform accepts."""

from __future__ import annotations

from typing import TypeVar

from runec.diagnostics import Diagnostics
from runec.frontend.ast import CapabilityNode, OutNode, Text
from runec.frontend.passes.names import NameTable
from runec.pipeline import CapabilityKind, OutputKind
from runec.suggestions import suggestion

T = TypeVar("T")

_CAPABILITIES = {kind.name: kind for kind in CapabilityKind}
_OUTPUTS = {kind.name: kind for kind in (OutputKind.SERIAL, OutputKind.TENSOR, OutputKind.PIN)}


def check_capabilities(names: NameTable, diagnostics: Diagnostics) -> dict[str, CapabilityKind]:
    """The kind of each capability stage; an unknown one is reported."""
    words = {
        name: stage.kind
        for name, stage in names.stages.items()
        if isinstance(stage, CapabilityNode)
    }
    message = "This isn't one of the builtin capabilities:"
    return _known(words, _CAPABILITIES, "R0105", message, diagnostics)


def check_outputs(names: NameTable, diagnostics: Diagnostics) -> dict[str, OutputKind]:
    """The kind of each out stage; an unknown one is reported."""
    words = {name: stage.kind for name, stage in names.stages.items() if isinstance(stage, OutNode)}
    return _known(words, _OUTPUTS, "R0106", "Unknown OUT type", diagnostics)


def _known(
    words: dict[str, Text], kinds: dict[str, T], code: str, message: str, diagnostics: Diagnostics
) -> dict[str, T]:
    found = {}
    for name, word in words.items():
        kind = _lookup(kinds, word.text)
        if kind is not None:
            found[name] = kind
            continue
        diagnostics.error(
            code,
            f'{message} "{word.text[:40]}"',
            word.span,
            hint=suggestion(word.text, kinds),
        )
    return found


def _lookup(kinds: dict[str, T], word: str) -> T | None:
    if word not in (word.upper(), word.lower()):
        return None
    return kinds.get(word.upper().replace("-", "_"))


CAPABILITY_NAMES = tuple(_CAPABILITIES)
OUTPUT_NAMES = tuple(_OUTPUTS)
