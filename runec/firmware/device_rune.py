"""Facts about a rune that firmware for any board needs, determined once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runec.backends import tflm
from runec.container import Graph, Rune
from runec.container.wasm import read_module, walk_sections
from runec.firmware.block_code import BlockCode, block_code
from runec.firmware.refusals import StageError, UnfitDeviceError
from runec.frontend.model_engines import find_engines
from runec.models import hybrid_operators
from runec.pipeline import EXECUTED_FORMAT
from runec.vm import validate

_ALIGNMENT = 16


@dataclass(frozen=True, slots=True)
class DeviceRune:
    """A rune that devices can run, and the memory that it takes on each of them.

    `function_count` counts the functions of its module, imported ones too.
    `operators` are those of its models, sorted; `blocks` is the code of each block, by the name of
    its stage.
    """

    rune: Rune
    graph: Graph
    linear_memory_bytes: int
    function_count: int
    arena_bytes: int
    operators: tuple[str, ...]
    blocks: Mapping[str, BlockCode]

    @classmethod
    def of(cls, rune: Rune) -> DeviceRune:
        """Find out about a rune.

        Raises:
            StageError: R0810, a model has an operator that the device's library does not have, or
                does not compute as the host's does.
            DeviceRefusalError: R0616, a legacy rune; R0814, a resource is given at run time; R0815,
                a model of another format.
            RuneError: R0707, its module is invalid.
            MachineError: R0717, the module cannot be validated.
        """
        graph = rune.require_graph()
        check_carried(graph)
        _check_operators(rune, graph)
        validate(rune)  # the engine on the device trusts what it executes
        models = graph.models.values()
        return cls(
            rune=rune,
            graph=graph,
            linear_memory_bytes=_round_up(graph.memory_used),
            function_count=_function_count(rune.code),
            arena_bytes=sum(_round_up(model.arena) for model in models),
            operators=tuple(sorted({item.name for model in models for item in model.operators})),
            blocks=block_code(rune),
        )

    @property
    def data(self) -> bytes:
        """The bytes of the .rune."""
        return self.rune.data


def _round_up(value: int) -> int:
    return -(-value // _ALIGNMENT) * _ALIGNMENT


def _function_count(code: bytes) -> int:
    module = read_module(code, walk_sections(code))
    imported = sum(1 for item in module.imports if item.type is not None)
    return imported + module.body_count


def _check_operators(rune: Rune, graph: Graph) -> None:
    for name, listed in graph.models.items():
        model = rune.models[listed.resource]
        # The graph of a .rune could leave out some of its model's.
        names = [item.name for item in listed.operators]
        names += [item.name for item in model.info.operators]
        advice = tflm.device_advice(model.graph, names, hybrid_operators(model.graph))
        # A model compiled for an accelerator runs on no computer either.
        engines = find_engines(model)
        hint = engines.advice
        if engines.is_run_by_the_host:
            hint = f"run the rune on the host, or {advice}"
        if missing := tflm.missing_operators(names):
            raise StageError(
                "R0810",
                f"TensorFlow Lite Micro on devices has no kernel for {', '.join(missing)}",
                stage=name,
                hint=hint,
            )
        if not model.has_old_codes:
            raise StageError(
                "R0810",
                "devices (library of 2020) read operator codes of the model as other operators",
                stage=name,
                hint="build the .rune again from its Runefile with this version of runec",
            )
        if wrong := model.findings.wrong:
            raise StageError(
                "R0810",
                f"the model's file has {wrong[0]}: a device would compute something else, "
                "or write other memory",
                stage=name,
                hint="convert the model again, and build the .rune again with it",
            )
        if unverified := model.findings.unverified:
            raise StageError(
                "R0810",
                f"runec cannot verify what the model writes: {', '.join(unverified)}",
                stage=name,
                hint=hint,
            )
        if model.findings.is_shapeless:
            raise StageError(
                "R0810",
                "the shapes of its tensors are found at run time, which devices cannot do",
                stage=name,
                hint="run the rune on the host, or use a model with fixed shapes",
            )
        if objections := tflm.objections(model.graph):
            raise StageError(
                "R0810",
                "TensorFlow Lite Micro on devices computes other results than the host: "
                f"{', '.join(objections)}",
                stage=name,
                hint=hint,
            )


def check_carried(graph: Graph) -> None:
    """Reject what a device lacks: it has what is in the .rune and nothing else.

    Raises:
        UnfitDeviceError: R0814, a resource is given at run time; R0815, a model of another format.
    """
    for name, model in graph.models.items():
        if model.format != EXECUTED_FORMAT:
            raise UnfitDeviceError(
                "R0815",
                f"devices can't run the model {name!r}: its format is {model.format}",
                hint="convert it to .tflite with TensorFlow's TFLiteConverter",
            )
    for name, resource in graph.resources.items():
        if resource.bytes is None:
            raise UnfitDeviceError(
                "R0814",
                f"the resource {name!r} has no value; devices accept none at run time",
                hint=f"add a path or an inline text for {name} in the Runefile, and build it again",
            )
