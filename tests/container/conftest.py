"""An independent builder of .rune files: it follows docs/spec/rune.md and imports no writer."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

HEAP_BASE = 1104
SCALE = 9  # the index of its function
MODULE = f"""
(module
  (import "env" "_debug" (func $debug (param i32 i32) (result i32)))
  (import "env" "request_capability" (func $capability (param i32) (result i32)))
  (import "env" "request_provider_response" (func $provide (param i32 i32 i32) (result i32)))
  (import "env" "rune_model_open" (func $open (param i32 i32) (result i32)))
  (import "env" "rune_model_infer" (func $infer (param i32 i32 i32) (result i32)))
  (import "env" "request_output" (func $output (param i32) (result i32)))
  (import "env" "consume_output" (func $consume (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (global (export "__heap_base") i32 (i32.const {HEAP_BASE}))
  (global (export "__data_end") i32 (i32.const {HEAP_BASE}))
  (func (export "_manifest") (result i32) (i32.const 1))
  (func (export "_call") (param i32 i32 i32) (result i32) (i32.const 0))
  (func $scale (param i32 i32) (result i32) (i32.const 0))
  (func $other (param i32) (result i32) (i32.const 0))
  (data (i32.const 1024) "words"))
"""


def leb(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def section(name: str, content: bytes) -> bytes:
    body = leb(len(name.encode())) + name.encode() + content
    return b"\0" + leb(len(body)) + body


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def canonical(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def resource_sections(at: int, name: str, data: bytes) -> bytes:
    entry = u32(len(name.encode())) + name.encode() + u32(len(data)) + data
    for pad in range(16):
        both = section(".rune_pad", bytes(pad)) + section(".rune_resource", entry)
        if (at + len(both) - len(data)) % 16 == 0:
            return both
    raise AssertionError


@dataclass
class Parts:
    """What a .rune is made of; change any of it, then `build()`."""

    code: bytes
    graph: dict[str, Any]
    resources: dict[str, bytes] = field(default_factory=dict)
    version: bytes = b'{"version":"0.1.0"}'

    def build(self, *, graph: bytes | None = None) -> bytes:
        """Return the file; with `graph`, these bytes stand as the graph."""
        content = canonical(self.graph) if graph is None else graph
        data = self.code + section(".rune_version", self.version) + section(".rune_graph", content)
        for name in sorted(self.resources, key=str.encode):
            data += resource_sections(len(data), name, self.resources[name])
        return self.sealed(data)

    @staticmethod
    def sealed(data: bytes) -> bytes:
        return data + section(".rune_digest", hashlib.sha256(data).digest())

    @staticmethod
    def section(name: str, content: bytes) -> bytes:
        return section(name, content)

    @staticmethod
    def entry(name: bytes, data: bytes) -> bytes:
        return u32(len(name)) + name + u32(len(data)) + data

    def set_code(self, code: bytes) -> None:
        self.code = code
        self.graph["code"] = {"bytes": len(code), "sha256": hashlib.sha256(code).hexdigest()}

    def add_code_map(self) -> None:
        """Minor version 1: one block's function, and where the three tensors lie."""
        abi, *others = self.graph.items()
        map_members = {"functions": {"scale": SCALE}, "addresses": [1032, 1032, 1096]}
        self.graph = {**dict((abi,)), "minor": 1, **dict(others), **map_members}

    def set_resource(self, name: str, data: bytes) -> None:
        self.resources[name] = data
        listed = self.graph["resources"]
        listed[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        self.graph["resources"] = {key: listed[key] for key in sorted(listed, key=str.encode)}


def _graph() -> dict[str, Any]:
    scalar = {"element-type": "f32", "dimensions": [1, 1]}
    return {
        "abi": 1,
        "rune": {"name": "probe"},
        "code": {},
        "memory": {"used": HEAP_BASE, "stack": 1024},
        "stages": ["raw", "scale", "net", "serial"],
        "capabilities": {
            "raw": {"id": 1, "kind": "RAW", "parameters": {"length": 4}, "outputs": [0]}
        },
        "proc-blocks": {
            "scale": {
                "block": "modulo",
                "path": "hotg-ai/proc-blocks@v0.11.3#modulo",
                "arguments": {
                    "modulus": 360.0,
                    "words": ["a", 'b"\\\n\t'],
                    "n": -3,
                    "listed": {"resource": "net"},
                },
                "inputs": [0],
                "outputs": [1],
            }
        },
        "models": {
            "net": {
                "id": 2,
                "format": "tensorflow-lite",
                "resource": "net",
                "inputs": [1],
                "outputs": [2],
                "arena": 1264,
                "operators": [{"name": "FULLY_CONNECTED", "version": 1}],
            }
        },
        "outputs": {"serial": {"id": 3, "kind": "SERIAL", "inputs": [2]}},
        "resources": {},
        "tensors": [scalar, scalar, scalar],
    }


@pytest.fixture
def module_text() -> str:
    """The text of a module that follows the ABI."""
    return MODULE


@pytest.fixture(scope="session")
def module(wat: Callable[[str], bytes]) -> bytes:
    """A module that follows the ABI."""
    return wat(MODULE)


@pytest.fixture
def parts(module: bytes) -> Parts:
    """The parts of a good .rune with one stage of each kind."""
    made = Parts(module, copy.deepcopy(_graph()))
    made.set_code(module)
    made.set_resource("net", bytes(range(100)))
    return made
