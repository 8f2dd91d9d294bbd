"""The wasm3 interpreter for devices: which files, which flags, how much memory."""

from runec.backends.wasm3.plan import (
    COMPONENT,
    HOST_STACK_BYTES,
    NAME,
    ORIGINAL_C_STACK_BYTES,
    code_heap_bytes,
    engine_heap_bytes,
    flash_bytes,
    original_flags,
    source_groups,
)

__all__ = [
    "COMPONENT",
    "HOST_STACK_BYTES",
    "NAME",
    "ORIGINAL_C_STACK_BYTES",
    "code_heap_bytes",
    "engine_heap_bytes",
    "flash_bytes",
    "original_flags",
    "source_groups",
]
