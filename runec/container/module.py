"""The compiled module, passed from `codegen` to `container`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeMap:
    """Functions of stages and addresses of tensors; `_call` runs any range of stages.

    `functions` maps each stage that is a block, in execution order, to the index of its function in
    the module. `addresses` are those of the tensors in linear memory, by their ids.
    """

    functions: Mapping[str, int]
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WasmModule:
    """A WebAssembly module with no custom section.

    `memory_bytes` of linear memory are in use (`__heap_base`), the lowest `stack_bytes` of them
    by the stack. Without a `code_map`, `_call` runs all stages and nothing else.
    """

    code: bytes
    memory_bytes: int
    stack_bytes: int
    code_map: CodeMap | None = None
