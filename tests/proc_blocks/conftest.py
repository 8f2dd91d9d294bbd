"""Compiles a pipeline of one block (RAW -> block -> SERIAL) and runs it in two engines."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import wasm3
import wasmtime

from runec.codegen import compile_pipeline
from runec.pipeline import (
    ArgumentValue,
    Capability,
    CapabilityKind,
    ElementType,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Stage,
    Tensor,
    TensorType,
)
from runec.proc_blocks import Catalogue

DTYPES = {
    ElementType.U8: "<u1",
    ElementType.I8: "<i1",
    ElementType.U16: "<u2",
    ElementType.I16: "<i2",
    ElementType.U32: "<u4",
    ElementType.I32: "<i4",
    ElementType.U64: "<u8",
    ElementType.I64: "<i8",
    ElementType.F32: "<f4",
    ElementType.F64: "<f8",
}
STAGE = "the block"

# A block that stands between the inputs and the tested one, and its arguments.
Before = tuple[str, tuple[tuple[str, ArgumentValue], ...]]


@dataclass
class BlockRun:
    """What one run gave: `_call`'s status, the bytes of each output, the messages."""

    status: int
    outputs: list[bytes]
    messages: list[str]


class _Host:
    """The host interface as far as a RAW -> block -> SERIAL pipeline uses it."""

    def __init__(self) -> None:
        self.inputs: list[bytes] = []
        self.read: Callable[[int, int], bytes]
        self.write: Callable[[int, bytes], None]
        self.next_id = 1
        self.run = BlockRun(0, [], [])
        self.resources: Mapping[str, bytes] = {}
        self.opened: dict[int, bytes] = {}

    def take_id(self, _kind: int) -> int:
        self.next_id += 1
        return self.next_id - 1

    def provide(self, buffer: int, length: int, id_: int) -> int:
        data = self.inputs[id_ - 1]
        assert len(data) == length
        self.write(buffer, data)
        return length

    def consume(self, _id: int, buffer: int, length: int) -> int:
        self.run.outputs.append(self.read(buffer, length))
        return 0

    def debug(self, message: int, length: int) -> int:
        self.run.messages.append(self.read(message, length).decode())
        return 0

    def open(self, name: int, length: int) -> int:
        data = self.resources.get(self.read(name, length).decode())
        if data is None:
            return -1
        id_ = self.take_id(0)
        self.opened[id_] = data
        return id_

    def read_resource(self, id_: int, buffer: int, length: int) -> int:
        piece, self.opened[id_] = self.opened[id_][:length], self.opened[id_][length:]
        self.write(buffer, piece)
        return len(piece)

    def close(self, id_: int) -> None:
        del self.opened[id_]

    def functions(self) -> dict[str, tuple[int, Callable[..., int | None]]]:
        return {
            "rune_resource_open": (2, self.open),
            "rune_resource_read": (3, self.read_resource),
            "rune_resource_close": (1, self.close),
            "_debug": (2, self.debug),
            "request_capability": (1, self.take_id),
            "request_output": (1, self.take_id),
            "request_provider_response": (3, self.provide),
            "consume_output": (3, self.consume),
        }


def _wasm3(code: bytes, host: _Host) -> Callable[[str], int]:
    environment = wasm3.Environment()
    runtime = environment.new_runtime(16384)
    module = environment.parse_module(code)
    runtime.load(module)
    for name, (arity, function) in host.functions().items():
        if name.encode() in code:
            result = "v" if name == "rune_resource_close" else "i"
            module.link_function("env", name, f"{result}({'i' * arity})", function)

    def write(at: int, data: bytes) -> None:
        runtime.get_memory(0)[at : at + len(data)] = data

    host.read = lambda at, length: bytes(runtime.get_memory(0)[at : at + length])
    host.write = write
    found = {"_manifest": runtime.find_function("_manifest"), "_call": None}
    found["_call"] = runtime.find_function("_call")

    def call(name: str) -> int:
        arguments = (0, 0, 0) if name == "_call" else ()
        return int(found[name](*arguments))

    # The runtime keeps no reference to what it was loaded from.
    call.keep = (environment, runtime, module)  # type: ignore[attr-defined]
    return call


_wasmtime_engine = cache(wasmtime.Engine)


@cache
def _compiled_module(code: bytes) -> wasmtime.Module:
    return wasmtime.Module(_wasmtime_engine(), code)


def _wasmtime(code: bytes, host: _Host) -> Callable[[str], int]:
    module = _compiled_module(code)
    store = wasmtime.Store(_wasmtime_engine())
    linker = wasmtime.Linker(_wasmtime_engine())
    i32 = wasmtime.ValType.i32()
    for name, (arity, function) in host.functions().items():
        results = [] if name == "rune_resource_close" else [i32]
        linker.define_func("env", name, wasmtime.FuncType([i32] * arity, results), function)
    instance = linker.instantiate(store, module)
    exports: Any = instance.exports(store)
    memory = exports["memory"]
    host.read = lambda at, length: bytes(memory.read(store, at, at + length))
    host.write = lambda at, data: memory.write(store, data, at)

    def call(name: str) -> int:
        arguments = (0, 0, 0) if name == "_call" else ()
        return int(exports[name](store, *arguments))

    return call


class CompiledBlock:
    """One use of a block, compiled; `run` does the same in both engines and compares them."""

    def __init__(
        self,
        block: str,
        types: tuple[TensorType, ...],
        arguments: Mapping[str, ArgumentValue],
        *,
        alive: bool,
        declared: tuple[TensorType, ...] = (),
        before: Before | None = None,
    ) -> None:
        inputs = tuple(Tensor(i, kind, kind.size_bytes) for i, kind in enumerate(types))
        stages: list[Stage] = [
            Capability(f"in{t.id}", CapabilityKind.RAW, {}, (t,)) for t in inputs
        ]
        given, count = inputs, len(inputs)
        uses = [*([(*before, ())] if before else []), (block, tuple(arguments.items()), declared)]
        for name, pairs, wanted in uses:
            found = Catalogue.builtin().find(name)
            assert found is not None
            resolved = found.resolve([t.type for t in given], wanted, dict(pairs))
            outputs = tuple(
                Tensor(count + i, output.type, output.capacity_bytes)
                for i, output in enumerate(resolved.outputs)
            )
            stage = STAGE if len(stages) + 1 == len(inputs) + len(uses) else "before"
            stages.append(ProcBlock(stage, found, name, resolved.arguments, given, outputs))
            self.number = len(stages)
            self.outputs = resolved.outputs
            given, count = outputs, count + len(outputs)
        shown = (inputs if alive else ()) + given
        stages.append(Output("out", OutputKind.SERIAL, shown))
        self._alive = len(inputs) if alive else 0
        self.types = types
        self.resources: Mapping[str, bytes] = {}
        pipeline = Pipeline("one block", tuple(stages), {})
        self.module = compile_pipeline(pipeline)
        self.restart()

    def restart(self) -> CompiledBlock:
        """Start again: what a block keeps between its runs is gone."""
        self._engines = []
        for start in (_wasm3, _wasmtime):
            host = _Host()
            call = start(self.module.code, host)
            assert call("_manifest") == 1
            self._engines.append((host, call))
        return self

    def run(self, *inputs: bytes) -> BlockRun:
        """Run once; fails when the engines disagree."""
        runs = []
        for host, call in self._engines:
            host.inputs = list(inputs)
            host.resources = self.resources
            host.run = BlockRun(0, [], [])
            host.run.status = call("_call")
            assert not host.opened
            runs.append(host.run)
        assert runs[0] == runs[1]
        if runs[0].status == 0:
            assert runs[0].outputs[: self._alive] == list(inputs)[: self._alive]
            del runs[0].outputs[: self._alive]
        return runs[0]

    def array(self, *inputs: Any) -> np.ndarray:
        """Run on arrays (cast to the input types) and return the first output as an array."""
        data = [
            np.asarray(array).astype(DTYPES[kind.element]).tobytes()
            for array, kind in zip(inputs, self.types, strict=True)
        ]
        done = self.run(*data)
        assert done.status == 0, done.messages
        kind = self.outputs[0].type
        return np.frombuffer(done.outputs[0], DTYPES[kind.element])

    def words(self, data: bytes) -> list[str]:
        """Run on bytes and return the first output, a utf8 tensor, as texts."""
        done = self.run(data)
        assert done.status == 0, done.messages
        words, at, content = [], 0, done.outputs[0]
        while at < len(content):
            (length,) = struct.unpack_from("<I", content, at)
            words.append(content[at + 4 : at + 4 + length].decode())
            at += 4 + length
        assert len(words) == self.outputs[0].type.element_count
        return words


@cache
def _compiled(
    block: str,
    types: tuple[str, ...],
    arguments: tuple[tuple[str, ArgumentValue], ...],
    declared: tuple[str, ...],
    *,
    before: Before | None,
    alive: bool,
) -> CompiledBlock:
    parsed, outputs = (tuple(TensorType.parse(t) for t in texts) for texts in (types, declared))
    return CompiledBlock(
        block, parsed, dict(arguments), alive=alive, declared=outputs, before=before
    )


Use = Callable[..., CompiledBlock]


@pytest.fixture(scope="session")
def use() -> Use:
    """`use("modulo", "f32[4]", modulus=2.0)`: compiled once for each distinct use.

    With `alive`, something else reads the inputs after the block, so it cannot work in place.
    `declared` is what the Runefile says of the outputs, `before` a block that makes the inputs.
    """

    def compile_use(
        block: str,
        *types: str,
        alive: bool = False,
        declared: tuple[str, ...] = (),
        before: Before | None = None,
        **arguments: ArgumentValue,
    ) -> CompiledBlock:
        return _compiled(
            block,
            types,
            tuple(arguments.items()),
            declared,
            before=before,
            alive=alive,
        )

    return compile_use


@pytest.fixture(scope="session")
def dtypes() -> Mapping[str, str]:
    """NumPy's name for each element type."""
    return {element.value: name for element, name in DTYPES.items()}
