"""Asking LiteRT for shapes, in a process with limits."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runec.diagnostics import MachineError, RunecError, UserFileError
from runec.tools import MODEL_LIMITS

_TIMEOUT_S = 90
_RANK_MAX = 16

Shape = tuple[int, ...]


class UnknownShapesError(RunecError):
    """The shapes that a model's file does not have were not determined."""


class _RejectedError(UnknownShapesError, UserFileError):
    """LiteRT does not take the model."""


class _UnavailableError(UnknownShapesError, MachineError):
    """LiteRT cannot be asked."""


def learn_shapes(data: bytes, inputs: Sequence[Sequence[int]]) -> dict[int, Shape]:
    """Return the shapes of tensors of the first subgraph that do not depend on data.

    `inputs` are the shapes of the model's inputs.

    Raises:
        UnknownShapesError: as a UserFileError R0320, LiteRT does not take the model with these
            inputs; as a MachineError R0321, it is not installed, or its process cannot be started.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise _UnavailableError(
            "R0321",
            "the model's file does not have the shapes of all its tensors, "
            "and LiteRT, which computes them, is not installed",
            hint="pip install 'runec[litert]'",
        )
    root = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    try:
        done = subprocess.run(
            MODEL_LIMITS.apply_to([sys.executable, "-P", "-m", "runec.models.shape_child"]),
            input=json.dumps({"inputs": inputs}).encode() + b"\n" + data,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root},
        )
    except subprocess.TimeoutExpired:
        raise _refused(f"it did not finish within {_TIMEOUT_S} s") from None
    except OSError as error:
        raise _UnavailableError(
            "R0321",
            f"cannot start the process that determines the model's shapes: {error.strerror}",
            hint="close other programs, or free space in the temporary folder",
        ) from None
    try:
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise _refused(str(answer["error"]))
        return {int(index): _shape(sizes) for index, sizes in answer["shapes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused(f"its process ended with status {done.returncode}") from None


def _shape(sizes: object) -> Shape:
    if not isinstance(sizes, list) or len(sizes) > _RANK_MAX:
        raise TypeError("not a shape")
    if not all(type(size) is int and 0 <= size < 2**31 for size in sizes):
        raise TypeError("not a shape")
    return tuple(sizes)


def _refused(reason: str) -> _RejectedError:
    return _RejectedError(
        "R0320",
        "the model's file does not have the shapes of all its tensors, "
        f"and LiteRT cannot determine them: {reason}",
        hint="convert the model with fixed input shapes, so that the file has all shapes",
    )
