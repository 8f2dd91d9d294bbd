"""A dilated int8 convolution, from `runec run` to the bytes of LiteRT's reference kernels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tests import shape_models

Runec = Callable[..., Any]
BATCH, CHANNELS, UNITS = 20, 2, 3
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  picture: {{capability: RAW, outputs: [{{type: i8, dimensions: [20, {0}, {0}, 2]}}]}}
  model:
    model: ./model.tflite
    inputs: [picture]
    outputs: [{{type: i8, dimensions: [20, {0}, {0}, 3]}}]
  serial: {{out: SERIAL, inputs: [model]}}
"""


def litert(model: bytes, given: Any) -> Any:
    """What the reference kernels return, called directly."""
    interpreter = Interpreter(
        model_content=model,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def convolved(given: Any, weights: Any, bias: Any) -> Any:
    """The same in real numbers: outside of the picture is 0, which is the element -128."""
    size = given.shape[1]
    real = np.pad((given + 128.0) / 16, [(0, 0), (2, 2), (2, 2), (0, 0)])
    result = np.zeros((*given.shape[:3], UNITS)) + bias / 512
    for row in range(3):
        for column in range(3):
            window = real[:, 2 * row : 2 * row + size, 2 * column : 2 * column + size]
            result += window @ (weights[:, row, column].T / 32)
    return np.clip(result * 2 + 3, -128, 127)


@pytest.mark.parametrize("size", [6, 7])
def test_a_dilated_convolution_has_the_bytes_of_the_reference_kernels(
    runec: Runec, tmp_path: Path, size: int
) -> None:
    rng = np.random.default_rng(size)
    weights = rng.integers(-127, 128, (UNITS, 3, 3, CHANNELS))
    bias = rng.integers(-2000, 2000, UNITS)
    given = rng.integers(-128, 128, (BATCH, size, size, CHANNELS)).astype(np.int8)
    model = shape_models.dilated_convolution(weights, bias, BATCH, size)
    (tmp_path / "model.tflite").write_bytes(model)
    (tmp_path / "Runefile.yml").write_text(RUNEFILE.format(size))
    given.tofile(tmp_path / "in.bin")

    done = runec("run", tmp_path, "--raw", tmp_path / "in.bin")

    assert done.code == 0, done.stderr
    assert "TensorFlow Lite Micro computes SPACE_TO_BATCH_ND with padding wrong" in done.stderr
    ((tensor,),) = json.loads(done.stdout).values()
    found = np.array(tensor["elements"], np.int8).reshape(tensor["dimensions"])
    assert np.array_equal(found, litert(model, given))
    assert np.abs(found - convolved(given, weights, bias)).max() <= 1
