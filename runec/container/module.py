"""The compiled module: what `codegen` hands to `container`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WasmModule:
    """A WebAssembly module with no custom section.

    `memory_bytes` of linear memory are in use (`__heap_base`), the lowest `stack_bytes` of them
    by the stack.
    """

    code: bytes
    memory_bytes: int
    stack_bytes: int
