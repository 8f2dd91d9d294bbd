"""Resolution of `proc-block` paths: built-in blocks and folders."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runec.diagnostics import Diagnostics, Label, UserFileError
from runec.frontend.ast import Document, ProcBlockNode
from runec.frontend.ast import Path as BlockPath
from runec.frontend.passes.folders import FolderMistake, find_folder
from runec.frontend.passes.names import NameTable
from runec.proc_blocks import Block, Catalogue, load_block
from runec.suggestions import did_you_mean, suggestion

# Path of the original platform's built-in blocks, without a version.
_BUILTIN_BASE = "hotg-ai/rune"


def find_blocks(
    document: Document,
    names: NameTable,
    catalogue: Catalogue,
    base_dir: Path,
    diagnostics: Diagnostics,
) -> dict[str, Block]:
    """The block of each proc-block stage; an unknown one is reported.

    Folders are relative to `base_dir`.
    """
    finder = _Finder(document, catalogue, base_dir, diagnostics)
    found = {
        name: finder.find(name, stage.path)
        for name, stage in names.stages.items()
        if isinstance(stage, ProcBlockNode)
    }
    return {name: block for name, block in found.items() if block is not None}


class _Finder(msgspec.Struct, frozen=True):
    document: Document
    catalogue: Catalogue
    base_dir: Path
    diagnostics: Diagnostics
    # Folders that were read, None for one with mistakes: reported once.
    own: dict[Path, Block | None] = msgspec.field(default_factory=dict)

    def find(self, name: str, path: BlockPath) -> Block | None:
        if path.base.startswith((".", "/")):
            return self._from_folder(name, path)
        return self._from_catalogue(name, path)

    def _from_folder(self, name: str, path: BlockPath) -> Block | None:
        try:
            folder = find_folder(path, self.base_dir, self.catalogue)
        except FolderMistake as mistake:
            message = f'"{name}": {mistake.message}'
            self.diagnostics.error("R0108", message, path.span, hint=mistake.hint)
            return None
        if folder.stand_in is not None:
            self.diagnostics.warning(
                "R0124",
                f'"{name}": the proc block "{path.text}" is written in Rust; runec uses '
                f'the built-in block "{folder.stand_in.name}" instead',
                path.span,
                hint=f"write {folder.stand_in.name} instead of {path.text}",
            )
            return folder.stand_in
        if folder.path not in self.own:
            self.own[folder.path] = self._load(name, path, folder.path)
        return self.own[folder.path]

    def _load(self, name: str, path: BlockPath, folder: Path) -> Block | None:
        try:
            return load_block(folder)
        except UserFileError as error:
            label = Label(path.span, f'"{name}" uses it here')
            self.diagnostics.error(
                error.code,
                error.message,
                error.span or path.span,
                hint=error.hint,
                labels=[label] if error.span is not None else [],
            )
            return None

    def _from_catalogue(self, name: str, path: BlockPath) -> Block | None:
        block = self.catalogue.find(path.text)
        if block is None:
            word = (path.sub_path or path.base.partition("?")[0]).rsplit("/", 1)[-1]
            word = word.removesuffix(".wasm")
            known = self.catalogue.find(word)
            self.diagnostics.error(
                "R0107",
                f'Can\'t find the proc block "{path.text}" used by "{name}"',
                path.span,
                hint=_another(path, word, known, self.catalogue),
                notes=_other_places(path, known),
            )
            return None
        if "/" in path.base and path.version is None and path.base != _BUILTIN_BASE:
            self._report_unversioned(name, path)
        return block

    def _report_unversioned(self, name: str, path: BlockPath) -> None:
        version = "@v1" if self.document.dialect == "legacy" else "@v0.11.3"
        sub_path = f"#{path.sub_path}" if path.sub_path is not None else ""
        self.diagnostics.warning(
            "R0109",
            f'The "{path.text}" proc block used by "{name}" should have a version specifier',
            path.span,
            hint=f'change it to something like "{path.base}{version}{sub_path}"',
        )


def _another(path: BlockPath, word: str, known: Block | None, catalogue: Catalogue) -> str:
    if known is not None:
        return f'did you mean "{known.name}"?'
    if "/" not in path.base and path.sub_path is None:
        return suggestion(word, catalogue.names())
    close = did_you_mean(word, catalogue.names())
    return close or (
        "use a block of `runec block list`, or write one: `runec block new NAME` creates one, "
        "used as proc-block: ./NAME"
    )


def _other_places(path: BlockPath, known: Block | None) -> tuple[str, ...]:
    if "/" not in path.base and not path.base.endswith(".wasm"):
        return ()
    if path.base.startswith("wapm:"):
        return ("blocks of the registry WAPM are compiled (.wasm); runec does not support them",)
    if known is not None:
        return (f'blocks of "{path.base}" are not known, but a built-in block has this name',)
    return ("runec does not download blocks and does not support compiled ones (.wasm)",)
