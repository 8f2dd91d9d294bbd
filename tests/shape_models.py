"""Small .tflite files, written through the schema's own object interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from flatbuffers import flexbuffers
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_KINDS = {
    "f4": schema.TensorType.FLOAT32,
    "i4": schema.TensorType.INT32,
    "i8": schema.TensorType.INT64,
    "i1": schema.TensorType.INT8,
    "b1": schema.TensorType.BOOL,
    "i2": schema.TensorType.INT16,
    "u4": schema.TensorType.UINT32,
    "u8": schema.TensorType.UINT64,
    "resource": schema.TensorType.RESOURCE,
}

# Operators whose class of options has another name.
_OPTIONS = {
    "BatchToSpaceNd": "BatchToSpaceND",
    "Conv2d": "Conv2D",
    "DepthwiseConv2d": "DepthwiseConv2D",
    "AveragePool2d": "Pool2D",
    "MaxPool2d": "Pool2D",
    "Mean": "Reducer",
    "SpaceToBatchNd": "SpaceToBatchND",
    "Sum": "Reducer",
    "Svdf": "SVDF",
    "TopkV2": "TopKV2",
}


class ModelSketch:
    """A model; tensors and operators are added to its first subgraph in order."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.operatorCodes = []
        self._model.buffers = [schema.BufferT()]
        self._model.subgraphs = []
        self._begin()

    def _begin(self) -> None:
        self._graph = schema.SubGraphT()
        self._graph.tensors = []
        self._graph.operators = []
        self._graph.inputs, self._graph.outputs = [], []
        self._model.subgraphs.append(self._graph)

    def subgraph(self) -> ModelSketch:
        """Add a subgraph. Returns what adds to it."""
        other = ModelSketch.__new__(ModelSketch)
        other._model = self._model
        other._begin()
        return other

    def ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Write inputs and outputs of a subgraph."""
        self._graph.inputs, self._graph.outputs = list(inputs), list(outputs)

    def tensor(
        self,
        kind: str,
        shape: Sequence[int] | None,
        *,
        open_: Sequence[int] | None = None,
        is_scalar: bool = False,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        """Add a tensor; `open_` is its signature. Returns its number."""
        tensor = schema.TensorT()
        tensor.type = _KINDS[kind]
        tensor.shape = None if shape is None else list(shape)
        tensor.shapeSignature = None if open_ is None else list(open_)
        tensor.hasRank = is_scalar
        tensor.name = f"t{len(self._graph.tensors)}".encode()
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [scale]
            tensor.quantization.zeroPoint = [zero_point]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(
        self,
        kind: str,
        values: Any,
        shape: Sequence[int] | None = None,
        *,
        scale: float | None = None,
    ) -> int:
        """Add a constant tensor; `shape` is another than its elements have. Returns its number."""
        array = np.array(values, kind)
        index = self.tensor(kind, array.shape if shape is None else shape, scale=scale)
        buffer = schema.BufferT()
        buffer.data = list(array.tobytes())
        self._model.buffers.append(buffer)
        self._graph.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def make_sparse(self, index: int) -> None:
        """Write a constant with only some of its elements in the file."""
        self._graph.tensors[index].sparsity = schema.SparsityParametersT()

    def make_variable(self, index: int) -> None:
        """Say that a tensor keeps its elements from run to run."""
        self._graph.tensors[index].isVariable = True

    def quantise(
        self, index: int, scales: Sequence[float], points: Sequence[int], *, axis: int = 0
    ) -> None:
        """Give a tensor a scale and a zero point for each channel, along an axis."""
        self._graph.tensors[index].quantization = schema.QuantizationParametersT()
        self._graph.tensors[index].quantization.scale = list(scales)
        self._graph.tensors[index].quantization.zeroPoint = list(points)
        self._graph.tensors[index].quantization.quantizedDimension = axis

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Mapping[str, Any] | None = None,
        *,
        custom_code: bytes | None = None,
        custom_options: bytes | None = None,
    ) -> None:
        """Add an operator; the class of its options is found by its name."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        code.customCode = custom_code
        self._model.operatorCodes.append(code)
        use = schema.OperatorT()
        use.opcodeIndex = len(self._model.operatorCodes) - 1
        use.inputs, use.outputs = list(inputs), list(outputs)
        use.customOptions = None if custom_options is None else list(custom_options)
        words = "".join(part.capitalize() for part in name.split("_"))
        kind = _OPTIONS.get(words, words)
        made = getattr(schema, f"{kind}OptionsT", None)
        if made is not None and hasattr(schema.BuiltinOptions, f"{kind}Options"):
            use.builtinOptionsType = getattr(schema.BuiltinOptions, f"{kind}Options")
            use.builtinOptions = made()
            for option, value in (options or {}).items():
                assert hasattr(use.builtinOptions, option)
                setattr(use.builtinOptions, option, value)
        self._graph.operators.append(use)

    def written(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        codes: Sequence[tuple[int, int, int]] = (),
    ) -> bytes:
        """Return the file; `codes` are other old codes, new codes and versions of operators."""
        for code, (old, new, version) in zip(self._model.operatorCodes, codes, strict=False):
            code.deprecatedBuiltinCode, code.builtinCode, code.version = old, new, version
        self.ends(inputs, outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def top_k(count: int = 512, k: int = 400) -> bytes:
    """TOPK_V2 of f32[count], whose results have no shape in the file: f32[k] and i32[k]."""
    sketch = ModelSketch()
    given, number = sketch.tensor("f4", [count]), sketch.constant("i4", k)
    results = [sketch.tensor("f4", []), sketch.tensor("i4", None)]
    sketch.operator("TOPK_V2", [given, number], results)
    return sketch.written([given], results)


def places(count: int = 8) -> bytes:
    """WHERE of f32[count] > 0: as many i64 as there are such elements."""
    sketch = ModelSketch()
    given, zero = sketch.tensor("f4", [count]), sketch.constant("f4", 0)
    mask, result = sketch.tensor("b1", [count]), sketch.tensor("i8", [1, 1], open_=[-1, 1])
    sketch.operator("GREATER", [given, zero], [mask])
    sketch.operator("WHERE", [mask], [result])
    return sketch.written([given], [result])


def without_shape(operator: str = "EXP", count: int = 512) -> bytes:
    """An elementwise operator whose result has no shape in the file: f32[count]."""
    sketch = ModelSketch()
    given, result = sketch.tensor("f4", [count]), sketch.tensor("f4", [])
    sketch.operator(operator, [given], [result])
    return sketch.written([given], [result])


def keras_reshape(batch: int = 1, kind: str = "f4") -> bytes:
    """`Reshape((3, 4))` of [batch, 12] as Keras writes it where the batch is open, then ADD."""
    sketch = ModelSketch()
    scale = 0.5 if kind == "i1" else None
    given = sketch.tensor(kind, [batch, 12], open_=[-1, 12], scale=scale)
    shape = sketch.tensor("i4", [2])
    sketch.operator("SHAPE", [given], [shape], {"outType": schema.TensorType.INT32})
    first = sketch.tensor("i4", [])
    ends = [sketch.constant("i4", [value]) for value in (0, 1, 1)]
    sketch.operator("STRIDED_SLICE", [shape, *ends], [first], {"shrinkAxisMask": 1})
    three, four = sketch.constant("i4", 3), sketch.constant("i4", 4)
    wanted = sketch.tensor("i4", [3])
    sketch.operator("PACK", [first, three, four], [wanted], {"valuesCount": 3})
    table = sketch.tensor(kind, [batch, 3, 4], open_=[-1, 3, 4], scale=scale)
    sketch.operator("RESHAPE", [given, wanted], [table])
    added = sketch.tensor(kind, [batch, 3, 4], open_=[-1, 3, 4], scale=scale)
    sketch.operator("ADD", [table, table], [added])
    return sketch.written([given], [added])


def moved_axes() -> bytes:
    """f32[4, 6] through EXPAND_DIMS, TRANSPOSE of sizes 1, SQUEEZE, then NEG: f32[4, 6]."""
    sketch = ModelSketch()
    given = sketch.tensor("f4", [4, 6])
    expanded, moved = sketch.tensor("f4", [1, 4, 6]), sketch.tensor("f4", [4, 1, 6])
    squeezed, result = sketch.tensor("f4", [4, 6]), sketch.tensor("f4", [4, 6])
    sketch.operator("EXPAND_DIMS", [given, sketch.constant("i4", 0)], [expanded])
    sketch.operator("TRANSPOSE", [expanded, sketch.constant("i4", [1, 0, 2])], [moved])
    sketch.operator("SQUEEZE", [moved], [squeezed])
    sketch.operator("NEG", [squeezed], [result])
    return sketch.written([given], [result])


def detector(count: int = 6, most: int = 4) -> bytes:
    """SSD post-processing: boxes and scores to boxes, classes, scores, how many; no shapes.

    True: f32[1, most, 4], f32[1, most], f32[1, most] and f32[1].
    """
    sketch = ModelSketch()
    boxes, scores = sketch.tensor("f4", [1, count, 4]), sketch.tensor("f4", [1, count, 3])
    anchors = sketch.constant("f4", [[0.1 * i, 0.5, 0.2, 0.2] for i in range(count)])
    results = [sketch.tensor("f4", []) for _ in range(4)]
    options = flexbuffers.Dumps(
        {
            "max_detections": most,
            "max_classes_per_detection": 1,
            "nms_score_threshold": 0.1,
            "nms_iou_threshold": 0.5,
            "num_classes": 2,
            "y_scale": 10.0,
            "x_scale": 10.0,
            "h_scale": 5.0,
            "w_scale": 5.0,
        }
    )
    sketch.operator(
        "CUSTOM",
        [boxes, scores, anchors],
        results,
        custom_code=b"TFLite_Detection_PostProcess",
        custom_options=options,
    )
    return sketch.written([boxes, scores], results)


def with_codes(
    old: int, new: int, *, custom_code: bytes | None = None, version: int = 1, count: int = 4
) -> bytes:
    """f32[count] minus 10, 20, 30, ..., if the operator's code, given in two fields, is SUB's."""
    sketch = ModelSketch()
    given, ten = sketch.tensor("f4", [count]), sketch.constant("f4", np.arange(1, count + 1) * 10)
    result = sketch.tensor("f4", [count])
    sketch.operator("SUB", [given, ten], [result], custom_code=custom_code)
    return sketch.written([given], [result], codes=[(old, new, version)])


def of_changing_batch(name: str) -> bytes:
    """A model of an open batch, f32[1, ...], in which an operator changes the batch.

    Its file says 1 throughout, as converters write it: `concat`, `pad`, `tile`, or `blocks`:
    2 * x + 1.5 of f32[1, 4, 4, 1] by way of SPACE_TO_BATCH_ND.
    """
    sketch = ModelSketch()

    def tensor(*sizes: int) -> int:
        return sketch.tensor("f4", [1, *sizes], open_=[-1, *sizes])

    if name == "blocks":
        given, one, end = (tensor(4, 4, 1) for _ in range(3))
        parts = [tensor(2, 2, 1), tensor(2, 2, 1), tensor(4, 4, 1)]
        sizes = [sketch.constant("i4", [2, 2]), sketch.constant("i4", [[0, 0], [0, 0]])]
        sketch.operator("ADD", [given, sketch.constant("f4", [1.0])], [one])
        sketch.operator("SPACE_TO_BATCH_ND", [given, *sizes], [parts[0]])
        sketch.operator("ADD", [parts[0], sketch.constant("f4", [0.5])], [parts[1]])
        sketch.operator("BATCH_TO_SPACE_ND", [parts[1], *sizes], [parts[2]])
        sketch.operator("ADD", [parts[2], one], [end])
        return sketch.written([given], [end])
    given, other, changed, end = (tensor(6) for _ in range(4))
    sketch.operator("ADD", [given, sketch.constant("f4", [10.0] * 6)], [other])
    if name == "concat":
        sketch.operator("CONCATENATION", [given, given], [changed], {"axis": 0})
    elif name == "pad":
        sketch.operator("PAD", [given, sketch.constant("i4", [[1, 1], [0, 0]])], [changed])
    else:
        sketch.operator("TILE", [given, sketch.constant("i4", [3, 1])], [changed])
    sketch.operator("RELU", [changed], [end])
    return sketch.written([given], [end, other])


def dilated_convolution(weights: Any, bias: Any, batch: int, size: int) -> bytes:
    """An int8 convolution of 3 x 3 with a dilation of 2, as TensorFlow's converter writes it.

    i8[batch, size, size, channels] with a zero point of -128 to i8[batch, size, size, units];
    `weights` is [units, 3, 3, channels], `bias` [units]. Scales: 1/16 of the input, 1/32 of the
    weights, 1/2 and a zero point of 3 of the result.
    """
    units, _, _, channels = np.shape(weights)
    block = -(-(size + 4) // 2)  # padded by 2 on both sides, and to a multiple of 2
    end = 2 * block - size - 2
    sketch = ModelSketch()
    given = sketch.tensor("i1", [batch, size, size, channels], scale=1 / 16, zero_point=-128)
    steps = sketch.constant("i4", [2, 2])
    edges = sketch.constant("i4", [[2, end], [2, end]])
    crops = sketch.constant("i4", [[0, end - 2], [0, end - 2]])
    blocks = sketch.tensor("i1", [4 * batch, block, block, channels], scale=1 / 16, zero_point=-128)
    filters = sketch.constant("i1", weights, scale=1 / 32)
    offsets = sketch.constant("i4", bias, scale=1 / 512)
    parts = sketch.tensor("i1", [4 * batch, block - 2, block - 2, units], scale=1 / 2, zero_point=3)
    result = sketch.tensor("i1", [batch, size, size, units], scale=1 / 2, zero_point=3)
    sketch.operator("SPACE_TO_BATCH_ND", [given, steps, edges], [blocks])
    valid = {"padding": schema.Padding.VALID, "strideH": 1, "strideW": 1}
    valid |= {"dilationHFactor": 1, "dilationWFactor": 1}
    sketch.operator("CONV_2D", [blocks, filters, offsets], [parts], valid)
    sketch.operator("BATCH_TO_SPACE_ND", [parts, steps, crops], [result])
    codes = [(code, code, version) for code, version in ((38, 2), (3, 3), (37, 2))]
    return sketch.written([given], [result], codes=codes)


def with_wrong_shape(name: str, size: int = 4) -> bytes:
    """f32[4] and f32[4], results: the one whose shape in the file is f32[size], and f32[4]."""
    sketch = ModelSketch()
    one, two = sketch.tensor("f4", [4]), sketch.tensor("f4", [4])
    wrong, other = sketch.tensor("f4", [size]), sketch.tensor("f4", [4])
    tens = sketch.constant("f4", [10.0, 20.0, 30.0, 40.0])
    if name == "CONCATENATION":
        sketch.operator(name, [one, two], [wrong], {"axis": 0})
    elif name == "PACK":
        sketch.operator(name, [one, two], [wrong], {"valuesCount": 2})
    elif name == "PAD":
        sketch.operator(name, [one, sketch.constant("i4", [[1, 1]])], [wrong])
    else:
        sketch.operator(name, [one, two], [wrong])
    sketch.operator("ADD", [two, tens], [other])
    return sketch.written([one, two], [wrong, other])


def late_reshape() -> bytes:
    """TOPK_V2 of f32[?, 6] to 4 elements each, as f32[?, 2, 2]: its shape comes from SHAPE."""
    sketch = ModelSketch()
    given = sketch.tensor("f4", [1, 6], open_=[-1, 6])
    best = [sketch.tensor(kind, [1, 4], open_=[-1, 4]) for kind in ("f4", "i4")]
    sketch.operator("TOPK_V2", [given, sketch.constant("i4", 4)], best)
    shape, batch = sketch.tensor("i4", [2]), sketch.tensor("i4", [])
    sketch.operator("SHAPE", [best[0]], [shape], {"outType": schema.TensorType.INT32})
    ends = [sketch.constant("i4", [value]) for value in (0, 1, 1)]
    sketch.operator("STRIDED_SLICE", [shape, *ends], [batch], {"shrinkAxisMask": 1})
    wanted, two = sketch.tensor("i4", [3]), sketch.constant("i4", 2)
    sketch.operator("PACK", [batch, two, two], [wanted], {"valuesCount": 3})
    result = sketch.tensor("f4", [1, 2, 2], open_=[-1, 2, 2])
    sketch.operator("RESHAPE", [best[0], wanted], [result])
    return sketch.written([given], [result])


def of_two_scales(name: str) -> bytes:
    """An operator that moves int8 elements to a tensor of another scale."""
    sketch = ModelSketch()
    sizes = [1, 2, 2, 1]
    given, result = sketch.tensor("i1", sizes, scale=0.5), sketch.tensor("i1", sizes, scale=0.25)
    ones, zeros = sketch.constant("i4", [1, 1]), sketch.constant("i4", [[0, 0], [0, 0]])
    if name in ("MAXIMUM", "MINIMUM"):
        other = sketch.tensor("i1", sizes, scale=0.25)
        sketch.operator(name, [given, other], [result])
        return sketch.written([given, other], [result])
    if name == "PACK":
        result = sketch.tensor("i1", [1, *sizes], scale=0.25)
        sketch.operator(name, [given], [result], {"valuesCount": 1})
    elif name == "EXPAND_DIMS":
        result = sketch.tensor("i1", [1, *sizes], scale=0.25)
        sketch.operator(name, [given, sketch.constant("i4", 0)], [result])
    elif name == "BATCH_TO_SPACE_ND":
        sketch.operator(name, [given, ones, zeros], [result])
    elif name == "SPLIT":
        sketch.operator(name, [sketch.constant("i4", 0), given], [result], {"numSplits": 1})
    else:
        sketch.operator(name, [given, sketch.constant("i4", sizes)], [result])
    return sketch.written([given], [result])
