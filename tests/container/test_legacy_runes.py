"""Originals with their description: what the reader of the host makes of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from runec.container import Recorded, Rune, read_rune, write_described
from runec.container.canonical_json import spell_json
from runec.container.graph_json import decode_graph, encode_graph
from runec.container.graph_rules import check_graph
from runec.diagnostics import UserFileError
from runec.pipeline import CapabilityKind, OutputKind

MakeOriginal = Callable[..., bytes]
DIGEST_BYTES = 47
HEAD = b"\0\x2d\x0c.rune_digest"
NOTHING = Recorded(1, {}, {}, {}, 2)


@pytest.fixture
def model(make_tflite: Callable[..., bytes]) -> bytes:
    return make_tflite(4, {"x": "FLOAT32", "y": "FLOAT32"}, [("ABS", "x", "y")])


@pytest.fixture
def recorded(model: bytes) -> Recorded:
    return Recorded(
        first_id=0,
        capabilities={0: (CapabilityKind.SOUND, {"hz": 16000, "gain": 0.5})},
        models={2: model, 3: model},
        outputs={4: OutputKind.SERIAL},
        memory_pages=3,
    )


@pytest.fixture
def original(make_original: MakeOriginal) -> Rune:
    return read_rune(make_original("", "", {}, pages=3, resources={"words": b"a\nb"}))


def test_what_is_written_is_read(original: Rune, recorded: Recorded, model: bytes) -> None:
    rune = read_rune(write_described(original, recorded))
    assert rune.is_original
    graph = rune.require_graph()
    assert (graph.abi, graph.first_id, graph.memory_used) == (0, 0, 3 * 65536)
    assert rune.resources == {"model 2": model, "words": b"a\nb"}
    assert rune.data.startswith(rune.code)
    assert original.data.startswith(rune.code)
    assert rune.digest == hashlib.sha256(rune.data[:-DIGEST_BYTES]).digest()
    assert decode_graph(encode_graph(graph)) == graph
    assert '"abi":0,"first-id":0,"rune":' in spell_json(rune.document)
    assert write_described(original, recorded) == rune.data


def test_models_lie_at_multiples_of_16_and_once(
    original: Rune, recorded: Recorded, model: bytes
) -> None:
    data = write_described(original, recorded)
    assert data.count(model) == 1
    assert data.index(model) % 16 == 0


def test_a_description_that_lost_its_digest_is_cut_short(
    original: Rune, recorded: Recorded
) -> None:
    data = write_described(original, recorded)
    with pytest.raises(UserFileError) as caught:
        read_rune(data[:-DIGEST_BYTES])
    assert caught.value.code in {"R0602", "R0603"}


def broken(original: Rune, recorded: Recorded, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The description with another graph and a good digest."""
    rune = read_rune(write_described(original, recorded))
    document = dict(rune.document or {})
    before = spell_json(document).encode()
    change(document)
    after = spell_json(document).encode()
    start = rune.data.index(before)
    name = b"\x0b.rune_graph"
    head = start - len(name) - 3
    assert rune.data[head] == 0
    size = len(name) + len(after)
    length = bytes((size & 0x7F | 0x80, size >> 7))
    rest = rune.data[start + len(before) : -DIGEST_BYTES]
    body = rune.data[:head] + b"\0" + length + name + after + rest
    return body + HEAD + hashlib.sha256(body).digest()


WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another abi": ("R0606", lambda g: g.update(abi=2)),
    "abi 1": ("R0605", lambda g: g.update(abi=1)),
    "first id 2": ("R0608", lambda g: g.update({"first-id": 2})),
    "first id 1": ("R0608", lambda g: g.update({"first-id": 1})),
    "no first id": ("R0605", lambda g: g.pop("first-id")),
    "an id twice": ("R0608", lambda g: g["models"]["model 3"].update(id=2)),
    "other order": ("R0608", lambda g: g["stages"].reverse()),
    "a stage twice": ("R0608", lambda g: g["stages"].append("output 4")),
    "no such stage": ("R0608", lambda g: g["stages"].append("x")),
    "half a page": ("R0608", lambda g: g["memory"].update(used=3 * 65536 + 8)),
    "less memory": ("R0608", lambda g: g["memory"].update(used=2 * 65536)),
    "a stack": ("R0608", lambda g: g["memory"].update(stack=8)),
    "a tensor more": ("R0608", lambda g: g["tensors"].append(g["tensors"][0])),
    "tensors crossed": ("R0608", lambda g: g["models"]["model 2"].update(inputs=[1])),
    "no inputs": ("R0608", lambda g: g["models"]["model 2"].update(inputs=[], outputs=[0, 1])),
    "a tensor of SOUND": ("R0608", lambda g: g["capabilities"]["capability 0"].update(outputs=[0])),
    "an output's tensor": ("R0608", lambda g: g["outputs"]["output 4"].update(inputs=[1])),
    "a pin": (
        "R0608",
        lambda g: g["outputs"]["output 4"].update({"kind": "PIN", "pin": "LED", "active-low": 0}),
    ),
    "wifi": ("R0608", lambda g: g["outputs"]["output 4"].update(kind="WIFI")),
    "other code": ("R0608", lambda g: g["code"].update(bytes=9)),
    "other model": ("R0608", lambda g: g["resources"]["model 2"].update(sha256="0" * 64)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_graph_that_is_no_description_is_refused(
    original: Rune, recorded: Recorded, what: str
) -> None:
    code, change = WRONG[what]
    with pytest.raises(UserFileError) as caught:
        read_rune(broken(original, recorded, change))
    assert caught.value.code == code


def test_the_helper_breaks_nothing_by_itself(original: Rune, recorded: Recorded) -> None:
    assert read_rune(broken(original, recorded, len)).is_original


def test_a_capability_of_abi_1_has_a_tensor(original: Rune, recorded: Recorded) -> None:
    graph = read_rune(write_described(original, recorded)).require_graph()
    with pytest.raises(ValueError, match="no tensor"):
        _ = graph.capabilities["capability 0"].tensor
    with pytest.raises(UserFileError) as caught:
        check_graph(dataclasses.replace(graph, abi=1))
    assert caught.value.code == "R0608"


MODULE = """(module {imports} {memory}
    (func (export "_manifest") (result i32) (i32.const 1))
    (func (export "_call") (param i32 i32 i32) (result i32) (i32.const 0)))"""
MODULES = {
    "an import of its own": (
        '(import "env" "tea" (func))',
        '(memory (export "memory") 1)',
        "R0609",
    ),
    "another module's import": (
        '(import "en" "_debug" (func (param i32 i32) (result i32)))',
        '(memory (export "memory") 1)',
        "R0609",
    ),
    "another signature": (
        '(import "env" "_debug" (func))',
        '(memory (export "memory") 1)',
        "R0609",
    ),
    "what only abi 1 has": (
        '(import "env" "rune_model_open" (func (param i32 i32) (result i32)))',
        '(memory (export "memory") 1)',
        "R0609",
    ),
    "a memory from outside": ('(import "env" "memory" (memory 1))', "", "R0609"),
    "a start function": (
        "",
        '(memory (export "memory") 1) (func $go) (start $go)',
        "R0609",
    ),
    "more memory than was seen": ("", '(memory (export "memory") 3)', "R0608"),
}


@pytest.mark.parametrize("what", MODULES)
def test_a_module_that_no_device_would_take_is_refused(
    wat: Callable[[str], bytes], what: str
) -> None:
    imports, memory, code = MODULES[what]
    data = wat(MODULE.format(imports=imports, memory=memory))
    with pytest.raises(UserFileError) as caught:
        write_described(read_rune(data), NOTHING)
    assert caught.value.code == code


@pytest.mark.parametrize("depth", [112, 113])
def test_blocks_nested_deeper_than_a_device_compiles_are_refused(
    make_original: MakeOriginal, depth: int
) -> None:
    body = "(block " * (depth - 1) + ")" * (depth - 1)
    rune = read_rune(make_original(body, "", {}, pages=1))
    if depth == 112:
        assert read_rune(write_described(rune, NOTHING)).is_original
    else:
        with pytest.raises(UserFileError) as refused:
            read_rune(write_described(rune, NOTHING))
        assert refused.value.code == "R0610"
