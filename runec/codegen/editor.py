"""Compilation database of a block, for editors with clangd."""

from __future__ import annotations

import json

from runec.codegen.build import COMPILE_FLAGS
from runec.codegen.generate import generate
from runec.codegen.toolchain import Toolchain
from runec.pipeline import Pipeline
from runec.proc_blocks import SOURCE, Block, sdk_dir

DATABASE = "compile_commands.json"
_FOLDER = ".runec"  # the compiler's store does not look into hidden folders
_HEADER = f"{_FOLDER}/use.h"
# Options that write files in addition to the object.
_OMITTED = ("-fstack-usage", "-fdebug-compilation-dir=.")


def editor_files(block: Block, pipeline: Pipeline, toolchain: Toolchain) -> dict[str, str]:
    """Return files for a block's folder by name: the database, and the header of one use.

    `pipeline` uses the block: its types, shapes and arguments are those that the editor shows.

    Raises:
        UserFileError: as `generate`.
    """
    code = generate(pipeline)
    (header, *_) = (unit.header for unit in code.units if unit.block.directory == block.directory)
    entry = {
        "directory": str(block.directory),
        "file": SOURCE,
        "arguments": [
            *_clang(toolchain),
            *(flag for flag in COMPILE_FLAGS if flag not in _OMITTED),
            *("-I", str(sdk_dir()), "-include", _HEADER, "-c", SOURCE),
        ],
    }
    return {
        f"{_FOLDER}/.gitignore": "*\n",
        _HEADER: code.files[header],
        DATABASE: f"{json.dumps([entry], indent=2)}\n",
    }


def _clang(toolchain: Toolchain) -> tuple[str, ...]:
    """The compiler with its own arguments; clangd does not understand `zig clang`."""
    target = next(i for i, word in enumerate(toolchain.compiler) if word.startswith("--target"))
    program = toolchain.compiler[0] if target == 1 else "clang"
    return (program, *toolchain.compiler[target:])


def is_editor_database(data: bytes) -> bool:
    """Return whether a compilation database is one of `editor_files`: it includes their header."""
    try:
        entries = json.loads(data)
        return [_HEADER in entry["arguments"] for entry in entries] == [True]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
