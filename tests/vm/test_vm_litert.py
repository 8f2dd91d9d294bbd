"""Models that TensorFlow Lite Micro rejects: LiteRT's reference kernels."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest

from runec.diagnostics import Diagnostic, MachineError, RuneError, Severity
from runec.models import ModelFile, hybrid_operators
from runec.pipeline import CapabilityKind, TensorType
from runec.vm import Inputs, Watch, litert, run_rune_bytes
from runec.vm.host_model import HostModel
from tests.uint8_model import INPUT, OUTPUT, uint8_model

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch

OBJECTION = "No device engine runs it"


class Warnings:
    """Keeps what a model warns of."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, message: str, hint: str) -> None:
        self.texts.append(f"{message} {hint}")


def test_a_uint8_model_gives_what_the_library_gives(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    from ai_edge_litert import interpreter as library

    person = uint8_model()
    picture = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 1), np.uint8)
    interpreter = library.Interpreter(
        model_content=person, experimental_op_resolver_type=library.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert len({0, 255, *expected.ravel()}) == 5, "three scores, none of them saturated"
    path = tmp_path / "input.bin"
    path.write_bytes(picture.tobytes())
    warnings: list[Diagnostic] = []
    watch = Watch(warn=warnings.append)
    rune = person_rune(make_rune, sketch, person)
    (line,) = run_rune_bytes(rune, Inputs(raw=(path,)), watch=watch)
    elements = ",".join(map(str, expected.ravel()))
    assert f'"dimensions":[1,1,1,3],"elements":[{elements}]' in line.decode()
    (warning,) = warnings
    assert (warning.code, warning.severity) == ("R0722", Severity.WARNING)
    assert "the model person runs in LiteRT's reference kernels" in warning.message
    assert OBJECTION not in warning.message, "the device's library of 2020 takes uint8"


def person_rune(make_rune: MakeRune, sketch: type[Sketch], person: bytes) -> Any:
    call = """
        (drop (call $request_provider_response (i32.const 4096) (i32.const 9216) (i32.const 1)))
        (i32.store (i32.const 1040) (i32.const 4096))
        (i32.store (i32.const 1048) (i32.const 1032))
        (drop (call $rune_model_infer (i32.const 2) (i32.const 1040) (i32.const 1048)))
        (drop (call $consume_output (i32.const 3) (i32.const 1032) (i32.const 3)))
        (i32.const 0)"""
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 6)))
        (drop (call $request_output (i32.const 1)))"""
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAW, INPUT),),
        model=("person", OUTPUT),
        outputs=(("serial", (1,)),),
        resources={"person": person},
        used=16384,
    )
    return make_rune(call, manifest, plan, '(data (i32.const 1056) "person")')


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> ModuleType:
        if name.startswith("ai_edge_litert"):
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MachineError) as caught:
        HostModel("person", ModelFile(uint8_model()), None, Warnings())
    assert (caught.value.code, caught.value.exit_code) == ("R0721", 4)
    assert caught.value.hint is not None
    assert "pip install 'runec[litert]'" in caught.value.hint
    assert "the model person cannot be run by TensorFlow Lite Micro" in caught.value.message


def test_a_model_that_devices_have_does_not_wake_litert(
    sine: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("LiteRT was asked")

    monkeypatch.setattr(litert, "LitertModel", refuse)
    warnings = Warnings()
    model = HostModel("sine", ModelFile(sine), None, warnings)
    (result,) = model.infer([np.float32(0.8).tobytes()])
    assert abs(np.frombuffer(result, "<f4")[0] - np.sin(0.8)) < 0.1
    assert warnings.texts == []


def test_a_model_that_neither_takes_is_refused_in_the_words_of_the_first(sine: bytes) -> None:
    # FULLY_CONNECTED (9) becomes HASHTABLE_LOOKUP (10), which has two outputs.
    at = sine.index(b"\x09\x00\x00\x00", len(sine) - 64)
    model = sine[:at] + b"\x0a" + sine[at + 1 :]
    model = model.replace(b"\x00\x09\x04\x00", b"\x00\x0a\x04\x00")
    said = [TensorType.parse("f32[1, 1]")]
    with pytest.raises(RuneError) as caught:
        HostModel("sine", ModelFile(model), (said, said), Warnings())
    assert caught.value.code == "R0713"
    assert "TensorFlow Lite Micro has no operator HASHTABLE_LOOKUP" in caught.value.message


@pytest.fixture
def dynamic_range(sine: bytes) -> bytes:
    """The sine model with the weights of its layers of two dimensions as int8."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(sine, 0)
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if len(tensor.shape) != 2 or buffer.data is None or len(buffer.data) == 0:
            continue
        weights = np.frombuffer(bytes(buffer.data), "<f4")
        scale = float(np.abs(weights).max()) / 127
        buffer.data = np.rint(weights / scale).astype(np.int8).view(np.uint8)
        tensor.type = schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [scale]
        tensor.quantization.zeroPoint = [0]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_dynamic_range_runs_with_a_warning_that_no_device_takes_it(
    dynamic_range: bytes, sine: bytes
) -> None:
    warnings = Warnings()
    model = HostModel("sine", ModelFile(dynamic_range), None, warnings)
    (result,) = model.infer([np.float32(0.8).tobytes()])
    assert abs(np.frombuffer(result, "<f4")[0] - np.sin(0.8)) < 0.2
    (text,) = warnings.texts
    assert f"{OBJECTION}: its FULLY_CONNECTED cannot mix float inputs" in text
    assert hybrid_operators(ModelFile(dynamic_range).graph) == ("FULLY_CONNECTED",)
    assert hybrid_operators(ModelFile(sine).graph) == ()


def test_a_model_that_devices_compute_otherwise_runs_with_a_warning() -> None:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    def tensor(scale: float) -> Any:
        made = schema.TensorT()
        made.shape, made.type, made.buffer = [4], schema.TensorType.INT8, 0
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [0]
        return made

    model, graph = schema.ModelT(), schema.SubGraphT()
    code, use = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    graph.tensors = [tensor(0.1), tensor(0.2)]
    graph.inputs = use.inputs = [0]
    graph.outputs = use.outputs = [1]
    graph.operators = [use]
    model.version, model.buffers = 3, [schema.BufferT()]
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    warnings = Warnings()
    ran = HostModel("positive", ModelFile(bytes(builder.Output())), None, warnings)
    assert ran.infer([bytes([246, 0, 10, 100])]) == [bytes([0, 0, 5, 50])]
    (text,) = warnings.texts
    assert text.startswith("no device engine runs the model positive: it does not compute")
    assert "RELU whose output has another scale than its input" in text


def space_to_batch(operators: tuple[str, ...] = ()) -> bytes:
    """An int8 SPACE_TO_BATCH_ND with padding, as a dilated convolution begins, and more."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    graph.tensors, graph.operators, graph.inputs = [], [], [0]
    constants = {1: np.array([2, 2], "<i4"), 2: np.full((2, 2), 2, "<i4")}
    shapes = [[1, 4, 4, 1], [2], [2, 2], [4, 4, 4, 1], *([[4, 4, 4, 1]] * len(operators))]
    for number, shape in enumerate(shapes):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = f"t{number}", shape, 0
        tensor.type = schema.TensorType.INT8
        if number in constants:
            tensor.type, tensor.buffer = schema.TensorType.INT32, len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = list(constants[number].tobytes())
        else:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [0.1], [-128]
        graph.tensors.append(tensor)
    for number, name in enumerate(("SPACE_TO_BATCH_ND", *operators)):
        code, use = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        code.version = 2 if number == 0 else 1
        use.opcodeIndex, use.outputs = number, [3 + number]
        use.inputs = [0, 1, 2] if number == 0 else [2 + number]
        if number == 0:
            use.builtinOptions = schema.SpaceToBatchNDOptionsT()
            use.builtinOptionsType = schema.BuiltinOptions.SpaceToBatchNDOptions
        model.operatorCodes.append(code)
        graph.operators.append(use)
    graph.outputs = [len(shapes) - 1]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_what_tflite_micro_computes_wrong_runs_in_litert() -> None:
    warnings = Warnings()
    model = HostModel("dilated", ModelFile(space_to_batch()), None, warnings)
    data = np.arange(1, 17, dtype=np.int8).reshape(1, 4, 4, 1)
    (result,) = model.infer([data.tobytes()])
    padded = np.pad(data, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=-128)
    expected = padded.reshape(1, 4, 2, 4, 2, 1).transpose(2, 4, 0, 1, 3, 5)
    assert result == expected.tobytes()
    (text,) = warnings.texts
    assert "TensorFlow Lite Micro computes SPACE_TO_BATCH_ND with padding wrong" in text
    assert "No device engine runs it: it has no SPACE_TO_BATCH_ND" in text


def test_what_tflite_micro_computes_wrong_is_refused_without_litert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(litert, "is_installed", lambda: False)
    with pytest.raises(MachineError) as caught:
        HostModel("dilated", ModelFile(space_to_batch()), None, Warnings())
    assert caught.value.code == "R0721"
    assert "computes SPACE_TO_BATCH_ND with padding wrong" in caught.value.message
    assert "pip install 'runec[litert]'" in str(caught.value.hint)


def test_what_no_library_computes_right_is_refused() -> None:
    with pytest.raises(RuneError) as caught:
        HostModel("dilated", ModelFile(space_to_batch(("ELU",))), None, Warnings())
    assert caught.value.code == "R0736"
    micro, other = caught.value.notes
    assert "SPACE_TO_BATCH_ND with padding wrong" in micro
    assert other == "LiteRT has no operator ELU"


def test_a_custom_operator_is_named_with_what_to_do(make_custom: Callable[[str], bytes]) -> None:
    with pytest.raises(RuneError) as caught:
        HostModel("vela", ModelFile(make_custom("ethos-u")), None, Warnings())
    assert caught.value.code == "R0713"
    assert "TensorFlow Lite Micro has no operator ethos-u" in caught.value.message
    assert "before Vela" in str(caught.value.hint)
