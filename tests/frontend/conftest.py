"""Fixtures of the frontend: tiny models, and a Runefile analysed in a folder."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import runec.proc_blocks
from runec.diagnostics import Diagnostic, RunecError
from runec.frontend import Analysis, analyse_text
from runec.pipeline import TensorType

BLOCKS = Path(runec.proc_blocks.__file__).parent / "blocks"

# TensorType of the .tflite schema.
_TYPE_CODES = {"f32": 0, "i32": 2, "u8": 3, "i64": 4, "utf8": 5, "i16": 7, "i8": 9}


def make_model(
    inputs: list[str],
    outputs: list[str],
    quantised: Mapping[str, tuple[list[float], list[int]]] | None = None,
) -> bytes:
    """A .tflite without operators: nothing but the types of its inputs and outputs.

    The outputs are variables, which need no operator. Tensors are called t0, t1 and so on;
    `quantised` gives some of them scales and zero points.
    """
    builder: Any = importlib.import_module("flatbuffers").Builder(256)

    def vector(items: Sequence[float], size: int, add: Any) -> int:
        builder.StartVector(size, len(items), size)
        for item in reversed(items):
            add(item)
        return int(builder.EndVector())

    def offsets(items: list[int]) -> int:
        return vector(items, 4, builder.PrependUOffsetTRelative)

    def tensor(spelling: str, name: str, *, is_variable: bool) -> int:
        type_ = TensorType.parse(spelling)
        label = builder.CreateString(name)
        shape = vector(list(type_.dimensions), 4, builder.PrependInt32)
        numbers = 0
        if quantised is not None and name in quantised:
            scales, zeros = quantised[name]
            scale_vector = vector(scales, 4, builder.PrependFloat32)
            zero_vector = vector(zeros, 8, builder.PrependInt64)
            builder.StartObject(4)
            builder.PrependUOffsetTRelativeSlot(2, scale_vector, 0)
            builder.PrependUOffsetTRelativeSlot(3, zero_vector, 0)
            numbers = int(builder.EndObject())
        builder.StartObject(6)
        builder.PrependBoolSlot(5, is_variable, 0)
        builder.PrependUOffsetTRelativeSlot(4, numbers, 0)
        builder.PrependUOffsetTRelativeSlot(0, shape, 0)
        builder.PrependInt8Slot(1, _TYPE_CODES[type_.element.value], 0)
        builder.PrependUint32Slot(2, 0, 0)
        builder.PrependUOffsetTRelativeSlot(3, label, 0)
        return int(builder.EndObject())

    tensors = offsets(
        [
            tensor(text, f"t{i}", is_variable=i >= len(inputs))
            for i, text in enumerate([*inputs, *outputs])
        ]
    )
    taken = vector(list(range(len(inputs))), 4, builder.PrependInt32)
    given = [len(inputs) + index for index in range(len(outputs))]
    returned = vector(given, 4, builder.PrependInt32)
    operators = offsets([])
    builder.StartObject(4)
    for slot, offset in enumerate((tensors, taken, returned, operators)):
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    subgraphs = offsets([int(builder.EndObject())])
    builder.StartObject(1)
    buffers = offsets([int(builder.EndObject())])
    codes = offsets([])
    builder.StartObject(5)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUOffsetTRelativeSlot(1, codes, 0)
    builder.PrependUOffsetTRelativeSlot(2, subgraphs, 0)
    builder.PrependUOffsetTRelativeSlot(4, buffers, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def model() -> Callable[..., bytes]:
    """Makes a .tflite: see `make_model`."""
    return make_model


QUANTISED = {"t0": ([0.0245], [-7]), "t1": ([0.0078125], [4])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the models that the Runefiles of these tests name."""
    sine = make_model(["f32[1, 1]"], ["f32[1, 1]"])
    gesture = make_model(["f32[1, 128, 3, 1]"], ["f32[1, 4]"])
    two = make_model(["f32[1, 2]", "f32[1, 2]"], ["f32[1, 2]", "u8[3]"])
    bytes_model = make_model(["u8[1, 96, 96, 1]"], ["u8[1, 3]"])
    for name, data in (
        ("sine.tflite", sine),
        ("sinemodel.tflite", sine),
        ("model.tflite", gesture),
        ("two.tflite", two),
        ("bytes.tflite", bytes_model),
        ("int8.tflite", make_model(["i8[1, 1]"], ["i8[1, 1]"], QUANTISED)),
        ("broken.tflite", b"not a model at all"),
        ("pointer.tflite", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n"),
        ("labels.txt", b"zero\none\n"),
        ("latin.txt", "caf\u00e9".encode("latin-1")),
    ):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "saved_model").mkdir()
    shutil.copytree(BLOCKS / "identity", tmp_path / "my_block")
    for name in ("identity", "in_rust"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Cargo.toml").write_text("[package]\n")
    return tmp_path


@pytest.fixture
def analyse_in(folder: Path) -> Callable[..., Analysis]:
    """Analyse a text as if it were a file in the folder."""

    def run(text: str, file_name: str = "Runefile.yml") -> Analysis:
        return analyse_text(text, file_name, folder, "test")

    return run


@pytest.fixture
def diagnose(folder: Path) -> Callable[..., tuple[Diagnostic, ...]]:
    """Everything that is said of a text: errors and warnings."""

    def run(text: str, file_name: str = "Runefile.yml") -> tuple[Diagnostic, ...]:
        try:
            return analyse_text(text, file_name, folder, "test").warnings
        except RunecError as error:
            return error.diagnostics

    return run
