"""The shapes of operators' results, from the shapes of their inputs, constants and options.

One function per operator. It returns the shapes that LiteRT computes when it prepares
a model; tests/models/test_shape_rules.py compares the two. Where a rule cannot tell (an operand
is computed while the model runs, or the inputs do not fit together), it raises
`UnknownShapeError`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from runec.models.flatbuffer import Table
from runec.models.tflite import GraphOperator, GraphTensor, ModelGraph

Shape = tuple[int, ...]

_OPTIONS_MAX = 16
_RANK_MAX = 8
_SIZE_MAX = 2**31 - 1  # what a file can say
_SAME, _VALID = 0, 1


class UnknownShapeError(Exception):
    """A shape or a value is not known before the model runs."""


class Applied(msgspec.Struct, frozen=True):
    """A use of an operator, as its rule sees it.

    `shape` and `elements` take the position of an input, and raise UnknownShapeError where it is
    left out or not known. `options` is the table of the operator's options.

    For custom operators: `constant` has the elements of an input of int16 as well, `given` takes
    the position of an input and `stated` that of a result, and return what the file has of the
    tensor. `custom` are the options.
    """

    input_count: int
    output_count: int
    shape: Callable[[int], Shape]
    elements: Callable[[int], Sequence[int]]
    options: Table | None
    constant: Callable[[int], Sequence[int]]
    given: Callable[[int], GraphTensor]
    stated: Callable[[int], GraphTensor]
    custom: bytes

    def number(self, field: int, size: int = 4, default: int = 0) -> int:
        """Return an option by the number of its field; `size` in bytes."""
        if self.options is None:
            return default
        return self.options.integer(field, size, signed=True, default=default)

    def numbers(self, field: int) -> tuple[int, ...]:
        """Return an option that is a vector of integers."""
        if self.options is None:
            return ()
        return self.options.integers(field, "i", count_max=_OPTIONS_MAX)

    def element(self, position: int) -> int:
        """Return the only element of an input."""
        elements = self.elements(position)
        ensure(len(elements) == 1)
        return elements[0]

    def shape_of_rank(self, position: int, rank: int) -> Shape:
        """Return the shape of an input that must have as many dimensions."""
        shape = self.shape(position)
        ensure(len(shape) == rank)
        return shape


Rule = Callable[[Applied], Sequence[Shape]]


def ensure(condition: bool) -> None:
    """Raise UnknownShapeError where a condition of a rule does not hold."""
    if not condition:
        raise UnknownShapeError


def wrapped(axis: int, rank: int) -> int:
    """Return an axis that may count from the end. Raises UnknownShapeError outside the rank."""
    ensure(-rank <= axis < rank)
    return axis % rank


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """Return the shape that all broadcast to. Raises UnknownShapeError where there is none."""
    rank = max(map(len, shapes))
    columns = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    result = []
    for column in columns:
        sizes = set(column) - {1}
        ensure(len(sizes) <= 1)
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def _like_first(use: Applied) -> Sequence[Shape]:
    return [use.shape(0)]


def _broadcasting(use: Applied) -> Sequence[Shape]:
    return [broadcast([use.shape(item) for item in range(use.input_count)])]


def _all_alike(use: Applied) -> Sequence[Shape]:
    shapes = {use.shape(item) for item in range(use.input_count)}
    ensure(len(shapes) == 1)
    return [shapes.pop()]


def _prelu(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    ensure(broadcast([shape, use.shape(1)]) == shape)
    return [shape]


def _select(use: Applied) -> Sequence[Shape]:
    condition, shape = use.shape(0), use.shape(1)
    ensure(use.shape(2) == shape and condition in (shape, shape[:1], ()))
    return [shape]


def _reshape(use: Applied) -> Sequence[Shape]:
    count = math.prod(use.shape(0))
    if use.input_count > 1 and len(use.shape(1)) == 1:
        wanted = tuple(use.elements(1))
    else:
        ensure(use.options is not None)
        wanted = use.numbers(0)
        if wanted == (0,):  # how old files write a scalar
            wanted = ()
    rest = math.prod(size for size in wanted if size != -1)
    if -1 in wanted and rest > 0:
        wanted = tuple(count // rest if size == -1 else size for size in wanted)
    ensure(math.prod(wanted) == count and all(size >= 0 for size in wanted))
    return [wanted]


def _expand_dims(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    at = wrapped(use.element(1), len(shape) + 1)
    return [(*shape[:at], 1, *shape[at:])]


def _squeeze(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    axes = {wrapped(axis, len(shape)) for axis in use.numbers(0)}
    ensure(all(shape[axis] == 1 for axis in axes))
    axes = axes or {axis for axis, size in enumerate(shape) if size == 1}
    return [tuple(size for axis, size in enumerate(shape) if axis not in axes)]


def _reduction(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    axes = {wrapped(axis, len(shape)) for axis in use.elements(1)}
    if use.number(0, 1):
        return [tuple(1 if axis in axes else size for axis, size in enumerate(shape))]
    return [tuple(size for axis, size in enumerate(shape) if axis not in axes)]


def _argument(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    axis = wrapped(use.element(1), len(shape))
    return [(*shape[:axis], *shape[axis + 1 :])]


def _window(size: int, filter_size: int, stride: int, dilation: int, padding: int) -> int:
    """Return how often a window fits into one dimension."""
    ensure(stride > 0 and filter_size > 0 and dilation > 0 and padding in (_SAME, _VALID))
    reach = (filter_size - 1) * dilation + 1 if padding == _VALID else 1
    count = (size + stride - reach) // stride
    ensure(count > 0)
    return count


# Operator -> for both axes: fields of its options with the stride and the dilation, and with the
# size of the window where its weights, in input 1, do not have it.
_WINDOWS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "AVERAGE_POOL_2D": ((2, -1, 4), (1, -1, 3)),
    "CONV_2D": ((2, 5, -1), (1, 4, -1)),
    "DEPTHWISE_CONV_2D": ((2, 6, -1), (1, 5, -1)),
    "L2_POOL_2D": ((2, -1, 4), (1, -1, 3)),
    "MAX_POOL_2D": ((2, -1, 4), (1, -1, 3)),
}


def largest_of_window(graph: ModelGraph, use: GraphOperator, options: Table | None) -> int:
    """Return the largest that a convolution or a pool keeps in 16 bits; 0 for other operators.

    These are the padding, and of convolutions stride and dilation: both libraries cut off what is
    more, and compute with the rest. Raises MalformedError.
    """
    axes = _WINDOWS.get(use.name)
    if axes is None or options is None or len(use.inputs) < 1 or use.inputs[0] < 0:
        return 0
    shape = graph.tensors[use.inputs[0]].shape
    weights: Shape = ()
    if len(use.inputs) > 1 and use.inputs[1] >= 0:
        weights = graph.tensors[use.inputs[1]].shape
    is_padded = options.integer(0, 1, signed=True) == _SAME
    found = [0]
    for at, (stride_at, dilation_at, size_at) in enumerate(axes, 1):
        if len(shape) != 4 or (size_at < 0 and len(weights) != 4):
            continue
        stride = options.integer(stride_at, 4, signed=True)
        window, dilation = 0, 1
        if size_at >= 0:
            window = options.integer(size_at, 4, signed=True)
        else:
            window = weights[at]
            dilation = options.integer(dilation_at, 4, signed=True, default=1)
            found += [stride, dilation]
        if is_padded and stride > 0:
            count = (shape[at] + stride - 1) // stride
            found.append(((count - 1) * stride + (window - 1) * dilation + 1 - shape[at]) // 2)
    return max(found)


def _ensure_bias(use: Applied, count: int) -> None:
    try:
        shape = use.shape(2) if use.input_count > 2 else None
    except UnknownShapeError:  # it is left out
        return
    ensure(shape is None or math.prod(shape) == count)


def _conv_2d(use: Applied) -> Sequence[Shape]:
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    count, filter_high, filter_wide, filter_depth = use.shape_of_rank(1, 4)
    ensure(filter_depth > 0 and depth % filter_depth == 0)
    ensure(count % (depth // filter_depth) == 0)
    _ensure_bias(use, count)
    padding = use.number(0, 1)
    rows = _window(high, filter_high, use.number(2), use.number(5, default=1), padding)
    columns = _window(wide, filter_wide, use.number(1), use.number(4, default=1), padding)
    return [(batch, rows, columns, count)]


def _depthwise(use: Applied) -> Sequence[Shape]:
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    one, filter_high, filter_wide, count = use.shape_of_rank(1, 4)
    # Kernels of 2020 take the multiplier from the options.
    ensure(one == 1 and depth * use.number(3) == count)
    _ensure_bias(use, count)
    padding = use.number(0, 1)
    rows = _window(high, filter_high, use.number(2), use.number(6, default=1), padding)
    columns = _window(wide, filter_wide, use.number(1), use.number(5, default=1), padding)
    return [(batch, rows, columns, count)]


def _pool_2d(use: Applied) -> Sequence[Shape]:
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    padding = use.number(0, 1)
    rows = _window(high, use.number(4), use.number(2), 1, padding)
    return [(batch, rows, _window(wide, use.number(3), use.number(1), 1, padding), depth)]


def _transpose_conv(use: Applied) -> Sequence[Shape]:
    shape = tuple(use.elements(0))
    filters, given = use.shape_of_rank(1, 4), use.shape_of_rank(2, 4)
    ensure(len(shape) == 4 and min(shape) > 0 and shape[0] == given[0])
    ensure(filters[0] == shape[3] and filters[3] == given[3])
    padding = use.number(0, 1)
    for axis, stride in ((1, use.number(2)), (2, use.number(1))):
        ensure(_window(shape[axis], filters[axis], stride, 1, padding) == given[axis])
    return [shape]


def _fully_connected(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    units, depth = use.shape_of_rank(1, 2)
    count = math.prod(shape)
    ensure(use.number(1, 1) == 0 and depth > 0 and count % depth == 0)
    _ensure_bias(use, units)
    if use.number(2, 1):
        ensure(bool(shape) and shape[-1] == depth)
        return [(*shape[:-1], units)]
    return [(count // depth, units)]


def _svdf(use: Applied) -> Sequence[Shape]:
    batch, depth = use.shape_of_rank(0, 2)
    filters, filter_depth = use.shape_of_rank(1, 2)
    time_filters, memory = use.shape_of_rank(2, 2)
    rank = use.number(0)
    ensure(rank > 0 and filters % rank == 0 and depth == filter_depth)
    ensure(time_filters == filters)
    if use.input_count > 4:
        ensure(use.shape(4) == (batch, memory * filters))
    return [(batch, filters // rank)]


def _sequence_lstm(use: Applied) -> Sequence[Shape]:
    first, second, _ = use.shape_of_rank(0, 3)
    return [(first, second, use.shape_of_rank(8, 2)[1])]


def _concatenation(use: Applied) -> Sequence[Shape]:
    shapes = [use.shape(item) for item in range(use.input_count)]
    axis = wrapped(use.number(0), len(shapes[0]))
    others = {(*shape[:axis], -1, *shape[axis + 1 :]) for shape in shapes}
    ensure(len(others) == 1 and len({len(shape) for shape in shapes}) == 1)
    size = sum(shape[axis] for shape in shapes)
    return [(*shapes[0][:axis], size, *shapes[0][axis + 1 :])]


def _pack(use: Applied) -> Sequence[Shape]:
    (shape,) = _all_alike(use)
    ensure(use.number(0) == use.input_count)
    axis = wrapped(use.number(1), len(shape) + 1)
    return [(*shape[:axis], use.input_count, *shape[axis:])]


def _unpack(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    axis = wrapped(use.number(1), len(shape))
    ensure(shape[axis] == use.output_count == use.number(0))
    return [(*shape[:axis], *shape[axis + 1 :])] * use.output_count


def _split(use: Applied) -> Sequence[Shape]:
    shape, count = use.shape(1), use.output_count
    axis = wrapped(use.element(0), len(shape))
    ensure(count > 0 and count == use.number(0) and shape[axis] % count == 0)
    return [(*shape[:axis], shape[axis] // count, *shape[axis + 1 :])] * count


def _split_v(use: Applied) -> Sequence[Shape]:
    shape, sizes = use.shape(0), list(use.elements(1))
    axis = wrapped(use.element(2), len(shape))
    ensure(len(sizes) == use.output_count and sizes.count(-1) <= 1)
    rest = shape[axis] - sum(size for size in sizes if size != -1)
    sizes = [rest if size == -1 else size for size in sizes]
    ensure(min(sizes, default=-1) >= 0 and sum(sizes) == shape[axis])
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _pad(use: Applied) -> Sequence[Shape]:
    shape, edges = use.shape(0), use.elements(1)
    ensure(len(edges) == 2 * len(shape) and min(edges, default=0) >= 0)
    return [
        tuple(edges[2 * at] + size + edges[2 * at + 1] for at, size in enumerate(shape)),
    ]


def _tile(use: Applied) -> Sequence[Shape]:
    shape, counts = use.shape(0), use.elements(1)
    ensure(len(counts) == len(shape) and min(counts, default=0) >= 0)
    return [tuple(size * count for size, count in zip(shape, counts, strict=True))]


def _transpose(use: Applied) -> Sequence[Shape]:
    shape = use.shape(0)
    order = [wrapped(axis, len(shape)) for axis in use.elements(1)]
    ensure(sorted(order) == list(range(len(shape))))
    return [tuple(shape[axis] for axis in order)]


def _slice(use: Applied) -> Sequence[Shape]:
    shape, begins, sizes = use.shape(0), use.elements(1), use.elements(2)
    ensure(len(begins) == len(sizes) == len(shape))
    result = []
    for full, begin, size in zip(shape, begins, sizes, strict=True):
        count = full - begin if size == -1 else size
        ensure(begin >= 0 and count >= 0 and begin + count <= full)
        result.append(count)
    return [tuple(result)]


def _strided_slice(use: Applied) -> Sequence[Shape]:
    shape, begins, ends, steps = use.shape(0), *(use.elements(at) for at in (1, 2, 3))
    begin_mask, end_mask, ellipsis, new_axis, shrink = (use.number(at) for at in range(5))
    ensure(not ellipsis and not new_axis)
    ensure(len(begins) == len(ends) == len(steps) <= len(shape))
    result = []
    for axis, size in enumerate(shape[: len(begins)]):
        bit, begin, end, step = 1 << axis, begins[axis], ends[axis], steps[axis]
        ensure(step != 0)
        if use.number(5, 1):
            end += begin
        if shrink & bit:
            wrapped(0 if begin_mask & bit else begin, size)
            continue
        part = slice(None if begin_mask & bit else begin, None if end_mask & bit else end, step)
        result.append(len(range(*part.indices(size))))
    return [(*result, *shape[len(begins) :])]


def _gather(use: Applied) -> Sequence[Shape]:
    shape, places = use.shape(0), use.shape(1)
    axis, batch = wrapped(use.number(0), len(shape)), use.number(1)
    batch = batch + len(places) if batch < 0 else batch
    ensure(0 <= batch <= min(axis, len(places)) and shape[:batch] == places[:batch])
    return [(*shape[:axis], *places[batch:], *shape[axis + 1 :])]


def _gather_nd(use: Applied) -> Sequence[Shape]:
    shape, places = use.shape(0), use.shape(1)
    ensure(len(shape) > 0 and len(places) > 0 and places[-1] <= len(shape))
    return [(*places[:-1], *shape[places[-1] :])]


def _embedding_lookup(use: Applied) -> Sequence[Shape]:
    (count,), shape = use.shape_of_rank(0, 1), use.shape(1)
    ensure(len(shape) >= 2)
    return [(count, *shape[1:])]


def _resize(use: Applied) -> Sequence[Shape]:
    batch, _, _, depth = use.shape_of_rank(0, 4)
    sizes = use.elements(1)
    ensure(len(sizes) == 2 and min(sizes) > 0)
    return [(batch, sizes[0], sizes[1], depth)]


def _space_to_batch(use: Applied) -> Sequence[Shape]:
    shape, blocks, edges = use.shape(0), use.elements(1), use.elements(2)
    ensure(len(shape) in (3, 4) and len(blocks) == len(shape) - 2)
    ensure(len(edges) == 2 * len(blocks) and min(blocks) > 0 and min(edges) >= 0)
    inner = []
    for at, block in enumerate(blocks):
        size = edges[2 * at] + shape[1 + at] + edges[2 * at + 1]
        ensure(size % block == 0)
        inner.append(size // block)
    return [(shape[0] * math.prod(blocks), *inner, shape[-1])]


def _batch_to_space(use: Applied) -> Sequence[Shape]:
    shape, blocks, edges = use.shape(0), use.elements(1), use.elements(2)
    ensure(len(shape) in (3, 4) and len(blocks) == len(shape) - 2)
    ensure(len(edges) == 2 * len(blocks) and min(blocks) > 0 and min(edges) >= 0)
    batch = math.prod(blocks)
    inner = [
        shape[1 + at] * block - edges[2 * at] - edges[2 * at + 1] for at, block in enumerate(blocks)
    ]
    ensure(shape[0] % batch == 0 and min(inner) > 0)
    return [(shape[0] // batch, *inner, shape[-1])]


def _space_to_depth(use: Applied) -> Sequence[Shape]:
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    block = use.number(0)
    ensure(block > 0 and high % block == 0 and wide % block == 0)
    return [(batch, high // block, wide // block, depth * block * block)]


def _depth_to_space(use: Applied) -> Sequence[Shape]:
    batch, high, wide, depth = use.shape_of_rank(0, 4)
    block = use.number(0)
    ensure(block > 0 and depth % (block * block) == 0)
    return [(batch, high * block, wide * block, depth // (block * block))]


def _batch_matmul(use: Applied) -> Sequence[Shape]:
    left, right = use.shape(0), use.shape(1)
    ensure(len(left) >= 2 and len(right) >= 2)
    rows, inner = left[-2:][::-1] if use.number(0, 1) else left[-2:]
    other, columns = right[-2:][::-1] if use.number(1, 1) else right[-2:]
    ensure(inner == other)
    return [(*broadcast([left[:-2], right[:-2]]), rows, columns)]


def _by_first(use: Applied) -> Sequence[Shape]:
    """The elements of the first input are the shape."""
    shape = tuple(use.elements(0))
    ensure(min(shape, default=0) >= 0)
    return [shape]


def _broadcast_to(use: Applied) -> Sequence[Shape]:
    shape = tuple(use.elements(1))
    ensure(broadcast([use.shape(0), shape]) == shape)
    return [shape]


def _range(use: Applied) -> Sequence[Shape]:
    first, end, step = (use.element(at) for at in range(3))
    ensure(step != 0)
    return [(max(0, -((first - end) // step)),)]


def _broadcast_args(use: Applied) -> Sequence[Shape]:
    (first,), (second,) = use.shape_of_rank(0, 1), use.shape_of_rank(1, 1)
    return [(max(first, second),)]


def _one_hot(use: Applied) -> Sequence[Shape]:
    shape, depth = use.shape(0), use.element(1)
    axis = use.number(0)
    axis = len(shape) if axis == -1 else axis
    ensure(0 <= axis <= len(shape) and depth >= 0)
    return [(*shape[:axis], depth, *shape[axis:])]


_LIKE_FIRST = """
    ABS CAST CEIL COS CUMSUM DEQUANTIZE DYNAMIC_UPDATE_SLICE ELU EXP FAKE_QUANT FLOOR GELU
    HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_NOT LOGISTIC
    LOG_SOFTMAX NEG QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 REVERSE_SEQUENCE REVERSE_V2 ROUND
    RSQRT SIGN SIN SOFTMAX SQRT SQUARE TANH ZEROS_LIKE
"""
_BROADCASTING = """
    ADD ATAN2 DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND
    LOGICAL_OR MAXIMUM MINIMUM MUL NOT_EQUAL POW SELECT_V2 SQUARED_DIFFERENCE SUB
"""
_REDUCTIONS = "MEAN REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD SUM"
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_LIKE_FIRST.split(), _like_first),
    **dict.fromkeys(_BROADCASTING.split(), _broadcasting),
    **dict.fromkeys(_REDUCTIONS.split(), _reduction),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), _argument),
    **dict.fromkeys(("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"), _pool_2d),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    "ADD_N": _all_alike,
    "BATCH_MATMUL": _batch_matmul,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "BROADCAST_ARGS": _broadcast_args,
    "BROADCAST_TO": _broadcast_to,
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _depth_to_space,
    "EMBEDDING_LOOKUP": _embedding_lookup,
    "EXPAND_DIMS": _expand_dims,
    "FILL": _by_first,
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "ONE_HOT": _one_hot,
    "PACK": _pack,
    "PRELU": _prelu,
    "RANGE": _range,
    "RANK": lambda _: [()],
    "RESHAPE": _reshape,
    "SELECT": _select,
    "SHAPE": lambda use: [(len(use.shape(0)),)],
    "SLICE": _slice,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "SVDF": _svdf,
    "TILE": _tile,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
    "UNPACK": _unpack,
}
"""Operator -> its rule."""

_OTHER_ELEMENTS = """
    ARG_MAX ARG_MIN CAST DEQUANTIZE EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND
    LOGICAL_NOT LOGICAL_OR NOT_EQUAL QUANTIZE RANK SHAPE
"""
ELEMENT_OF: Mapping[str, int] = {
    **dict.fromkeys(sorted(RULES.keys() - set(_OTHER_ELEMENTS.split())), 0),
    **dict.fromkeys(("EMBEDDING_LOOKUP", "FILL", "SELECT", "SELECT_V2", "SPLIT"), 1),
    "ONE_HOT": 2,
    "TRANSPOSE_CONV": 2,
}
"""Operator -> position of the input whose element type its results have, where one has."""


def derived_shapes(rule: Rule | None, use: Applied) -> tuple[Shape, ...]:
    """Return the shapes of an operator's results, in order, by its rule.

    Raises:
        UnknownShapeError: no rule for the operator, or it depends on unknown values.
        MalformedError: the table of its options is damaged.
    """
    if rule is None or use.input_count == 0:
        raise UnknownShapeError
    shapes = tuple(rule(use))
    ensure(len(shapes) == use.output_count)
    ensure(all(len(shape) <= _RANK_MAX for shape in shapes))
    ensure(all(0 <= size <= _SIZE_MAX for shape in shapes for size in shape))
    return shapes
