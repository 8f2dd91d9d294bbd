"""Sources, flags and sizes of the aot engine."""

from __future__ import annotations

from runec.backends.aot.call_graph import deepest_stack
from runec.backends.aot.code_module import read_code_module
from runec.backends.source_group import SourceGroup
from runec.data import data_dir

NAME = "aot"
FOLDER = "engine_aot"
_SOURCE_FOLDER = "runevm/engines/aot"
# What a rune gets of the C stack at least, and the unit of more.
_CODE_STACK_BYTES, _STACK_UNIT = 2048, 1024
# As wasm3: the model engine, the link, the output.
HOST_STACK_BYTES = 6144
STACK_LEAST = HOST_STACK_BYTES + _CODE_STACK_BYTES
FLASH_LEAST, FLASH_MOST = 256, 1024
# The compiled rune: no warnings of code that nobody wrote, and no call that reuses its caller's
# frame: recursion without end would become a loop. x * 1 is not x where x is a signaling NaN.
CODE_FLAGS = ("-O2", "-w", "-fno-optimize-sibling-calls", "-fsignaling-nans")


def stack_bytes(code: bytes) -> int | None:
    """Return the bytes of C stack that a module gets; None: as much as there is.

    Raises:
        RuneFileError: R0601 to R0603, R0609, it is malformed.
    """
    deepest = deepest_stack(read_code_module(code))
    if deepest is None:
        return None
    wanted = HOST_STACK_BYTES + max(deepest, _CODE_STACK_BYTES)
    return -(-wanted // _STACK_UNIT) * _STACK_UNIT


def source_groups() -> tuple[SourceGroup, ...]:
    """Return what to compile beside the rune's own code."""
    folder = data_dir("firmware_templates") / _SOURCE_FOLDER
    files = ("engine_aot.c", "engine_aot.h", "runevm_aot_code.h")
    return (
        SourceGroup(
            folder=FOLDER,
            files={name: folder / name for name in files},
            sources=("engine_aot.c",),
            include=(f"lib/{FOLDER}", "lib/runevm/include"),
            flags=("-Wall", "-Wextra"),
        ),
    )
