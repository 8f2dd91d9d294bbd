"""Resolution of block paths in a Runefile: built-in blocks and folders of the user."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from runec.proc_blocks.block import Block
from runec.proc_blocks.reading import load_manifest

_ROOM = Path(__file__).resolve().parent

# Repositories of the original platform's blocks; all versions map to built-in blocks.
_BASES = frozenset({"hotg-ai/rune", "hotg-ai/proc-blocks"})
# Other names of blocks in the original platform; they compute the same.
_ALIASES = {"debounce_confidence": "debounce"}
_PATH = re.compile(
    r"(?:https://github\.com/)?(?P<base>[\w:/.-]+?)(?:\.git)?(?:@(?P<version>[\w./-]+))?"
    r"(?:#(?P<sub_path>[\w./-]+))?",
    re.ASCII,
)


def sdk_dir() -> Path:
    """Return the folder of `rune_block.h`."""
    return _ROOM / "sdk"


def template_dir() -> Path:
    """Return the folder of what `runec block new` copies: a block that works, with its tests."""
    return _ROOM / "template"


def load_block(folder: Path) -> Block:
    """Return the block of a folder of the user's.

    Raises:
        UserFileError: R0430, its description is broken; R1003, it cannot be read.
    """
    manifest, file = load_manifest(folder / "block.toml")
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    return Block.from_manifest(name, folder.absolute(), manifest, own_path=folder, file=file)


class Catalogue:
    """The blocks of one folder, `<name>/{block.toml, block.c}`; each is read when asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._blocks: dict[str, Block] = {}

    @classmethod
    def builtin(cls) -> Catalogue:
        """Return the catalogue that comes with runec."""
        return _builtin()

    def names(self) -> tuple[str, ...]:
        """The names of all blocks, sorted."""
        return tuple(sorted(entry.parent.name for entry in self._directory.glob("*/block.toml")))

    def find(self, path: str) -> Block | None:
        """Return the block that a Runefile's path means, or None.

        A path is a plain name (`modulo`), or a repository of the original platform with the block's
        folder after `#`: `hotg-ai/proc-blocks@v0.11.3#modulo`, `hotg-ai/rune#proc_blocks/modulo`.
        The version is not looked at; `-` and `_` are the same; `debounce_confidence` is `debounce`.

        Raises:
            UserFileError: R0430, the block's description is broken.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        base, sub_path = match["base"], match["sub_path"]
        if sub_path is not None and base not in _BASES:
            return None
        name = (base if sub_path is None else sub_path.rsplit("/", 1)[-1]).replace("-", "_")
        if not re.fullmatch(r"[A-Za-z]\w{,99}", name, re.ASCII):
            return None
        name = _ALIASES.get(name, name)
        if name not in self._blocks:
            directory = self._directory / name
            if not (directory / "block.toml").is_file():
                return None
            manifest, _ = load_manifest(directory / "block.toml")
            self._blocks[name] = Block.from_manifest(name, directory, manifest)
        return self._blocks[name]


@cache
def _builtin() -> Catalogue:
    return Catalogue(_ROOM / "blocks")
