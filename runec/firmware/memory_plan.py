"""Memory of a rune on a board."""

from __future__ import annotations

from dataclasses import dataclass

from runec.backends.engine import Engine
from runec.backends.engines import DEFAULT, ENGINES
from runec.boards import Board
from runec.firmware.costs import StageCost, stage_costs
from runec.firmware.device_rune import DeviceRune


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes that a firmware reserves. The engine's heap is its pool without the linear memory.

    `stages` are what each stage of the rune costs; `backend` is the engine's name.
    """

    backend: str
    linear_memory_bytes: int
    engine_heap_bytes: int
    arena_bytes: int
    model_count: int
    stack_bytes: int
    host_stack_bytes: int
    operators: tuple[str, ...]
    stages: tuple[StageCost, ...]

    @property
    def engine(self) -> Engine:
        """What executes the rune."""
        return ENGINES[self.backend]

    @property
    def pool_bytes(self) -> int:
        """Bytes of the engine's pool."""
        return self.linear_memory_bytes + self.engine_heap_bytes


def plan_memory(rune: DeviceRune, board: Board, engine: Engine = DEFAULT) -> MemoryPlan:
    """Return what the firmware of a rune reserves on a board."""
    code_bytes = rune.graph.code_bytes
    stack_bytes = board.memory.stack_bytes
    if (wanted := engine.stack_bytes(rune.rune.code)) is not None:
        stack_bytes = min(wanted, stack_bytes)
    return MemoryPlan(
        backend=engine.name,
        linear_memory_bytes=rune.linear_memory_bytes,
        engine_heap_bytes=engine.heap_bytes(code_bytes, rune.function_count),
        arena_bytes=rune.arena_bytes,
        model_count=len(rune.graph.models),
        stack_bytes=stack_bytes,
        host_stack_bytes=engine.host_stack_bytes,
        operators=rune.operators,
        stages=stage_costs(rune, board, engine),
    )
