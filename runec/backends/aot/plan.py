"""Sources, flags and sizes of the aot engine."""

from __future__ import annotations

from runec.backends.source_group import SourceGroup
from runec.data import data_dir

NAME = "aot"
FOLDER = "engine_aot"
_SOURCE_FOLDER = "runevm/engines/aot"
# As wasm3: the model engine, the link, the output.
HOST_STACK_BYTES = 6144
FLASH_LEAST, FLASH_MOST = 256, 1024
# The compiled rune: no warnings of code that nobody wrote, and no call that reuses its caller's
# frame: recursion without end would become a loop. x * 1 is not x where x is a signaling NaN.
CODE_FLAGS = ("-O2", "-w", "-fno-optimize-sibling-calls", "-fsignaling-nans")


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
