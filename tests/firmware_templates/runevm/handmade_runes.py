"""Runes constructed from docs/spec/rune.md, and commands for the fake engine.

Independent of runec.container on purpose: these are the goldens that the C reader is held to.
"""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cobs import cobs

MAGIC = b"\0asm\x01\0\0\0"
HOST_IMPORTS = {
    "_debug": 0,
    "request_capability": 1,
    "request_capability_set_param": 2,
    "request_provider_response": 3,
    "rune_model_open": 4,
    "rune_model_infer": 5,
    "request_output": 6,
    "consume_output": 7,
    "rune_resource_open": 8,
    "rune_resource_read": 9,
    "rune_resource_close": 10,
}
RAW, SERIAL, PIN, TENSOR = 5, 1, 3, 5
KINDS = {"SERIAL": SERIAL, "BLE": 2, "PIN": PIN, "TENSOR": TENSOR}
SIZES = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8}
SIZES |= {"f32": 4, "f64": 8, "utf8": 0}


def dice(seed: int) -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(seed)  # noqa: S311 - not for secrets


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def section(name: str, content: bytes) -> bytes:
    body = leb(len(name)) + name.encode() + content
    return b"\0" + leb(len(body)) + body


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    """Spell a frame of the link."""
    payload = bytes((kind, seq)) + body
    encoded: bytes = cobs.encode(payload + zlib.crc32(payload).to_bytes(4, "little"))
    return b"\0" + encoded + b"\0"


def text_of(data: bytes) -> bytes:
    """Return the line that a rune prints of bytes from its input, as its output 2."""
    elements = ",".join(map(str, data))
    line = f'{{"2":[{{"element-type":"u8","dimensions":[{len(data)}],"elements":[{elements}]}}]}}\n'
    return line.encode()


def module(content: bytes) -> bytes:
    """A module that is one code section with this content."""
    return MAGIC + b"\x0a" + leb(len(content)) + content


def resource_sections(start: int, name: bytes, data: bytes) -> bytes:
    entry = len(name).to_bytes(4, "big") + name + len(data).to_bytes(4, "big") + data
    resource = section(".rune_resource", entry)
    unpadded = start + len(section(".rune_pad", b"")) + len(resource) - len(data)
    return section(".rune_pad", bytes(-unpadded % 16)) + resource


def with_digest(body: bytes) -> bytes:
    return body + section(".rune_digest", hashlib.sha256(body).digest())


def canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def assemble(
    code: bytes,
    graph: str | Mapping[str, Any],
    resources: Mapping[str, bytes],
    version: str = '{"version":"0.1.0"}',
) -> bytes:
    text = graph if isinstance(graph, str) else canonical(graph)
    body = code + section(".rune_version", version.encode()) + section(".rune_graph", text.encode())
    for name in sorted(resources, key=str.encode):
        body += resource_sections(len(body), name.encode(), resources[name])
    return with_digest(body)


class Orders:
    """Orders for the fake engine: see fake_engines.h."""

    def __init__(self) -> None:
        self.content = bytearray()

    def call(self, function: str, *arguments: int) -> Orders:
        self.content += bytes((1, HOST_IMPORTS[function]))
        for argument in arguments:
            self.content += (argument & 0xFFFFFFFF).to_bytes(4, "little")
        return self

    def expect(self, result: int) -> Orders:
        self.content += b"\x02" + (result & 0xFFFFFFFF).to_bytes(4, "little")
        return self

    def poke(self, address: int, data: bytes) -> Orders:
        for at in range(0, len(data), 255):
            part = data[at : at + 255]
            self.content += b"\x03" + (address + at).to_bytes(4, "little")
            self.content += bytes((len(part),)) + part
        return self

    def leave(self, result: int) -> Orders:
        self.content += b"\x04" + result.to_bytes(4, "little")
        return self

    def trap(self, code: int) -> Orders:
        self.content += b"\x05" + code.to_bytes(2, "little")
        return self

    def go_on_if(self, address: int, value: int) -> Orders:
        self.content += b"\x07" + address.to_bytes(4, "little") + bytes((value,))
        return self

    def trap_if(self, address: int, value: int) -> Orders:
        self.content += b"\x06" + address.to_bytes(4, "little") + bytes((value,))
        return self

    def stage(self, number: int, orders: Orders) -> Orders:
        self.content += b"\x08" + bytes((number,)) + len(orders.content).to_bytes(2, "little")
        self.content += orders.content
        return self


def program(manifest: Orders, call: Orders) -> bytes:
    """The module of the fake engine."""
    return module(len(manifest.content).to_bytes(2, "little") + manifest.content + call.content)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Pipe:
    """A pipeline: capability -> [blocks] -> [model] -> outputs, with what the fake engine does.

    The capability's tensor lies at 64, the model's output at 512, arrays of pointers at 0.
    """

    tensor: tuple[str, tuple[int, ...]] = ("u8", (4,))
    model: bytes | None = None
    outputs: Sequence[str] = ("SERIAL",)
    memory: int = 1024
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    call: Orders | None = None
    manifest: Orders | None = None
    arena: int = 512
    blocks: Sequence[str] = ()
    pin: object = "LED"
    active_low: object = 0
    mapped: bool = False  # with a code map

    @property
    def size(self) -> int:
        count = 1
        for dimension in self.tensor[1]:
            count *= dimension
        return count * SIZES[self.tensor[0]]

    @property
    def output_id(self) -> int:
        return 2 if self.model is None else 3

    def plain_manifest(self) -> Orders:
        orders = Orders().call("request_capability", RAW).expect(1)
        if self.model is not None:
            orders.poke(32, b"net").call("rune_model_open", 32, 3).expect(2)
        for number, kind in enumerate(self.outputs, self.output_id):
            orders.call("request_output", KINDS[kind]).expect(number)
        return orders.leave(1)

    def provide(self) -> Orders:
        return Orders().call("request_provider_response", 64, self.size, 1).expect(self.size)

    def plain_call(self) -> Orders:
        orders = self.provide()
        at = 64
        if self.model is not None:
            pointers = (64).to_bytes(4, "little") + (512).to_bytes(4, "little")
            orders.poke(0, pointers).call("rune_model_infer", 2, 0, 4).expect(0)
            at = 512
        for number, _ in enumerate(self.outputs, self.output_id):
            orders.call("consume_output", number, at, self.size).expect(0)
        return orders

    def graph(self, code: bytes) -> dict[str, Any]:
        element, dimensions = self.tensor
        tensor = {"element-type": element, "dimensions": list(dimensions)}
        resources = dict(self.blobs)
        models: dict[str, Any] = {}
        stages = ["in", *self.blocks]
        last = len(self.blocks)
        if self.model is not None:
            resources["net-data"] = self.model
            stages.append("net")
            models["net"] = {
                "id": 2,
                "format": "tensorflow-lite",
                "resource": "net-data",
                "inputs": [last],
                "outputs": [last + 1],
                "arena": self.arena,
                "operators": [{"name": "FULLY_CONNECTED", "version": 1}],
            }
            last += 1
        names = [f"out{number}" for number in range(len(self.outputs))]
        code_map = {
            "functions": {name: 20 + number for number, name in enumerate(self.blocks)},
            "addresses": [64] * (last + 1),
        }
        return {
            "abi": 1,
            **({"minor": 1} if self.mapped else {}),
            "rune": {"name": "probe"},
            "code": {"bytes": len(code), "sha256": sha256(code)},
            "memory": {"used": self.memory, "stack": 0},
            "stages": [*stages, *names],
            "capabilities": {
                "in": {"id": 1, "kind": "RAW", "parameters": {"length": 4}, "outputs": [0]}
            },
            "proc-blocks": {
                name: {
                    "block": "identity",
                    "path": "hotg-ai/proc-blocks#identity",
                    "arguments": {},
                    "inputs": [number],
                    "outputs": [number + 1],
                }
                for number, name in enumerate(self.blocks)
            },
            "models": models,
            "outputs": {
                name: {"id": self.output_id + number, "kind": kind, "inputs": [last]}
                | ({"pin": self.pin, "active-low": self.active_low} if kind == "PIN" else {})
                for number, (name, kind) in enumerate(zip(names, self.outputs, strict=True))
            },
            "resources": {
                name: {"bytes": len(resources[name]), "sha256": sha256(resources[name])}
                for name in sorted(resources)
            },
            "tensors": [tensor] * (last + 1),
            **(code_map if self.mapped else {}),
        }

    def build(self) -> bytes:
        code = program(self.manifest or self.plain_manifest(), self.call or self.plain_call())
        resources = dict(self.blobs)
        if self.model is not None:
            resources["net-data"] = self.model
        return assemble(code, self.graph(code), resources)


def full_graph(code: bytes, resources: Mapping[str, bytes]) -> dict[str, Any]:
    """A graph with something of everything: for `full_rune`."""
    return {
        "abi": 1,
        "minor": 1,
        "rune": {"name": 'every\t"thing"\x01é'},
        "code": {"bytes": len(code), "sha256": sha256(code)},
        "memory": {"used": 4096, "stack": 1024},
        "stages": ["mic", "pad", "fft", "net", "second", "label", "text", "raw"],
        "capabilities": {
            "mic": {
                "id": 1,
                "kind": "SOUND",
                "parameters": {"hz": 16000, "gain": -1.5e-7},
                "outputs": [0],
            },
            "pad": {"id": 2, "kind": "ACCEL", "parameters": {}, "outputs": [1]},
        },
        "proc-blocks": {
            "fft": {
                "block": "fft",
                "path": "hotg-ai/proc-blocks@v0.11.3#fft",
                "arguments": {"bins": 12, "scale": 0.5, "name": "x\\y", "words": ["a", "b\n"]},
                "inputs": [0, 1],
                "outputs": [2, 3],
            },
            "label": {
                "block": "label",
                "path": "hotg-ai/rune#proc_blocks/label",
                "arguments": {"wordlist": {"resource": "later"}},
                "inputs": [5],
                "outputs": [6],
            },
        },
        "models": {
            "net": {
                "id": 4,
                "format": "tensorflow-lite",
                "resource": "b",
                "inputs": [2],
                "outputs": [4],
                "arena": 1536,
                "operators": [{"name": "ADD", "version": 2}, {"name": "SOFTMAX", "version": 1}],
            },
            "second": {
                "id": 5,
                "format": "tensorflow-lite",
                "resource": "a",
                "inputs": [4, 3],
                "outputs": [5],
                "arena": 0,
                "operators": [],
            },
        },
        "outputs": {
            "text": {"id": 6, "kind": "SERIAL", "inputs": [6, 5]},
            "raw": {"id": 7, "kind": "TENSOR", "inputs": [0]},
        },
        "resources": {
            name: {"bytes": len(resources[name]), "sha256": sha256(resources[name])}
            if name in resources
            else {"bytes": None}
            for name in sorted([*resources, "later"])
        },
        "tensors": [
            {"element-type": "i16", "dimensions": [1, 16]},
            {"element-type": "f32", "dimensions": [3]},
            {"element-type": "f32", "dimensions": [1, 2, 3, 1, 2, 1, 1, 2]},
            {"element-type": "u64", "dimensions": [1]},
            {"element-type": "i8", "dimensions": [1, 5]},
            {"element-type": "f64", "dimensions": [2]},
            {"element-type": "utf8", "dimensions": [2]},
        ],
        "functions": {"fft": 12, "label": 11},
        # The f64 ends with the memory.
        "addresses": [1024, 1056, 1072, 1168, 1176, 4080, 1184],
    }


FULL_RESOURCES = {"a": b"\x01" * 5, "b": bytes(range(40)), "zz": b""}
FULL_CODE = MAGIC + b"\x01\x01\x00" + b"\x0a\x03\x00\x01\x02" + b"\x0b\x00"


def full_rune() -> bytes:
    """A rune with something of everything, some 1.6 KB."""
    graph = full_graph(FULL_CODE, FULL_RESOURCES)
    return assemble(FULL_CODE, graph, FULL_RESOURCES)


def mutate(data: bytes, changes: Sequence[tuple[float, int, int]]) -> bytes:
    """Overwrite, delete, insert or double bytes at places given as fractions."""
    out = bytearray(data)
    for place, value, how in changes:
        at = int(place * len(out))
        if how == 0 and out:
            out[at] = value
        elif how == 1:
            del out[at : at + 1 + value % 8]
        elif how == 2:
            out.insert(at, value)
        else:
            out[at:at] = out[at : at + value]
    return bytes(out)
