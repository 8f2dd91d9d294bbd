"""Models whose files leave shapes open, in the device's engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime

from runec.backends import tflm
from runec.models import ModelFile, resolve_model
from tests import shape_models

RunModel = Callable[..., list[str]]
F32, I8 = 8, 1
MODEL = 207


def wheel(data: bytes, values: np.ndarray[Any, Any]) -> str:
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 16)
    interpreter.set_input(values, 0)
    interpreter.invoke()
    return str(interpreter.get_output(0).tobytes().hex())


MODELS = {
    "keras_reshape": (shape_models.keras_reshape(), (1, 12), "f4"),
    "keras_reshape int8": (shape_models.keras_reshape(kind="i1"), (1, 12), "i1"),
    "moved_axes": (shape_models.moved_axes(), (4, 6), "f4"),
    "newer code only": (shape_models.with_codes(0, 41), (4,), "f4"),
    "codes that disagree": (shape_models.with_codes(18, 41), (4,), "f4"),
    "no shape": (shape_models.without_shape("ABS", 64), (64,), "f4"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_resolved_model_runs_on_devices_with_the_hosts_bytes(
    run_model: RunModel, tmp_path: Path, name: str
) -> None:
    data, shape, kind = MODELS[name]
    folded = resolve_model(ModelFile(data)).model.data
    path = tmp_path / "model.tflite"
    path.write_bytes(folded)
    graph = ModelFile(folded).graph
    assert not tflm.missing_operators(use.name for use in graph.operators)
    assert not tflm.objections(graph)
    random = np.random.default_rng(5)
    inputs = [(random.normal(size=shape) * 40).astype(kind) for _ in range(3)]
    code = F32 if kind == "f4" else I8
    tensors = (f"{code}:{inputs[0].nbytes}", f"{code}:{inputs[0].nbytes}")
    opened, *answers, _, _ = run_model(path, tensors, *(item.tobytes() for item in inputs))
    assert opened == "0 "
    assert answers == [f"0 {wheel(folded, item)}" for item in inputs]
    if name != "no shape":  # the library would write 64 floats to the room of one
        assert answers == [f"0 {wheel(data, item)}" for item in inputs]


@pytest.mark.parametrize("name", ["concat", "pad"])
def test_results_of_a_changed_batch_stay_within_their_tensors(
    run_model: RunModel, tmp_path: Path, name: str
) -> None:
    """The program checks every access; the file says that the batch stays 1."""
    data = resolve_model(ModelFile(shape_models.of_changing_batch(name))).model.data
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    values = np.arange(1, 7, dtype="<f4").reshape(1, 6)
    changed = np.tile(values, (2, 1)) if name == "concat" else np.pad(values, ((1, 1), (0, 0)))
    tensors = (f"{F32}:24", f"{F32}:{changed.nbytes},{F32}:24")
    opened, answer, *_ = run_model(path, tensors, values.tobytes())
    assert opened == "0 "
    assert answer == f"0 {changed.tobytes().hex()},{(values + 10).tobytes().hex()}"
    assert wheel(data, values) == changed.tobytes().hex()


def test_a_model_without_its_shapes_is_not_opened(run_model: RunModel, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(shape_models.without_shape("ABS", 64))
    opened, *_ = run_model(path, (f"{F32}:256", f"{F32}:256"), bytes(256))
    assert opened == f"{MODEL} an output is not the tensor that the graph says"
