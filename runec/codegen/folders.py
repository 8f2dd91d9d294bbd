"""The folders that the compiler may read, and the files that it has read.

The compiler sees folders under names of our own, which `-ffile-prefix-map` takes out of its output.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders that a compiler may read, under their names for it.

    Each name is a symbolic link in `place`, where the compiler runs, so that a path in its
    output shows how a file was included: by the name, out of the folder (`..`), or by its absolute
    path.
    """

    place: Path
    links: Mapping[str, Path]

    def make(self) -> None:
        """Make the links.

        Raises:
            OSError: A symbolic link cannot be created.
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
