"""Runes compiled ahead of time: WebAssembly to C, in the same sandbox."""

from runec.backends.aot.plan import (
    CODE_FLAGS,
    FLASH_LEAST,
    FLASH_MOST,
    FOLDER,
    HOST_STACK_BYTES,
    NAME,
    STACK_LEAST,
    source_groups,
    stack_bytes,
)
from runec.backends.aot.unit import compile_module
from runec.backends.engine import Engine

AOT = Engine(
    name=NAME,
    folder=FOLDER,
    component=None,
    host_stack_bytes=HOST_STACK_BYTES,
    flash_least=FLASH_LEAST,
    flash_most=FLASH_MOST,
    source_groups=source_groups,
    stack_bytes=stack_bytes,
    stack_least=STACK_LEAST,
    code_flags=CODE_FLAGS,
    compile=compile_module,
)

__all__ = ["AOT", "compile_module"]
