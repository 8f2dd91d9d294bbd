"""Models on the host: Google's TensorFlow Lite Micro, as the `tflite-micro` wheel.

Executed in the child process. The library is imported when the first model is opened: a rune
without models does not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from runec.diagnostics import UserFileError
from runec.models import ModelFile
from runec.pipeline import TensorType
from runec.vm.errors import damaged, inference_failed, no_model

# The host's library is 64-bit and newer than the device's: room in plenty, then a last attempt.
_ARENA_BYTES_LEAST = 4 * 1024 * 1024
_ARENA_BYTES_MOST = 256 * 1024 * 1024
_STDERR = 2
_NOTE_LINES = 4


class _Said:
    """What the library wrote to stderr, which the parent has made a file."""

    def __init__(self) -> None:
        self._start = self._end()

    @staticmethod
    def _end() -> int:
        try:
            return os.lseek(_STDERR, 0, os.SEEK_END)
        except OSError:
            return 0

    def lines(self) -> list[str]:
        """Return the lines since this object was made."""
        try:
            content = os.pread(_STDERR, max(0, self._end() - self._start), self._start)
        except OSError:
            return []
        return [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]


class RefusedError(Exception):
    """A library does not take a model: why, and the lines that it printed."""

    def __init__(self, reason: str, notes: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.notes = tuple(notes)


class TflmModel:
    """A model that is ready to run in TensorFlow Lite Micro.

    Args:
        name: the stage, for messages.
        model: the .tflite.
        inputs: the types of its inputs, as the file has them.
        outputs: the same of its outputs.

    Raises:
        RefusedError: the library does not take it.
        RuneError: R0713, its graph is damaged.
    """

    def __init__(
        self,
        name: str,
        model: ModelFile,
        inputs: Sequence[TensorType],
        outputs: Sequence[TensorType],
    ) -> None:
        self._name = name
        self._inputs = inputs
        self._outputs = outputs
        try:
            arena = model.arena_bytes
        except UserFileError as error:
            raise no_model(name, error) from None
        self._interpreter = self._open(model.data, arena)

    def _open(self, data: bytes, arena: int) -> Any:
        from tflite_micro.python.tflite_micro import runtime  # noqa: PLC0415 - 0.3 s, see above

        roomy = max(_ARENA_BYTES_LEAST, 4 * arena + 4 * len(data))
        said = _Said()
        for size in (roomy, max(roomy, _ARENA_BYTES_MOST)):
            try:
                return runtime.Interpreter.from_bytes(data, arena_size=size)
            except (RuntimeError, ValueError, MemoryError) as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - see damaged()
                raise damaged(self._name, error) from None
        lines = said.lines()
        reason = lines[0] if lines else reason
        raise RefusedError(reason, list(dict.fromkeys(lines))[:_NOTE_LINES])

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs.

        Raises:
            RuneError: R0713, the library fails.
        """
        import numpy as np  # noqa: PLC0415 - there already: the library needs it

        said = _Said()
        try:
            for index, (kind, data) in enumerate(zip(self._inputs, inputs, strict=True)):
                shape = self._interpreter.get_input_details(index)["shape"]
                dtype = np.dtype(kind.element.dtype)
                self._interpreter.set_input(np.frombuffer(data, dtype).reshape(shape), index)
            self._interpreter.invoke()
            return [
                np.ascontiguousarray(self._interpreter.get_output(index)).tobytes()
                for index in range(len(self._outputs))
            ]
        except (RuntimeError, ValueError, TypeError) as error:
            raise inference_failed(self._name, str(error), said.lines()[:_NOTE_LINES]) from None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - see damaged()
            raise damaged(self._name, error) from None
