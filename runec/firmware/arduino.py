"""The same firmware as a project for a vendor's platform in PlatformIO's registry.

Only platform, compiler and Arduino core come from there; everything else is in `src/` and `lib/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import runec
from runec.backends import SourceGroup
from runec.boards import Board
from runec.data import data_dir
from runec.firmware.layout import Layout

HAL_FOLDER = "arduino"
# What the bare-metal firmware and this one have in common.
_SHARED = ("console.c", "console.h", "firmware.h")
_WITH_VALUE = ("-I", "-isystem", "-include")
# FreeRTOS counts a stack in words, and so does the option of the cores that use it.
_WORD_BYTES = 4
# What a core's task takes above setup() and loop().
_CORE_STACK_BYTES = 2048


@dataclass(frozen=True, slots=True)
class _Flags:
    """A compiler's arguments: folders of headers, headers read before all else, the rest."""

    include: tuple[str, ...]
    prefixed: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def split(cls, flags: Iterable[str]) -> _Flags:
        include, prefixed, others = [], [], []
        words = iter(flags)
        for word in words:
            if word == "-include":
                prefixed.append(next(words))
            elif word in _WITH_VALUE:
                include.append(next(words))
            else:
                others.append(word)
        return cls(tuple(include), tuple(prefixed), tuple(others))


def hal_group() -> SourceGroup:
    """Return the board's part over Arduino's API."""
    hal = data_dir("firmware_templates") / "hal"
    files = {name: hal / "common" / name for name in _SHARED}
    files["hal.cpp"] = hal / HAL_FOLDER / "hal.cpp"
    return SourceGroup(
        folder="hal",
        files=files,
        sources=tuple(name for name in sorted(files) if not name.endswith(".h")),
        include=("lib/hal", "lib/runevm/include"),
        flags=("-Wall", "-Wextra"),
    )


def definitions(board: Board, layout: Layout, groups: Iterable[SourceGroup]) -> list[str]:
    """Return the -D options of the whole project: its numbers, and what `src/` needs."""
    numbers = {
        "HAL_BAUD": board.hal.baud,
        "HAL_STACK_BYTES": layout.stack_bytes,
        "LOOP_STACK_SZ": (layout.stack_bytes + _CORE_STACK_BYTES) // _WORD_BYTES,
    }
    own = [flag for group in groups if not group.folder for flag in group.flags]
    return [
        *(f"-D{name}={value}" for name, value in numbers.items()),
        *(flag for flag in own if flag.startswith("-D")),
    ]


def include_folders(groups: Iterable[SourceGroup]) -> list[str]:
    """Return every folder of headers, each once, in the order of the groups."""
    folders = [
        folder
        for group in groups
        for folder in (*group.include, *_Flags.split(group.flags).include)
    ]
    return list(dict.fromkeys(folders))


def library_files(groups: Iterable[SourceGroup]) -> dict[str, bytes | str | Path]:
    """Return the files of `lib/` by their path in the project: a library for each folder.

    A header that a group's sources read before all else is named in their first line, because
    PlatformIO would look for it elsewhere.
    """
    by_folder: dict[str, list[SourceGroup]] = {}
    for group in groups:
        by_folder.setdefault(group.folder, []).append(group)
    files: dict[str, bytes | str | Path] = {}
    for folder, parts in by_folder.items():
        for group in parts:
            prefixed = _Flags.split(group.flags).prefixed
            for name, origin in group.files.items():
                is_changed = prefixed and name in group.sources
                content = _with_headers(origin, prefixed) if is_changed else origin
                files[f"lib/{folder}/{name}"] = content
        files[f"lib/{folder}/library.json"] = _library(folder, parts)
    return files


def _with_headers(origin: Path, headers: Iterable[str]) -> bytes:
    lines = [f'#include "{PurePosixPath(name).name}"' for name in headers]
    return "\n".join([*lines, "#line 1", ""]).encode() + origin.read_bytes()


def _library(folder: str, parts: Iterable[SourceGroup]) -> str:
    flags = [flag for group in parts for flag in _Flags.split(group.flags).others]
    headers = f"lib/{folder}/include"
    has_headers = any(headers in group.include for group in parts)
    about = {
        "name": folder,
        "version": runec.__version__,
        "description": "A part of a runec firmware.",
        "build": {
            "srcDir": ".",
            "includeDir": "include" if has_headers else ".",
            "srcFilter": [f"+<{name}>" for group in parts for name in group.sources],
            "flags": list(dict.fromkeys(flags)),
            "libArchive": False,
        },
    }
    return json.dumps(about, indent=2) + "\n"
