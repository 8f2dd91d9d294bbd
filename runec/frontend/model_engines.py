"""Engines that run a model: the host's two libraries, and the one on devices."""

from __future__ import annotations

import msgspec

from runec.backends import tflm
from runec.models import (
    Engine,
    ModelFile,
    ModelGraph,
    Operator,
    advice,
    engine_objection,
    hybrid_operators,
    missing,
)

DEVICES = "devices"


class ModelEngines(msgspec.Struct, frozen=True):
    """Engine -> why it does not run a model, None where it does.

    The engines are `tflite-micro` and `LiteRT` on the host, and `devices`: TensorFlow Lite Micro in
    a firmware. `lacking` are the operators that neither library of the host has a kernel for.
    """

    objections: dict[str, str | None]
    lacking: tuple[str, ...]

    @property
    def takers(self) -> tuple[str, ...]:
        """The engines that run the model."""
        return tuple(name for name, why in self.objections.items() if why is None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why each of the others does not."""
        return tuple(f"{name}: {why}" for name, why in self.objections.items() if why is not None)

    @property
    def advice(self) -> str:
        """What to do about a model that no engine runs."""
        return advice(name.partition(" ")[0] for name in self.lacking)

    @property
    def is_run_by_the_host(self) -> bool:
        """Whether a library of the host runs the model."""
        return any(self.objections[engine.value] is None for engine in Engine)

    def summary(self) -> str:
        """Return a line as text: who runs the model, and why the others do not."""
        who = f"runs on {', '.join(self.takers)}" if self.takers else "runs nowhere"
        return f"{who} ({'; '.join(self.reasons)})" if self.reasons else who


def find_engines(model: ModelFile) -> ModelEngines:
    """Return which engines run a .tflite.

    Raises:
        UserFileError: R0310 to R0314, as `ModelFile.info`.
    """
    info, graph = model.info, model.graph
    objections = _host_objections(graph, info.operators)
    names = [operator.name for operator in info.operators]
    objections[DEVICES] = tflm.device_objection(graph, names, hybrid_operators(graph))
    # Both make room for the shapes that the file has.
    why = model.findings.objection
    for name in (Engine.TFLM.value, DEVICES):
        objections[name] = objections[name] or why
    return ModelEngines(objections, _lacking(info.operators))


def _host_objections(graph: ModelGraph, operators: tuple[Operator, ...]) -> dict[str, str | None]:
    return {engine.value: engine_objection(engine, graph, operators) for engine in Engine}


def _lacking(operators: tuple[Operator, ...]) -> tuple[str, ...]:
    first, second = (missing(engine, operators) for engine in Engine)
    names = {name.partition(" ")[0] for name in second}
    return tuple(name for name in first if name in names)
