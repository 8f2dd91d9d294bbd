"""Graphs as canonical JSON, and the reader of untrusted bytes.

A reader parses, checks the rules, encodes the graph again and compares the bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runec.container import limits
from runec.container.canonical_json import spell_json
from runec.container.errors import bad_abi, bad_graph, inconsistent, over_limit
from runec.container.graph import (
    Graph,
    GraphCapability,
    GraphModel,
    GraphOperator,
    GraphOutput,
    GraphProcBlock,
    GraphResource,
    graph_document,
)
from runec.container.graph_rules import check_graph
from runec.container.module import CodeMap
from runec.pipeline import (
    ArgumentValue,
    CapabilityKind,
    ElementType,
    OutputKind,
    Pin,
    ResourceWords,
    TensorType,
)

_T = TypeVar("_T")
_HEX = frozenset("0123456789abcdef")


def encode_graph(graph: Graph) -> bytes:
    """Check a graph and encode it.

    Raises:
        RuneFileError: R0607, it is larger than ABI 1 allows; R0608, it breaks another rule.
    """
    check_graph(graph)
    try:
        content = spell_json(graph_document(graph)).encode()
    except UnicodeEncodeError:
        raise inconsistent("a text in it is not Unicode") from None
    if len(content) > limits.MAX_GRAPH_BYTES:
        raise over_limit(
            f"its graph takes {len(content)} bytes, {limits.MAX_GRAPH_BYTES} are allowed"
        )
    return content


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise bad_graph("duplicate member")
    return members


def _no_constant(text: str) -> float:
    raise bad_graph(f"{text} is not a number of JSON")


def parse_json(content: bytes) -> Any:
    """Return JSON of an untrusted section. Raises RuneFileError R0605."""
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique_members,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise bad_graph("it is not JSON in UTF-8") from None


class _Node:
    """A JSON object of which each member must be asked for once."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise bad_graph(f"{place} is not an object")
        self._members: dict[str, Any] = dict(value)
        self._place = place

    def take(self, name: str) -> Any:
        if name not in self._members:
            raise bad_graph(f"{self._place} has no {name!r}")
        return self._members.pop(name)

    def has(self, name: str) -> bool:
        return name in self._members

    def done(self) -> None:
        if self._members:
            raise bad_graph(f"{self._place} has an unknown member {next(iter(self._members))!r}")

    def integer(self, name: str) -> int:
        return _integer(self.take(name), f"{self._place}.{name}")

    def text(self, name: str) -> str:
        return _text(self.take(name), f"{self._place}.{name}")

    def list(self, name: str, convert: Callable[[Any, str], _T]) -> tuple[_T, ...]:
        place = f"{self._place}.{name}"
        value = self.take(name)
        if not isinstance(value, list):
            raise bad_graph(f"{place} is not a list")
        return tuple(convert(item, place) for item in value)

    def map(self, name: str, convert: Callable[[Any, str], _T]) -> dict[str, _T]:
        place = f"{self._place}.{name}"
        value = self.take(name)
        if not isinstance(value, dict):
            raise bad_graph(f"{place} is not an object")
        return {key: convert(item, place) for key, item in value.items()}

    def kind(self, name: str, kinds: type[_T]) -> _T:
        value = self.text(name)
        members: Mapping[str, _T] = kinds.__members__  # type: ignore[attr-defined]
        if value not in members:
            raise bad_graph(f"{self._place}.{name} is unknown: {value!r}")
        return members[value]


def _integer(value: Any, place: str) -> int:
    if type(value) is not int or not 0 <= value <= limits.MAX_INTEGER:
        raise bad_graph(f"{place} is not an integer from 0 to 2^31 - 1")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise bad_graph(f"{place} is not text")
    return value


def _number(value: Any, place: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_graph(f"{place} has an element that is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise bad_graph(f"{place} holds a number that no float can hold")
    return value


def _argument(value: Any, place: str) -> ArgumentValue:
    if isinstance(value, list):
        return tuple(_text(item, place) for item in value)
    if isinstance(value, dict):
        node = _Node(value, place)
        words = ResourceWords(node.text("resource"))
        node.done()
        return words
    return value if isinstance(value, str) else _number(value, place)


def _capability(value: Any, place: str) -> GraphCapability:
    node = _Node(value, place)
    stage_id, kind = node.integer("id"), node.kind("kind", CapabilityKind)
    parameters = node.map("parameters", _number)
    outputs = node.list("outputs", _integer)
    node.done()
    if len(outputs) != 1:
        raise bad_graph(f"{place}: a capability has one output")
    return GraphCapability(stage_id, kind, parameters, outputs[0])


def _proc_block(value: Any, place: str) -> GraphProcBlock:
    node = _Node(value, place)
    stage = GraphProcBlock(
        node.text("block"),
        node.text("path"),
        node.map("arguments", _argument),
        node.list("inputs", _integer),
        node.list("outputs", _integer),
    )
    node.done()
    return stage


def _operator(value: Any, place: str) -> GraphOperator:
    node = _Node(value, place)
    operator = GraphOperator(node.text("name"), node.integer("version"))
    node.done()
    return operator


def _model(value: Any, place: str) -> GraphModel:
    node = _Node(value, place)
    stage = GraphModel(
        node.integer("id"),
        node.text("format"),
        node.text("resource"),
        node.list("inputs", _integer),
        node.list("outputs", _integer),
        node.integer("arena"),
        node.list("operators", _operator),
    )
    node.done()
    return stage


def _output(value: Any, place: str) -> GraphOutput:
    node = _Node(value, place)
    stage_id, kind = node.integer("id"), node.kind("kind", OutputKind)
    inputs = node.list("inputs", _integer)
    pin = None
    if kind is OutputKind.PIN:
        pin = Pin(node.text("pin"), _flag(node.integer("active-low"), place))
    node.done()
    return GraphOutput(stage_id, kind, inputs, pin)


def _flag(value: int, place: str) -> bool:
    if value not in (0, 1):
        raise bad_graph(f"{place}.active-low is neither 0 nor 1")
    return value == 1


def _sha256(text: str, place: str) -> str:
    if len(text) != 64 or not _HEX.issuperset(text):
        raise bad_graph(f"{place} is not a SHA-256 in lower-case hex")
    return text


def _resource(value: Any, place: str) -> GraphResource:
    node = _Node(value, place)
    if isinstance(value, dict) and value.get("bytes", 0) is None:
        node.take("bytes")
        node.done()
        return GraphResource(None, None)
    resource = GraphResource(node.integer("bytes"), _sha256(node.text("sha256"), place))
    node.done()
    return resource


def _tensor(value: Any, place: str) -> TensorType:
    node = _Node(value, place)
    element = node.text("element-type")
    if element not in {kind.value for kind in ElementType}:
        raise bad_graph(f"{place}: unknown element type {element!r}")
    tensor = TensorType(ElementType(element), node.list("dimensions", _integer))
    node.done()
    return tensor


def _code_map(node: _Node, abi: int) -> CodeMap | None:
    """Read the members of minor version 1; an older graph has none of them."""
    minor = node.integer("minor") if node.has("minor") else 0
    if minor > limits.CODE_MAP_MINOR:
        raise bad_abi(f"{abi}.{minor}")
    if minor == 0:
        return None
    return CodeMap(node.map("functions", _integer), node.list("addresses", _integer))


def decode_graph(content: bytes) -> Graph:
    """Read the graph of an ABI 1 rune.

    Raises:
        RuneFileError: R0605, malformed or not canonical JSON; R0606, another ABI; R0607
            and R0608 as `check_graph`.
    """
    if len(content) > limits.MAX_GRAPH_BYTES:
        raise over_limit(
            f"its graph takes {len(content)} bytes, {limits.MAX_GRAPH_BYTES} are allowed"
        )
    node = _Node(parse_json(content), "the graph")
    abi = node.take("abi")
    if type(abi) is not int or abi != limits.ABI:
        raise bad_abi(abi)
    rune, code = _Node(node.take("rune"), "rune"), _Node(node.take("code"), "code")
    memory = _Node(node.take("memory"), "memory")
    graph = Graph(
        abi=abi,
        name=rune.text("name"),
        code_bytes=code.integer("bytes"),
        code_sha256=_sha256(code.text("sha256"), "code"),
        memory_used=memory.integer("used"),
        memory_stack=memory.integer("stack"),
        stages=node.list("stages", _text),
        capabilities=node.map("capabilities", _capability),
        proc_blocks=node.map("proc-blocks", _proc_block),
        models=node.map("models", _model),
        outputs=node.map("outputs", _output),
        resources=node.map("resources", _resource),
        tensors=node.list("tensors", _tensor),
        code_map=_code_map(node, abi),
    )
    for part in (rune, code, memory, node):
        part.done()
    check_graph(graph)
    if encode_graph(graph) != content:
        raise bad_graph("it is not canonical JSON")
    return graph
