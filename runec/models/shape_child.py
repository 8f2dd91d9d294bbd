"""Process that determines the shapes of a model with LiteRT, started by `runec.models.shapes`.

Reads a line of JSON from stdin, `{"inputs": [[1, 224, 224, 3], ...]}`, and behind it the model.
Writes JSON: `{"shapes": {"12": [1, 10], ...}}` with the tensors of the first subgraph whose shapes
do not depend on data, or `{"error": "..."}`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
_SECONDS = 60


def _limit_resources() -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, hard))


def _shapes(data: bytes, inputs: list[list[int]]) -> dict[str, list[int]]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # noqa: PLC0415 - an extra

    interpreter: Any = Interpreter(
        model_content=data,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    for detail, shape in zip(interpreter.get_input_details(), inputs, strict=True):
        if list(detail["shape"]) != shape:
            interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    found = {}
    for detail in interpreter.get_tensor_details():
        index = detail["index"]
        try:
            # Memory is there for a tensor whose shape was found before the model ran.
            interpreter.get_tensor(index)
        except (ValueError, RuntimeError):
            continue
        found[str(index)] = [int(size) for size in detail["shape"]]
    return found


def main() -> None:
    """Answer one question."""
    request = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    _limit_resources()
    answer: dict[str, object]
    try:
        answer = {"shapes": _shapes(data, request["inputs"])}
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        answer = {"error": " ".join(str(error).split()) or type(error).__name__}
    with os.fdopen(1, "wb", closefd=False) as stream:
        stream.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
