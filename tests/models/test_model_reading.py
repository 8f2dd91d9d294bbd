from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.diagnostics import UserFileError
from runec.models import ModelFile
from runec.models.operators import BUILTIN_OPERATORS
from runec.pipeline import TensorType
from tests.originals import EXAMPLES, HOTG, needing


def rebuilt(data: bytes, change: Callable[[Any], object]) -> bytes:
    """Change a model through the schema's own object interface."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def code_of(data: bytes) -> str:
    with pytest.raises(UserFileError) as caught:
        _ = ModelFile(data).info
    assert caught.value.hint
    return caught.value.code


def test_operator_names_are_the_schemas() -> None:
    codes = {
        value: name
        for name, value in vars(schema.BuiltinOperator).items()
        if isinstance(value, int)
    }
    assert dict(enumerate(BUILTIN_OPERATORS)) == codes


def test_the_sine_model_is_read(sine: bytes) -> None:
    info = ModelFile(sine).info
    assert [str(tensor.type) for tensor in info.inputs] == ["f32[1, 1]"]
    assert [str(tensor.type) for tensor in info.outputs] == ["f32[1, 1]"]
    assert [(item.name, item.version) for item in info.operators] == [("FULLY_CONNECTED", 1)]
    assert info.operator_count == 3
    assert info.description == "MLIR Converted."
    assert info.inputs[0].scale is None
    assert info.inputs[0].zero_point is None


# Types, operators and quantisation as the original platform documents them.
HOTG_MODELS = {
    "gesture/model.tflite": ("f32[1, 128, 3, 1]", "f32[1, 4]", 8, None),
    "microspeech/model.tflite": ("i8[1, 1960]", "i8[1, 6]", 4, (0.101961, -128)),
    "person_detection/model.tflite": ("u8[1, 96, 96, 1]", "u8[1, 1, 1, 3]", 29, (0.00787402, 128)),
}


OWN_MODELS = {
    "gesture": ("f32[1, 128, 3, 1]", "f32[1, 4]", 10, None),
    "microspeech": ("i8[1, 49, 40, 1]", "i8[1, 6]", 12, (0.1, -128)),
    "person_detection": ("i8[1, 64, 64, 1]", "i8[1, 1, 1, 2]", 16, (1, -128)),
}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        *(
            pytest.param(HOTG / name, wanted, marks=needing(name))
            for name, wanted in HOTG_MODELS.items()
        ),
        *((EXAMPLES / name / "model.tflite", wanted) for name, wanted in OWN_MODELS.items()),
    ],
)
def test_models_are_read_as_their_makers_document_them(
    path: Path, wanted: tuple[str, str, int, tuple[float, int] | None]
) -> None:
    given, gives, count, quantisation = wanted
    info = ModelFile(path.read_bytes()).info
    assert [str(tensor.type) for tensor in info.inputs] == [given]
    assert [str(tensor.type) for tensor in info.outputs] == [gives]
    assert info.operator_count == count
    if quantisation is not None:
        assert info.inputs[0].scale == pytest.approx(quantisation[0], rel=1e-5)
        assert info.inputs[0].zero_point == quantisation[1]


def test_operators_stand_in_order_of_first_use_without_repetition() -> None:
    info = ModelFile((EXAMPLES / "gesture" / "model.tflite").read_bytes()).info
    assert [item.name for item in info.operators] == [
        "QUANTIZE",
        "CONV_2D",
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
        "DEQUANTIZE",
    ]


def test_a_custom_operator_has_its_own_name(sine: bytes) -> None:
    def change(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = b"Fourier"

    assert [item.name for item in ModelFile(rebuilt(sine, change)).info.operators] == ["Fourier"]


def test_an_operator_newer_than_the_list_has_its_number(sine: bytes) -> None:
    def change(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 999
        model.operatorCodes[0].deprecatedBuiltinCode = 127

    assert [item.name for item in ModelFile(rebuilt(sine, change)).info.operators] == [
        "BUILTIN_999"
    ]


def test_a_scalar_has_one_dimension(sine: bytes) -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].shape = None

    assert ModelFile(rebuilt(sine, change)).info.inputs[0].type == TensorType.parse("f32[1]")


def test_the_stored_shape_counts_where_the_signature_is_dynamic(sine: bytes) -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].shapeSignature = [-1, 1]

    assert ModelFile(rebuilt(sine, change)).info.inputs[0].type == TensorType.parse("f32[1, 1]")


@pytest.mark.parametrize("kind", ["FLOAT16", "BOOL", "STRING", "COMPLEX64", "INT4"])
def test_a_type_without_equal_is_refused_at_the_ends_only(sine: bytes, kind: str) -> None:
    def at_the_input(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].type = getattr(schema.TensorType, kind)

    def inside(model: Any) -> None:
        graph = model.subgraphs[0]
        ends = {*graph.inputs, *graph.outputs}
        index = next(i for i in range(len(graph.tensors)) if i not in ends)
        graph.tensors[index].type = getattr(schema.TensorType, kind)

    assert code_of(rebuilt(sine, at_the_input)) == "R0313"
    assert ModelFile(rebuilt(sine, inside)).info.operator_count == 3


@pytest.mark.parametrize("shape", [[-1, 1], [0, 1], [2**20, 2**20]])
def test_a_shape_that_is_not_fixed_is_refused(sine: bytes, shape: list[int]) -> None:
    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].shape = shape

    assert code_of(rebuilt(sine, change)) == "R0314"


def test_other_files_are_refused() -> None:
    assert code_of(b"") == "R0310"
    assert code_of(b"\x89PNG\r\n\x1a\n" + bytes(100)) == "R0310"


def test_another_schema_version_is_refused(sine: bytes) -> None:
    def change(model: Any) -> None:
        model.version = 2

    assert code_of(rebuilt(sine, change)) == "R0312"


def test_an_operator_of_a_negative_version_is_refused(sine: bytes) -> None:
    def change(model: Any) -> None:
        model.operatorCodes[0].version = -1

    assert code_of(rebuilt(sine, change)) == "R0311"


def test_a_model_without_graph_is_refused(sine: bytes) -> None:
    def change(model: Any) -> None:
        model.subgraphs = []

    assert code_of(rebuilt(sine, change)) == "R0311"


def test_an_operator_or_tensor_out_of_range_is_refused(sine: bytes) -> None:
    def operator(model: Any) -> None:
        model.subgraphs[0].operators[0].opcodeIndex = 7

    def tensor(model: Any) -> None:
        model.subgraphs[0].inputs = [99]

    assert code_of(rebuilt(sine, operator)) == "R0311"
    assert code_of(rebuilt(sine, tensor)) == "R0311"


def verdict(data: bytes) -> str | None:
    """Read everything; return the error's code, or None. Anything but a UserFileError escapes."""
    try:
        _ = ModelFile(data).info
        _ = ModelFile(data).arena_bytes
    except UserFileError as error:
        return error.code
    return None


def test_a_model_cut_anywhere_reads_or_is_refused(sine: bytes) -> None:
    verdicts = [verdict(sine[:length]) for length in range(len(sine))]
    assert all(code is None or re.fullmatch(r"R03(1\d)", code) for code in verdicts)
    assert verdicts.count("R0311") > 1000


@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.emulated)])
def test_a_model_with_a_byte_changed_reads_or_is_refused(sine: bytes, each: int) -> None:
    codes = set()
    for at in range(len(sine)):
        # Of the values every fourth, another one at each byte.
        for value in (0, 0x7F, 0x80, 0xFF, sine[at] ^ 1)[at % each :: each]:
            codes.add(verdict(sine[:at] + bytes([value]) + sine[at + 1 :]))
    assert codes >= {None, "R0310", "R0311", "R0312", "R0313", "R0314"}


@given(data=st.binary(min_size=1, max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_bytes_behind_the_identifier_are_refused(data: bytes) -> None:
    assert verdict(data[:4].ljust(4, b"\x08") + b"TFL3" + data) in {"R0311", "R0312"}
