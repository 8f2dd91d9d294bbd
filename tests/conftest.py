from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heeded() -> Iterator[None]:
    """Programs that are started inherit an ignored SIGINT: that of a pytest in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


TensorSays = str | tuple[str, Sequence[float], Sequence[int]]
MakeModel = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_tflite() -> MakeModel:
    """Make a .tflite of operators without options and tensors of one shape, [1, `count`].

    `tensors`: a name's type in the schema, or the type, scales and zero points. `operators`: the
    schema's name, then the names of what it reads and writes. `inputs` and `outputs`: the first
    tensor and the last one, unless they are said.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    def tensor(name: str, says: TensorSays, count: int) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, [1, count], 0
        kind = says if isinstance(says, str) else says[0]
        made.type = getattr(schema.TensorType, kind)
        if not isinstance(says, str):
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = map(list, says[1:])
        return made

    def make(
        count: int,
        tensors: Mapping[str, TensorSays],
        operators: Sequence[tuple[str, Sequence[str], Sequence[str]]],
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> bytes:
        names = list(tensors)
        graph = schema.SubGraphT()
        graph.tensors = [tensor(name, says, count) for name, says in tensors.items()]
        graph.inputs = [names.index(name) for name in inputs or names[:1]]
        graph.outputs = [names.index(name) for name in outputs or names[-1:]]
        graph.operators = []
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
        model.operatorCodes = []
        for number, (name, reads, writes) in enumerate(operators):
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
            code.version = 1
            model.operatorCodes.append(code)
            use = schema.OperatorT()
            use.opcodeIndex = number
            use.inputs = [names.index(tensor_name) for tensor_name in reads]
            use.outputs = [names.index(tensor_name) for tensor_name in writes]
            graph.operators.append(use)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    return make
