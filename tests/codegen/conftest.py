"""Pipelines to compile, and a host that writes down every call a module makes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
import wasm3
import wasmtime

from runec.diagnostics import SourceFile, Span
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Model,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Tensor,
    TensorType,
)
from tests.blocks import known_block

RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  rand: {capability: RAW, args: {length: 4}}
  mod360: {proc-block: "hotg-ai/proc-blocks@v0.11.3#modulo", inputs: [rand]}
  sine: {model: "./sinemodel.tflite", inputs: [mod360]}
  serial: {out: serial, inputs: [sine]}
"""


def tensor(id_: int, text: str, capacity_bytes: int | None = None) -> Tensor:
    kind = TensorType.parse(text)
    return Tensor(id_, kind, kind.size_bytes if capacity_bytes is None else capacity_bytes)


def _span(line: int) -> Span:
    source = SourceFile("Runefile.yml", RUNEFILE)
    start = source.offset(line, 3)
    return Span(source, start, start + len(source.line(line)) - 2)


@pytest.fixture
def sine() -> Pipeline:
    """RAW -> modulo -> model -> SERIAL, one f32 all the way."""
    rand, mod360, result = (tensor(i, "f32[1, 1]") for i in range(3))
    path, modulus = "hotg-ai/proc-blocks@v0.11.3#modulo", {"modulus": 360.0}
    return Pipeline(
        "sine",
        (
            Capability("rand", CapabilityKind.RAW, {"length": 4}, (rand,), _span(4)),
            ProcBlock("mod360", known_block("modulo"), path, modulus, (rand,), (mod360,), _span(5)),
            Model("sine", "sine", "tensorflow-lite", (mod360,), (result,), _span(6)),
            Output("serial", OutputKind.SERIAL, (result,), _span(7)),
        ),
        {},
    )


@pytest.fixture
def gesture() -> Pipeline:
    """ACCEL -> normalize -> model -> most_confident_indices -> label -> SERIAL."""
    raw, scaled = tensor(0, "f32[1, 128, 3, 1]"), tensor(1, "f32[1, 128, 3, 1]")
    confidences, index = tensor(2, "f32[1, 4]"), tensor(3, "u32[1]")
    word = tensor(4, "utf8[1]", 11)
    words = {"wordlist": ("Wing", "Ring", "Slope", "Unknown")}
    return Pipeline(
        "gesture",
        (
            Capability("accelerometer", CapabilityKind.ACCEL, {"n": 128}, (raw,)),
            ProcBlock("normalize", known_block("normalize"), "normalize", {}, (raw,), (scaled,)),
            Model("gesture", "gesture", "tensorflow-lite", (scaled,), (confidences,)),
            ProcBlock(
                "most_confident_index",
                known_block("most_confident_indices"),
                "most_confident_indices",
                {"count": 1},
                (confidences,),
                (index,),
            ),
            ProcBlock("label", known_block("label"), "label", words, (index,), (word,)),
            Output("serial", OutputKind.SERIAL, (word,)),
        ),
        {},
    )


class RecordingHost:
    """Answers like a host and keeps every call as a tuple, memory already read.

    By id: `provided` holds the bytes a capability gives, `inferred` the tensors a model gives,
    `input_bytes` the sizes of the tensors it takes.
    """

    def __init__(
        self,
        provided: dict[int, bytes],
        inferred: dict[int, list[bytes]],
        input_bytes: dict[int, list[int]],
    ) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.provided = provided
        self.inferred = inferred
        self.input_bytes = input_bytes
        self.ids = 0
        self.read: Callable[[int, int], bytes]
        self.write: Callable[[int, bytes], None]

    def _take_id(self) -> int:
        self.ids += 1
        return self.ids

    def _debug(self, text: int, length: int) -> int:
        self.calls.append(("debug", self.read(text, length).decode()))
        return 0

    def request_capability(self, kind: int) -> int:
        self.calls.append(("capability", kind))
        return self._take_id()

    def request_capability_set_param(  # noqa: PLR0917 - the host interface has six
        self, id_: int, key: int, key_length: int, value: int, value_length: int, tag: int
    ) -> int:
        name = self.read(key, key_length).decode()
        self.calls.append(("param", id_, name, self.read(value, value_length), tag))
        return 0

    def request_provider_response(self, buffer: int, length: int, id_: int) -> int:
        assert buffer % 8 == 0
        self.calls.append(("provide", id_, length))
        self.write(buffer, self.provided[id_])
        return length

    def rune_model_open(self, name: int, length: int) -> int:
        self.calls.append(("model", self.read(name, length).decode()))
        return self._take_id()

    def rune_model_infer(self, id_: int, inputs: int, outputs: int) -> int:
        given = []
        for i, size in enumerate(self.input_bytes[id_]):
            (at,) = struct.unpack("<I", self.read(inputs + 4 * i, 4))
            assert at % 8 == 0
            given.append(self.read(at, size))
        for i, data in enumerate(self.inferred[id_]):
            (at,) = struct.unpack("<I", self.read(outputs + 4 * i, 4))
            assert at % 8 == 0
            self.write(at, data)
        self.calls.append(("infer", id_, given))
        return 0

    def request_output(self, kind: int) -> int:
        self.calls.append(("output", kind))
        return self._take_id()

    def consume_output(self, id_: int, buffer: int, length: int) -> int:
        self.calls.append(("consume", id_, self.read(buffer, length)))
        return 0

    ARITY = {  # noqa: RUF012 - never changed
        "_debug": 2,
        "request_capability": 1,
        "request_capability_set_param": 6,
        "request_provider_response": 3,
        "rune_model_open": 2,
        "rune_model_infer": 3,
        "request_output": 1,
        "consume_output": 3,
    }


Call = Callable[..., int]


def start_wasm3(code: bytes, host: RecordingHost) -> Call:
    environment = wasm3.Environment()
    runtime = environment.new_runtime(16384)
    module = environment.parse_module(code)
    runtime.load(module)
    for name, arity in host.ARITY.items():
        if name.encode() in code:
            module.link_function("env", name, f"i({'i' * arity})", getattr(host, name))

    def write(at: int, data: bytes) -> None:
        runtime.get_memory(0)[at : at + len(data)] = data

    host.read = lambda at, length: bytes(runtime.get_memory(0)[at : at + length])
    host.write = write

    def call(name: str, *stages: int) -> int:
        arguments = (0, *(stages or (0, 0))) if name == "_call" else ()
        return int(runtime.find_function(name)(*arguments))

    # The runtime keeps no reference to what it was loaded from.
    call.keep = (environment, module)  # type: ignore[attr-defined]
    return call


def start_wasmtime(code: bytes, host: RecordingHost) -> Call:
    store = wasmtime.Store()
    linker = wasmtime.Linker(store.engine)
    i32 = wasmtime.ValType.i32()
    for name, arity in host.ARITY.items():
        kind = wasmtime.FuncType([i32] * arity, [i32])
        linker.define_func("env", name, kind, getattr(host, name))
    instance = linker.instantiate(store, wasmtime.Module(store.engine, code))
    exports: Any = instance.exports(store)
    memory = exports["memory"]
    host.read = lambda at, length: bytes(memory.read(store, at, at + length))
    host.write = lambda at, data: memory.write(store, data, at)

    def call(name: str, *stages: int) -> int:
        arguments = (0, *(stages or (0, 0))) if name == "_call" else ()
        return int(exports[name](store, *arguments))

    return call


@pytest.fixture(params=[start_wasm3, start_wasmtime], ids=["wasm3", "wasmtime"])
def start(request: pytest.FixtureRequest) -> Callable[[bytes, RecordingHost], Call]:
    """Starts a module in one engine or the other."""
    chosen: Callable[[bytes, RecordingHost], Call] = request.param
    return chosen


@pytest.fixture
def new_host() -> type[RecordingHost]:
    return RecordingHost


@pytest.fixture
def new_tensor() -> Callable[..., Tensor]:
    return tensor
