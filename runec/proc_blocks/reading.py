"""Reading a `block.toml`."""

from __future__ import annotations

from pathlib import Path

from runec.files import read_file
from runec.proc_blocks.contradictions import find_contradiction
from runec.proc_blocks.manifest import ArgumentRule, InputRule, Manifest, OutputRule
from runec.proc_blocks.toml_reading import Structs, TomlFile

MAX_MANIFEST_BYTES = 64 * 1024

_STRUCTS: Structs = {("arguments",): ArgumentRule, ("inputs",): InputRule, ("outputs",): OutputRule}


def load_manifest(path: Path) -> Manifest:
    """Read a `block.toml`.

    Raises:
        UserFileError: R0430, it is not TOML, has an unknown key or contradicts itself.
    """
    data = read_file(path, "the block description", max_bytes=MAX_MANIFEST_BYTES)
    file = TomlFile(path, data, "R0430", f"the description of block {path.parent.name!r} is")
    manifest = file.decode(Manifest, _STRUCTS)
    contradiction = find_contradiction(manifest)
    if contradiction is not None:
        problem, place = contradiction
        file.refuse(problem, place)
    return manifest
