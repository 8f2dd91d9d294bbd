"""Reading a `block.toml`."""

from __future__ import annotations

from pathlib import Path

from runec.proc_blocks.contradictions import find_contradiction
from runec.proc_blocks.manifest import Manifest
from runec.toml import TomlFile, TomlSort, read_toml

GUIDE = "docs/guides/blocks.md"
_SORT = TomlSort("R0430", "block description", GUIDE, max_bytes=64 * 1024)


def load_manifest(path: Path) -> tuple[Manifest, TomlFile]:
    """Read a `block.toml`; return its contents, and the file for later errors.

    Raises:
        UserFileError: R0430, it is not TOML, has an unknown key or contradicts itself; R1003, it
            cannot be read.
    """
    file = read_toml(path, _SORT)
    manifest = file.decode(Manifest)
    contradiction = find_contradiction(manifest)
    if contradiction is not None:
        raise file.error(*contradiction)
    return manifest, file
