"""Models on the host that TensorFlow Lite Micro rejects: LiteRT's reference kernels, an extra.

The reference kernels and not the fast ones: for uint8 they give the bytes that TensorFlow Lite
Micro on a device gives, the fast ones differ by 1 or 2. One thread, no delegates.

Executed in the child process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runec.pipeline import TensorType
from runec.vm.errors import damaged, inference_failed, model_failed


def is_installed() -> bool:
    """Return whether the extra is there."""
    try:
        import ai_edge_litert.interpreter  # noqa: F401, PLC0415 - half a second
    except ImportError:
        return False
    return True


class LitertModel:
    """A model that is ready to run in LiteRT's reference kernels.

    Args:
        name: the stage, for messages.
        data: the .tflite.
        inputs: the types of its inputs; those that the file leaves open get this shape.
        outputs: the types of its outputs.
    """

    def __init__(
        self, name: str, data: bytes, inputs: Sequence[TensorType], outputs: Sequence[TensorType]
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415

        self._name = name
        self._kinds = inputs
        try:
            self._interpreter: Any = Interpreter(
                model_content=data,
                num_threads=1,
                experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            )
            for detail, kind in zip(self._interpreter.get_input_details(), inputs, strict=False):
                if math.prod(map(int, detail["shape"])) != kind.element_count:
                    self._interpreter.resize_tensor_input(detail["index"], kind.dimensions)
            self._interpreter.allocate_tensors()
            self._inputs = self._interpreter.get_input_details()
            output_count = len(self._interpreter.get_output_details())
        except (RuntimeError, ValueError) as error:
            raise model_failed(name, str(error), []) from None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - see damaged()
            raise damaged(name, error) from None
        if (len(self._inputs), output_count) != (len(inputs), len(outputs)):
            raise model_failed(name, "LiteRT reports other inputs and outputs", [])

    def infer(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run the model on packed elements; return the packed elements of its outputs.

        Raises:
            RuneError: R0713, the library fails.
        """
        import numpy as np  # noqa: PLC0415 - there already: the library needs it

        try:
            for detail, kind, data in zip(self._inputs, self._kinds, inputs, strict=True):
                values = np.frombuffer(data, kind.element.dtype).reshape(detail["shape"])
                self._interpreter.set_tensor(detail["index"], values)
            self._interpreter.invoke()
            # Again: shapes may depend on the data. The library does not return an empty tensor.
            return [
                b""
                if 0 in detail["shape"]
                else np.ascontiguousarray(self._interpreter.get_tensor(detail["index"])).tobytes()
                for detail in self._interpreter.get_output_details()
            ]
        except (RuntimeError, ValueError, TypeError) as error:
            raise inference_failed(self._name, str(error)) from None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - see damaged()
            raise damaged(self._name, error) from None
