"""The wasm3 interpreter for devices: which files, which flags, how much memory."""

from runec.backends.engine import Engine
from runec.backends.wasm3.plan import (
    COMPONENT,
    FLASH_LEAST,
    FLASH_MOST,
    FOLDER,
    HOST_STACK_BYTES,
    NAME,
    code_heap_bytes,
    engine_heap_bytes,
    source_groups,
)

WASM3 = Engine(
    name=NAME,
    folder=FOLDER,
    component=COMPONENT,
    host_stack_bytes=HOST_STACK_BYTES,
    flash_least=FLASH_LEAST,
    flash_most=FLASH_MOST,
    source_groups=source_groups,
    heap_bytes=engine_heap_bytes,
    code_heap_bytes=code_heap_bytes,
)

__all__ = [
    "COMPONENT",
    "HOST_STACK_BYTES",
    "NAME",
    "WASM3",
    "code_heap_bytes",
    "engine_heap_bytes",
    "source_groups",
]
