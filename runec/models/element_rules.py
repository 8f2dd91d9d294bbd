"""The element types of what operators read and give: those that a kernel takes unseen.

Kernels of TensorFlow Lite Micro compare few types. One that reads a table of int32 where the file
has int64 takes every other number for an upper half, and then indices from behind the table's end.
What is here was measured: tests/backends/test_parameter_types.py does so again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runec.models.flatbuffer import Table
from runec.models.shape_rules import ELEMENT_OF
from runec.models.tflite import GraphOperator, GraphTensor, ModelGraph, type_name
from runec.values import ElementType

_INT4 = 17
BOOL = 6
_FLOAT32, _INT8, _INT16, _INT32, _INT64 = (
    kind.tflite_code
    for kind in (
        ElementType.F32,
        ElementType.I8,
        ElementType.I16,
        ElementType.I32,
        ElementType.I64,
    )
)
_EIGHT_BITS = (ElementType.I8.tflite_code, ElementType.U8.tflite_code, _INT4)
# Operators all of whose inputs have the element type of the first, and positions where not all
# have: kernels read them as one type without a look at the others.
_ALIKE_NAMES = """
    ADD ADD_N ATAN2 BROADCAST_ARGS CONCATENATION DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL
    LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR MAXIMUM MINIMUM MUL NOT_EQUAL PACK POW PRELU
    SQUARED_DIFFERENCE SUB
"""
_ALIKE = frozenset(_ALIKE_NAMES.split())
_ALIKE_AT: Mapping[str, tuple[int, ...]] = {
    "DYNAMIC_UPDATE_SLICE": (0, 1),
    "PADV2": (0, 2),
    "SELECT": (1, 2),
    "SELECT_V2": (1, 2),
    "SLICE": (1, 2),
}
# Operator -> positions of its data, its weights and its bias.
_WEIGHED: Mapping[str, tuple[int, int, int]] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), (0, 1, 2)),
    "TRANSPOSE_CONV": (2, 1, 3),
}
# Operator, position of a parameter, the types that every engine reads there, those that LiteRT
# alone reads (TensorFlow Lite Micro would take them for the others). b int8, h int16, i int32,
# l int64, t bool; `-`: none.
_PARAMETERS = """
    ARG_MAX 1 i l
    ARG_MIN 1 i l
    BATCH_TO_SPACE_ND 1 i -
    BATCH_TO_SPACE_ND 2 i -
    BROADCAST_ARGS 0 il -
    BROADCAST_TO 1 il -
    CONV_3D_TRANSPOSE 0 i -
    CUMSUM 1 i -
    DYNAMIC_UPDATE_SLICE 2 il -
    EMBEDDING_LOOKUP 0 i -
    EXPAND_DIMS 1 i l
    FILL 0 il -
    GATHER 1 i hl
    GATHER_ND 1 i hl
    IF 0 t -
    LOGICAL_AND 0 t -
    LOGICAL_NOT 0 t -
    LOGICAL_OR 0 t -
    MEAN 1 i -
    MIRROR_PAD 1 il -
    NON_MAX_SUPPRESSION_V4 2 i -
    NON_MAX_SUPPRESSION_V5 2 i -
    ONE_HOT 0 il -
    ONE_HOT 1 i -
    PAD 1 i bhl
    PADV2 1 i bhl
    REDUCE_ALL 1 i -
    REDUCE_ANY 1 i -
    REDUCE_MAX 1 i -
    REDUCE_MIN 1 i -
    REDUCE_PROD 1 i -
    RESHAPE 1 i -
    RESIZE_BILINEAR 1 i -
    RESIZE_NEAREST_NEIGHBOR 1 i -
    REVERSE_SEQUENCE 1 il -
    REVERSE_V2 1 i -
    RFFT2D 1 i -
    SELECT 0 t -
    SELECT_V2 0 t -
    SLICE 1 il -
    SLICE 2 il -
    SPACE_TO_BATCH_ND 1 i -
    SPACE_TO_BATCH_ND 2 i -
    SPLIT 0 i -
    SPLIT_V 1 il -
    SPLIT_V 2 i -
    STRIDED_SLICE 1 i -
    STRIDED_SLICE 2 i -
    STRIDED_SLICE 3 i -
    SUM 1 i -
    TILE 1 il -
    TOPK_V2 1 i h
    TRANSPOSE 1 i -
    TRANSPOSE_CONV 0 i -
"""
_LETTERS = {"b": _INT8, "h": _INT16, "i": _INT32, "l": _INT64, "t": BOOL, "-": -1}


def _codes(letters: str) -> frozenset[int]:
    return frozenset(_LETTERS[letter] for letter in letters)


PARAMETERS: Mapping[tuple[str, int], tuple[frozenset[int], frozenset[int]]] = {
    (name, int(position)): (_codes(every), _codes(litert))
    for name, position, every, litert in map(str.split, _PARAMETERS.strip().splitlines())
}
"""Operator, position -> numbers of the element types that all engines read, and LiteRT alone."""


# Operators whose results have other elements than their first input: booleans, integers of the type
# that the first field of their options says, or one of these.
_BOOLEAN_NAMES = """
    EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_NOT LOGICAL_OR NOT_EQUAL
"""
_BOOLEANS = frozenset(_BOOLEAN_NAMES.split())
_NAMED_IN_OPTIONS = frozenset({"ARG_MAX", "ARG_MIN", "SHAPE"})
_INTEGERS = (_INT32, _INT64)
_RESULTS: Mapping[str, tuple[int, ...]] = {
    "DEQUANTIZE": (_FLOAT32,),
    "QUANTIZE": (_INT8, ElementType.U8.tflite_code, _INT16, _INT32, _INT4),
    "RANK": (_INT32,),
}
# What these give of int8, if not int8.
_WIDER: Mapping[str, int] = {"BATCH_MATMUL": _INT32, "EMBEDDING_LOOKUP": _FLOAT32}


def _given(graph: ModelGraph, use: GraphOperator) -> dict[int, GraphTensor]:
    """Return the inputs of an operator by their positions, without those that are left out."""
    return {
        position: graph.tensors[index] for position, index in enumerate(use.inputs) if index >= 0
    }


def misread(graph: ModelGraph, use: GraphOperator) -> Iterator[tuple[int, str]]:
    """Yield inputs of another element type than the kernel reads, and the types that it reads."""
    given = _given(graph, use)
    for position, tensor in given.items():
        every, litert = PARAMETERS.get((use.name, position), ((), ()))
        if every and tensor.type_code not in (*every, *litert):
            yield use.inputs[position], " or ".join(map(type_name, sorted(every)))
    alike = _ALIKE_AT.get(use.name, tuple(given) if use.name in _ALIKE else ())
    first, *others = [at for at in alike if at in given] or [-1]
    for at in others:
        if given[at].type_code != given[first].type_code:
            yield use.inputs[at], given[first].type_name
    for position, codes in _of_a_memory(use.name, given):
        if position in given and given[position].type_code not in codes:
            yield use.inputs[position], " or ".join(map(type_name, codes))
    data, weights, bias = (given.get(at) for at in _WEIGHED.get(use.name, ()) or (-1, -1, -1))
    if data is None:
        return
    _, weights_at, bias_at = _WEIGHED[use.name]
    # With weights of 8 bits and floats it is another kernel.
    is_float = data.type_code == _FLOAT32
    if weights is not None and weights.type_code not in (
        (_FLOAT32, *_EIGHT_BITS) if is_float else _EIGHT_BITS
    ):
        yield use.inputs[weights_at], "float32" if is_float else "int8"
    wide = _bias_types(use.name, data)
    if bias is not None and bias.type_code not in wide:
        yield use.inputs[bias_at], type_name(wide[0])


def _of_a_memory(
    name: str, given: Mapping[int, GraphTensor]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the types of the inputs of an operator that keeps state, by its data and weights."""
    if name not in ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM") or 0 not in given:
        return
    data = given[0].type_code
    if data == _FLOAT32:
        # With weights of 8 bits it is another kernel.
        if not any(item.type_code in _EIGHT_BITS for item in given.values()):
            yield from ((position, (_FLOAT32,)) for position in given)
    elif name == "SVDF":
        yield from ((1, (_INT8,)), (2, (_INT8, _INT16)), (3, (_INT32,)))
        if 2 in given:
            yield 4, (given[2].type_code,)
    else:
        yield from ((18, (data,)), (19, (_INT16,)))


def _bias_types(name: str, data: GraphTensor) -> tuple[int, ...]:
    """Return the types that kernels read a bias as, by the type of the data."""
    if data.type_code == _FLOAT32:
        return (_FLOAT32,)
    if data.type_code != _INT16:
        return (_INT32,)
    # The other two read int64 without a look.
    return (_INT64, _INT32) if name in ("CONV_2D", "FULLY_CONNECTED") else (_INT64,)


def read_by_litert_alone(graph: ModelGraph, use: GraphOperator) -> Iterator[str]:
    """Yield the types of parameters that TensorFlow Lite Micro would take for others."""
    for position, tensor in _given(graph, use).items():
        _, litert = PARAMETERS.get((use.name, position), ((), ()))
        if tensor.type_code in litert:
            yield tensor.type_name


def result_types(
    graph: ModelGraph, use: GraphOperator, options: Table | None
) -> tuple[int, ...] | None:
    """Return the numbers of the element types that an operator may give; None: any.

    Raises MalformedError.
    """
    if use.name in _BOOLEANS:
        return (BOOL,)
    if use.name in _NAMED_IN_OPTIONS:
        named = 0 if options is None else options.integer(0, 1, signed=True)
        return (named,) if named in _INTEGERS else _INTEGERS[:1]
    if use.name in _RESULTS:
        return _RESULTS[use.name]
    position = ELEMENT_OF.get(use.name)
    given = None if position is None else _given(graph, use).get(position)
    if given is None:
        return None
    if use.name in _WIDER and given.type_code == _INT8:
        return (_INT8, _WIDER[use.name])
    return (given.type_code,)
