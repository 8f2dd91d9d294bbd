"""Models that TensorFlow Lite Micro refuses: LiteRT's reference kernels."""

from __future__ import annotations

import builtins
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest

from runec.diagnostics import Diagnostic, MachineError, RuneError, Severity
from runec.models import hybrid_operators, read_graph
from runec.pipeline import CapabilityKind
from runec.vm import Inputs, Watch, litert, run_rune_bytes
from runec.vm.host_model import HostModel

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch

INPUT, OUTPUT = "u8[1, 96, 96, 1]", "u8[1, 1, 1, 3]"
OBJECTION = "No device engine of runec takes it"


@pytest.fixture
def person(hotg: Path) -> bytes:
    return (hotg / "person_detection" / "model.tflite").read_bytes()


class Warnings:
    """Keeps what a model warns of."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, message: str, hint: str) -> None:
        self.texts.append(f"{message} {hint}")


def test_a_uint8_model_gives_what_the_library_gives(
    make_rune: MakeRune, sketch: type[Sketch], person: bytes, tmp_path: Path
) -> None:
    from ai_edge_litert import interpreter as library

    picture = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 1), np.uint8)
    interpreter = library.Interpreter(
        model_content=person, experimental_op_resolver_type=library.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
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


def test_without_the_extra_the_error_names_it(
    person: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> ModuleType:
        if name.startswith("ai_edge_litert"):
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MachineError) as caught:
        HostModel("person", person, None, Warnings())
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
    model = HostModel("sine", sine, None, warnings)
    (result,) = model.infer([np.float32(0.8).tobytes()])
    assert abs(np.frombuffer(result, "<f4")[0] - np.sin(0.8)) < 0.1
    assert warnings.texts == []


def test_a_model_that_neither_takes_is_refused_in_the_words_of_the_first(sine: bytes) -> None:
    # FULLY_CONNECTED (9) becomes HASHTABLE_LOOKUP (10), which has two outputs.
    at = sine.index(b"\x09\x00\x00\x00", len(sine) - 64)
    model = sine[:at] + b"\x0a" + sine[at + 1 :]
    model = model.replace(b"\x00\x09\x04\x00", b"\x00\x0a\x04\x00")
    with pytest.raises(RuneError) as caught:
        HostModel("sine", model, None, Warnings())
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
    model = HostModel("sine", dynamic_range, None, warnings)
    (result,) = model.infer([np.float32(0.8).tobytes()])
    assert abs(np.frombuffer(result, "<f4")[0] - np.sin(0.8)) < 0.2
    (text,) = warnings.texts
    assert f"{OBJECTION}: its FULLY_CONNECTED cannot mix float inputs" in text
    assert hybrid_operators(read_graph(dynamic_range)) == ("FULLY_CONNECTED",)
    assert hybrid_operators(read_graph(sine)) == ()


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
    ran = HostModel("positive", bytes(builder.Output()), None, warnings)
    assert ran.infer([bytes([246, 0, 10, 100])]) == [bytes([0, 0, 5, 50])]
    (text,) = warnings.texts
    assert text.startswith(
        "no device engine of runec takes the model positive: it does not compute"
    )
    assert "RELU whose output has another scale than its input" in text
