"""Boards whose memory fits a model, without a rune."""

from __future__ import annotations

from collections.abc import Iterable

from runec.backends.wasm3 import WASM3
from runec.boards import Board
from runec.firmware.budget import flash_bounds, ram_bounds
from runec.firmware.memory_plan import MemoryPlan
from runec.models import ModelFile

# A pipeline of an input, the model and an output, as built from examples/sine: 1,2 KiB of code.
_CODE_BYTES, _FUNCTIONS, _MEMORY_BYTES, _GRAPH_BYTES = 2048, 16, 2048, 4096


def boards_for_model(model: ModelFile, boards: Iterable[Board]) -> tuple[str, ...]:
    """Return the ids of those boards that surely have the memory for a .tflite in a small pipeline.

    Raises:
        UserFileError: R0310 to R0314, as `ModelFile.info`.
    """
    info = model.info
    tensors_bytes = sum(
        tensor.type.size_bytes
        for tensor in (*info.inputs, *info.outputs)
        if tensor.type is not None
    )
    operators = tuple(sorted({operator.name for operator in info.operators}))

    def fits(stack_bytes: int) -> MemoryPlan:
        return MemoryPlan(
            backend=WASM3.name,
            linear_memory_bytes=_MEMORY_BYTES + tensors_bytes,
            engine_heap_bytes=WASM3.heap_bytes(_CODE_BYTES, _FUNCTIONS),
            arena_bytes=model.arena_bytes,
            model_count=1,
            stack_bytes=stack_bytes,
            host_stack_bytes=WASM3.host_stack_bytes,
            operators=operators,
            stages=(),
        )

    rune_bytes = len(model.data) + _CODE_BYTES + _GRAPH_BYTES
    found = []
    for board in boards:
        plan = fits(board.memory.stack_bytes)
        if (
            ram_bounds(plan, board).most <= board.memory.ram.size_bytes
            and flash_bounds(rune_bytes, plan, board).most <= board.memory.flash_bytes
        ):
            found.append(board.id)
    return tuple(found)
