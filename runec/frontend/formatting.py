"""Canonical spelling of a Runefile, in either dialect: what `runec fmt` writes.

    format_runefile(text, path)   the same Runefile, canonical

Formatting never changes what a Runefile means: the result is read again and compared.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runec.diagnostics import Diagnostics, SourceFile, UserFileError
from runec.frontend import parse
from runec.frontend.ast import Document

__all__ = ["format_runefile", "meaning"]

_ROUNDS_MAX = 4


def format_runefile(text: str, path: str) -> str:
    """Return the canonical spelling of a Runefile; `path` is shown in diagnostics.

    Raises:
        RunefileError: its syntax is wrong.
        UserFileError: R0019, it is too long; R0021, its spelling can't be changed safely.
    """
    diagnostics = Diagnostics()
    document = parse(text, path, diagnostics)
    diagnostics.raise_if_errors()
    wanted = meaning(document)
    formatted = _format_once(document)
    # Where a comment moves, the next round may see another place for it.
    for _ in range(_ROUNDS_MAX):
        again = Diagnostics()
        changed = parse(formatted, path, again)
        if again.has_errors or meaning(changed) != wanted:
            break
        previous, formatted = formatted, _format_once(changed)
        if formatted == previous:
            return formatted
    raise UserFileError(
        "R0021",
        f"{path} cannot be formatted without a change of meaning",
        hint="write its unusual texts in double quotes",
    )


def meaning(node: Any) -> Any:
    """Return an AST without the places in it: equal for two texts that mean the same."""
    if isinstance(node, tuple):
        return tuple(meaning(item) for item in node)
    if isinstance(node, msgspec.Struct):
        return (
            type(node).__name__,
            *(
                meaning(getattr(node, name))
                for name in node.__struct_fields__
                if name not in ("span", "source")
            ),
        )
    return node


def _format_once(document: Document) -> str:
    source = SourceFile(document.source.path, document.source.text.replace("\r\n", "\n"))
    if document.dialect == "legacy":
        from runec.frontend.format_legacy import format_legacy  # noqa: PLC0415 - one of two

        return format_legacy(source)
    from runec.frontend.format_yaml import format_yaml  # noqa: PLC0415 - one of two
    from runec.frontend.yaml_nodes import Mapping, parse_yaml  # noqa: PLC0415

    root = parse_yaml(source, Diagnostics())
    assert isinstance(root, Mapping)  # noqa: S101 - it was parsed without an error
    return format_yaml(source, root)
