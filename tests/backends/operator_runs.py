"""Runs models of a single operator on the device's engine and in the host's libraries."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runec.diagnostics import UserFileError
from runec.models import InputRange, ModelFile
from tests.backends.operator_models import Array, Model

ARENA_BYTES = 64 * 1024
_SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0"}


@dataclass(frozen=True)
class Trial:
    """A model with inputs."""

    model: Model
    data: bytes
    inputs: tuple[Array, ...]


@dataclass(frozen=True)
class Outcome:
    """What a library made of a trial: outputs, or why there are none."""

    outputs: tuple[bytes, ...] | None
    why: str = ""


_ON_HOST = """
import os, pickle, signal, sys
trials, first, library = pickle.load(sys.stdin.buffer)
results = os.fdopen(os.dup(1), "wb")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(1, 2)

def tflm(data, inputs):
    from tflite_micro.python.tflite_micro import runtime
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 19)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    outputs = []
    while True:
        try:
            outputs.append(interpreter.get_output(len(outputs)).tobytes())
        except Exception:
            return outputs

def litert(data, inputs):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    kind = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    for detail, values in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]).tobytes() for d in interpreter.get_output_details()]

for data, inputs in trials[first:]:
    signal.alarm(10)
    try:
        answer = tuple({"tflm": tflm, "litert": litert}[library](data, inputs)), ""
    except Exception as error:
        answer = None, str(error)
    pickle.dump(answer, results)
    results.flush()
"""


def on_host(trials: Sequence[Trial], library: str) -> list[Outcome]:
    """Run trials in `tflm` or `litert`; one that ends the process has no outputs.

    Floats that become integers are clamped, as docs/spec/rune.md states in section 2.4.
    """
    rows = [(trial.data, tuple(map(_clamped, trial.inputs, _ranges(trial)))) for trial in trials]
    outcomes: list[Outcome] = []
    while len(outcomes) < len(rows):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _ON_HOST],
            input=pickle.dumps((rows, len(outcomes), library)),
            capture_output=True,
            check=False,
        )
        outcomes += [Outcome(*answer) for answer in _unpickled(done.stdout)]
        if done.returncode != 0:
            outcomes.append(Outcome(None, f"crash: {done.returncode}"))
    return outcomes[: len(rows)]


def _ranges(trial: Trial) -> tuple[InputRange | None, ...]:
    try:
        return ModelFile(trial.data).input_ranges
    except UserFileError:
        return (None,) * len(trial.inputs)


def _clamped(values: Array, bounds: InputRange | None) -> Array:
    if bounds is None:
        return values
    numbers = np.where(np.isnan(values), np.float32(0), values)
    clamped: Array = np.clip(numbers, np.float32(bounds.least), np.float32(bounds.most))
    return clamped


def _unpickled(stream: bytes) -> list[Any]:
    import io

    file = io.BytesIO(stream)
    answers = []
    while file.tell() < len(stream):
        answers.append(pickle.load(file))  # noqa: S301 - from our own process
    return answers


def on_device(
    program: Path, trials: Sequence[Trial], folder: Path, arena: int = ARENA_BYTES
) -> list[Outcome]:
    """Run trials in the device's engine on the host."""
    lines = []
    for index, trial in enumerate(trials):
        path = folder / f"{index}.tflite"
        path.write_bytes(trial.data)
        given = ",".join(tensor.harness_name for tensor in trial.model.given)
        gives = ",".join(tensor.harness_name for tensor in trial.model.outputs)
        data = ",".join(values.tobytes().hex() for values in trial.inputs)
        lines.append(f"{path} {arena} {arena} {given} {gives} {data}\n")
    done = subprocess.run(
        [program, "-"],
        input="".join(lines),
        text=True,
        capture_output=True,
        check=True,
        env=_SANITIZERS,
    )
    outcomes = []
    said: list[str] = []
    for line in done.stdout.splitlines():
        if not line.startswith("exit "):
            said.append(line)
            continue
        outcomes.append(_outcome(said, int(line[5:])))
        said = []
    return outcomes


def _outcome(said: Sequence[str], status: int) -> Outcome:
    if status != 0:
        return Outcome(None, f"crash: {status}")
    opened, answer = said[:2]
    if not opened.startswith("0 "):
        return Outcome(None, f"open: {opened}")
    error, _, data = answer.partition(" ")
    if error != "0":
        return Outcome(None, f"invoke: {error}")
    return Outcome(tuple(bytes.fromhex(part) for part in data.split(",")))


def same(model: Model, one: Outcome, other: Outcome) -> bool:
    """Return whether outputs agree, every byte but those of a NaN."""
    if one.outputs is None or other.outputs is None or len(one.outputs) != len(other.outputs):
        return False
    return all(
        _canonical(tensor.dtype, a) == _canonical(tensor.dtype, b)
        for tensor, a, b in zip(model.outputs, one.outputs, other.outputs, strict=True)
    )


def _canonical(dtype: str, data: bytes) -> bytes:
    if dtype != "float32":
        return data
    values = np.frombuffer(data, np.float32).copy()
    values[np.isnan(values)] = np.nan
    return values.tobytes()
