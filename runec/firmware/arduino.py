"""The same firmware as a project for a vendor's platform in PlatformIO's registry.

Only platform, compiler and Arduino core come from there; everything else is in `src/` and `lib/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import runec
from runec.backends import SourceGroup
from runec.boards import Board
from runec.data import data_dir
from runec.firmware.memory_plan import MemoryPlan

HAL_FOLDER = "arduino"
# What the bare-metal firmware and this one have in common.
_SHARED = ("console.c", "console.h", "firmware.h", "runevm_hal.h")
# FreeRTOS counts a stack in words, and so does the option of the cores that use it.
_WORD_BYTES = 4
# What a core's task or main() takes above setup() and loop().
CORE_STACK_BYTES = 2048
# The nRF5 core reserves a heap that nothing here asks for.
_NRF5_HEAP_BYTES = 1024
# Where GNU ld lists what it placed, on bare metal as well.
MAP_PATH = ".pio/build/firmware/firmware.map"
# A debug check in a kernel of TensorFlow Lite Micro aborts on valid models; not every core has it.
_RELEASE = "-DNDEBUG"


def hal_group(board: Board, plan: MemoryPlan) -> SourceGroup:
    """Return the board's part over Arduino's API."""
    hal = data_dir("firmware_templates") / "hal"
    files = {name: hal / "common" / name for name in _SHARED}
    files["hal.cpp"] = hal / HAL_FOLDER / "hal.cpp"
    numbers = {
        "HAL_BAUD": board.hal.baud,
        "HAL_STACK_BYTES": plan.stack_bytes,
        "HAL_CORE_STACK_BYTES": CORE_STACK_BYTES,
    }
    if board.vendor is not None and board.vendor.serial_pins is not None:
        numbers["HAL_RX_PIN"], numbers["HAL_TX_PIN"] = board.vendor.serial_pins
    return SourceGroup(
        folder="hal",
        files=files,
        sources=tuple(name for name in sorted(files) if not name.endswith(".h")),
        include=("lib/hal", "lib/runevm/include"),
        flags=("-Wall", "-Wextra", *(f"-D{name}={value}" for name, value in numbers.items())),
    )


def core_flags(board: Board, plan: MemoryPlan) -> list[str]:
    """Return the flags of the whole project, the core's sources as well."""
    vendor = board.vendor
    if vendor is None:
        return []
    stack_bytes = plan.stack_bytes + CORE_STACK_BYTES
    flags = []
    if vendor.platform == "nordicnrf52":
        flags += [
            # The nRF5 core's linker script reserves and checks both, Adafruit's core the other.
            f"-D__STACK_SIZE={stack_bytes}",
            f"-D__HEAP_SIZE={_NRF5_HEAP_BYTES}",
            f"-DLOOP_STACK_SZ={stack_bytes // _WORD_BYTES}",
            f"-Wl,-Map={MAP_PATH}",  # the other cores write one themselves
        ]
    flags += [f"-U{name}" for name in vendor.undefines]
    return [*flags, *(f"-D{name}" for name in vendor.defines)]


def library_files(groups: Iterable[SourceGroup]) -> dict[str, bytes | str | Path]:
    """Return the files of `lib/` by their path in the project: a library for each folder.

    A library has one set of flags, so sources that a folder compiles otherwise go into a library of
    their own beside it, such as `tflm_2`. A header that a group's sources read before all else is
    named in their first line, because PlatformIO would look for it elsewhere.
    """
    by_folder: dict[str, list[SourceGroup]] = {}
    for group in groups:
        by_folder.setdefault(group.folder, []).append(group)
    files: dict[str, bytes | str | Path] = {}
    for folder, parts in by_folder.items():
        origins = {name: origin for group in parts for name, origin in group.files.items()}
        by_flags: dict[tuple[str, ...], list[SourceGroup]] = {}
        for group in parts:
            by_flags.setdefault(compiler_flags([group]), []).append(group)
        names = [folder, *(f"{folder}_{index + 2}" for index in range(len(by_flags) - 1))]
        for library, (flags, members) in zip(names, by_flags.items(), strict=True):
            for group in members:
                for name in group.sources:
                    files[f"lib/{library}/{name}"] = _source(origins.pop(name), group)
            others = names[1:] if library == folder else []
            files[f"lib/{library}/library.json"] = _library(library, members, flags, others)
        files |= {f"lib/{folder}/{name}": origin for name, origin in origins.items()}
    return files


def compiler_flags(groups: Iterable[SourceGroup]) -> tuple[str, ...]:
    """Return the flags of the groups' sources, each once, with the folders of their headers.

    These stand in flags of a library or of `src/` alone: `-I` for the whole project would let the
    core's sources find our headers in the place of their own.
    """
    found = [_RELEASE]
    for group in groups:
        found += [f"-iquote {folder}" for folder in group.include]
        words = iter(group.flags)
        for word in words:
            if word == "-include":
                next(words)  # see library_files()
            elif word == "-I":
                found.append(f"-iquote {next(words)}")
            elif word == "-isystem":
                found.append(f"-isystem {next(words)}")
            else:
                found.append(word)
    return tuple(dict.fromkeys(found))


def _source(origin: Path, group: SourceGroup) -> bytes | Path:
    words = group.flags
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-include"]
    if not headers:
        return origin
    lines = [f'#include "{PurePosixPath(name).name}"' for name in headers]
    return "\n".join([*lines, "#line 1", ""]).encode() + origin.read_bytes()


def _library(
    name: str, groups: Iterable[SourceGroup], flags: Sequence[str], dependencies: Sequence[str]
) -> str:
    groups = tuple(groups)
    has_headers = any(f"lib/{name}/include" in group.include for group in groups)
    about: dict[str, object] = {
        "name": name,
        "version": runec.__version__,
        "description": "A part of a runec firmware.",
        "build": {
            "srcDir": ".",
            "includeDir": "include" if has_headers else ".",
            "srcFilter": [f"+<{source}>" for group in groups for source in group.sources],
            "flags": list(flags),
            "libArchive": False,
        },
    }
    if dependencies:
        about["dependencies"] = [{"name": each, "version": "*"} for each in dependencies]
    return json.dumps(about, indent=2) + "\n"
