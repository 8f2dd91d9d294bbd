"""The block of the catalogue that each `proc-block` path means."""

from __future__ import annotations

from runec.diagnostics import Diagnostics
from runec.frontend.ast import Document, Path, ProcBlockNode
from runec.frontend.passes.names import NameTable
from runec.frontend.text import suggestion
from runec.proc_blocks import Block, Catalogue

# Where the original kept the blocks that came with it; its paths never had a version.
_BUILTIN_BASE = "hotg-ai/rune"


def find_blocks(
    document: Document, names: NameTable, catalogue: Catalogue, diagnostics: Diagnostics
) -> dict[str, Block]:
    """The block of each proc-block stage; an unknown one is reported."""
    blocks = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, ProcBlockNode):
            continue
        path = stage.path
        if path.base.startswith((".", "/")):
            diagnostics.error(
                "R0108",
                f'"{name}" uses a proc block in a folder, "{path.text}": runec has its own only',
                path.span,
                hint=suggestion(path.base.rstrip("/").rsplit("/", 1)[-1], catalogue.names()),
            )
            continue
        block = catalogue.find(path.text)
        if block is None:
            word = (path.sub_path or path.base).rsplit("/", 1)[-1]
            diagnostics.error(
                "R0107",
                f'Can\'t find the proc block "{path.text}" used by "{name}"',
                path.span,
                hint=suggestion(word, catalogue.names()),
                notes=_other_places(path, word, catalogue),
            )
            continue
        blocks[name] = block
        if "/" in path.base and path.version is None and path.base != _BUILTIN_BASE:
            _report_unversioned(name, path, document, diagnostics)
    return blocks


def _other_places(path: Path, word: str, catalogue: Catalogue) -> tuple[str, ...]:
    if catalogue.find(word) is None:
        return ()
    return (f'blocks of "{path.base}" are not known, but runec has a block of that name',)


def _report_unversioned(
    name: str, path: Path, document: Document, diagnostics: Diagnostics
) -> None:
    version = "@v1" if document.dialect == "legacy" else "@v0.11.3"
    sub_path = f"#{path.sub_path}" if path.sub_path is not None else ""
    diagnostics.warning(
        "R0109",
        f'The "{path.text}" proc block used by "{name}" should have a version specifier',
        path.span,
        hint=f'change it to something like "{path.base}{version}{sub_path}"',
    )
