"""Cost of each stage in a firmware: the bytes that its removal would save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runec.backends import tflm
from runec.backends.engine import Engine
from runec.boards import Board
from runec.container import Graph, GraphModel
from runec.firmware.block_code import BlockCode
from runec.firmware.device_rune import DeviceRune
from runec.pipeline import ResourceWords

TENSORS = "its tensors"
ARENA = "the arena of its model"
INTERPRETER = "the interpreter of its model"
HEAP = "the engine's heap for its code"
CODE = "its code"
MODEL = "its model"
KERNELS = "the code that runs its model"
RESOURCES = "its resources"


@dataclass(frozen=True, slots=True)
class StageCost:
    """Bytes that one stage causes, by what they are. What several stages share counts for none.

    The engine's heap and the code that runs a model are estimates, the rest is exact.
    """

    stage: str
    ram: dict[str, int]
    flash: dict[str, int]

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM."""
        return sum(self.ram.values())

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash."""
        return sum(self.flash.values())


def model_code_bytes(operators: Iterable[str] | None, board: Board) -> int:
    """Return the bytes of flash that models with these operators take at most; None: no model."""
    if operators is None:
        return 0
    return tflm.flash_bytes(operators) * board.toolchain.code_size_percent // 100


def stage_costs(rune: DeviceRune, board: Board, engine: Engine) -> tuple[StageCost, ...]:
    """Return what every stage costs, in execution order."""
    graph = rune.graph
    return tuple(
        _stage_cost(name, graph, board, engine, rune.blocks.get(name)) for name in graph.stages
    )


def _stage_cost(
    name: str, graph: Graph, board: Board, engine: Engine, code: BlockCode | None
) -> StageCost:
    made = graph.stage_tensors(name)[1]
    ram = {TENSORS: sum(graph.tensors[tensor].size_bytes for tensor in made)}
    flash: dict[str, int] = {}
    if code is not None:
        ram[HEAP] = engine.code_heap_bytes(code.bytes, code.function_count)
        flash[CODE] = code.bytes
    if name in graph.proc_blocks:
        arguments = graph.proc_blocks[name].arguments.values()
        texts = {each.resource for each in arguments if isinstance(each, ResourceWords)}
        flash[RESOURCES] = sum(graph.resources[text].bytes or 0 for text in texts)
    if name in graph.models:
        model = graph.models[name]
        others = {key: each for key, each in graph.models.items() if key != name}
        ram[ARENA] = model.arena
        ram[INTERPRETER] = tflm.SLOT_BYTES
        flash[MODEL] = graph.resources[model.resource].bytes or 0
        flash[KERNELS] = model_code_bytes(_operators(graph.models), board) - model_code_bytes(
            _operators(others), board
        )
    return StageCost(name, _nonzero(ram), _nonzero(flash))


def _operators(models: Mapping[str, GraphModel]) -> frozenset[str] | None:
    found = frozenset(each.name for model in models.values() for each in model.operators)
    return found if models else None


def _nonzero(parts: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in parts.items() if size}
