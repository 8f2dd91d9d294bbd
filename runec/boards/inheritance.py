"""Inheritance of board files: reading, merging tables, origins of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runec.diagnostics import UserFileError
from runec.suggestions import suggestion
from runec.toml import TomlFile, TomlSort, read_toml

# Keys of one board only.
OWN_KEYS = frozenset({"id", "name", "verified", "verified_reason"})
_SORT = TomlSort("R0801", "board file", "docs/guides/boards.md", max_bytes=64 * 1024)

KeyPath = tuple[str, ...]


class BoardFiles:
    """Board files as they were read, each once: families are inherited by many boards."""

    def __init__(self) -> None:
        self._read: dict[Path, TomlFile] = {}

    def read(self, path: Path) -> TomlFile:
        """Return one file.

        Raises:
            UserFileError: R0801, it is not TOML; R1003, unreadable.
        """
        if path not in self._read:
            self._read[path] = read_toml(path, _SORT)
        return self._read[path]


@dataclass(frozen=True)
class JoinedBoard:
    """A board file joined with all that it inherits from, itself first in `texts`.

    `origins` maps keys to files; a table belongs to the first file that has it.
    """

    texts: tuple[TomlFile, ...]
    tables: dict[str, Any]
    origins: dict[KeyPath, TomlFile]

    def origin(self, path: KeyPath) -> TomlFile:
        """Return the file of a key, or of the innermost table around it."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.origins:
                return self.origins[path[:depth]]
        return self.texts[0]


def join_board(path: Path, heritage: Mapping[str, Path], files: BoardFiles) -> JoinedBoard:
    """Read a board file and what it inherits from, which `heritage` has by name.

    Tables are joined key by key; anything else of the inheriting file, lists as well, stands in the
    other's place.

    Raises:
        UserFileError: R0801, a file is not TOML; R0804, it inherits from itself or from nothing;
            R1003, unreadable.
    """
    texts = [files.read(path)]
    seen = [path.resolve()]
    while "inherits" in texts[-1].tables:
        heir = texts[-1]
        parent = heir.tables["inherits"]
        if not isinstance(parent, str):
            break  # reported as a value of the wrong type
        parent_path = heritage.get(parent)
        if parent_path is None:
            raise UserFileError(
                "R0804",
                f"{heir.name} inherits from {parent!r}, which is not a board file",
                span=heir.span(("inherits",)),
                hint=suggestion(parent, sorted(heritage)),
            )
        if parent_path.resolve() in seen:
            chain = [text.name for text in texts[seen.index(parent_path.resolve()) :]]
            raise UserFileError(
                "R0804",
                f"circular inheritance of board files: {' -> '.join([*chain, chain[0]])}",
                span=heir.span(("inherits",)),
                hint="remove `inherits` from one of them",
            )
        texts.append(files.read(parent_path))
        seen.append(parent_path.resolve())
    tables: dict[str, Any] = {}
    origins: dict[KeyPath, TomlFile] = {}
    for text in reversed(texts):
        said = text.tables
        if text is not texts[0]:
            said = {key: value for key, value in said.items() if key not in OWN_KEYS}
        _join(tables, said, text, origins, ())
    return JoinedBoard(tuple(texts), tables, origins)


def _join(
    into: dict[str, Any],
    said: Mapping[str, Any],
    text: TomlFile,
    origins: dict[KeyPath, TomlFile],
    above: KeyPath,
) -> None:
    for key, value in said.items():
        path = (*above, key)
        if isinstance(value, dict):
            before = into.get(key)
            into[key] = dict(before) if isinstance(before, dict) else {}
            origins.setdefault(path, text)
            _join(into[key], value, text, origins, path)
        else:
            into[key] = value
            origins[path] = text
