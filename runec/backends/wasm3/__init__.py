"""The wasm3 interpreter for devices: which files, which flags, how much memory."""

from runec.backends.wasm3.plan import (
    COMPONENT,
    HOST_STACK_BYTES,
    NAME,
    code_heap_bytes,
    engine_heap_bytes,
    flash_bytes,
    source_groups,
)

__all__ = [
    "COMPONENT",
    "HOST_STACK_BYTES",
    "NAME",
    "code_heap_bytes",
    "engine_heap_bytes",
    "flash_bytes",
    "source_groups",
]
