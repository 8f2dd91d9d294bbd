"""Limits of ABI 1: docs/spec/rune.md, section 3. `runevm_limits.h` has the same numbers."""

from __future__ import annotations

ABI = 1
# The minor version of a graph with a code map; one without has no minor version.
CODE_MAP_MINOR = 1
MAX_NAME_BYTES = 64
MAX_STAGES = 32
MAX_CAPABILITIES = 8
MAX_PARAMETERS = 8
MAX_MODELS = 8
MAX_PIN_BYTES = 32
MAX_OUTPUTS = 8
MAX_RESOURCES = 16
MAX_TENSORS = 64
MAX_RANK = 8
MAX_ELEMENTS = (2**31 - 1) // 8
MAX_STAGE_TENSORS = 32
MAX_GRAPH_BYTES = 16 * 1024
MAX_INTEGER = 2**31 - 1
RESOURCE_ALIGNMENT = 16
TENSOR_ALIGNMENT = 8
# wasm3 compiles nested blocks by recursion. A level takes 168 bytes of a Cortex-M's stack, 224 of a
# RISC-V's or an Xtensa's, of 16 KiB.
MAX_NESTING = 48
PAGE_BYTES = 64 * 1024
