"""Arena size of TensorFlow Lite Micro for a model on a 32-bit device.

The device runs the TensorFlow Lite Micro of July 2020. Its allocator is simple enough to be
replayed: persistent data is allocated downwards from the arena's tail, in a fixed order, and the
activations are at its head, placed by the greedy planner. While it plans, the planner's tables
are between the two; for small models they, not the activations, decide the size.
docs/arena.md describes the algorithm and compares the result with the library.

Sizes below are those of a 32-bit target with enumerations of four bytes. A compiler that makes
enumerations shorter (arm-none-eabi-gcc does) needs less: every allocation is rounded down to
its alignment, so smaller pieces never end lower.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec

from runec.models.tflite import GraphOperator, ModelGraph
from runec.values import ElementType

_BUFFER_ALIGNMENT = 16
_WORD = 4

_ALLOCATOR_BYTES = 20  # SimpleMemoryAllocator
_TENSOR_BYTES = 64  # TfLiteTensor
_QUANTIZATION_BYTES = 12  # TfLiteAffineQuantization
_NODE_BYTES = 40  # NodeAndRegistration
_SCRATCH_HANDLE_BYTES = 12  # ScratchBufferHandle
_ALLOCATION_INFO_BYTES = 20  # AllocationInfo, while planning
_PLANNED_BUFFER_BYTES = 36  # GreedyMemoryPlanner::per_buffer_size(), while planning

# sizeof the parameters that ParseOpData() allocates; an operator without parameters is absent.
_PARAMETER_BYTES = {
    "ADD": 4,
    "ARG_MAX": 4,
    "ARG_MIN": 4,
    "AVERAGE_POOL_2D": 40,
    "BATCH_MATMUL": 4,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 16,
    "BIDIRECTIONAL_SEQUENCE_RNN": 12,
    "CAST": 8,
    "CONCATENATION": 8,
    "CONV_2D": 24,
    "DEPTHWISE_CONV_2D": 28,
    "DEPTH_TO_SPACE": 4,
    "DIV": 4,
    "EMBEDDING_LOOKUP_SPARSE": 4,
    "FAKE_QUANT": 16,
    "FULLY_CONNECTED": 12,
    "GATHER": 4,
    "IF": 8,
    "L2_NORMALIZATION": 4,
    "L2_POOL_2D": 40,
    "LEAKY_RELU": 4,
    "LOCAL_RESPONSE_NORMALIZATION": 16,
    "LSH_PROJECTION": 4,
    "LSTM": 20,
    "MAX_POOL_2D": 40,
    "MEAN": 4,
    "MIRROR_PAD": 4,
    "MUL": 4,
    "ONE_HOT": 4,
    "PACK": 8,
    "REDUCE_ANY": 4,
    "REDUCE_MAX": 4,
    "REDUCE_MIN": 4,
    "REDUCE_PROD": 4,
    "RESHAPE": 36,
    "RESIZE_BILINEAR": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "REVERSE_SEQUENCE": 8,
    "RNN": 8,
    "SHAPE": 4,
    "SKIP_GRAM": 12,
    "SOFTMAX": 4,
    "SPACE_TO_DEPTH": 4,
    "SPARSE_TO_DENSE": 4,
    "SPLIT": 4,
    "SPLIT_V": 4,
    "SQUEEZE": 36,
    "STRIDED_SLICE": 20,
    "SUB": 4,
    "SUM": 4,
    "SVDF": 12,
    "TRANSPOSE_CONV": 12,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 16,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 12,
    "UNIQUE": 4,
    "UNPACK": 8,
    "WHILE": 8,
}

# sizeof(OpData) of the kernels that allocate persistent memory in Init().
_STATE_BYTES = {
    "CONV_2D": 40,
    "DEPTHWISE_CONV_2D": 40,
    "DEQUANTIZE": 8,
    "FULLY_CONNECTED": 20,
    "QUANTIZE": 8,
    "SVDF": 24,
}


class _Tail:
    """The arena's tail: positions counted down from an end that is a multiple of 16."""

    def __init__(self) -> None:
        self._position = 0

    def take(self, size: int, alignment: int) -> None:
        self._position = (self._position - size) // alignment * alignment

    @property
    def used(self) -> int:
        return -self._position


class _Buffer(msgspec.Struct, frozen=True):
    """A piece of the head: bytes, and the first and last operator that needs it."""

    size: int
    first: int
    last: int


def _round_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _plan(buffers: Sequence[_Buffer]) -> int:
    """Return the height of the greedy plan: larger buffers first, each in the lowest gap."""
    placed: list[tuple[int, _Buffer]] = []  # by offset
    height = 0
    for buffer in sorted(buffers, key=lambda item: -item.size):
        offset = 0
        for start, other in placed:
            if other.first > buffer.last or buffer.first > other.last:
                continue
            if start - offset >= buffer.size:
                break
            offset = max(offset, start + other.size)
        index = next((i for i, (start, _) in enumerate(placed) if start > offset), len(placed))
        placed.insert(index, (offset, buffer))
        height = max(height, offset + buffer.size)
    return height


def _unread(graph: ModelGraph) -> set[int]:
    """Return the tensors that nothing reads: they share a place behind the library's arena."""
    read = {index for operator in graph.operators for index in operator.inputs}
    read.update(graph.outputs)
    return {
        index
        for index, tensor in enumerate(graph.tensors)
        if index not in read and not tensor.is_constant and not tensor.is_variable
    }


def _activations(graph: ModelGraph, unread: Container[int]) -> list[_Buffer]:
    first = [-1] * len(graph.tensors)
    last = [-1] * len(graph.tensors)
    for tensor in graph.inputs:
        first[tensor] = 0
    for tensor in graph.outputs:
        last[tensor] = len(graph.operators) - 1
    for index, operator in enumerate(graph.operators):
        for tensor in operator.inputs:
            if tensor >= 0:
                last[tensor] = max(last[tensor], index)
        for tensor in operator.outputs:
            if tensor >= 0 and first[tensor] < 0:
                first[tensor] = index
    return [
        _Buffer(_round_up(tensor.size_bytes, _BUFFER_ALIGNMENT), begin, end)
        for index, (tensor, begin, end) in enumerate(zip(graph.tensors, first, last, strict=True))
        if begin >= 0 and index not in unread and not tensor.is_constant and not tensor.is_variable
    ]


def _dimension(graph: ModelGraph, tensors: tuple[int, ...], position: int, axis: int) -> int:
    """Return one dimension of an operator's tensor; 0 if it does not exist."""
    if position < len(tensors) and tensors[position] >= 0:
        shape = graph.tensors[tensors[position]].shape
        if -len(shape) <= axis < len(shape):
            return shape[axis]
    return 0


def _prepare(graph: ModelGraph, operator: GraphOperator, tail: _Tail) -> list[int]:
    """Take what Prepare() of a kernel takes; return the sizes of its scratch buffers."""
    if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        axis = 0 if operator.name == "CONV_2D" else 3
        channels = _dimension(graph, operator.inputs, 1, axis)
        tail.take(channels * _WORD, _BUFFER_ALIGNMENT)
        tail.take(channels * _WORD, _BUFFER_ALIGNMENT)
    if operator.name == "FULLY_CONNECTED":
        # Our own kernel: a factor of two words for each row of weights that have a scale each.
        weights = operator.inputs[1] if len(operator.inputs) > 1 else -1
        scales = len(graph.tensors[weights].scales) if weights >= 0 else 0
        if scales > 1:
            tail.take(2 * scales * _WORD, _BUFFER_ALIGNMENT)
    if operator.name == "SVDF":
        batches = _dimension(graph, operator.inputs, 0, 0)
        scratch = [batches * _dimension(graph, operator.inputs, 1, 0) * _WORD]
        is_quantized = any(
            index >= 0 and graph.tensors[index].element is ElementType.I8
            for index in operator.inputs[:1]
        )
        if is_quantized:
            scratch.append(batches * _dimension(graph, operator.outputs, 0, -1) * _WORD)
        for _ in scratch:
            tail.take(_SCRATCH_HANDLE_BYTES, _WORD)
        return scratch
    return []


def measure_arena(graph: ModelGraph) -> int:
    """Return the arena bytes a model needs at most on a 32-bit device: `ModelFile.arena_bytes`."""
    tail = _Tail()
    tail.take(_ALLOCATOR_BYTES, _WORD)
    tail.take(_TENSOR_BYTES * len(graph.tensors), _WORD)
    for tensor in graph.tensors:
        if tensor.scales and tensor.zero_points:
            tail.take(_QUANTIZATION_BYTES, _WORD)
            tail.take(_WORD + _WORD * len(tensor.scales), _WORD)
            tail.take(_WORD + _WORD * len(tensor.scales), _WORD)
    tail.take(_NODE_BYTES * len(graph.operators), _WORD)
    for operator in graph.operators:
        tail.take(_PARAMETER_BYTES.get(operator.name, 0), _WORD)
    for operator in graph.operators:
        if operator.name in _STATE_BYTES:
            tail.take(_STATE_BYTES[operator.name], _BUFFER_ALIGNMENT)
    scratch = [
        _Buffer(_round_up(size, _BUFFER_ALIGNMENT), index, index)
        for index, operator in enumerate(graph.operators)
        for size in _prepare(graph, operator, tail)
    ]
    # The library keeps its scratch buffers in reverse, which decides between equal sizes.
    unread = _unread(graph)
    buffers = [*_activations(graph, unread), *reversed(scratch)]
    planning = tail.used + _ALLOCATION_INFO_BYTES * (len(graph.tensors) + len(scratch))
    planning += _PLANNED_BUFFER_BYTES * len(buffers)
    for tensor in graph.tensors:
        if tensor.is_variable:
            tail.take(tensor.size_bytes, _BUFFER_ALIGNMENT)
    shared = max((graph.tensors[index].size_bytes for index in unread), default=0)
    arena = _round_up(max(planning, tail.used + _plan(buffers)), _BUFFER_ALIGNMENT)
    return arena + _round_up(shared, _BUFFER_ALIGNMENT)
