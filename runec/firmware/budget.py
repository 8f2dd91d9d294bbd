"""Memory budget of a rune on a board: before the compilation, and from linker errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from runec.backends import tflm
from runec.backends.aot import AOT
from runec.backends.engine import Engine
from runec.boards import Board, load_boards
from runec.diagnostics import RunecError
from runec.firmware.arduino import CORE_STACK_BYTES
from runec.firmware.costs import CODE, KERNELS, MODEL, StageCost, model_code_bytes
from runec.firmware.memory_plan import MemoryPlan
from runec.firmware.refusals import BudgetError

# Static variables of runevm, the link and the HAL in firmware without models, on every board that
# was measured (6,176 to 6,624).
_OWN_RAM_LEAST, _OWN_RAM_MOST = 6016, 6912
# The rings of a link in RAM: runevm_limits.h, and their control block.
_RTT_RAM_BYTES = 1024 + 512 + 128
# Code of runevm, the link, start-up, HAL and the C library's part, on Cortex-M, without the engine
# (measured with wasm3: 85,763 to 87,619 together).
_OWN_FLASH_LEAST, _OWN_FLASH_MOST = 27 * 1024, 28 * 1024
# The smallest rune: one capability and one output of one number.
_SMALLEST_CODE_BYTES, _SMALLEST_FUNCTIONS = 192, 6
_SMALLEST_MEMORY_BYTES, _SMALLEST_RUNE_BYTES = 1040, 512


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes that a firmware takes: surely no fewer than `least`, and no more than `most`."""

    least: int
    most: int


def ram_bounds(plan: MemoryPlan, board: Board) -> Bounds:
    """Return the bytes of RAM that a firmware takes on a board."""
    known = plan.pool_bytes + plan.arena_bytes + core_stack_bytes(plan, board)
    if board.hal.link == "rtt":
        known += _RTT_RAM_BYTES
    models = tflm.ram_bytes(plan.model_count, plan.operators) if plan.model_count else 0
    slots = plan.model_count * tflm.SLOT_BYTES
    core = _core_bounds(board.memory.core.ram_bytes if board.memory.core else 0)
    return Bounds(
        known + _OWN_RAM_LEAST + slots + core.least, known + _OWN_RAM_MOST + models + core.most
    )


def core_stack_bytes(plan: MemoryPlan, board: Board) -> int:
    """Return the bytes of stack that lie in the RAM which the linker gives out."""
    if board.memory.core is None:
        return plan.stack_on(board)
    return 0 if board.memory.core.stack_in_heap else plan.stack_bytes + CORE_STACK_BYTES


def _core_bounds(measured_bytes: int) -> Bounds:
    """Return what a vendor's core takes with another of its compilers, or on a relative."""
    return Bounds(measured_bytes * 3 // 4, measured_bytes * 5 // 4)


def flash_bounds(rune_bytes: int, plan: MemoryPlan, board: Board) -> Bounds:
    """Return the bytes of flash that a firmware takes with a .rune of so many bytes.

    The least is that of Cortex-M code, which no compiler that was measured undercuts.
    """
    operators = plan.operators if plan.model_count else None
    percent = board.toolchain.code_size_percent
    engine = plan.engine
    most = (_OWN_FLASH_MOST + engine.flash_most) * percent // 100 + model_code_bytes(
        operators, board
    )
    least = (
        _OWN_FLASH_LEAST
        + engine.flash_least
        + (0 if operators is None else tflm.least_flash_bytes(operators))
    )
    core = _core_bounds(board.memory.core.flash_bytes if board.memory.core else 0)
    return Bounds(
        rune_bytes + least * min(percent, 100) // 100 + core.least, rune_bytes + most + core.most
    )


def check_budget(rune_bytes: int, plan: MemoryPlan, board: Board) -> None:
    """Reject a rune that surely does not fit on a board.

    What may fit is let through: the linker knows, and `ram_error` and `flash_error` tell it.

    Raises:
        BudgetError: R0811, RAM; R0812, flash.
    """
    excess = ram_bounds(plan, board).least - board.memory.ram.size_bytes
    if excess > 0:
        raise ram_error(board, plan, rune_bytes, excess, is_least=True)
    excess = flash_bounds(rune_bytes, plan, board).least - board.memory.flash_bytes
    if excess > 0:
        raise flash_error(board, plan, rune_bytes, excess, is_least=True)


def ram_error(
    board: Board,
    plan: MemoryPlan,
    rune_bytes: int,
    excess_bytes: int,
    *,
    is_least: bool = False,
    linker_line: str | None = None,
) -> BudgetError:
    """Return the error of a rune that needs more RAM than the board has.

    With `is_least` it may need more than that; `linker_line` is what the linker printed.
    """
    engine_bytes = plan.engine.heap_bytes(0, 0)
    own = {
        "the arena of its models": plan.arena_bytes,
        "its linear memory": plan.linear_memory_bytes,
        "the engine's heap for its code": plan.engine_heap_bytes - engine_bytes,
    }
    fixed = {"the engine": engine_bytes}
    if stack := core_stack_bytes(plan, board):
        fixed["the stack"] = stack
    total = board.memory.ram.size_bytes + excess_bytes
    rest = f"{_core(board)}the rest of the firmware"
    fixed[rest] = total - sum(own.values()) - sum(fixed.values())
    if _smallest_ram_bytes(board, plan.engine) > board.memory.ram.size_bytes:
        advice = f"its RAM is too small for the engine {plan.backend};"
    else:
        advice = f"make {max(own, key=lambda name: own[name])} smaller, or"
    worst = _costliest(plan, lambda cost: cost.ram_bytes)
    return BudgetError(
        "R0811",
        f"the rune needs {'at least ' if is_least else ''}{excess_bytes} bytes more RAM than the "
        f"{board.memory.ram.size_bytes} of {_name(board)}",
        stage=None if worst is None else worst.stage,
        hint=f"{advice} {_other_engine(rune_bytes, plan, board)}"
        f"{_choose(_fitting_boards(rune_bytes, plan, board))}",
        notes=[
            *(f"{name}: {size} bytes" for name, size in (own | fixed).items()),
            *([] if worst is None else [_cost_note(worst.stage, worst.ram)]),
            *([] if linker_line is None else [linker_line]),
        ],
    )


def flash_error(
    board: Board,
    plan: MemoryPlan,
    rune_bytes: int,
    excess_bytes: int,
    *,
    is_least: bool = False,
    linker_line: str | None = None,
) -> BudgetError:
    """Return the error of a rune that needs more flash than the board has.

    With `is_least` it may need more than that; `linker_line` is what the linker printed.
    """
    worst = _costliest(plan, lambda cost: cost.flash_bytes)
    if _smallest_flash_bytes(board, plan.engine) > board.memory.flash_bytes:
        advice = f"its flash is too small for the engine {plan.backend};"
    else:
        advice = _smaller(worst)
    notes = [f"the rune: {rune_bytes} bytes"]
    if board.memory.constants is None:  # else one of two regions is full, and the other may not be
        code_bytes = board.memory.flash_bytes + excess_bytes - rune_bytes
        notes += _code_notes(board, plan, code_bytes)
    return BudgetError(
        "R0812",
        f"the firmware with the rune needs {'at least ' if is_least else ''}{excess_bytes} bytes "
        f"more flash than the {board.memory.flash_bytes} of {_name(board)}",
        stage=None if worst is None else worst.stage,
        hint=f"{advice} {_other_engine(rune_bytes, plan, board)}"
        f"{_choose(_fitting_boards(rune_bytes, plan, board))}".lstrip(),
        notes=[
            *notes,
            *([] if worst is None else [_cost_note(worst.stage, worst.flash)]),
            *([] if linker_line is None else [linker_line]),
        ],
    )


def _name(board: Board) -> str:
    return board.name if board.memory.core is None else f"{board.name} with its Arduino core"


def _core(board: Board) -> str:
    return "" if board.memory.core is None else "the Arduino core and "


def _code_notes(board: Board, plan: MemoryPlan, code_bytes: int) -> list[str]:
    """Return what the code around a rune is: that for its models, and that which any rune needs."""
    rest = f"the engine, {_core(board)}the rest of the firmware"
    if board.memory.core is None:
        rest = "the engine and the rest of the firmware"
    if not plan.model_count:
        return [f"{rest}: {code_bytes} bytes"]
    own_bytes = _OWN_FLASH_LEAST + plan.engine.flash_least
    fixed_bytes = own_bytes * min(board.toolchain.code_size_percent, 100) // 100
    fixed_bytes += _core_bounds(board.memory.core.flash_bytes if board.memory.core else 0).least
    models_bytes = min(model_code_bytes(plan.operators, board), code_bytes - fixed_bytes)
    return [
        f"the code that runs its models: about {models_bytes} bytes",
        f"{rest}: about {code_bytes - models_bytes} bytes",
    ]


def _smallest_ram_bytes(board: Board, engine: Engine) -> int:
    heap_bytes = engine.heap_bytes(_SMALLEST_CODE_BYTES, _SMALLEST_FUNCTIONS)
    rtt_bytes = _RTT_RAM_BYTES if board.hal.link == "rtt" else 0
    core = board.memory.core
    own = _OWN_RAM_LEAST + rtt_bytes
    if core is None or not core.stack_in_heap:
        own += min(board.memory.stack_bytes, engine.stack_least or board.memory.stack_bytes)
    own += _core_bounds(core.ram_bytes if core else 0).least
    return own + heap_bytes + _SMALLEST_MEMORY_BYTES


def _smallest_flash_bytes(board: Board, engine: Engine) -> int:
    percent = min(board.toolchain.code_size_percent, 100)
    core = _core_bounds(board.memory.core.flash_bytes if board.memory.core else 0)
    own = (_OWN_FLASH_LEAST + engine.flash_least) * percent // 100
    return own + _SMALLEST_RUNE_BYTES + core.least


def _costliest(plan: MemoryPlan, size: Callable[[StageCost], int]) -> StageCost | None:
    worst = max(plan.stages, key=size, default=None)
    return worst if worst is not None and size(worst) else None


def _cost_note(stage: str, parts: dict[str, int]) -> str:
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))
    listed = ", ".join(f"{name} {size}" for name, size in largest)
    return f"the stage with the highest cost: {stage}: {sum(parts.values())} bytes ({listed})"


def _smaller(worst: StageCost | None) -> str:
    """Return what would make a firmware smaller, as the beginning of a hint."""
    if worst is None:
        return ""
    name = max(worst.flash, key=lambda part: worst.flash[part])
    if name == MODEL:
        return f"use a smaller model in {worst.stage} (int8 instead of float), or"
    if name == KERNELS:
        return f"omit {worst.stage} or use a model with fewer kinds of operators, or"
    what = "block" if name == CODE else "resource"
    return f"omit {worst.stage} or use a smaller {what} there, or"


def _fitting_boards(rune_bytes: int, plan: MemoryPlan, refused: Board) -> tuple[str, ...]:
    """Return the ids of the other boards that surely have the memory, of those that can be read.

    Where an Arduino core was asked for, these have one, and the memory beside it.
    """
    try:
        boards = load_boards()
    except RunecError:
        return ()
    if refused.memory.core is not None:
        boards = tuple(board.with_vendor() for board in boards if board.vendor is not None)
    return tuple(
        board.id
        for board in boards
        if board.id != refused.id
        and ram_bounds(plan, board).most <= board.memory.ram.size_bytes
        and flash_bounds(rune_bytes, plan, board).most <= board.memory.flash_bytes
    )


def _other_engine(rune_bytes: int, plan: MemoryPlan, board: Board) -> str:
    """Return what to do where the rune may fit without an interpreter, as the start of a hint."""
    if plan.backend == AOT.name:
        return ""
    without = replace(
        plan, backend=AOT.name, engine_heap_bytes=0, enough_stack_bytes=AOT.stack_least
    )
    if (
        ram_bounds(without, board).least > board.memory.ram.size_bytes
        or flash_bounds(rune_bytes, without, board).least > board.memory.flash_bytes
    ):
        return ""
    return f"compile the rune: --backend {AOT.name}; or "


def _choose(fitting: Sequence[str]) -> str:
    return (
        f"choose a board that it fits: {', '.join(fitting)}" if fitting else "choose a larger board"
    )
