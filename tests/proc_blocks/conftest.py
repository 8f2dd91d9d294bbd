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

    def functions(self) -> dict[str, tuple[int, Callable[..., int]]]:
        return {
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
            module.link_function("env", name, f"i({'i' * arity})", function)

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


def _wasmtime(code: bytes, host: _Host) -> Callable[[str], int]:
    store = wasmtime.Store()
    linker = wasmtime.Linker(store.engine)
    i32 = wasmtime.ValType.i32()
    for name, (arity, function) in host.functions().items():
        linker.define_func("env", name, wasmtime.FuncType([i32] * arity, [i32]), function)
    instance = linker.instantiate(store, wasmtime.Module(store.engine, code))
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
    ) -> None:
        found = Catalogue.builtin().find(block)
        assert found is not None
        resolved = found.resolve(types, declared, arguments)
        inputs = tuple(Tensor(i, kind, kind.size_bytes) for i, kind in enumerate(types))
        outputs = tuple(
            Tensor(len(inputs) + i, output.type, output.capacity_bytes)
            for i, output in enumerate(resolved.outputs)
        )
        stages: tuple[Stage, ...] = (
            *(Capability(f"in{t.id}", CapabilityKind.RAW, {}, (t,)) for t in inputs),
            ProcBlock(STAGE, block, block, resolved.arguments, inputs, outputs),
            Output("out", OutputKind.SERIAL, (inputs if alive else ()) + outputs),
        )
        self._alive = len(inputs) if alive else 0
        self.types = types
        self.outputs = resolved.outputs
        self.number = len(inputs) + 1
        self.module = compile_pipeline(Pipeline("one block", stages, {}))
        self.restart()

    def restart(self) -> CompiledBlock:
        """Start anew: what a block keeps between its runs is gone."""
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
            host.run = BlockRun(0, [], [])
            host.run.status = call("_call")
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
    alive: bool,
) -> CompiledBlock:
    parsed, outputs = (tuple(TensorType.parse(t) for t in texts) for texts in (types, declared))
    return CompiledBlock(block, parsed, dict(arguments), alive=alive, declared=outputs)


Use = Callable[..., CompiledBlock]


@pytest.fixture(scope="session")
def use() -> Use:
    """`use("modulo", "f32[4]", modulus=2.0)`: compiled once for each distinct use.

    With `alive`, something else reads the inputs after the block, so it cannot work in place.
    `declared` is what the Runefile says of the outputs.
    """

    def compile_use(
        block: str,
        *types: str,
        alive: bool = False,
        declared: tuple[str, ...] = (),
        **arguments: ArgumentValue,
    ) -> CompiledBlock:
        return _compiled(block, types, tuple(arguments.items()), declared, alive)

    return compile_use


@pytest.fixture(scope="session")
def dtypes() -> Mapping[str, str]:
    """NumPy's name for each element type."""
    return {element.value: name for element, name in DTYPES.items()}
