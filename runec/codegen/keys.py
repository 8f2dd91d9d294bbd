"""What a compiled source depends on, so that it can be named by it.

A key is made of everything that can change the compiler's output: the tools, the flags, the text
that was generated, the C files of the block and of the SDK. Folders are no part of it: paths in the
output are mapped away by `-ffile-prefix-map`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILES_MAX = 256
BYTES_MAX = 16 << 20
_SUFFIXES = frozenset({".c", ".h", ".inc"})


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The C files below a folder: path relative to it, and SHA-256."""

    folder: Path
    files: Mapping[str, bytes]

    def parts(self) -> Iterator[bytes | str]:
        """Yield what goes into a key."""
        yield str(len(self.files))
        for name, digest in self.files.items():
            yield name
            yield digest

    def holds(self, path: str) -> bool:
        """True for the path of one of the files."""
        root = f"{os.path.normpath(self.folder)}{os.sep}"
        path = os.path.normpath(path)
        return path.startswith(root) and path.removeprefix(root) in self.files


def read_tree(folder: Path) -> SourceTree | None:
    """Read a folder; None when nothing may be said of what is compiled from it.

    That is when a file cannot be read, when there are too many, or when the compiler could not map
    the folder's name away.
    """
    if "=" in str(folder):
        return None
    found: dict[str, bytes] = {}
    size = 0
    try:
        for parent, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(parent, name)
                if path.suffix not in _SUFFIXES or not path.is_file():
                    continue
                size += path.stat().st_size
                if size > BYTES_MAX or len(found) == FILES_MAX:
                    return None
                found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None
    return SourceTree(folder, dict(sorted(found.items())))


def dependencies(rule: str) -> list[str]:
    """Return the files that a compiler's make rule (`-MMD`) names."""
    _, _, text = rule.replace("\\\n", " ").partition(": ")
    names = [""]
    escaped = False
    for char in text:
        if escaped:
            names[-1] += char if char in " #" else f"\\{char}"
            escaped = False
        elif char == "\\":
            escaped = True
        elif char.isspace():
            names.append("")
        else:
            names[-1] += char
    return [name.replace("$$", "$") for name in names if name]
