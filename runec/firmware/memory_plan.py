"""How much memory a rune gets on a board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runec.backends import tflm, wasm3
from runec.boards import Board
from runec.container import Graph, Rune
from runec.container.wasm import CODE, read_module, walk_sections
from runec.diagnostics import UserFileError
from runec.firmware.costs import StageCost, stage_costs
from runec.frontend.model_engines import find_engines
from runec.models import has_old_codes, hybrid_operators, inspect_model, read_graph, read_model
from runec.pipeline import EXECUTED_FORMAT

_ALIGNMENT = 16


class StageError(UserFileError):
    """A rune that a board can't run because of one of its stages, `stage`."""

    def __init__(
        self, code: str, message: str, *, stage: str | None, hint: str, notes: Iterable[str] = ()
    ) -> None:
        super().__init__(code, message, hint=hint, notes=notes)
        self.stage = stage


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes that a firmware reserves. The engine's heap is its pool without the linear memory.

    `stages` are what each stage of the rune costs.
    """

    linear_memory_bytes: int
    engine_heap_bytes: int
    arena_bytes: int
    model_count: int
    stack_bytes: int
    host_stack_bytes: int
    operators: tuple[str, ...]
    stages: tuple[StageCost, ...]
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


def stack_bytes(board: Board, *, is_original: bool) -> int:
    """Return the C stack that a firmware has on a board."""
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
        stack_bytes=stack_bytes(board, is_original=graph.is_original),
        host_stack_bytes=wasm3.HOST_STACK_BYTES,
        operators=tuple(sorted(operators)),
        stages=stage_costs(rune, board),
        is_original=graph.is_original,
    )


def _check_operators(rune: Rune, graph: Graph) -> None:
    for name, model in graph.models.items():
        data = rune.resources[model.resource]
        listed = model.operators if data is None else read_model(data).operators
        # The graph of a .rune could leave out some of its model's.
        names = [item.name for item in (*model.operators, *listed)]
        missing = tflm.missing_operators(names)
        hint = "run the rune on this computer"
        if data is not None:
            read = read_graph(data)
            advice = tflm.device_advice(read, names, hybrid_operators(read))
            # A model compiled for an accelerator runs on no computer either.
            engines = find_engines(data)
            hint = f"{hint}, or {advice}" if engines.is_run_by_the_host else engines.advice
        if missing:
            raise StageError(
                "R0810",
                f"TensorFlow Lite Micro on devices has no kernel for {', '.join(missing)}",
                stage=name,
                hint=hint,
            )
        if data is not None and not has_old_codes(data):
            raise StageError(
                "R0810",
                "the model has operator codes that the library on devices, which is of 2020, "
                "reads as other operators",
                stage=name,
                hint="build the .rune again from its Runefile with this version of runec",
            )
        found = None if data is None else inspect_model(data)
        if found is not None and found.wrong:
            raise StageError(
                "R0810",
                f"the model's file has {found.wrong[0]}: it would read or write other memory",
                stage=name,
                hint="convert the model again, and build the .rune again with it",
            )
        if found is not None and found.unverified:
            raise StageError(
                "R0810",
                f"runec cannot verify what the model writes: {', '.join(found.unverified)}",
                stage=name,
                hint=hint,
            )
        if found is not None and found.is_shapeless:
            raise StageError(
                "R0810",
                "the shapes of its tensors are found at run time, which devices cannot do",
                stage=name,
                hint="run the rune on this computer, or use a model with fixed shapes",
            )
        objections = tflm.objections(read) if data is not None else ()
        if objections:
            raise StageError(
                "R0810",
                "TensorFlow Lite Micro on devices does not compute as this computer does: "
                f"{', '.join(objections)}",
                stage=name,
                hint=hint,
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
