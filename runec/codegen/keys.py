"""What a compiled source depends on, so that it can be named by it.

A key is made of everything that can change the compiler's output: the tools with their headers, the
flags, the text that was generated, the C files of the block and of the SDK, and the names of the
block's other files, for which `__has_include` can ask. Folders are no part of it: the compiler sees
them under names of our own, which `-ffile-prefix-map` takes out of its output.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILES_MAX = 256
_NAMES_MAX = 4096
BYTES_MAX = 16 << 20
_SUFFIXES = frozenset({".c", ".h", ".inc"})


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The C files below a folder: path relative to it, and SHA-256. `others`: other paths."""

    folder: Path
    files: Mapping[str, bytes]
    others: tuple[str, ...] = ()

    def parts(self) -> Iterator[bytes | str]:
        """Yield what goes into a key."""
        yield str(len(self.files))
        for name, digest in self.files.items():
            yield name
            yield digest
        yield from self.others

    def holds(self, name: str) -> bool:
        """True for a path below the folder that is one of the files."""
        return os.path.normpath(name) in self.files


def read_tree(folder: Path) -> SourceTree | None:
    """Read a folder; None when nothing may be said of what is compiled from it.

    That is when a file cannot be read, or when there are too many.
    """
    found: dict[str, bytes] = {}
    others: list[str] = []
    size = 0
    try:
        for parent, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(parent, name)
                if path.suffix not in _SUFFIXES or not path.is_file():
                    others.append(str(path.relative_to(folder)))
                    if len(others) > _NAMES_MAX:
                        return None
                    continue
                size += path.stat().st_size
                if size > BYTES_MAX or len(found) == FILES_MAX:
                    return None
                found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None
    return SourceTree(folder, dict(sorted(found.items())), tuple(sorted(others)))


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders that a compiler may read from, under the names that it is given.

    Each name is a symbolic link in `place`, where the compiler runs, so that the spelling of a path
    in its output tells how a file was included: by way of the name, out of the folder (`..`), or by
    its absolute path.
    """

    place: Path
    links: Mapping[str, Path]

    def make(self) -> None:
        """Make the links.

        Raises:
            OSError: The system refuses.
        """
        for name, folder in self.links.items():
            link = self.place / name
            if link.is_symlink() and link.readlink() == folder:
                continue
            link.unlink(missing_ok=True)
            link.symlink_to(folder)

    def within(self, path: str) -> tuple[str, str] | None:
        """Return a link and the path below it; None for a file from elsewhere.

        A file of `place` itself has the link `""`. What leaves a folder and comes back is from
        elsewhere, for it depends on the folder's name; so is what a symbolic link leads out to.
        """
        parts = [part for part in path.split("/") if part != "."]
        if len(parts) == 1:
            return "", path
        name, *below = parts
        if path.startswith("/") or name not in self.links:
            return None
        depth = 0
        for part in below:
            depth += -1 if part == ".." else 1
            if depth < 0:
                return None
        root = os.path.realpath(self.links[name])
        real = os.path.realpath(self.place / path)
        if os.path.commonpath((root, real)) != root:
            return None
        return name, "/".join(below)


def dependencies(rule: str) -> list[str]:
    """Return the files that a compiler's make rule (`-MD`) names."""
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
