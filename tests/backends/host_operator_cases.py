"""Random models of a single operator, for those that only the host's libraries have kernels for."""

from __future__ import annotations

from functools import partial

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tests.backends.operator_cases import (
    ALL,
    I8,
    I16,
    I32,
    I64,
    QUANTISED,
    U8,
    B,
    F,
    Makers,
    Rng,
    activation_of,
    broadcast_of,
    fitting,
    fixed,
    index_of,
    like,
    option,
    padded,
    registering,
    scale_of,
    shape_of,
    weights_of,
)
from tests.backends.operator_models import Model, Tensor, constant

HOST_MAKERS: Makers = {}
_for = registering(HOST_MAKERS)


@_for("ELU EXP HARD_SWISH LEAKY_RELU LOG_SOFTMAX ZEROS_LIKE")
def _unary(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, shape)
    result = like(rng, dtype, shape)
    if name == "LOG_SOFTMAX" and dtype in QUANTISED:
        zero = {I8: 127, I16: 32767}.get(dtype, 255)
        result = Tensor(dtype, shape, scales=(16 / 256,), zero_points=(zero,))
    if name == "ZEROS_LIKE":
        result = like(rng, dtype, shape, given)
    kinds = {"EXP": "Exp", "LEAKY_RELU": "LeakyRelu", "LOG_SOFTMAX": "LogSoftmax"}
    fields = {"alpha": float(rng.choice([0.1, 0.3, 1.5]))} if name == "LEAKY_RELU" else {}
    options = option(kinds[name], **fields) if name in kinds else None
    return Model(name, (given,), (result,), options, facts={"rank": len(shape)})


@_for("DIV FLOOR_DIV FLOOR_MOD SQUARED_DIFFERENCE")
def _binary(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    first, second = like(rng, dtype, one), like(rng, dtype, two)
    if name != "SQUARED_DIFFERENCE":
        # Divisors are constants: none of them is 0.
        made = fixed(rng, second)
        assert made.data is not None
        zero = made.zero_points[0] if made.zero_points else 0
        data = np.where(made.data == zero, np.asarray(zero + (1 if zero < 100 else -1)), made.data)
        data = data.astype(made.data.dtype)
        second = Tensor(dtype, two, data, made.scales, made.zero_points)
    activation, number = activation_of(rng) if name == "DIV" and dtype != I32 else ("NONE", 0)
    options = option("Div", fusedActivationFunction=number) if name == "DIV" else None
    facts = {"rank": len(out), "broadcast": kind, "activation": activation}
    return Model(name, (first, second), (like(rng, dtype, out),), options, facts=facts)


@_for("ADD_N", (F, I8, I32))
def _add_n(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = tuple(like(rng, dtype, shape) for _ in range(int(rng.integers(2, 5))))
    return Model(name, given, (like(rng, dtype, shape),), facts={"inputs": len(given)})


@_for("SUM REDUCE_MAX REDUCE_MIN REDUCE_ALL")
def _reduce(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    count = int(rng.integers(1, len(shape) + 1))
    axes = sorted(int(axis) for axis in rng.choice(len(shape), count, replace=False))
    keep = bool(rng.random() < 0.5)
    given = like(rng, dtype, shape)
    same = name != "SUM" or bool(rng.random() < 0.5)
    if keep:
        out = tuple(1 if i in axes else size for i, size in enumerate(shape))
    else:
        out = tuple(size for i, size in enumerate(shape) if i not in axes)
    result = like(rng, dtype, out, given if same else None)
    facts = {"rank": len(shape), "keep": keep, "same scales": same}
    options = option("Reducer", keepDims=keep)
    return Model(name, (given, index_of(*axes)), (result,), options, facts=facts)


@_for("BATCH_MATMUL", (F, I8, U8, I16, I32))
def _matmul(rng: Rng, dtype: str, name: str) -> Model:
    rows, inner, columns = (int(n) for n in rng.integers(1, 6, 3))
    batch = shape_of(rng, (0, 2), 3)
    flip_one, flip_two = (bool(rng.random() < 0.4) for _ in range(2))
    one = (*batch, *((inner, rows) if flip_one else (rows, inner)))
    shared = bool(rng.random() < 0.4)
    two = (*(() if shared else batch), *((columns, inner) if flip_two else (inner, columns)))
    first, second = like(rng, dtype, one), like(rng, dtype, two)
    is_constant = bool(rng.random() < 0.5)
    result = fitting(rng, dtype, (*batch, rows, columns), (first, second), inner)
    facts = {"adj x": flip_one, "adj y": flip_two, "constant": is_constant, "shared": shared}
    options = option("BatchMatMul", adjX=flip_one, adjY=flip_two)
    inputs = (first, fixed(rng, second) if is_constant else second)
    return Model(name, inputs, (result,), options, facts=facts)


@_for("SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND")
def _batches(rng: Rng, dtype: str, name: str) -> Model:
    block = [int(n) for n in rng.integers(1, 4, 2)]
    size = [int(n) for n in rng.integers(1, 5, 2)]
    depth, batch = (int(n) for n in rng.integers(1, 4, 2))
    flat = (batch * block[0] * block[1], *size, depth)
    whole = [size[0] * block[0], size[1] * block[1]]
    edges = np.zeros((2, 2), np.int32)
    is_padded = bool(rng.random() < 0.6)
    if is_padded:
        for axis in range(2):
            room = int(rng.integers(0, whole[axis]))
            edges[axis, 0] = int(rng.integers(0, room + 1))
            edges[axis, 1] = room - edges[axis, 0]
    spread = (batch, *(whole[axis] - int(edges[axis].sum()) for axis in range(2)), depth)
    given, out = (spread, flat) if name == "SPACE_TO_BATCH_ND" else (flat, spread)
    taken = like(rng, dtype, given)
    facts = {"padded": bool(edges.any()), "zero point": taken.zero_points}
    kind = "SpaceToBatchND" if name == "SPACE_TO_BATCH_ND" else "BatchToSpaceND"
    inputs = (taken, index_of(*block), constant(edges))
    return Model(name, inputs, (like(rng, dtype, out, taken),), option(kind), facts=facts)


@_for("SPACE_TO_DEPTH DEPTH_TO_SPACE")
def _depth(rng: Rng, dtype: str, name: str) -> Model:
    block = int(rng.integers(1, 4))
    batch, height, width, depth = (int(n) for n in rng.integers(1, 4, 4))
    wide = (batch, height * block, width * block, depth)
    deep = (batch, height, width, depth * block * block)
    given, out = (wide, deep) if name == "SPACE_TO_DEPTH" else (deep, wide)
    taken = like(rng, dtype, given)
    kind = "SpaceToDepth" if name == "SPACE_TO_DEPTH" else "DepthToSpace"
    options = option(kind, blockSize=block)
    return Model(name, (taken,), (like(rng, dtype, out, taken),), options, facts={"block": block})


@_for("BROADCAST_TO")
def _broadcast_to(rng: Rng, dtype: str, name: str) -> Model:
    out = shape_of(rng)
    given = tuple(1 if rng.random() < 0.5 else size for size in out)
    given = given[int(rng.integers(0, len(given))) :]
    taken = like(rng, dtype, given)
    result = like(rng, dtype, out, taken)
    return Model(name, (taken, index_of(*out)), (result,), option("BroadcastTo"))


@_for("BROADCAST_ARGS", (I32, I64))
def _broadcast_args(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, _ = broadcast_of(rng)
    made = [constant(np.array(shape, dtype)) for shape in (one, two) if shape]
    inputs = (*made, Tensor(dtype, (0,)))[:2]
    given = Tensor(dtype, inputs[0].shape)
    return Model(name, (given, inputs[1]), (Tensor(dtype, (len(out),)),))


@_for("CAST")
def _cast(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    to = str(rng.choice(ALL))
    numbers = [getattr(schema.TensorType, kind.upper()) for kind in (dtype, to)]
    options = option("Cast", inDataType=numbers[0], outDataType=numbers[1])
    return Model(name, (Tensor(dtype, shape),), (Tensor(to, shape),), options, facts={"to": to})


@_for("CUMSUM", (F, I8, I32, I64))
def _cumsum(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    exclusive, reverse = (bool(rng.random() < 0.5) for _ in range(2))
    options = option("Cumsum", exclusive=exclusive, reverse=reverse)
    inputs = (like(rng, dtype, shape), index_of(axis))
    facts = {"exclusive": exclusive, "reverse": reverse}
    return Model(name, inputs, (like(rng, dtype, shape),), options, facts=facts)


@_for("DYNAMIC_UPDATE_SLICE")
def _update(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    part = tuple(int(rng.integers(1, size + 1)) for size in shape)
    start = [int(rng.integers(0, size - n + 1)) for size, n in zip(shape, part, strict=True)]
    given = like(rng, dtype, shape)
    inputs = (given, like(rng, dtype, part, given), index_of(*start))
    result = like(rng, dtype, shape, given)
    return Model(name, inputs, (result,), option("DynamicUpdateSlice"))


@_for("EMBEDDING_LOOKUP", (F, I8))
def _embedding(rng: Rng, dtype: str, name: str) -> Model:
    rows, columns, count = (int(n) for n in rng.integers(1, 6, 3))
    table = fixed(rng, like(rng, dtype, (rows, columns)))
    wanted = index_of(*(int(n) for n in rng.integers(0, rows, count)))
    given = Tensor(F, (1,))
    del given
    result = Tensor(F, (count, columns))
    return Model(name, (wanted, table), (result,))


@_for("EXPAND_DIMS")
def _expand(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    place = axis % (len(shape) + 1)
    given = like(rng, dtype, shape)
    out = (*shape[:place], 1, *shape[place:])
    result = like(rng, dtype, out, given)
    return Model(name, (given, index_of(axis)), (result,), option("ExpandDims"))


@_for("FILL")
def _fill(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, ())
    inputs = (index_of(*shape), given)
    return Model(name, inputs, (like(rng, dtype, shape, given),), option("Fill"))


@_for("GATHER")
def _gather(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    place = axis % len(shape)
    count = int(rng.integers(1, 5))
    wanted = index_of(*(int(n) for n in rng.integers(0, shape[place], count)))
    given = like(rng, dtype, shape)
    out = (*shape[:place], count, *shape[place + 1 :])
    options = option("Gather", axis=axis)
    facts = {"negative axis": axis < 0}
    return Model(name, (given, wanted), (like(rng, dtype, out, given),), options, facts=facts)


@_for("GATHER_ND")
def _gather_nd(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    depth = int(rng.integers(1, len(shape) + 1))
    count = int(rng.integers(1, 5))
    wanted = np.stack([rng.integers(0, shape[axis], count) for axis in range(depth)], axis=-1)
    given = like(rng, dtype, shape)
    out = (count, *shape[depth:])
    inputs = (given, constant(wanted.astype(np.int32)))
    return Model(name, inputs, (like(rng, dtype, out, given),), option("GatherNd"))


@_for("L2_POOL_2D", (F, I8, U8))
def _l2_pool(rng: Rng, dtype: str, name: str) -> Model:
    batch, depth = (int(n) for n in rng.integers(1, 4, 2))
    height, width = (int(n) for n in rng.integers(4, 8, 2))
    window = [int(n) for n in rng.integers(1, 4, 2)]
    stride = [int(n) for n in rng.integers(1, 3, 2)]
    padding = str(rng.choice(["SAME", "VALID"]))
    activation, number = activation_of(rng)
    given = like(rng, dtype, (batch, height, width, depth))
    high = padded(height, window[0], stride[0], 1, padding)
    wide = padded(width, window[1], stride[1], 1, padding)
    options = option(
        "Pool2D",
        padding=getattr(schema.Padding, padding),
        filterHeight=window[0],
        filterWidth=window[1],
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=number,
    )
    result = like(rng, dtype, (batch, high, wide, depth), given)
    facts = {"padding": padding, "activation": activation}
    return Model(name, (given,), (result,), options, facts=facts)


@_for("MIRROR_PAD")
def _mirror(rng: Rng, dtype: str, name: str) -> Model:
    shape = tuple(size + 2 for size in shape_of(rng))
    pads = rng.integers(0, 3, (len(shape), 2)).astype(np.int32)
    mode = int(rng.integers(0, 2))
    given = like(rng, dtype, shape)
    out = tuple(int(n + sum(pad)) for n, pad in zip(shape, pads, strict=True))
    facts = {"mode": "symmetric" if mode else "reflect", "rank": len(shape)}
    options = option("MirrorPad", mode=mode)
    result = like(rng, dtype, out, given)
    return Model(name, (given, constant(pads)), (result,), options, facts=facts)


@_for("RESIZE_BILINEAR", (F, I8, U8, I16))
def _bilinear(rng: Rng, dtype: str, name: str) -> Model:
    batch, height, width, depth = shape_of(rng, (4, 4), 6)
    given = like(rng, dtype, (batch, height, width, depth))
    high, wide = (int(n) for n in rng.integers(1, 12, 2))
    corners = bool(rng.random() < 0.3)
    half = bool(not corners and rng.random() < 0.4)
    options = option("ResizeBilinear", alignCorners=corners, halfPixelCenters=half)
    result = like(rng, dtype, (batch, high, wide, depth), given)
    facts = {"align corners": corners, "half pixel centers": half}
    return Model(name, (given, index_of(high, wide)), (result,), options, 3, facts)


@_for("REVERSE_V2")
def _reverse(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    given = like(rng, dtype, shape)
    result = like(rng, dtype, shape, given)
    facts = {"negative axis": axis < 0}
    return Model(name, (given, index_of(axis)), (result,), option("ReverseV2"), facts=facts)


@_for("SELECT_V2")
def _select(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    which = Tensor(B, out if rng.random() < 0.5 else tuple(1 for _ in out))
    given = like(rng, dtype, one)
    inputs = (which, given, like(rng, dtype, two, given))
    facts = {"broadcast": kind}
    result = like(rng, dtype, out, given)
    return Model(name, inputs, (result,), option("SelectV2"), facts=facts)


@_for("SHAPE")
def _shape(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    options = option("Shape", outType=schema.TensorType.INT32)
    return Model(name, (like(rng, dtype, shape),), (Tensor(I32, (len(shape),)),), options)


@_for("SLICE")
def _slice(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    begin = [int(rng.integers(0, size)) for size in shape]
    out = [int(rng.integers(1, n - b + 1)) for n, b in zip(shape, begin, strict=True)]
    written = [
        -1 if b + k == n and rng.random() < 0.5 else k
        for n, b, k in zip(shape, begin, out, strict=True)
    ]
    given = like(rng, dtype, shape)
    inputs = (given, index_of(*begin), index_of(*written))
    result = like(rng, dtype, tuple(out), given)
    return Model(name, inputs, (result,), option("Slice"), facts={"rank": len(shape)})


@_for("SPLIT_V")
def _split_v(rng: Rng, dtype: str, name: str) -> Model:
    shape = list(shape_of(rng))
    axis = int(rng.integers(-len(shape), len(shape)))
    sizes = [int(n) for n in rng.integers(1, 4, int(rng.integers(1, 4)))]
    shape[axis] = sum(sizes)
    given = like(rng, dtype, tuple(shape))
    parts = []
    for size in sizes:
        shape[axis] = size
        parts.append(like(rng, dtype, tuple(shape), given))
    written = list(sizes)
    stretch = bool(rng.random() < 0.3)
    if stretch:
        written[-1] = -1
    options = option("SplitV", numSplits=len(sizes))
    facts = {"negative axis": axis < 0, "stretch": stretch}
    inputs = (given, index_of(*written), index_of(axis))
    return Model(name, inputs, tuple(parts), options, facts=facts)


@_for("SQUEEZE")
def _squeeze(rng: Rng, dtype: str, name: str) -> Model:
    shape = tuple(1 if rng.random() < 0.4 else size for size in shape_of(rng))
    ones = [i for i, size in enumerate(shape) if size == 1]
    every = bool(rng.random() < 0.5)
    chosen = ones if every else ones[:1]
    out = tuple(size for i, size in enumerate(shape) if i not in chosen)
    given = like(rng, dtype, shape)
    options = option("Squeeze", squeezeDims=[] if every else chosen)
    return Model(name, (given,), (like(rng, dtype, out, given),), options)


@_for("TRANSPOSE")
def _transpose(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 5))
    order = [int(n) for n in rng.permutation(len(shape))]
    given = like(rng, dtype, shape)
    result = like(rng, dtype, tuple(shape[n] for n in order), given)
    facts = {"rank": len(shape)}
    return Model(name, (given, index_of(*order)), (result,), option("Transpose"), facts=facts)


@_for("TRANSPOSE_CONV", (F, I8, U8, I16))
def _transpose_conv(rng: Rng, dtype: str, name: str) -> Model:
    batch, depth, channels = (int(n) for n in rng.integers(1, 4, 3))
    height, width = (int(n) for n in rng.integers(2, 6, 2))
    window = [int(n) for n in rng.integers(1, 4, 2)]
    stride = [int(n) for n in rng.integers(1, 3, 2)]
    padding = str(rng.choice(["SAME", "VALID"]))
    activation, number = activation_of(rng)
    given = like(rng, dtype, (batch, height, width, depth))
    weights, bias, scales = weights_of(rng, dtype, (channels, *window, depth), 0, given)
    out = tuple(
        size * step if padding == "SAME" else (size - 1) * step + reach
        for size, step, reach in zip((height, width), stride, window, strict=True)
    )
    has_bias = bool(rng.random() < 0.6)
    result = fitting(rng, dtype, (batch, *out, channels), (given, weights), depth)
    options = option(
        "TransposeConv",
        padding=getattr(schema.Padding, padding),
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=number,
    )
    facts = {
        "padding": padding,
        "activation": activation,
        "bias": has_bias,
        "scales": scales,
        "overlap": any(reach > step for reach, step in zip(window, stride, strict=True)),
    }
    inputs: tuple[Tensor, ...] = (index_of(batch, *out, channels), weights, given)
    if has_bias:
        inputs = (*inputs, bias)
    return Model(name, inputs, (result,), options, 4, facts)


@_for("UNIDIRECTIONAL_SEQUENCE_LSTM", (F, I8))
def _lstm(rng: Rng, dtype: str, name: str) -> Model:
    batch, steps, size, cells = (int(n) for n in rng.integers(1, 4, 4))
    time_major = bool(rng.random() < 0.3)
    lead = (steps, batch) if time_major else (batch, steps)
    is_float = dtype == F
    weight = partial(_lstm_weight, rng, is_float)
    given = Tensor(F, (*lead, size)) if is_float else like(rng, dtype, (*lead, size))
    hidden = Tensor(F, (*lead, cells))
    state = Tensor(F, (batch, cells), is_variable=True)
    cell = state
    if not is_float:
        zero = int(rng.integers(-20, 20))
        quantised = {"scales": (1 / 128,), "zero_points": (zero,)}
        hidden = Tensor(I8, (*lead, cells), **quantised)  # type: ignore[arg-type]
        state = Tensor(I8, (batch, cells), is_variable=True, **quantised)  # type: ignore[arg-type]
        cell = Tensor(I16, (batch, cells), scales=(2.0**-11,), zero_points=(0,), is_variable=True)
    inputs: list[Tensor | None] = [given]
    inputs += [weight((cells, size)) for _ in range(4)]
    inputs += [weight((cells, cells)) for _ in range(4)]
    inputs += [None, None, None]
    scale = given.scales[0] if given.scales else 1.0
    for index in range(4):
        source = inputs[1 + index]
        assert source is not None
        data = rng.normal(0, 0.3, cells).astype(np.float32)
        if is_float:
            inputs.append(constant(data))
        else:
            product = scale * source.scales[0]
            numbers = np.rint(data / product).astype(np.int32)
            inputs.append(constant(numbers, scales=(product,), zero_points=(0,)))
    inputs += [None, None, state, cell, None, None, None, None]
    options = option(
        "UnidirectionalSequenceLSTM",
        fusedActivationFunction=schema.ActivationFunctionType.TANH,
        cellClip=0.0,
        projClip=0.0,
        timeMajor=time_major,
        asymmetricQuantizeInputs=False,
    )
    facts = {"time major": time_major, "steps": steps, "batch": batch}
    between = Tensor(F, (0,))
    last = Tensor(I8, (0,), scales=hidden.scales, zero_points=hidden.zero_points)
    intermediates = () if is_float else (between, between, between, between, last)
    return Model(name, tuple(inputs), (hidden,), options, 1, facts, intermediates)


def _lstm_weight(rng: Rng, is_float: bool, shape: tuple[int, ...]) -> Tensor:
    data = rng.normal(0, 0.4, shape).astype(np.float32)
    if is_float:
        return constant(data)
    scale = float(np.abs(data).max()) / 127
    return constant(np.rint(data / scale).astype(np.int8), scales=(scale,), zero_points=(0,))


__all__ = ["HOST_MAKERS", "scale_of"]
