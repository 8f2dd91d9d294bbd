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
    With `enough_stack_bytes` the rune needs no more stack, also on boards that have it.
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
    enough_stack_bytes: int | None = None

    def stack_on(self, board: Board) -> int:
        """Return the bytes of stack that the rune gets on a board."""
        if self.enough_stack_bytes is None:
            return board.memory.stack_bytes
        return min(self.enough_stack_bytes, board.memory.stack_bytes)

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
    enough = engine.stack_bytes(rune.rune.code)
    return MemoryPlan(
        backend=engine.name,
        linear_memory_bytes=rune.linear_memory_bytes,
        engine_heap_bytes=engine.heap_bytes(code_bytes, rune.function_count),
        arena_bytes=rune.arena_bytes,
        model_count=len(rune.graph.models),
        stack_bytes=min(enough or board.memory.stack_bytes, board.memory.stack_bytes),
        enough_stack_bytes=enough,
        host_stack_bytes=engine.host_stack_bytes,
        operators=rune.operators,
        stages=stage_costs(rune, board, engine),
    )
