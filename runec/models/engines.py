"""Operators that the host's libraries support, and those that they compute correctly, as data.

Two libraries run models on the host: Google's TensorFlow Lite Micro (`tflite-micro`) and, as an
extra, LiteRT's reference kernels. What each takes and where each is wrong was measured with random
models of one operator, and tests/backends/test_host_operators.py measures it again: a version of
either library that changes a row fails there. docs/operators.md shows the deviations.

Nothing here imports a library: `runec check` has no time for that.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence

import msgspec

from runec.models.operators import BUILTIN_OPERATORS
from runec.models.tflite import (
    GraphOperator,
    GraphTensor,
    ModelGraph,
    Operator,
    hybrid_operators,
)
from runec.values import ElementType


class Engine(enum.Enum):
    """A library of the host, by the name that a user knows."""

    TFLM = "tflite-micro"
    LITERT = "LiteRT"


# Operator, element types of its data in tflite-micro and in LiteRT, versions in LiteRT. `-`: no
# kernel; `*`: not measured (what a model of one operator cannot show). A type that no model of the
# sweep has counts as taken: then the library decides. The types: f float32,
# b int8, u uint8, h int16, i int32, l int64, t bool, e float16.
_TABLE = """
    ABS fbhe fbhie 1-3
    ADD fbhie fbuhile 1-5
    ADD_N fuhlte fuhilte 1-1
    ARG_MAX fbe fbuite 1-2
    ARG_MIN fbe fbuite 1-2
    ASSIGN_VARIABLE * * 1-1
    ATAN2 - * 1-1
    AVERAGE_POOL_2D fbhe fbuhe 1-3
    BATCH_MATMUL fbhlte fbhlte 1-4
    BATCH_TO_SPACE_ND fbe fbuhilte 1-4
    BIDIRECTIONAL_SEQUENCE_LSTM - * 1-3
    BIDIRECTIONAL_SEQUENCE_RNN - * 1-3
    BITCAST - * 1-1
    BITWISE_XOR - * 1-1
    BROADCAST_ARGS fbuhilte fbuhilte 1-1
    BROADCAST_TO fbuhilte * 2-4
    BUCKETIZE - * 1-1
    CALL_ONCE * * 1-1
    CAST fbhite fbuhilte 1-9
    CEIL fe -
    COMPLEX_ABS - * 1-1
    CONCATENATION fbhilte fbuhilte 1-7
    CONV_2D fbhe fbuhe 1-8
    CONV_3D - * 1-1
    CONV_3D_TRANSPOSE - * 1-1
    COS fe fe 1-1
    CUMSUM fbuhte fuhilte 1-1
    DENSIFY - * 1-1
    DEPTHWISE_CONV_2D fbhe fbuhe 1-6
    DEPTH_TO_SPACE fbe fbuile 1-1
    DEQUANTIZE buhlt buhlte 1-9
    DILATE - * 1-1
    DIV fbie fbuhie 1-2
    DYNAMIC_UPDATE_SLICE fbhie fbuhilte 1-6
    ELU fbe -
    EMBEDDING_LOOKUP fbuhilte fbuhilte 1-5
    EMBEDDING_LOOKUP_SPARSE - * 1-1
    EQUAL fbilte fbuhilte 1-5
    EXP fe fbhe 1-2
    EXPAND_DIMS fbhe fbuhilte 1-1
    FAKE_QUANT - * 1-2
    FILL fbie fbuhilte 1-5
    FLOOR fe fe 1-1
    FLOOR_DIV fe fbhie 1-3
    FLOOR_MOD fe fbhile 1-2
    FULLY_CONNECTED fbhe fbuhe 1-14
    GATHER fbe fbuhilte 1-8
    GATHER_ND fbe fbuhilte 1-6
    GELU - * 1-2
    GREATER fbhile fbuhile 1-2
    GREATER_EQUAL fbile fbuhile 1-3
    HARD_SWISH fbe fbue 1-1
    HASHTABLE_LOOKUP - * 1-1
    IF * * 1-1
    IMAG - * 1-1
    L2_NORMALIZATION fbe fbue 1-2
    L2_POOL_2D fhilte fhilte 1-1
    LEAKY_RELU fbhe fbuhe 1-2
    LESS fbile fbuhile 1-3
    LESS_EQUAL fbile fbuhile 1-2
    LOCAL_RESPONSE_NORMALIZATION - * 1-1
    LOG fe fbhe 1-2
    LOGICAL_AND fbuhilte fbuhilte 1-1
    LOGICAL_NOT te te 1-1
    LOGICAL_OR fbuhilte fbuhilte 1-1
    LOGISTIC fbhe fbuhe 1-3
    LOG_SOFTMAX fbe fbue 1-2
    LSH_PROJECTION - * 1-1
    LSTM - * 1-4
    MATRIX_DIAG - * 1-1
    MATRIX_SET_DIAG - * 1-1
    MAXIMUM fbhile fbuhile 1-4
    MAX_POOL_2D fbhe fbuhe 1-3
    MEAN fbhe fbuhile 1-3
    MINIMUM fbhile fbuhile 1-4
    MIRROR_PAD fbe fbuhilte 1-3
    MUL fbhie fbuhile 1-7
    MULTINOMIAL - * 1-1
    NEG fe fbhile 1-1
    NON_MAX_SUPPRESSION_V4 - * 1-1
    NON_MAX_SUPPRESSION_V5 - * 1-1
    NOT_EQUAL fbilte fbuhilte 1-4
    ONE_HOT - * 1-1
    PACK fbhile fbuhile 1-5
    PAD fbhie fbuhilte 1-6
    PADV2 fbhie fbuhilte 1-6
    POW - * 1-1
    PRELU fbe fbuhe 1-1
    QUANTIZE fbuhilte fbuhilte 1-6
    RANDOM_STANDARD_NORMAL - * 1-1
    RANDOM_UNIFORM - * 1-1
    RANGE - * 1-1
    RANK - * 1-1
    READ_VARIABLE * * 1-1
    REAL - * 1-1
    REDUCE_ALL te te 1-1
    REDUCE_ANY - * 1-1
    REDUCE_MAX fbe fbuhilte 1-3
    REDUCE_MIN fbe fbuhilte 1-3
    REDUCE_PROD - * 1-2
    REDUCE_WINDOW - * 1-1
    RELU fbhe fbuhe 1-3
    RELU6 fbhe fbuhe 1-3
    RELU_0_TO_1 - * 1-1
    RELU_N1_TO_1 - * 1-1
    RESHAPE fbuhilte fbuhilte 1-1
    RESIZE_BILINEAR fbilte fbuhilte 1-4
    RESIZE_NEAREST_NEIGHBOR fbhe fbuhite 1-4
    REVERSE_SEQUENCE - * 1-1
    REVERSE_V2 fbuhilte fbuhilte 1-4
    RFFT2D - * 1-1
    RIGHT_SHIFT - * 1-1
    RNN - * 1-3
    ROUND fe -
    RSQRT fbhe fbhe 1-3
    SCATTER_ND - * 1-1
    SELECT - * 1-4
    SELECT_V2 fbhe fbuhilte 1-2
    SHAPE fbuhilte fbuhilte 1-1
    SIGN - * 1-2
    SIN fe fe 1-1
    SKIP_GRAM - * 1-1
    SLICE fbhite fbuhilte 1-8
    SOFTMAX fbhe fbuhe 1-3
    SPACE_TO_BATCH_ND fbe fbuhilte 1-4
    SPACE_TO_DEPTH fbe fbuile 1-2
    SPARSE_TO_DENSE - * 1-3
    SPLIT fbhie fbuhile 1-5
    SPLIT_V fbhie fbuhile 1-3
    SQRT fe fbhe 1-2
    SQUARE fe fe 1-1
    SQUARED_DIFFERENCE fbhie fbie 1-2
    SQUEEZE fbuhilte fbuhilte 1-1
    STABLEHLO_ADD - * 1-1
    STABLEHLO_COMPOSITE - * 1-1
    STABLEHLO_GATHER - * 1-1
    STABLEHLO_MAXIMUM - * 1-1
    STABLEHLO_MINIMUM - * 1-1
    STABLEHLO_MULTIPLY - * 1-1
    STABLEHLO_PAD - * 1-1
    STABLEHLO_REDUCE_WINDOW - * 1-1
    STABLEHLO_RNG_BIT_GENERATOR - * 1-1
    STABLEHLO_SCATTER - * 1-1
    STRIDED_SLICE fbhite fbuhilte 1-4
    SUB fbhie fbuhile 1-5
    SUM fbhe fbuhilte 1-2
    SVDF fbuhilte fbuhilte 1-4
    TANH fbhe fbuhe 1-3
    TILE - * 1-2
    TOPK_V2 - * 1-3
    TRANSPOSE fbhe fbuhilte 1-8
    TRANSPOSE_CONV fbhilte fbuhilte 1-5
    UNIDIRECTIONAL_SEQUENCE_LSTM fbuhilte fbuhilte 1-3
    UNIDIRECTIONAL_SEQUENCE_RNN - * 1-3
    UNIQUE - * 1-1
    UNPACK fbhie fbuhite 1-6
    UNSORTED_SEGMENT_MAX - * 1-1
    UNSORTED_SEGMENT_MIN - * 1-1
    UNSORTED_SEGMENT_PROD - * 1-1
    UNSORTED_SEGMENT_SUM - * 1-1
    VAR_HANDLE * * 1-1
    WHERE - * 1-2
    WHILE * * 1-1
    ZEROS_LIKE fbile file 1-1
"""
_TFLM_CUSTOM = """
    BasicClassifier CIRCULAR_BUFFER SignalDelay SignalEnergy SignalFftAutoScale SignalFilterBank
    SignalFilterBankLog SignalFilterBankSpectralSubtraction SignalFilterBankSquareRoot SignalFramer
    SignalIrfft SignalOverlapAdd SignalPCAN SignalRfft SignalStacker SignalWindow TFLM_DECODE
    TFLite_Detection_PostProcess
"""
_CUSTOM = {
    Engine.TFLM: frozenset(_TFLM_CUSTOM.split()),
    Engine.LITERT: frozenset(
        ("AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess")
    ),
}
_LETTERS = {
    "f": "float32",
    "b": "int8",
    "u": "uint8",
    "h": "int16",
    "i": "int32",
    "l": "int64",
    "t": "bool",
    "e": "float16",
}
_MEASURED = frozenset(_LETTERS.values())
# The input that decides which kernel is taken, where it is not the first.
_DATA = {"EMBEDDING_LOOKUP": 1, "FILL": 1, "SELECT_V2": 1, "SPLIT": 1, "TRANSPOSE_CONV": 2}


class Kernel(msgspec.Struct, frozen=True):
    """A kernel of a library: the element types and the versions that it takes, None for any."""

    elements: frozenset[str] | None
    versions: range | None = None


def _kernel(letters: str, versions: str | None) -> Kernel | None:
    if letters == "-":
        return None
    elements = None if letters == "*" else frozenset(_LETTERS[letter] for letter in letters)
    first, _, last = (versions or "").partition("-")
    return Kernel(elements, range(int(first), int(last) + 1) if versions else None)


def _read_table() -> dict[Engine, dict[str, Kernel]]:
    kernels: dict[Engine, dict[str, Kernel]] = {engine: {} for engine in Engine}
    for row in _TABLE.strip().splitlines():
        name, micro, litert, *versions = row.split()
        for engine, kernel in (
            (Engine.TFLM, _kernel(micro, None)),
            (Engine.LITERT, _kernel(litert, versions[0] if versions else None)),
        ):
            if kernel is not None:
                kernels[engine][name] = kernel
    return kernels


KERNELS = _read_table()
"""Engine -> operator -> what its kernel takes."""


_Tensors = Sequence[GraphTensor | None]


class Deviation(msgspec.Struct, frozen=True):
    """A use of operators that a library computes otherwise than TensorFlow Lite specifies.

    `what` follows the operator's name in a message; `reason` is for docs/operators.md.
    """

    engine: Engine
    operators: tuple[str, ...]
    elements: frozenset[str]
    what: str
    reason: str
    applies: Callable[[GraphOperator, _Tensors, _Tensors], bool]


def _is_padded(_use: GraphOperator, inputs: _Tensors, _outputs: _Tensors) -> bool:
    padding = inputs[2] if len(inputs) > 2 else None
    # Padding that only the run knows may be any.
    return padding is not None and (not padding.values or any(padding.values))


def _is_scaled(_use: GraphOperator, inputs: _Tensors, outputs: _Tensors) -> bool:
    given, result = inputs[0], outputs[0]
    return given is not None and result is not None and given.quantization != result.quantization


def _has_a_large_scale(_use: GraphOperator, inputs: _Tensors, _outputs: _Tensors) -> bool:
    scales = [item.quantization[0] for item in inputs if item is not None and item.quantization]
    return any(scale >= 1 for scale in scales)


def _have_two_scales(_use: GraphOperator, inputs: _Tensors, _outputs: _Tensors) -> bool:
    return len({item.quantization for item in inputs if item is not None}) > 1


def _has_no_bias(_use: GraphOperator, inputs: _Tensors, _outputs: _Tensors) -> bool:
    return len(inputs) < 4 or inputs[3] is None


def _has_a_bias_of_int32(_use: GraphOperator, inputs: _Tensors, _outputs: _Tensors) -> bool:
    bias = inputs[2] if len(inputs) > 2 else None
    return bias is not None and bias.element is ElementType.I32


def _always(_use: GraphOperator, _inputs: _Tensors, _outputs: _Tensors) -> bool:
    return True


_COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")

DEVIATIONS = (
    Deviation(
        Engine.TFLM,
        ("SPACE_TO_BATCH_ND",),
        frozenset({"float32", "int8"}),
        "with padding",
        "pads with an uninitialised byte: 0 in a new process, any value after another model",
        _is_padded,
    ),
    Deviation(
        Engine.TFLM,
        ("RELU6",),
        frozenset({"int8", "int16"}),
        "whose output has another scale than its input",
        "copies the elements without rescaling them",
        _is_scaled,
    ),
    Deviation(
        Engine.TFLM,
        _COMPARISONS,
        frozenset({"int8"}),
        "with a scale of 1 or more",
        "ends the process: it supports multipliers below 1 only",
        _has_a_large_scale,
    ),
    Deviation(
        Engine.TFLM,
        ("GREATER",),
        frozenset({"int16"}),
        "of int16",
        "does not write the result",
        _always,
    ),
    Deviation(
        Engine.TFLM,
        ("SVDF",),
        frozenset({"float32", "int8"}),
        "without a bias",
        "ends the process: it reads the omitted tensor",
        _has_no_bias,
    ),
    Deviation(
        Engine.LITERT,
        ("CONV_2D", "FULLY_CONNECTED"),
        frozenset({"int16"}),
        "of int16 with a bias of int32",
        "reads two elements of the bias as one of int64, and behind its end",
        _has_a_bias_of_int32,
    ),
    Deviation(
        Engine.LITERT,
        _COMPARISONS,
        frozenset({"int8", "uint8"}),
        "with a scale of 1 or more",
        "overflows: it supports multipliers below 1 only",
        _has_a_large_scale,
    ),
    Deviation(
        Engine.LITERT,
        _COMPARISONS,
        frozenset({"int16"}),
        "of int16 with two scales",
        "compares the elements and ignores their scales",
        _have_two_scales,
    ),
    Deviation(
        Engine.LITERT,
        ("SUM",),
        frozenset({"int8", "int16"}),
        "of quantised elements",
        "adds the elements and ignores scale and zero point",
        _always,
    ),
    Deviation(
        Engine.LITERT,
        ("RSQRT",),
        frozenset({"int16"}),
        "of int16",
        "saturates if the multiplier is out of its range",
        _always,
    ),
)

# Operators that move elements or choose among them: TensorFlow Lite specifies one scale and zero
# point for all their quantised tensors. Kernels reject others, or take no notice of them.
_MOVING_NAMES = """
    AVERAGE_POOL_2D BATCH_TO_SPACE_ND BROADCAST_TO DEPTH_TO_SPACE DYNAMIC_UPDATE_SLICE EXPAND_DIMS
    GATHER GATHER_ND MAXIMUM MAX_POOL_2D MINIMUM MIRROR_PAD PACK PAD PADV2 REDUCE_MAX REDUCE_MIN
    RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 SELECT SELECT_V2
    SLICE SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE STRIDED_SLICE TILE TOPK_V2
    TRANSPOSE UNPACK
"""
MOVING = frozenset(_MOVING_NAMES.split())
_QUANTISED = frozenset({"int8", "uint8", "int16"})


def _moves_unscaled(graph: ModelGraph, use: GraphOperator) -> bool:
    if use.name not in MOVING:
        return False
    used = _tensors(graph, (*use.inputs, *use.outputs))
    quantisations = {
        item.quantization for item in used if item is not None and item.type_name in _QUANTISED
    }
    return len(quantisations - {None}) > 1


def _tensors(graph: ModelGraph, indices: Iterable[int]) -> _Tensors:
    return [graph.tensors[index] if index >= 0 else None for index in indices]


def _element(graph: ModelGraph, use: GraphOperator) -> str | None:
    position = _DATA.get(use.name, 0)
    if position >= len(use.inputs) or use.inputs[position] < 0:
        return None
    return graph.tensors[use.inputs[position]].type_name


def deviations(engine: Engine, graph: ModelGraph) -> tuple[str, ...]:
    """Return the uses of operators in a model that a library computes wrong, named and sorted."""
    found = set()
    for use in graph.operators:
        if _moves_unscaled(graph, use):
            found.add(f"{use.name} with unequal scales")
        for item in DEVIATIONS:
            if (
                item.engine is engine
                and use.name in item.operators
                and _element(graph, use) in item.elements
                and item.applies(use, _tensors(graph, use.inputs), _tensors(graph, use.outputs))
            ):
                found.add(f"{use.name} {item.what}")
    return tuple(sorted(found))


def missing(engine: Engine, operators: Iterable[Operator]) -> tuple[str, ...]:
    """Return the operators that a library has no kernel for, named and sorted."""
    found = set()
    for item in operators:
        kernel = KERNELS[engine].get(item.name)
        if item.name in _CUSTOM[engine]:
            continue
        if kernel is None:
            found.add(item.name)
        elif kernel.versions is not None and item.version not in kernel.versions:
            found.add(f"{item.name} of version {item.version}")
    return tuple(sorted(found))


def refused(engine: Engine, graph: ModelGraph) -> tuple[str, ...]:
    """Return the uses of operators whose element types a library's kernel does not take."""
    found = set()
    for use in graph.operators:
        kernel = KERNELS[engine].get(use.name)
        element = _element(graph, use)
        if kernel is None or kernel.elements is None or element not in _MEASURED:
            continue
        if element not in kernel.elements:
            found.add(f"{use.name} of {element}")
    if engine is Engine.TFLM:
        found |= {f"{name} of float32 with weights of 8 bits" for name in hybrid_operators(graph)}
        if any(_quantises_to_uint8(graph, use) for use in graph.operators):
            found.add("QUANTIZE from float32 to uint8")
    return tuple(sorted(found))


def _quantises_to_uint8(graph: ModelGraph, use: GraphOperator) -> bool:
    def has(indices: Iterable[int], element: ElementType) -> bool:
        return any(
            item is not None and item.element is element for item in _tensors(graph, indices)
        )

    return (
        use.name == "QUANTIZE"
        and has(use.inputs, ElementType.F32)
        and has(use.outputs, ElementType.U8)
    )


def engine_objection(
    engine: Engine, graph: ModelGraph, operators: Sequence[Operator]
) -> str | None:
    """Return why a library of the host does not run a model right, or None when it does."""
    lacking = missing(engine, operators)
    if lacking:
        return f"it has no operator {', '.join(lacking)}"
    types = refused(engine, graph)
    if types:
        return f"it has no {', '.join(types)}"
    wrong = deviations(engine, graph)
    return f"it computes {', '.join(wrong)} wrong" if wrong else None


def is_custom(name: str) -> bool:
    """Return whether an operator is none of TensorFlow Lite's own."""
    return name not in BUILTIN_OPERATORS and not name.startswith("BUILTIN_")


def advice(names: Iterable[str]) -> str:
    """Return what to do about a model with operators that nothing here has a kernel for."""
    names = sorted(names)
    for name in names:
        if name == "ethos-u":
            return "use the model from before Vela, Arm's compiler for the Ethos-U"
        if name.startswith("edgetpu"):
            return "use the model from before the Edge TPU compiler"
        if name.startswith("Flex"):
            return "convert the model without SELECT_TF_OPS: only TFLITE_BUILTINS have kernels"
    custom = [name for name in names if is_custom(name)]
    if custom:
        return (
            f"end the model before the custom operator {custom[0]} and compute that in a block "
            "(docs/guides/blocks.md)"
        )
    return "train or convert the model without these operators (docs/operators.md)"
