"""How much memory a rune gets on a board, and whether it fits before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runec.backends import tflm, wasm3
from runec.boards import Board, load_boards
from runec.container import Graph, Rune
from runec.container.wasm import CODE, read_module, walk_sections
from runec.diagnostics import RunecError, UserFileError
from runec.models import read_graph
from runec.pipeline import EXECUTED_FORMAT

_ALIGNMENT = 16
# Static variables of runevm, the link and the HAL (measured: 6.6 KB, most of it the rune's tables).
_OWN_RAM_BYTES = 8 * 1024
# The rings of a link in RAM: runevm_limits.h, and their control block.
_RINGS_RAM_BYTES = 1024 + 512 + 128
# Code of runevm, the link, start-up, HAL and the C library's part on Cortex-M4 (measured: 24 KB).
_OWN_FLASH_BYTES = 28 * 1024


class StageError(UserFileError):
    """A rune that a board can't run because of one of its stages, `stage`."""

    def __init__(
        self, code: str, message: str, *, stage: str | None, hint: str, notes: Iterable[str] = ()
    ) -> None:
        super().__init__(code, message, hint=hint, notes=notes)
        self.stage = stage


class BudgetError(StageError):
    """A rune that does not fit on a board; `stage` is the one of its stages that costs most."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes that a firmware reserves. The engine's heap is its pool without the linear memory.

    `ram_stage` and `flash_stage` are the stages that cost most of each, where any does.
    """

    linear_memory_bytes: int
    engine_heap_bytes: int
    arena_bytes: int
    model_count: int
    stack_bytes: int
    host_stack_bytes: int
    operators: tuple[str, ...]
    ram_stage: str | None
    flash_stage: str | None
    is_original: bool = False

    @property
    def pool_bytes(self) -> int:
        """Bytes of the engine's pool."""
        return self.linear_memory_bytes + self.engine_heap_bytes


def _round_up(value: int) -> int:
    return -(-value // _ALIGNMENT) * _ALIGNMENT


def _function_count(code: bytes) -> int:
    module = read_module(code, walk_sections(code))
    imported = sum(1 for item in module.imports if item.type is not None)
    return imported + module.body_count


def _code_bytes(rune: Rune, graph: Graph) -> int:
    """Return the bytes that the engine compiles; an original's module is data for the most part."""
    if not graph.is_original:
        return graph.code_bytes
    return sum(section.end - section.start for section in rune.sections if section.id == CODE)


def _stack_bytes(board: Board, *, is_original: bool) -> int:
    return board.memory.stack_bytes + (wasm3.ORIGINAL_C_STACK_BYTES if is_original else 0)


def plan_layout(rune: Rune, board: Board) -> Layout:
    """Return what the firmware of a rune reserves on a board.

    Raises:
        StageError: R0810, a model has an operator that the device's library does not have, or
            does not compute as the host's does.
        UserFileError: R0606, an original rune; R0814, a resource is given at run time; R0815, a
            model of another format.
    """
    graph = rune.require_graph()
    _check_carried(graph)
    _check_operators(rune, graph)
    operators = {item.name for model in graph.models.values() for item in model.operators}
    return Layout(
        linear_memory_bytes=_round_up(graph.memory_used),
        engine_heap_bytes=wasm3.engine_heap_bytes(
            _code_bytes(rune, graph), _function_count(rune.code), is_original=graph.is_original
        ),
        arena_bytes=sum(_round_up(model.arena) for model in graph.models.values()),
        model_count=len(graph.models),
        stack_bytes=_stack_bytes(board, is_original=graph.is_original),
        host_stack_bytes=wasm3.HOST_STACK_BYTES,
        operators=tuple(sorted(operators)),
        ram_stage=_costliest(_ram_costs(graph)),
        flash_stage=_costliest(
            {
                name: graph.resources[model.resource].bytes or 0
                for name, model in graph.models.items()
            }
        ),
        is_original=graph.is_original,
    )


def _ram_costs(graph: Graph) -> dict[str, int]:
    """Return what each stage adds: the tensors that it makes, and a model's arena."""
    costs = {
        name: sum(graph.tensors[tensor].size_bytes for tensor in graph.stage_tensors(name)[1])
        for name in graph.stages
    }
    for name, model in graph.models.items():
        costs[name] += model.arena
    return costs


def _costliest(costs: dict[str, int]) -> str | None:
    worst = max(costs, key=lambda name: costs[name], default=None)
    return worst if worst is not None and costs[worst] else None


def _check_operators(rune: Rune, graph: Graph) -> None:
    for name, model in graph.models.items():
        missing = tflm.missing_operators(item.name for item in model.operators)
        if missing:
            raise StageError(
                "R0810",
                f"TensorFlow Lite Micro on devices has no kernel for {', '.join(missing)}",
                stage=name,
                hint="run the rune on this computer, or train the model without these operators",
            )
        data = rune.resources[model.resource]
        objections = tflm.objections(read_graph(data)) if data is not None else ()
        if objections:
            raise StageError(
                "R0810",
                "TensorFlow Lite Micro on devices does not compute as this computer does: "
                f"{', '.join(objections)}",
                stage=name,
                hint="convert the model to int8 or float32 without these (docs/operators.md lists "
                "what devices take), or run the rune on this computer",
            )


def _check_carried(graph: Graph) -> None:
    """Refuse what a firmware can't carry: a device has what is in the .rune and nothing else."""
    for name, model in graph.models.items():
        if model.format != EXECUTED_FORMAT:
            raise UserFileError(
                "R0815",
                f"devices can't run the model {name!r}: its format is {model.format}",
                hint="convert it to .tflite with TensorFlow's TFLiteConverter",
            )
    for name, resource in graph.resources.items():
        if resource.bytes is None:
            raise UserFileError(
                "R0814",
                f"the resource {name!r} is given at run time, but a device is given none",
                hint=f"give {name} a path or an inline text in the Runefile, and build it again",
            )


def estimate_ram_bytes(layout: Layout, board: Board) -> int:
    """Return the bytes of RAM that a firmware takes at most on a board."""
    rune_bytes = layout.pool_bytes + layout.arena_bytes
    stack_bytes = _stack_bytes(board, is_original=layout.is_original)
    return stack_bytes + rune_bytes + _own_ram_bytes(layout, board)


def _own_ram_bytes(layout: Layout, board: Board) -> int:
    rings_bytes = _RINGS_RAM_BYTES if board.hal.link == "rtt" else 0
    return _OWN_RAM_BYTES + rings_bytes + layout.model_count * tflm.SLOT_BYTES


def estimate_flash_bytes(rune: Rune, layout: Layout, board: Board) -> int:
    """Return the bytes of flash that a firmware takes at most."""
    code = wasm3.flash_bytes() + _OWN_FLASH_BYTES
    if layout.model_count:
        code += tflm.flash_bytes(layout.operators)
    return len(rune.data) + code * board.toolchain.code_size_percent // 100


def check_budget(rune: Rune, layout: Layout, board: Board) -> None:
    """Compare what a firmware is known to need with what the board has.

    The rune's own figures are exact, those of the code around it are upper bounds from builds
    that were measured, so a rune that barely fits may be refused; the linker has the last word
    on one that is let through.

    Raises:
        BudgetError: R0811, RAM; R0812, flash.
    """
    ram = estimate_ram_bytes(layout, board)
    if ram > board.memory.ram.size_bytes:
        excess = ram - board.memory.ram.size_bytes
        raise ram_error(board, layout, excess, _fitting_boards(rune, layout))
    flash = estimate_flash_bytes(rune, layout, board)
    if flash > board.memory.flash_bytes:
        excess = flash - board.memory.flash_bytes
        raise flash_error(board, layout, len(rune.data), excess, _fitting_boards(rune, layout))


def _fitting_boards(rune: Rune, layout: Layout) -> tuple[str, ...]:
    """Return the ids of the boards that have the memory, as far as board files can be read."""
    try:
        boards = load_boards()
    except RunecError:
        return ()
    return tuple(
        board.id
        for board in boards
        if estimate_ram_bytes(layout, board) <= board.memory.ram.size_bytes
        and estimate_flash_bytes(rune, layout, board) <= board.memory.flash_bytes
    )


def _choose(fitting: Sequence[str]) -> str:
    return (
        f"choose a board that it fits: {', '.join(fitting)}" if fitting else "choose a larger board"
    )


def ram_error(
    board: Board, layout: Layout, excess_bytes: int, fitting: Sequence[str] = ()
) -> BudgetError:
    """Return the error of a rune that needs more RAM than the board has."""
    own = {
        "the arena of its models": layout.arena_bytes,
        "its linear memory": layout.linear_memory_bytes,
    }
    parts = {
        **own,
        "the engine": layout.engine_heap_bytes,
        "the stack": layout.stack_bytes,
        "the rest of the firmware": _own_ram_bytes(layout, board),
    }
    if sum(parts.values()) - sum(own.values()) > board.memory.ram.size_bytes:
        advice = "no rune fits this board, whose RAM is too small for the engine alone;"
    elif layout.is_original:
        advice = "build it again from its Runefile, without a heap and with its model in flash, or"
    else:
        advice = f"make {max(own, key=lambda name: own[name])} smaller, or"
    return BudgetError(
        "R0811",
        f"the rune needs {excess_bytes} bytes more RAM than the {board.memory.ram.size_bytes} "
        f"of {board.name}",
        stage=layout.ram_stage,
        hint=f"{advice} {_choose(fitting)}",
        notes=[
            *(f"{name}: {size} bytes" for name, size in parts.items()),
            *_stage_note(layout.ram_stage),
        ],
    )


def flash_error(
    board: Board,
    layout: Layout,
    rune_bytes: int,
    excess_bytes: int,
    fitting: Sequence[str] = (),
) -> BudgetError:
    """Return the error of a rune that needs more flash than the board has."""
    code_bytes = board.memory.flash_bytes + excess_bytes - rune_bytes
    advice = (
        "no rune fits this board, whose flash is too small for the engine alone;"
        if code_bytes > board.memory.flash_bytes
        else "use a smaller model (int8 instead of float), or"
    )
    return BudgetError(
        "R0812",
        f"the firmware with the rune needs {excess_bytes} bytes more flash than the "
        f"{board.memory.flash_bytes} of {board.name}",
        stage=layout.flash_stage,
        hint=f"{advice} {_choose(fitting)}",
        notes=[
            f"the rune: {rune_bytes} bytes",
            f"the code around it: {code_bytes} bytes",
            *_stage_note(layout.flash_stage),
        ],
    )


def _stage_note(stage: str | None) -> list[str]:
    return [] if stage is None else [f"the stage that costs most: {stage}"]
