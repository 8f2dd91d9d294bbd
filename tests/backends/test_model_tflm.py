from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

import runec.models
from runec.backends import tflm
from tests.backends.operator_models import Buffer, Model, Tensor, constant
from tests.originals import HOTG, needing
from tests.uint8_model import uint8_model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SINE = EXAMPLES / "sine" / "sinemodel.tflite"
GESTURE = EXAMPLES / "gesture" / "model.tflite"
F32, U8, I8 = 8, 0, 1
ORIGINAL = "person_detection/model.tflite"
ARENA, OPERATOR, MODEL = 202, 206, 207

RunModel = Callable[..., list[str]]


def wheel(model: Path, data: np.ndarray) -> bytes:
    interpreter = runtime.Interpreter.from_file(str(model))
    interpreter.set_input(data, 0)
    interpreter.invoke()
    return bytes(interpreter.get_output(0).tobytes())


@pytest.mark.parametrize(
    ("model", "shape", "output_bytes"), [(SINE, (1, 1), 4), (GESTURE, (1, 128, 3, 1), 16)]
)
def test_models_give_the_same_bytes_as_the_library_on_the_host(
    run_model: RunModel, model: Path, shape: tuple[int, ...], output_bytes: int
) -> None:
    generator = np.random.default_rng(3)
    inputs = [generator.normal(0, 2, shape).astype(np.float32) for _ in range(12)]
    tensors = (f"{F32}:{inputs[0].nbytes}", f"{F32}:{output_bytes}")
    opened, *answers, _, _ = run_model(model, tensors, *(data.tobytes() for data in inputs))
    assert opened == "0 "
    assert answers == [f"0 {wheel(model, data).hex()}" for data in inputs]


@pytest.mark.parametrize(
    "original", [None, pytest.param(ORIGINAL, marks=needing(ORIGINAL))], ids=["own", "original"]
)
def test_uint8_gives_the_bytes_of_litert_on_the_host(
    run_model: RunModel, tmp_path: Path, original: str | None
) -> None:
    # Today's wheel refuses uint8, so the host runs such a model in LiteRT's reference kernels.
    person = tmp_path / "model.tflite"
    person.write_bytes(uint8_model() if original is None else (HOTG / original).read_bytes())
    from ai_edge_litert import interpreter as litert

    interpreter = litert.Interpreter(
        model_path=str(person), experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    generator = np.random.default_rng(4)
    inputs = [generator.integers(0, 256, (1, 96, 96, 1), np.uint8) for _ in range(3)]
    expected = []
    for data in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], data)
        interpreter.invoke()
        result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        expected.append(f"0 {result.tobytes().hex()}")
    assert len(set(expected)) > 1
    _, *answers, _, _ = run_model(
        person, (f"{U8}:9216", f"{U8}:3"), *(data.tobytes() for data in inputs), arena=256 * 1024
    )
    assert answers == expected


@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU_N1_TO_1", "RELU6"])
@pytest.mark.parametrize("has_bias", [True, False])
def test_weights_with_a_scale_for_each_row_give_the_bytes_of_the_library_on_the_host(
    run_model: RunModel, tmp_path: Path, activation: str, has_bias: bool
) -> None:
    generator = np.random.default_rng(6)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
    scales = generator.uniform(0.00005, 0.002, 9)
    weights = generator.integers(-127, 128, (9, 21), np.int8)
    bias = generator.integers(-3000, 3000, 9).astype(np.int32)
    model = Model(
        "FULLY_CONNECTED",
        (
            Tensor("int8", (3, 21), scales=(0.07,), zero_points=(-128,)),
            constant(weights, scales=tuple(scales)),
            constant(bias, scales=tuple(0.07 * scales)) if has_bias else None,
        ),
        (Tensor("int8", (3, 9), scales=(0.05,), zero_points=(11,)),),
        options,
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(model.write())
    data = generator.integers(-128, 0, (3, 21), np.int8)
    expected = wheel(path, data)
    assert len(set(expected)) > 5
    opened, answer, *_ = run_model(path, (f"{I8}:63", f"{I8}:27"), data.tobytes())
    assert (opened, answer) == ("0 ", f"0 {expected.hex()}")


def test_rows_of_weights_that_do_not_match_their_scales_are_refused(
    run_model: RunModel, tmp_path: Path
) -> None:
    def opened(rows: int, columns: int, scales: int, axis: int) -> str:
        weights = np.zeros((rows, columns), np.int8)
        model = Model(
            "FULLY_CONNECTED",
            (
                Tensor("int8", (1, 4), scales=(0.1,)),
                constant(weights, scales=(0.1,) * scales, axis=axis),
                None,
            ),
            (Tensor("int8", (1, 3), scales=(0.1,)),),
            schema.FullyConnectedOptionsT(),
        )
        path = tmp_path / "model.tflite"
        path.write_bytes(model.write())
        return run_model(path, (f"{I8}:4", f"{I8}:3"))[0]

    assert opened(3, 4, 3, 0) == "0 "
    row = f"{MODEL} FULLY_CONNECTED has scales that are not one for each row of int8"
    assert opened(3, 4, 4, 0) == row
    assert opened(3, 4, 4, 1) == row
    shapes = f"{MODEL} FULLY_CONNECTED has shapes that do not go together"
    assert opened(3, 5, 1, 0) == shapes
    assert opened(2, 4, 1, 0) == shapes


def test_a_model_can_be_closed_and_opened_again(run_model: RunModel) -> None:
    _, again, _ = run_model(SINE, (f"{F32}:4", f"{F32}:4"))
    assert again == "0 "


def test_a_second_model_takes_the_next_piece_of_the_arena(run_model: RunModel) -> None:
    tensors = (f"{F32}:4", f"{F32}:4")
    assert run_model(SINE, tensors, arena=8192, declared=4096)[-1] == "0 "
    first, again, second = run_model(SINE, tensors, arena=8191, declared=4096)
    assert (first, again) == ("0 ", "0 ")
    assert second.startswith(f"{ARENA} ")


def test_an_arena_of_any_size_is_enough_or_says_so(run_model: RunModel) -> None:
    outcomes = [
        int(run_model(SINE, (f"{F32}:4", f"{F32}:4"), arena=arena)[0].split()[0])
        for arena in range(0, 4096, 32)
    ]
    assert set(outcomes) == {0, ARENA}
    assert outcomes == sorted(outcomes, reverse=True)


@pytest.mark.parametrize(
    "tensors",
    [
        (f"{F32}:8", f"{F32}:4"),
        (f"{I8}:4", f"{F32}:4"),
        (f"{F32}:4", f"{F32}:16"),
        (f"{F32}:4", f"{I8}:1"),
    ],
)
def test_tensors_that_the_graph_does_not_say_are_refused(
    run_model: RunModel, tensors: tuple[str, str]
) -> None:
    assert run_model(SINE, tensors)[0].startswith(f"{MODEL} ")


def test_an_operator_that_is_not_in_the_firmware_is_named_as_the_reason(
    run_model: RunModel,
) -> None:
    tensors = (f"{F32}:1536", f"{F32}:16")
    opened, *_ = run_model(GESTURE, tensors, ONLY_FULLY_CONNECTED="1")
    assert opened == f"{OPERATOR} the firmware lacks the operator QUANTIZE"


def rewritten(model: Model, change: Callable[[Any], None]) -> bytes:
    """Return a model after a change of its tables."""
    whole = schema.ModelT.InitFromPackedBuf(model.write(), 0)
    whole.buffers = [aligned(buffer) for buffer in whole.buffers]
    change(whole)
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def aligned(buffer: Any) -> Buffer:
    made = Buffer()
    made.data = None if buffer.data is None else bytes(buffer.data)
    return made


def add_unused(whole: Any) -> None:
    """Codes, buffers and metadata that nothing uses: a converter leaves them behind."""
    for name in ("QUANTIZE", "CONV_3D", "CUSTOM"):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode = "nothing" if name == "CUSTOM" else None
        code.version = 7
        whole.operatorCodes.insert(0, code)
        whole.subgraphs[0].operators[0].opcodeIndex += 1
    whole.buffers.append(Buffer())
    whole.buffers[-1].data = b"unused"
    entry = schema.MetadataT()
    entry.name, entry.buffer = "min_runtime_version", len(whole.buffers) - 1
    whole.metadata = [entry]


def dense() -> Model:
    generator = np.random.default_rng(8)
    return Model(
        "FULLY_CONNECTED",
        (
            Tensor("int8", (1, 5), scales=(0.1,), zero_points=(3,)),
            constant(generator.integers(-127, 128, (3, 5), np.int8), scales=(0.01,)),
            None,
        ),
        (Tensor("int8", (1, 3), scales=(0.03,), zero_points=(-5,)),),
        schema.FullyConnectedOptionsT(),
    )


def test_codes_buffers_and_metadata_that_no_operator_uses_are_no_concern(
    run_model: RunModel, tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(rewritten(dense(), add_unused))
    data = np.array([[-128, -3, 0, 70, 127]], np.int8)
    expected = wheel(path, data)
    assert len(set(expected)) > 1
    assert runec.models.ModelFile(path.read_bytes()).info.operators[0].name == "FULLY_CONNECTED"
    tensors = (f"{I8}:5", f"{I8}:3")
    opened, answer, *_ = run_model(path, tensors, data.tobytes(), ONLY_FULLY_CONNECTED="1")
    assert (opened, answer) == ("0 ", f"0 {expected.hex()}")


def add_a_subgraph(whole: Any) -> None:
    """A second graph that nothing calls."""
    second = schema.SubGraphT()
    second.tensors, second.inputs, second.outputs, second.operators = [], [], [], []
    whole.subgraphs.append(second)


def add_an_unsigned_tensor(whole: Any) -> None:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = "orphan", [2], 0
    tensor.type = schema.TensorType.UINT32
    whole.subgraphs[0].tensors.append(tensor)


@pytest.mark.parametrize(
    ("change", "said"),
    [(add_a_subgraph, "a model of 2 subgraphs"), (add_an_unsigned_tensor, "a tensor of uint32")],
)
def test_what_the_devices_library_does_not_open_is_refused_for_devices(
    run_model: RunModel, tmp_path: Path, change: Callable[[Any], None], said: str
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(rewritten(dense(), change))
    assert tflm.objections(runec.models.ModelFile(path.read_bytes()).graph) == (said,)
    data = np.zeros((1, 5), np.int8)
    assert len(wheel(path, data)) == 3, "the host runs it"
    opened, *_ = run_model(path, (f"{I8}:5", f"{I8}:3"))
    assert opened.startswith(f"{MODEL} ")


def split_with_unread_tensors() -> Model:
    """A SPLIT in four of which two parts are read."""
    parts = tuple(Tensor("float32", (2, 3)) for _ in range(4))
    options = schema.SplitOptionsT()
    options.numSplits = 4
    axis = constant(np.array([1], np.int32))
    return Model("SPLIT", (axis, Tensor("float32", (2, 12))), parts, options)


def leave_unread(whole: Any) -> None:
    """Two outputs of a SPLIT, a large input, and a tensor that no operator names."""
    graph = whole.subgraphs[0]
    graph.outputs = [graph.outputs[3], graph.outputs[1]]
    for name, shape in (("unread input", [64]), ("orphan", [32])):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, shape, 0
        tensor.type = schema.TensorType.FLOAT32
        graph.tensors.append(tensor)
    graph.inputs = [*graph.inputs, len(graph.tensors) - 2]


def test_tensors_that_nothing_reads_need_no_plan(run_model: RunModel, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(rewritten(split_with_unread_tensors(), leave_unread))
    data = np.arange(24, dtype=np.float32).reshape(2, 12)
    unread = np.full(64, 7, np.float32)
    expected = ",".join(np.split(data, 4, axis=1)[part].tobytes().hex() for part in (3, 1))
    tensors = (f"{F32}:96,{F32}:256", f"{F32}:24,{F32}:24")
    done = run_model(path, tensors, (data.tobytes(), unread.tobytes()))
    assert done[:2] == ["0 ", f"0 {expected}"]
    outcomes = [run_model(path, tensors, arena=arena)[0] for arena in range(0, 4096, 256)]
    assert {outcome.split()[0] for outcome in outcomes} == {"0", str(ARENA)}
    # The figure is for pointers of 4 bytes; the host's are 8.
    arena = runec.models.ModelFile(path.read_bytes()).arena_bytes
    assert 256 < arena < 2048
