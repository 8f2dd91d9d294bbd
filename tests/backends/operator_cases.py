"""Random models of a single operator, for every operator that devices have a kernel for.

What a converter writes: the types, shapes and quantisation that TensorFlow Lite's specifications
ask of each operator, and of the options each that means something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tests.backends.operator_models import Array, Model, Tensor, constant

Rng = np.random.Generator
Make = Callable[[Rng, str], Model]

F, I8, U8, I16, I32, I64, B = "float32", "int8", "uint8", "int16", "int32", "int64", "bool"
QUANTISED = (I8, U8, I16)
ALL = (F, I8, U8, I16, I32, I64, B)
_ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
_SPECIAL = (0.0, -0.0, 0.5, -0.5, 1.5, 2.5, 6.0, -1.0, 1e-40, -1e-45, 1e30, -3e38)
_NOT_FINITE = (np.inf, -np.inf, np.nan)

Makers = dict[str, tuple[Make, tuple[str, ...]]]
MAKERS: Makers = {}


def registering(makers: Makers) -> Callable[..., Callable[[Callable[..., Model]], Any]]:
    """Return a decorator that enters what makes the models of some operators."""

    def names_and_types(names: str, types: Sequence[str] = ALL) -> Callable[..., Any]:
        def register(make: Callable[..., Model]) -> Callable[..., Model]:
            for name in names.split():
                makers[name] = (partial(make, name=name), tuple(types))
            return make

        return register

    return names_and_types


_for = registering(MAKERS)


def values(rng: Rng, tensor: Tensor) -> Array:
    """Return elements for a tensor: of every magnitude, for floats now and then not finite."""
    if tensor.dtype == F:
        data: Array = (rng.normal(0, 10.0 ** rng.integers(-3, 3), tensor.shape)).astype(np.float32)
        kind = rng.integers(0, 6)
        if kind < 2:
            special = _SPECIAL + (_NOT_FINITE if kind == 0 else ())
            mask = rng.random(tensor.shape) < 0.3
            data = np.where(mask, rng.choice(special, tensor.shape), data).astype(np.float32)
        elif kind == 2:
            data = np.rint(data * 2) / np.float32(2)
        return np.asarray(data, np.float32)
    if tensor.dtype == "float16":
        return rng.normal(0, 10, tensor.shape).astype(np.float16)
    if tensor.dtype == B:
        return rng.integers(0, 2, tensor.shape).astype(bool)
    info = np.iinfo(tensor.dtype)
    low, high = (info.min, info.max) if tensor.dtype in QUANTISED else (-100, 100)
    if rng.random() < 0.3:
        return rng.choice([low, high, 0, 1], tensor.shape).astype(tensor.dtype)
    return rng.integers(low, high + 1, tensor.shape).astype(tensor.dtype)


def option(kind: str, **fields: object) -> Any:
    options = getattr(schema, f"{kind}OptionsT")()
    for name, value in fields.items():
        assert hasattr(options, name), name
        setattr(options, name, value)
    return options


def activation_of(rng: Rng) -> tuple[str, int]:
    name = str(rng.choice(_ACTIVATIONS))
    return name, getattr(schema.ActivationFunctionType, name)


def scale_of(rng: Rng) -> float:
    return float(np.float32(10.0 ** rng.uniform(-3.0, 0.3)))


def _zero(rng: Rng, dtype: str) -> int:
    if dtype == I16:
        return 0
    info = np.iinfo(dtype)
    return int(
        rng.choice(
            [info.min, info.max, 0 if dtype == I8 else 128, int(rng.integers(info.min, info.max))]
        )
    )


def shape_of(rng: Rng, ranks: tuple[int, int] = (1, 4), most: int = 5) -> tuple[int, ...]:
    rank = int(rng.integers(ranks[0], ranks[1] + 1))
    return tuple(int(size) for size in rng.integers(1, most + 1, rank))


def like(rng: Rng, dtype: str, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
    """Return a tensor with a quantisation of its own, or that of another."""
    if dtype not in QUANTISED:
        return Tensor(dtype, shape)
    if like is not None:
        return Tensor(dtype, shape, scales=like.scales, zero_points=like.zero_points)
    return Tensor(dtype, shape, scales=(scale_of(rng),), zero_points=(_zero(rng, dtype),))


def index_of(*numbers: int) -> Tensor:
    return constant(np.array(numbers, np.int32))


def fixed(rng: Rng, tensor: Tensor) -> Tensor:
    """Return the tensor as a constant."""
    return Tensor(
        tensor.dtype, tensor.shape, values(rng, tensor), tensor.scales, tensor.zero_points
    )


@_for("ABS SIN COS LOG SQRT RSQRT SQUARE CEIL FLOOR ROUND NEG LOGICAL_NOT")
def _unary(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, shape)
    result = like(rng, dtype, shape)
    kinds = {"ABS": "Abs", "SQUARE": "Square", "NEG": "Neg", "COS": "Cos"}
    options = option(kinds[name]) if name in kinds else None
    return Model(name, (given,), (result,), options, facts={"rank": len(shape)})


@_for("RELU RELU6")
def _relu(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, shape)
    same = bool(rng.random() < 0.6)
    result = like(rng, dtype, shape, given if same else None)
    return Model(name, (given,), (result,), facts={"rank": len(shape), "same scales": same})


@_for("LOGISTIC TANH")
def _sigmoid(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, shape)
    bits = {I8: 8, U8: 8, I16: 16}.get(dtype, 0)
    scale = 2.0**-bits if name == "LOGISTIC" else 2.0 ** (1 - bits)
    zero = {I8: -128, U8: 0}.get(dtype, 0) if name == "LOGISTIC" else {I8: 0, U8: 128}.get(dtype, 0)
    if dtype == I16:
        scale = 2.0**-15
        given = Tensor(dtype, shape, scales=(scale_of(rng),), zero_points=(0,))
    result = Tensor(dtype, shape)
    if dtype in QUANTISED:
        result = Tensor(dtype, shape, scales=(scale,), zero_points=(zero,))
    scales = given.scales[0] if given.scales else None
    return Model(name, (given,), (result,), facts={"rank": len(shape), "scale": scales})


def broadcast_of(rng: Rng) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], str]:
    shape = shape_of(rng, (1, 4), 4)
    kind = str(rng.choice(["same", "same", "scalar", "ones", "lower rank"]))
    other: tuple[int, ...] = shape
    if kind == "scalar":
        other = tuple(1 for _ in range(int(rng.integers(0, len(shape) + 1))))
    elif kind == "ones":
        other = tuple(1 if rng.random() < 0.5 else size for size in shape)
    elif kind == "lower rank":
        other = shape[int(rng.integers(0, len(shape))) :]
    if other == shape:
        kind = "same"
    if rng.random() < 0.4:
        return other, shape, shape, kind
    return shape, other, shape, kind


def _two(rng: Rng, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, str]:
    """Make at most one of two inputs a constant."""
    which = rng.integers(0, 4)
    if which == 0:
        return first, fixed(rng, second), "second"
    if which == 1:
        return fixed(rng, first), second, "first"
    return first, second, "none"


@_for("ADD SUB MUL")
def _arithmetic(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    first, second, which = _two(rng, like(rng, dtype, one), like(rng, dtype, two))
    activation, number = activation_of(rng)
    if dtype not in (F, *QUANTISED):
        activation, number = "NONE", 0
    options = option(name.capitalize(), fusedActivationFunction=number)
    facts = {"rank": len(out), "broadcast": kind, "activation": activation, "constant": which}
    return Model(name, (first, second), (like(rng, dtype, out),), options, facts=facts)


@_for("MAXIMUM MINIMUM")
def _extreme(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    given = like(rng, dtype, one)
    first, second, which = _two(rng, given, like(rng, dtype, two, given))
    result = like(rng, dtype, out, given)
    facts = {"rank": len(out), "broadcast": kind, "constant": which}
    return Model(name, (first, second), (result,), option("MaximumMinimum"), facts=facts)


@_for("EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL")
def _compare(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    given = like(rng, dtype, one)
    same = bool(rng.random() < 0.5)
    other = like(rng, dtype, two, given if same else None)
    first, second, which = _two(rng, given, other)
    facts = {"rank": len(out), "broadcast": kind, "constant": which, "same scales": same}
    return Model(name, (first, second), (Tensor(B, out),), facts=facts)


@_for("LOGICAL_AND LOGICAL_OR", (B,))
def _logical(rng: Rng, dtype: str, name: str) -> Model:
    one, two, out, kind = broadcast_of(rng)
    facts = {"rank": len(out), "broadcast": kind}
    return Model(name, (Tensor(dtype, one), Tensor(dtype, two)), (Tensor(dtype, out),), facts=facts)


@_for("ARG_MAX ARG_MIN")
def _argument(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    given = like(rng, dtype, shape)
    out = tuple(size for i, size in enumerate(shape) if i != axis % len(shape))
    result = str(rng.choice([I32, I32, I64]))
    kind = "ArgMax" if name == "ARG_MAX" else "ArgMin"
    number = schema.TensorType.INT32 if result == I32 else schema.TensorType.INT64
    facts = {"rank": len(shape), "negative axis": axis < 0, "result": result}
    options = option(kind, outputType=number)
    return Model(name, (given, index_of(axis)), (Tensor(result, out),), options, facts=facts)


@_for("MEAN")
def _mean(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 5))
    count = int(rng.integers(1, len(shape) + 1))
    axes = sorted(int(axis) for axis in rng.choice(len(shape), count, replace=False))
    if rng.random() < 0.5:
        shape, axes = shape_of(rng, (4, 4), 7), [1, 2]
    negative = bool(rng.random() < 0.2)
    keep = bool(rng.random() < 0.5)
    given = like(rng, dtype, shape)
    same = bool(rng.random() < 0.5)
    if keep:
        out = tuple(1 if i in axes else size for i, size in enumerate(shape))
    else:
        out = tuple(size for i, size in enumerate(shape) if i not in axes)
    result = like(rng, dtype, out, given if same else None)
    written = [axis - len(shape) if negative else axis for axis in axes]
    facts = {
        "rank": len(shape),
        "axes": "1, 2 of 4" if (len(shape), axes) == (4, [1, 2]) else "other",
        "keep": keep,
        "same scales": same,
        "negative axis": negative,
    }
    version = 2 if dtype == I8 else 1
    inputs = (given, index_of(*written))
    return Model(name, inputs, (result,), option("Reducer", keepDims=keep), version, facts)


@_for("SOFTMAX")
def _softmax(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 4), 9)
    given = like(rng, dtype, shape)
    beta = float(rng.choice([1.0, 1.0, 0.5, 2.0]))
    wide = dtype == I8 and bool(rng.random() < 0.3)
    result = Tensor(dtype, shape)
    if wide:
        result = Tensor(I16, shape, scales=(1 / 65536,), zero_points=(-32768,))
    elif dtype in (I8, U8):
        result = Tensor(dtype, shape, scales=(1 / 256,), zero_points=(-128 if dtype == I8 else 0,))
    elif dtype == I16:
        result = Tensor(dtype, shape, scales=(1 / 32768,), zero_points=(0,))
    facts = {"rank": len(shape), "beta": beta, "result": result.dtype}
    return Model(name, (given,), (result,), option("Softmax", beta=beta), facts=facts)


@_for("L2_NORMALIZATION")
def _l2(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 4))
    given = like(rng, dtype, shape)
    result = like(rng, dtype, shape)
    if dtype in QUANTISED:
        result = Tensor(dtype, shape, scales=(1 / 128,), zero_points=(128 if dtype == U8 else 0,))
    options = option("L2Norm", fusedActivationFunction=0)
    return Model(name, (given,), (result,), options, facts={"rank": len(shape)})


@_for("CONCATENATION")
def _concatenation(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    same = dtype not in QUANTISED or bool(rng.random() < 0.7)
    first = like(rng, dtype, shape)
    given, total = [], 0
    for _ in range(int(rng.integers(1, 5))):
        size = int(rng.integers(1, 4))
        total += size
        part = tuple(size if i == axis % len(shape) else n for i, n in enumerate(shape))
        given.append(like(rng, dtype, part, first if same else None))
    out = tuple(total if i == axis % len(shape) else n for i, n in enumerate(shape))
    facts = {
        "rank": len(shape),
        "negative axis": axis < 0,
        "same scales": same,
        "inputs": len(given),
    }
    options = option("Concatenation", axis=axis, fusedActivationFunction=0)
    return Model(name, tuple(given), (like(rng, dtype, out, first),), options, facts=facts)


@_for("PACK")
def _pack(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (0, 4))
    count = int(rng.integers(1, 5))
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    place = axis % (len(shape) + 1)
    given = like(rng, dtype, shape)
    out = (*shape[:place], count, *shape[place:])
    options = option("Pack", axis=axis, valuesCount=count)
    facts = {"rank": len(shape), "negative axis": axis < 0}
    inputs = tuple(like(rng, dtype, shape, given) for _ in range(count))
    return Model(name, inputs, (like(rng, dtype, out, given),), options, facts=facts)


@_for("UNPACK")
def _unpack(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 4), 4)
    axis = int(rng.integers(-len(shape), len(shape)))
    count = shape[axis]
    given = like(rng, dtype, shape)
    out = tuple(n for i, n in enumerate(shape) if i != axis % len(shape))
    options = option("Unpack", axis=axis, num=count)
    facts = {"rank": len(shape), "negative axis": axis < 0}
    results = tuple(like(rng, dtype, out, given) for _ in range(count))
    return Model(name, (given,), results, options, facts=facts)


@_for("SPLIT")
def _split(rng: Rng, dtype: str, name: str) -> Model:
    shape = list(shape_of(rng, (1, 5), 4))
    axis = int(rng.integers(-len(shape), len(shape)))
    count = int(rng.integers(1, 4))
    part = tuple(shape)
    shape[axis] *= count
    given = like(rng, dtype, tuple(shape))
    facts = {"rank": len(shape), "negative axis": axis < 0}
    results = tuple(like(rng, dtype, part, given) for _ in range(count))
    options = option("Split", numSplits=count)
    return Model(name, (index_of(axis), given), results, options, facts=facts)


@_for("PAD PADV2")
def _pad(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 4), 4)
    pads = rng.integers(0, 3, (len(shape), 2)).astype(np.int32)
    given = like(rng, dtype, shape)
    out = tuple(int(n + sum(pad)) for n, pad in zip(shape, pads, strict=True))
    inputs: tuple[Tensor, ...] = (given, constant(pads))
    if name == "PADV2":
        inputs = (*inputs, fixed(rng, like(rng, dtype, (1,), given)))
    facts = {"rank": len(shape)}
    result = like(rng, dtype, out, given)
    return Model(
        name, inputs, (result,), option(name.capitalize().replace("v2", "V2")), facts=facts
    )


@_for("PRELU")
def _prelu(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 4))
    kind = str(rng.choice(["channels", "shared axes", "all"]))
    alpha = {"channels": shape[-1:], "shared axes": shape[1:], "all": shape}[kind]
    if kind == "shared axes":
        alpha = (*(1 for _ in alpha[:-1]), *alpha[-1:])
    slope = fixed(rng, like(rng, dtype, alpha))
    facts = {"rank": len(shape), "alpha": kind}
    result = like(rng, dtype, shape)
    return Model(name, (like(rng, dtype, shape), slope), (result,), facts=facts)


@_for("QUANTIZE", (F, I8, U8, I16, I32))
def _quantize(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    to = str(rng.choice([I8, U8, I16, I32] if dtype != F else [I8, U8, I16]))
    given = like(rng, dtype, shape)
    if dtype == I32:
        given = Tensor(I32, shape, scales=(scale_of(rng),), zero_points=(0,))
    result = like(rng, to, shape)
    if to == I32:
        result = Tensor(I32, shape, scales=(scale_of(rng),), zero_points=(0,))
    facts = {"rank": len(shape), "result": to}
    return Model(name, (given,), (result,), option("Quantize"), facts=facts)


@_for("DEQUANTIZE", (F, "float16", I8, U8, I16, I32))
def _dequantize(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    to = str(rng.choice([F, F, F, I32]))
    given = like(rng, dtype, shape)
    if dtype == I32:
        given = Tensor(I32, shape, scales=(scale_of(rng),), zero_points=(0,))
    result = Tensor(F, shape)
    if to == I32:
        result = Tensor(I32, shape, scales=(scale_of(rng),), zero_points=(0,))
    facts = {"rank": len(shape), "result": to}
    return Model(name, (given,), (result,), option("Dequantize"), facts=facts)


@_for("RESHAPE")
def _reshape(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng)
    given = like(rng, dtype, shape)
    size = int(np.prod(shape))
    out = (size,) if rng.random() < 0.5 else (1, *shape[::-1])
    where = str(rng.choice(["tensor", "options", "both"]))
    written = list(out)
    stretch = bool(rng.random() < 0.3)
    if stretch:
        written[int(rng.integers(0, len(out)))] = -1
    options = option("Reshape", newShape=written if where != "tensor" else None)
    inputs = (given, index_of(*written)) if where != "options" else (given,)
    facts = {"shape in": where, "stretch": stretch}
    return Model(name, inputs, (like(rng, dtype, out, given),), options, facts=facts)


@_for("RESIZE_NEAREST_NEIGHBOR")
def _resize(rng: Rng, dtype: str, name: str) -> Model:
    batch, height, width, depth = shape_of(rng, (4, 4), 6)
    given = like(rng, dtype, (batch, height, width, depth))
    high, wide = (int(n) for n in rng.integers(1, 12, 2))
    corners = bool(rng.random() < 0.3)
    half = bool(not corners and rng.random() < 0.3)
    options = option("ResizeNearestNeighbor", alignCorners=corners, halfPixelCenters=half)
    result = like(rng, dtype, (batch, high, wide, depth), given)
    facts = {"align corners": corners, "half pixel centers": half}
    return Model(name, (given, index_of(high, wide)), (result,), options, facts=facts)


@_for("STRIDED_SLICE")
def _strided_slice(rng: Rng, dtype: str, name: str) -> Model:
    shape = shape_of(rng, (1, 5), 6)
    begin, end, stride, out, shrink = [], [], [], [], 0
    masks = {"beginMask": 0, "endMask": 0}
    backwards = bool(rng.random() < 0.3)
    for i, n in enumerate(shape):
        first = int(rng.integers(0, n))
        last = int(rng.integers(first + 1, n + 1))
        step = int(rng.integers(1, 3))
        if rng.random() < 0.15 and i:
            shrink |= 1 << i
            begin.append(first)
            end.append(first + 1)
            stride.append(1)
            continue
        if rng.random() < 0.2:
            masks["beginMask"] |= 1 << i
            first = 0
        if rng.random() < 0.2:
            masks["endMask"] |= 1 << i
            last = n
        if backwards:
            begin.append(last - 1)
            end.append(first - 1 if first else -n - 1)
            stride.append(-step)
        else:
            begin.append(first)
            end.append(last)
            stride.append(step)
        if backwards and masks["beginMask"] >> i & 1:
            last = n
        if backwards and masks["endMask"] >> i & 1:
            first = 0
        out.append(len(range(first, last, step)))
    given = like(rng, dtype, shape)
    options = option("StridedSlice", shrinkAxisMask=shrink, newAxisMask=0, ellipsisMask=0, **masks)
    facts = {
        "rank": len(shape),
        "backwards": backwards,
        "shrinks": shrink != 0,
        "masks": any(masks.values()),
    }
    result = like(rng, dtype, tuple(out), given)
    inputs = (given, index_of(*begin), index_of(*end), index_of(*stride))
    return Model(name, inputs, (result,), options, facts=facts)


def padded(size: int, window: int, stride: int, dilation: int, padding: str) -> int:
    reach = (window - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else -(-(size - reach + 1) // stride)


@_for("AVERAGE_POOL_2D MAX_POOL_2D")
def _pool(rng: Rng, dtype: str, name: str) -> Model:
    batch, depth = (int(n) for n in rng.integers(1, 4, 2))
    height, width = (int(n) for n in rng.integers(4, 10, 2))
    window = [int(n) for n in rng.integers(1, 5, 2)]
    stride = [int(n) for n in rng.integers(1, 4, 2)]
    padding = str(rng.choice(["SAME", "VALID"]))
    activation, number = activation_of(rng)
    given = like(rng, dtype, (batch, height, width, depth))
    out = (
        batch,
        padded(height, window[0], stride[0], 1, padding),
        padded(width, window[1], stride[1], 1, padding),
        depth,
    )
    options = option(
        "Pool2D",
        padding=getattr(schema.Padding, padding),
        filterHeight=window[0],
        filterWidth=window[1],
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=number,
    )
    facts = {"padding": padding, "activation": activation}
    return Model(name, (given,), (like(rng, dtype, out, given),), options, facts=facts)


def weights_of(
    rng: Rng, dtype: str, shape: tuple[int, ...], axis: int, given: Tensor
) -> tuple[Tensor, Tensor, str]:
    """Return weights with a bias for each index of their axis, and what their scales are."""
    count = shape[axis]
    if dtype not in QUANTISED:
        return fixed(rng, Tensor(dtype, shape)), fixed(rng, Tensor(dtype, (count,))), "none"
    each = dtype != U8 and bool(rng.random() < 0.6)
    base = 10.0 ** rng.uniform(-4, -1)
    spread = rng.uniform(0.1, 10.0, count if each else 1) * base
    scales = tuple(float(np.float32(scale)) for scale in spread)
    kind = I8 if dtype == I16 else dtype
    zero = int(rng.integers(0, 256)) if dtype == U8 else 0
    weights = Tensor(kind, shape, None, scales, (zero,) * len(scales), axis if each else 0)
    data = values(rng, weights)
    if kind == I8:
        data = np.maximum(data, np.int8(-127))
    weights = Tensor(kind, shape, data, scales, weights.zero_points, weights.axis)
    numbers = rng.integers(-5000, 5000, count).astype(np.int64 if dtype == I16 else np.int32)
    products = tuple(float(np.float32(given.scales[0]) * np.float32(scale)) for scale in scales)
    bias = constant(numbers, scales=products, zero_points=(0,) * len(products))
    return weights, bias, "each" if each else "one"


def fitting(
    rng: Rng, dtype: str, shape: tuple[int, ...], inputs: Sequence[Tensor], terms: int
) -> Tensor:
    """Return an output whose scale holds a sum of so many products."""
    if dtype not in QUANTISED:
        return Tensor(dtype, shape)
    product = inputs[0].scales[0] * float(np.mean(inputs[1].scales)) * 60 * 60 * terms**0.5
    span = 40 if dtype != I16 else 10000
    scale = float(np.float32(product / span * 10.0 ** rng.uniform(-0.5, 0.5)))
    return Tensor(dtype, shape, scales=(scale,), zero_points=(_zero(rng, dtype),))


@_for("CONV_2D DEPTHWISE_CONV_2D")
def _convolution(rng: Rng, dtype: str, name: str) -> Model:
    batch, depth = int(rng.integers(1, 3)), int(rng.integers(1, 5))
    height, width = (int(n) for n in rng.integers(6, 12, 2))
    window = [int(n) for n in rng.integers(1, 4, 2)]
    stride = [int(n) for n in rng.integers(1, 3, 2)]
    dilated = bool(rng.random() < 0.3)
    dilation = [int(n) for n in rng.integers(1, 3, 2)] if dilated else [1, 1]
    if dilated:
        stride = [1, 1]
    padding = str(rng.choice(["SAME", "VALID"]))
    activation, number = activation_of(rng)
    given = like(rng, dtype, (batch, height, width, depth))
    common = {
        "padding": getattr(schema.Padding, padding),
        "strideH": stride[0],
        "strideW": stride[1],
        "dilationHFactor": dilation[0],
        "dilationWFactor": dilation[1],
        "fusedActivationFunction": number,
    }
    if name == "CONV_2D":
        channels, multiplier = int(rng.integers(1, 6)), 0
        shape, axis = (channels, *window, depth), 0
        options = option("Conv2D", **common)
    else:
        multiplier = int(rng.integers(1, 4))
        channels = depth * multiplier
        shape, axis = (1, *window, channels), 3
        options = option("DepthwiseConv2D", depthMultiplier=multiplier, **common)
    weights, bias, scales = weights_of(rng, dtype, shape, axis, given)
    out = (
        batch,
        padded(height, window[0], stride[0], dilation[0], padding),
        padded(width, window[1], stride[1], dilation[1], padding),
        channels,
    )
    has_bias = bool(rng.random() < 0.7)
    terms = window[0] * window[1] * (depth if name == "CONV_2D" else 1)
    result = fitting(rng, dtype, out, (given, weights), terms)
    facts = {
        "padding": padding,
        "activation": activation,
        "dilated": dilation != [1, 1],
        "scales": scales,
        "bias": has_bias,
        "channels": "one" if channels == 1 else "several",
    }
    inputs: tuple[Tensor | None, ...] = (given, weights, bias if has_bias else None)
    if name == "DEPTHWISE_CONV_2D" and not has_bias:  # a tensor that is left out ends the process
        inputs = (given, weights)
    return Model(name, inputs, (result,), options, 3 if dtype == I8 else 1, facts)


@_for("FULLY_CONNECTED")
def _dense(rng: Rng, dtype: str, name: str) -> Model:
    rows, columns = (int(n) for n in rng.integers(1, 17, 2))
    batch = int(rng.integers(1, 4))
    keep = bool(rng.random() < 0.25)
    lead = (batch, int(rng.integers(1, 4))) if keep else (batch,)
    given = like(rng, dtype, (*lead, columns))
    weights, bias, scales = weights_of(rng, dtype, (rows, columns), 0, given)
    has_bias = bool(rng.random() < 0.7)
    activation, number = activation_of(rng)
    result = fitting(rng, dtype, (*lead, rows), (given, weights), columns)
    options = option(
        "FullyConnected", fusedActivationFunction=number, keepNumDims=keep, weightsFormat=0
    )
    facts = {
        "activation": activation,
        "scales": scales,
        "bias": has_bias,
        "keep dims": keep,
        "rows": "one" if rows == 1 else "several",
    }
    inputs = (given, weights, bias if has_bias else None)
    return Model(name, inputs, (result,), options, 4 if dtype == I8 else 1, facts)


@_for("SVDF", (F, I8))
def _svdf(rng: Rng, dtype: str, name: str) -> Model:
    batch, size, units, rank, memory = (int(n) for n in rng.integers(1, 5, 5))
    filters = units * rank
    activation = str(rng.choice(["NONE", "RELU"]))
    number = getattr(schema.ActivationFunctionType, activation)
    has_bias = bool(rng.random() < 0.7)
    state = (batch, filters * memory)
    facts: dict[str, object] = {"activation": activation, "bias": has_bias, "rank": rank}
    options = option("SVDF", rank=rank, fusedActivationFunction=number)
    if dtype == F:
        inputs = (
            Tensor(F, (batch, size)),
            fixed(rng, Tensor(F, (filters, size))),
            fixed(rng, Tensor(F, (filters, memory))),
            fixed(rng, Tensor(F, (units,))) if has_bias else None,
            Tensor(F, state, is_variable=True),
        )
        return Model(name, inputs, (Tensor(F, (batch, units)),), options, facts=facts)
    one, two, three = (float(np.float32(10.0 ** rng.uniform(-2.5, -0.5))) for _ in range(3))
    kept = float(np.float32(10.0 ** rng.uniform(-4, -2)))
    features = rng.integers(-127, 128, (filters, size)).astype(np.int8)
    times = rng.integers(-3000, 3000, (filters, memory)).astype(np.int16)
    time = float(np.float32(10.0 ** rng.uniform(-5, -3)))
    inputs = (
        Tensor(I8, (batch, size), scales=(one,), zero_points=(_zero(rng, I8),)),
        constant(features, scales=(two,), zero_points=(0,)),
        constant(times, scales=(time,), zero_points=(0,)),
        constant(
            rng.integers(-500, 500, units).astype(np.int32), scales=(kept * time,), zero_points=(0,)
        )
        if has_bias
        else None,
        Tensor(I16, state, scales=(kept,), zero_points=(0,), is_variable=True),
    )
    result = Tensor(I8, (batch, units), scales=(three,), zero_points=(_zero(rng, I8),))
    return Model(name, inputs, (result,), options, facts=facts)
