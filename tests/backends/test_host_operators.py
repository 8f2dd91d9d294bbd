"""The host's two libraries compared: every operator, in random models.

`runec.models.engines` says what each takes and where each is wrong. What it says is measured here:
a newer library that repairs a deviation, or brings another, fails a test.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.models import Engine, ModelFile, deviations
from runec.models.engines import DEVIATIONS, KERNELS, Deviation, missing, refused
from runec.models.operators import BUILTIN_OPERATORS, CUSTOM
from runec.models.tflite import Operator
from tests.backends.host_operator_cases import HOST_MAKERS
from tests.backends.operator_cases import MAKERS, values
from tests.backends.operator_models import Array, Model, Tensor
from tests.backends.operator_runs import Outcome, Trial, on_host, same

pytest.importorskip("ai_edge_litert.interpreter")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"
EVERY = {**MAKERS, **HOST_MAKERS}
# Accepted, for both libraries round as TensorFlow Lite's specification of quantisation allows:
# steps of the output, or of floats the difference beside the largest element.
ROUNDING: Mapping[tuple[str, str], float] = {
    ("ADD_N", "float32"): 0,
    ("FULLY_CONNECTED", "int16"): 1,
    ("FULLY_CONNECTED", "int8"): 1,
    ("LEAKY_RELU", "int16"): 1,
    ("LEAKY_RELU", "int8"): 1,
    ("SOFTMAX", "int16"): 1,
    ("SUM", "float32"): 0,
    ("SVDF", "float32"): 1e-5,
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "float32"): 1e-4,
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "int8"): 1,
}


def trials_of(operator: str, elements: Sequence[str], count: int, first: int) -> Iterator[Trial]:
    """Make the trials of an operator; inputs are finite, and of CAST in every type's range."""
    make, _ = EVERY[operator]
    for dtype in elements:
        for number in range(first, first + count):
            rng = np.random.default_rng([number, *operator.encode(), *dtype.encode()])
            model = make(rng, dtype)
            given = tuple(finite(operator, values(rng, item)) for item in model.given)
            yield Trial(model, model.write(), given)


def finite(operator: str, data: Array) -> Array:
    if data.dtype.kind != "f":
        return data
    most = 1e4 if data.dtype == np.float16 else 1e9  # above, sums overflow: LiteRT clamps them
    numbers = np.clip(np.nan_to_num(data, nan=1.5), -most, most)
    if operator == "CAST":
        numbers = np.clip(np.abs(numbers), 0, 100)
    return np.asarray(numbers, data.dtype)


def both(trials: Sequence[Trial]) -> list[tuple[Trial, Outcome, Outcome]]:
    micro, litert = on_host(trials, "tflm"), on_host(trials, "litert")
    return list(zip(trials, micro, litert, strict=True))


def element(trial: Trial) -> str:
    """The element type as `engines` counts it."""
    (use,) = ModelFile(trial.data).graph.operators
    position = {"SPLIT": 1, "TRANSPOSE_CONV": 2, "EMBEDDING_LOOKUP": 1, "FILL": 1, "SELECT_V2": 1}
    return ModelFile(trial.data).graph.tensors[use.inputs[position.get(use.name, 0)]].type_name


def is_rounding(trial: Trial, one: Outcome, other: Outcome) -> bool:
    most = ROUNDING.get((trial.model.operator, element(trial)))
    if most is None or one.outputs is None or other.outputs is None:
        return False
    for tensor, first, second in zip(trial.model.outputs, one.outputs, other.outputs, strict=True):
        a, b = (np.frombuffer(data, tensor.dtype).astype(float) for data in (first, second))
        with np.errstate(all="ignore"):
            gap = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        numbers = np.abs(a[np.isfinite(a)])
        unit = numbers.max(initial=1e-30) if tensor.dtype == "float32" else 1
        if not gap.max() <= most * unit:
            return False
    return True


# tflite-micro ends the process, which is a child's (R0712), where two shapes that are computed when
# the model runs do not fit each other. LiteRT refuses these data as well.
ENDS_ON_DATA = frozenset({"BROADCAST_ARGS"})


def surprises(trials: Sequence[Trial]) -> list[str]:
    """Return where the libraries differ and no deviation says so, or where one is not as listed."""
    found = []
    for trial, micro, litert in both(trials):
        graph = ModelFile(trial.data).graph
        says = f"{trial.model.operator} of {element(trial)}, {trial.model.facts}"
        for engine, outcome in ((Engine.TFLM, micro), (Engine.LITERT, litert)):
            if refused(engine, graph) and outcome.outputs is not None:
                found.append(f"{says}: {engine.value} takes it")
        if any(deviations(engine, graph) for engine in Engine):
            continue
        ends = "crash" in micro.why and trial.model.operator not in ENDS_ON_DATA
        if ends and not ModelFile(trial.data).findings.objection:
            found.append(f"{says}: tflite-micro ends the process")
        if micro.outputs is None or litert.outputs is None:
            continue
        if not same(trial.model, micro, litert) and not is_rounding(trial, micro, litert):
            found.append(f"{says}: different")
    return found


def measured(engine: Engine) -> dict[str, frozenset[str]]:
    return {
        name: kernel.elements
        for name, kernel in KERNELS[engine].items()
        if kernel.elements is not None
    }


def test_every_operator_that_is_measured_has_models() -> None:
    assert set(measured(Engine.TFLM)) == set(EVERY)


def test_the_libraries_agree_but_for_what_is_listed() -> None:
    trials = [
        trial
        for operator in sorted(EVERY)
        for trial in trials_of(operator, EVERY[operator][1], 1, 0)
    ]
    assert surprises(trials) == []


@pytest.mark.emulated
@pytest.mark.parametrize("operator", sorted(EVERY))
def test_the_libraries_agree_in_many_models(operator: str) -> None:
    assert surprises(list(trials_of(operator, EVERY[operator][1], 60, 1000))) == []


@pytest.mark.emulated
@pytest.mark.parametrize("operator", sorted(EVERY))
def test_the_element_types_of_an_operator_are_those_listed(operator: str) -> None:
    makes = EVERY[operator][1]
    ran: dict[Engine, set[str]] = {engine: set() for engine in Engine}
    for trial, *outcomes in both(list(trials_of(operator, makes, 24, 0))):
        for engine, outcome in zip(Engine, outcomes, strict=True):
            if outcome.outputs is not None:
                ran[engine].add(element(trial))
    listed = {engine: measured(engine).get(operator) for engine in Engine}
    for engine in Engine:
        assert listed[engine] is None or set(listed[engine] or ()) & set(makes) == ran[engine]


def scaled(tensor: Tensor, data: Array) -> Array:
    """Return the real numbers that elements stand for."""
    zero = tensor.zero_points[0] if tensor.zero_points else 0
    scale = tensor.scales[0] if tensor.scales else 1.0
    real: Array = (data.astype(float) - zero) * scale
    return real


def quantised(tensor: Tensor, real: Array) -> Array:
    if not tensor.scales:
        return np.asarray(real, tensor.dtype)
    ends = np.iinfo(tensor.dtype)
    steps = np.rint(real / tensor.scales[0]) + tensor.zero_points[0]
    return np.asarray(np.clip(steps, ends.min, ends.max), tensor.dtype)


def _block(model: Model, data: Array) -> Array:
    """SPACE_TO_BATCH_ND: pad with the real number 0, then move blocks into the batch."""
    _, blocks, edges = model.inputs
    assert blocks is not None
    assert edges is not None
    assert blocks.data is not None
    assert edges.data is not None
    batch, depth = data.shape[0], data.shape[3]
    high, wide = (int(n) for n in blocks.data)
    padded = np.pad(data, [(0, 0), *map(tuple, edges.data), (0, 0)])
    rows, columns = padded.shape[1] // high, padded.shape[2] // wide
    cells = padded.reshape(batch, rows, high, columns, wide, depth)
    moved: Array = cells.transpose(2, 4, 0, 1, 3, 5).reshape(-1, rows, columns, depth)
    return moved


def _sum(model: Model, data: Array) -> Array:
    axes = model.inputs[1]
    assert axes is not None
    assert axes.data is not None
    total: Array = data.sum(axis=tuple(axes.data), keepdims=model.options.keepDims)
    return total


def _compared(compare: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda _, real: compare(real[0], real[1])


COMPARISONS = {
    "EQUAL": np.equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "NOT_EQUAL": np.not_equal,
}
# What TensorFlow Lite specifies, on real numbers. SVDF without a bias is compared by whether it
# ends the process.
MEANING: dict[str, Callable[[Model, Sequence[Array]], Array]] = {
    **{name: _compared(compare) for name, compare in COMPARISONS.items()},
    "RELU6": lambda _, real: np.clip(real[0], 0, 6),
    "RSQRT": lambda _, real: 1 / np.sqrt(real[0]),
    "SPACE_TO_BATCH_ND": lambda model, real: _block(model, real[0]),
    "SUM": lambda model, real: _sum(model, real[0]),
}
# tests/backends/test_parameter_types.py has those whose models no maker makes.
CELLS = [
    (item, name, kind)
    for item in DEVIATIONS
    if item.what != "of int16 with a bias of int32"
    for name in item.operators
    for kind in sorted(item.elements)
]


def is_off(trial: Trial, outcome: Outcome) -> bool:
    """Return whether outputs are off by more than a step, or missing."""
    if outcome.outputs is None:
        return True
    model = trial.model
    real = [
        scaled(item, next(given) if item.data is None else item.data)
        for given in [iter(trial.inputs)]
        for item in model.inputs
        if item is not None and (item.data is None or model.operator in COMPARISONS)
    ]
    result = model.outputs[0]
    with np.errstate(all="ignore"):
        expected = quantised(result, MEANING[model.operator](model, real))
    got = np.frombuffer(outcome.outputs[0], result.dtype).reshape(result.shape)
    if result.dtype == "float32":
        return got.tobytes() != expected.tobytes()
    if result.dtype == "bool":  # rescaling decides between numbers that are almost equal
        step = max(1 / 128, *(item.scales[0] for item in model.inputs if item is not None))
        is_clear = np.abs(real[0] - real[1]) > 2 * step
        return bool(((got != expected) & is_clear).any())
    return bool(np.abs(got.astype(int) - expected.astype(int)).max() > 1)


@pytest.mark.parametrize(
    ("deviation", "operator", "kind"),
    CELLS,
    ids=[f"{item.engine.value}-{name}-{kind}" for item, name, kind in CELLS],
)
def test_a_deviation_is_real_and_the_other_library_is_right(
    deviation: Deviation, operator: str, kind: str
) -> None:
    trials = [
        trial
        for trial in trials_of(operator, (kind,), 150 if operator == "RSQRT" else 40, 0)
        if deviations(deviation.engine, ModelFile(trial.data).graph)
    ]
    assert trials
    # What a kernel never sets is what an earlier model left in memory.
    earlier = trials_of("CONV_2D", ("float32",), len(trials), 0)
    pairs = [trial for pair in zip(earlier, trials, strict=True) for trial in pair]
    wrong = 0
    for trial, micro, litert in both(pairs)[1::2]:
        bad, good = (micro, litert) if deviation.engine is Engine.TFLM else (litert, micro)
        graph = ModelFile(trial.data).graph
        is_known = all(deviations(engine, graph) for engine in Engine)
        if operator in MEANING and good.outputs is not None and not is_known:
            assert not is_off(trial, good), trial.model.facts
        if operator in MEANING and bad.outputs is not None:
            wrong += is_off(trial, bad)
        else:
            wrong += "crash" in bad.why
    # Random elements are rarely equal: of LiteRT's equalities a few trials may show nothing.
    assert wrong > 0 or (deviation.engine is Engine.LITERT and operator in ("EQUAL", "NOT_EQUAL"))


def test_float_padding_is_what_an_earlier_model_left_in_memory() -> None:
    """Why float32 is listed: the padding is right in a new process only, by chance."""
    trials = [
        trial
        for trial in trials_of("SPACE_TO_BATCH_ND", ("float32",), 20, 0)
        if deviations(Engine.TFLM, ModelFile(trial.data).graph)
    ]
    earlier = trials_of("CONV_2D", ("float32",), len(trials), 0)
    alone = on_host(trials[:1], "tflm")
    after = on_host(
        [trial for pair in zip(earlier, trials, strict=False) for trial in pair], "tflm"
    )
    assert not is_off(trials[0], alone[0])
    wrong = [pair for pair in zip(trials, after[1::2], strict=True) if is_off(*pair)]
    assert wrong
    for trial, outcome in wrong:
        assert outcome.outputs is not None
        given = {values.tobytes() for values in trial.inputs[0].reshape(-1, 1)}
        result = {outcome.outputs[0][at : at + 4] for at in range(0, len(outcome.outputs[0]), 4)}
        assert all(len(set(element)) == 1 for element in result - given)  # one byte, repeated
    assert not any(map(is_off, trials, on_host(trials, "litert")))


def probe(number: int, version: int, custom: str | None = None) -> bytes:
    """Return a model that a library rejects at its second operator unless it lacks the first.

    All operators are looked up before any of them is prepared.
    """
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    graph.tensors, graph.operators, model.operatorCodes = [], [], []
    for name in ("x", "y"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, [1], 0
        graph.tensors.append(tensor)
    graph.inputs, graph.outputs = [0], [1]
    for index, entry in enumerate(((number, version, custom), (SECOND, 99, None))):
        code, use = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode, code.version, code.customCode = entry
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        use.opcodeIndex, use.inputs, use.outputs = index, [0], [1]
        if number == schema.BuiltinOperator.VAR_HANDLE:
            use.builtinOptions = schema.VarHandleOptionsT()
            use.builtinOptionsType = schema.BuiltinOptions.VarHandleOptions
        model.operatorCodes.append(code)
        graph.operators.append(use)
    builder = flatbuffers.Builder(512)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


SECOND = schema.BuiltinOperator.HASHTABLE_LOOKUP
_PROBES = """
import os, pickle, sys, tempfile
library, models = pickle.load(sys.stdin.buffer)
results = os.fdopen(os.dup(1), "wb")
log = tempfile.TemporaryFile()
os.dup2(log.fileno(), 1)
os.dup2(log.fileno(), 2)
said = []
for data in models:
    start = os.lseek(2, 0, os.SEEK_END)
    try:
        if library == "tflite-micro":
            from tflite_micro.python.tflite_micro import runtime
            runtime.Interpreter.from_bytes(data, arena_size=1 << 16)
        else:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
            kind = OpResolverType.BUILTIN_REF
            Interpreter(model_content=data, experimental_op_resolver_type=kind)
        said.append("")
    except Exception as error:
        said.append(os.pread(2, 10000, start).decode("utf-8", "replace") + str(error))
pickle.dump(said, results)
"""


def has_kernels(engine: Engine, probes: Sequence[bytes]) -> list[bool]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROBES],
        input=pickle.dumps((engine.value, probes)),
        capture_output=True,
        check=True,
    )
    answers: list[str] = pickle.loads(done.stdout)  # noqa: S301 - from our own process
    assert all(answers)
    return ["HASHTABLE_LOOKUP" in answer for answer in answers]


@pytest.mark.parametrize("engine", Engine)
def test_the_operators_of_each_library_are_those_listed(engine: Engine) -> None:
    names = [name for name in BUILTIN_OPERATORS if name not in ("CUSTOM", "HASHTABLE_LOOKUP")]
    rows = [
        (name, version)
        for name in names
        for version in ((1,) if engine is Engine.TFLM else range(1, 17))
    ]
    numbers = {name: number for number, name in enumerate(BUILTIN_OPERATORS)}
    found = has_kernels(engine, [probe(numbers[name], version) for name, version in rows])
    listed = [not missing(engine, [Operator(name, version)]) for name, version in rows]
    wrong = [row for row, has, says in zip(rows, found, listed, strict=True) if has != says]
    assert wrong == []


def test_the_custom_operators_of_tflite_micro_are_those_listed() -> None:
    names = ["SignalRfft", "TFLite_Detection_PostProcess", "CIRCULAR_BUFFER", "ethos-u"]
    names += ["edgetpu-custom-op", "PosenetDecoderOp", "FlexErf", "Mfcc", "SignalNothing"]
    found = has_kernels(Engine.TFLM, [probe(CUSTOM, 1, name) for name in names])
    assert found == [not missing(Engine.TFLM, [Operator(name, 1)]) for name in names]
    assert found == [True] * 3 + [False] * 6


def table() -> str:
    lines = ["| operator | element types | library | behaviour |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {', '.join(item.operators)} {item.what} | {', '.join(sorted(item.elements))} | "
        f"{item.engine.value} | {item.reason} |"
        for item in DEVIATIONS
    ]
    return "\n".join(lines)


def rounding() -> str:
    lines = ["| operator | element type | maximum difference |", "| --- | --- | --- |"]
    for (operator, kind), most in sorted(ROUNDING.items()):
        unit = f"{most:g} of the largest element" if kind == "float32" else f"{most:g} step"
        lines.append(f"| {operator} | {kind} | {unit if most else 'the sign of a zero'} |")
    return "\n".join(lines)


def test_the_page_shows_the_deviations() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert table() in text
    assert rounding() in text
