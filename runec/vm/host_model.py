"""A model on the host, in whichever library runs it.

TensorFlow Lite Micro first: it is what devices have. What it refuses goes to LiteRT, if that is
installed, and the user is told.

Executed in the child process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from runec.diagnostics import RuneError, UserFileError
from runec.models import InputRange, input_ranges, read_model
from runec.pipeline import TensorType
from runec.vm import litert
from runec.vm.errors import model_differs, needs_litert, no_model
from runec.vm.output import one_nan
from runec.vm.tflm import RefusedError, TflmModel

Warn = Callable[[str, str], None]
"""Takes a warning and a hint."""

_TO_A_BOARD = "to run it on a board, convert the model to int8 or float32"


class _Engine(Protocol):
    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs."""


class HostModel:
    """A model that is ready to run.

    Args:
        name: the stage, for messages.
        data: the .tflite.
        said: the types that the rune says its inputs and its outputs have; element types and
            sizes are compared with the model's, shapes may be written differently. None: not
            compared.
        warn: is told when it runs in another library than devices have.

    Raises:
        RuneError: R0713, it cannot be run; R0714, its tensors are others.
        MachineError: R0721, it can be run where LiteRT is installed.
    """

    def __init__(
        self,
        name: str,
        data: bytes,
        said: tuple[Sequence[TensorType], Sequence[TensorType]] | None,
        warn: Warn,
    ) -> None:
        try:
            info = read_model(data)
            self._ranges = input_ranges(data)
        except UserFileError as error:
            raise no_model(name, error) from None
        self.inputs = [tensor.type for tensor in info.inputs]
        self.outputs = [tensor.type for tensor in info.outputs]
        if said is not None:
            _compare(name, said[0], self.inputs)
            _compare(name, said[1], self.outputs)
        self._engine: _Engine
        why = litert.device_objection(data, info.operators)
        try:
            self._engine = TflmModel(name, data, self.inputs, self.outputs)
            if why is not None:
                warn(f"no device engine of runec takes the model {name}: {why}", _TO_A_BOARD)
        except RefusedError as refusal:
            self._engine = self._in_litert(name, data, refusal)
            # No device of today may have it, the device's library of 2020 does.
            text = f"the model {name} runs in LiteRT's reference kernels: {refusal.reason}"
            if why is None:
                warn(text, "devices run it in their own library, with the same result")
            else:
                warn(f"{text}. No device engine of runec takes it: {why}", _TO_A_BOARD)

    def _in_litert(self, name: str, data: bytes, refusal: RefusedError) -> _Engine:
        error: RuneError = refusal.error
        if not litert.is_installed():
            raise needs_litert(name, refusal.reason, error.notes) from None
        try:
            return litert.LitertModel(name, data, self.inputs, self.outputs)
        except RuneError:
            # Neither takes it. What the device's library says is what helps.
            raise error from None

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs.

        Floats that it turns into integers are clamped first, and every NaN that it gives is the
        one NaN (docs/spec/rune.md, sections 2.4 and 2.5).

        Raises:
            RuneError: R0713, the library fails.
        """
        given = list(inputs)
        for index, bounds in enumerate(self._ranges[: len(inputs)]):
            if bounds is not None:
                given[index] = _clamped(given[index], bounds)
        results = self._engine.infer(given)
        return [one_nan(kind, data) for kind, data in zip(self.outputs, results, strict=True)]


def _clamped(data: bytes, bounds: InputRange) -> bytes:
    import numpy as np  # noqa: PLC0415 - there already: the library needs it

    values = np.frombuffer(data, "<f4")
    numbers = np.where(np.isnan(values), np.float32(0), values)
    return np.clip(numbers, np.float32(bounds.least), np.float32(bounds.most)).tobytes()


def _compare(name: str, said: Sequence[TensorType], found: Sequence[TensorType]) -> None:
    same = len(said) == len(found) and all(
        a.element is b.element and a.element_count == b.element_count
        for a, b in zip(said, found, strict=True)
    )
    if not same:
        raise model_differs(name, ", ".join(map(str, said)), ", ".join(map(str, found)))
