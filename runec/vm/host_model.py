"""A model on the host, in whichever library computes it right.

TensorFlow Lite Micro first, as on devices. What it rejects, and what it is known to
compute wrong (`runec.models.engines`), goes to LiteRT, if that is installed, with a warning.

Executed in the child process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from runec.backends import tflm
from runec.diagnostics import RuneError, UserFileError
from runec.models import (
    Engine,
    InputRange,
    ModelFile,
    ModelTensor,
    advice,
    deviations,
    engine_objection,
    hybrid_operators,
    missing,
    resolve_model,
)
from runec.pipeline import TensorType
from runec.vm import litert
from runec.vm.errors import (
    computed_wrong,
    model_differs,
    model_failed,
    needs_litert,
    no_model,
    result_differs,
    unknown_shape,
    unverified,
)
from runec.vm.output import one_nan
from runec.vm.tflm import RefusedError, TflmModel

Warn = Callable[[str, str], None]
"""Takes a warning and a hint."""

_UNKNOWN = "the file does not have the shapes of all its tensors"
_AT_RUN_TIME = "the shapes of its tensors are found at run time"


class _Engine(Protocol):
    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs."""


class HostModel:
    """A model that is ready to run.

    Args:
        name: the stage, for messages.
        model: the .tflite.
        said: the types that the rune says its inputs and its outputs have; element types and
            sizes are compared with the model's, shapes may be written differently. Where the file
            has no shape, or leaves an input's open, the rune's count. None: not compared.
        warn: called when it runs in another library than devices have.

    Raises:
        RuneError: R0713, it cannot be run; R0714, its tensors are others.
        MachineError: R0721, it can be run where LiteRT is installed.
    """

    def __init__(
        self,
        name: str,
        model: ModelFile,
        said: tuple[Sequence[TensorType], Sequence[TensorType]] | None,
        warn: Warn,
    ) -> None:
        try:
            # Runes that runec built have resolved models; others may hold any file.
            given = None if said is None else said[0]
            model = resolve_model(model, given, may_learn=False).model
            self._info, self._graph = model.info, model.graph
            self._ranges = model.input_ranges
        except UserFileError as error:
            raise no_model(name, error) from None
        self.inputs = _types(name, self._info.inputs, given, is_input=True)
        self.outputs = _types(name, self._info.outputs, None if said is None else said[1])
        self._name = name
        names = [operator.name for operator in self._info.operators]
        hybrid = hybrid_operators(self._graph)
        why = tflm.device_objection(self._graph, names, hybrid)
        to_a_board = tflm.device_advice(self._graph, names, hybrid)
        self._found = model.findings
        if self._found.is_shapeless and not tflm.missing_operators(names):
            why, to_a_board = _AT_RUN_TIME, "use a model with fixed shapes"
        self._engine: _Engine
        try:
            self._engine = self._in_tflm(name, model)
            if why is not None:
                hint = f"to run it on a board, {to_a_board}"
                warn(f"no device engine runs the model {name}: {why}", hint)
        except RefusedError as refusal:
            self._engine = self._in_litert(name, model, refusal)
            # No device of today may have it, the device's library of 2020 does.
            text = f"the model {name} runs in LiteRT's reference kernels: {refusal.reason}"
            if why is None:
                warn(text, "devices run it in their own library, with the same result")
            else:
                hint = f"to run it on a board, {to_a_board}"
                warn(f"{text}. No device engine runs it: {why}", hint)

    def _in_tflm(self, name: str, model: ModelFile) -> _Engine:
        objection = self._objection(Engine.TFLM)
        if objection is not None:
            raise RefusedError(objection)
        # It makes room for the shapes of the file, and writes results of any size to it.
        is_resized = any(
            tensor.type is None or tensor.type.element_count != kind.element_count
            for tensor, kind in zip(self._info.inputs, self.inputs, strict=True)
        )
        if is_resized or self._found.is_shapeless:
            raise RefusedError(_UNKNOWN)
        if self._found.objection is not None:
            raise RefusedError(self._found.objection)
        return TflmModel(name, model, self.inputs, self.outputs)

    def _objection(self, engine: Engine) -> str | None:
        """Return why a library does not run the model right, with the library's full name."""
        objection = engine_objection(engine, self._graph, self._info.operators)
        name = "TensorFlow Lite Micro" if engine is Engine.TFLM else "LiteRT"
        return None if objection is None else f"{name} {objection.removeprefix('it ')}"

    def _in_litert(self, name: str, model: ModelFile, refusal: RefusedError) -> _Engine:
        lacking = [missing(engine, self._info.operators) for engine in Engine]
        if all(lacking):
            hint = advice(operator.partition(" ")[0] for found in lacking for operator in found)
            raise model_failed(name, refusal.reason, refusal.notes, hint)
        objection = self._objection(Engine.LITERT)
        is_wrong = any(deviations(engine, self._graph) for engine in Engine)
        if objection is not None and is_wrong:
            raise computed_wrong(name, (refusal.reason, objection))
        if objection is not None and self._found.unverified:
            raise unverified(name, self._found.unverified, objection)
        if objection is not None:
            notes = [*refusal.notes, objection]
            raise model_failed(name, refusal.reason, notes, advice(lacking[0]))
        if not litert.is_installed():
            raise needs_litert(name, refusal.reason, refusal.notes)
        try:
            return litert.LitertModel(name, model.data, self.inputs, self.outputs)
        except RuneError as error:
            # Both reject it; the message of the device's library is the useful one.
            raise model_failed(
                name, refusal.reason, [*refusal.notes, error.message], advice(lacking[0])
            ) from None

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs.

        Floats that it turns into integers are clamped first, and every NaN that it gives is the
        one NaN (docs/spec/rune.md, sections 2.4 and 2.5).

        Raises:
            RuneError: R0713, the library fails; R0731, a result has another size than its tensor.
        """
        given = list(inputs)
        for index, bounds in enumerate(self._ranges[: len(inputs)]):
            if bounds is not None:
                given[index] = _clamped(given[index], bounds)
        results = self._engine.infer(given)
        if len(results) != len(self.outputs):
            raise model_failed(self._name, f"it returned {len(results)} tensors", [])
        for number, (kind, data) in enumerate(zip(self.outputs, results, strict=True)):
            if len(data) != kind.size_bytes:
                raise result_differs(self._name, number, kind, len(data))
        return [one_nan(kind, data) for kind, data in zip(self.outputs, results, strict=True)]


def _clamped(data: bytes, bounds: InputRange) -> bytes:
    import numpy as np  # noqa: PLC0415 - there already: the library needs it

    values = np.frombuffer(data, "<f4")
    numbers = np.where(np.isnan(values), np.float32(0), values)
    return np.clip(numbers, np.float32(bounds.least), np.float32(bounds.most)).tobytes()


def _types(
    name: str,
    tensors: Sequence[ModelTensor],
    said: Sequence[TensorType] | None,
    *,
    is_input: bool = False,
) -> list[TensorType]:
    """Return the types of a model's tensors: the file's, and the rune's where it has no shape.

    Raises:
        RuneError: R0714, the rune's are others; R0732, there are none.
    """
    if said is None:
        return [_known(name, tensor) for tensor in tensors]
    types = []
    for kind, tensor in zip(said, tensors, strict=False):
        is_same = tensor.type is None or tensor.type.element_count == kind.element_count
        is_open = is_input and tensor.accepts(kind.dimensions)
        if kind.element is tensor.element and (is_same or is_open):
            is_exact = tensor.type is None or not is_same
            types.append(kind if is_exact else _known(name, tensor))
    if len(types) != len(tensors) or len(said) != len(tensors):
        raise model_differs(name, ", ".join(map(str, said)), ", ".join(map(str, tensors)))
    return types


def _known(name: str, tensor: ModelTensor) -> TensorType:
    if tensor.type is None:
        raise unknown_shape(name, tensor.name)
    return tensor.type
