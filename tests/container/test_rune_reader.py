from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
import operator
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.container import CodeMap, module_imports, read_rune
from runec.diagnostics import UserFileError
from runec.pipeline import CapabilityKind, OutputKind, Pin, TensorType

if TYPE_CHECKING:
    from tests.container.conftest import Parts


def code_of(data: bytes) -> str:
    """Read bytes that must not verify; return the error's code."""
    with pytest.raises(UserFileError) as caught:
        read_rune(data, source="probe.rune")
    assert caught.value.message.startswith("probe.rune: ")
    assert caught.value.hint
    return caught.value.code


def _verdict(data: bytes) -> str | None:
    """Read bytes that may verify; return the error's code, or None."""
    try:
        read_rune(data)
    except UserFileError as error:
        if not error.code.startswith("R06"):
            raise
        return error.code
    return None


def test_a_file_by_the_specification_is_read_whole(parts: Parts) -> None:
    data = parts.build()
    rune = read_rune(data)
    graph = rune.require_graph()
    assert rune.data == data
    assert rune.code == parts.code
    assert rune.version == "0.1.0"
    assert rune.resources == {"net": bytes(range(100))}
    assert rune.digest == data[-32:]
    assert not rune.is_legacy
    assert rune.document == parts.graph
    assert rune.name == graph.name == "probe"
    assert graph.stages == ("raw", "scale", "net", "serial")
    assert graph.capabilities["raw"].kind is CapabilityKind.RAW
    assert graph.capabilities["raw"].parameters == {"length": 4}
    assert graph.proc_blocks["scale"].arguments["words"] == ("a", 'b"\\\n\t')
    assert graph.models["net"].operators[0].name == "FULLY_CONNECTED"
    assert graph.outputs["serial"].kind is OutputKind.SERIAL
    assert graph.tensors == (TensorType.parse("f32[1, 1]"),) * 3
    assert (graph.memory_used, graph.memory_stack) == (1104, 1024)


def test_a_resource_given_at_run_time_has_no_bytes_in_the_file(parts: Parts) -> None:
    parts.graph["resources"] = {"late": {"bytes": None}, **parts.graph["resources"]}
    rune = read_rune(parts.build())
    assert rune.resources == {"late": None, "net": bytes(range(100))}


def test_imports_are_listed_with_their_signatures(parts: Parts) -> None:
    imports = {item.name: item for item in module_imports(read_rune(parts.build()))}
    assert imports["consume_output"].signature == "i(iii)"
    assert all(item.is_known for item in imports.values())


def test_a_file_cut_anywhere_is_refused(parts: Parts) -> None:
    data = parts.build()
    for length in range(len(data)):
        code = code_of(data[:length])
        assert code.startswith("R06"), length


def test_a_file_with_any_bit_flipped_is_refused(parts: Parts) -> None:
    data = parts.build()
    codes = set()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        codes.add(code_of(bytes(flipped)))
    assert "R0604" in codes
    assert all(code.startswith("R06") for code in codes)


@pytest.mark.parametrize("seed", range(4))
def test_a_resealed_file_with_random_damage_verifies_or_is_refused(parts: Parts, seed: int) -> None:
    body = parts.build()[: -(32 + 15)]
    chance = random.Random(seed)  # noqa: S311 - damage that can be repeated
    refused = 0
    for _ in range(500):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            kind = chance.random()
            if kind < 0.6:
                damaged[at] = chance.randrange(256)
            elif kind < 0.8:
                del damaged[at : at + chance.randint(1, 9)]
            else:
                damaged[at:at] = chance.randbytes(chance.randint(1, 9))
        refused += _verdict(parts.sealed(bytes(damaged))) is not None
    assert refused > 450


@given(data=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    assert code_of(data) in {"R0601", "R0602"}
    assert code_of(b"\0asm\x01\0\0\0" + data).startswith("R06")


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from _places(value[key], (*path, key))


# Members whose value nothing else in the file repeats.
FREE = {
    "arena",
    "arguments",
    "block",
    "format",
    "inputs",
    "name",
    "operators",
    "parameters",
    "path",
    "stack",
    "tensors",
    "version",
}


def test_any_value_at_any_place_of_the_graph_verifies_as_it_is_or_is_refused(parts: Parts) -> None:
    parts.add_code_map()
    values: list[Any] = [None, True, -1, 7, 2**40, 1.5, "x", [], {}, [0], {"id": 1}]
    refused = read = 0
    for place in list(_places(parts.graph)):
        changed = copy.deepcopy(parts.graph)
        holder = functools.reduce(operator.getitem, place[:-1], changed)
        for value in values:
            holder[place[-1]] = value
            probe = dataclasses.replace(parts, graph=changed)
            data = probe.build()
            if _verdict(data) is not None:
                refused += 1
                continue
            assert read_rune(data).document == changed
            assert FREE.intersection(place) or changed == parts.graph, place
            read += 1
    assert refused > 500
    assert read > 10


BROKEN_GRAPHS: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another abi": ("R0606", lambda g: g.update(abi=2)),
    "an unknown member": ("R0605", lambda g: g.update(more=1)),
    "a missing member": ("R0605", lambda g: g.pop("outputs")),
    "a negative number": ("R0605", lambda g: g["memory"].update(used=-1)),
    "a boolean for a number": ("R0605", lambda g: g["memory"].update(stack=True)),
    "an unknown kind": ("R0605", lambda g: g["outputs"]["serial"].update(kind="LIGHT")),
    "an unknown type": (
        "R0605",
        lambda g: g["tensors"].__setitem__(0, {"element-type": "f16", "dimensions": [1]}),
    ),
    "a hash in capitals": ("R0605", lambda g: g["code"].update(sha256=g["code"]["sha256"].upper())),
    "two outputs of a capability": (
        "R0605",
        lambda g: g["capabilities"]["raw"].update(outputs=[0, 1]),
    ),
    "33 stages": ("R0607", lambda g: g.update(stages=[f"s{i}" for i in range(33)])),
    "65 tensors": ("R0607", lambda g: g.update(tensors=g["tensors"][:1] * 65)),
    "a long name": ("R0607", lambda g: g["rune"].update(name="n" * 65)),
    "nine dimensions": (
        "R0607",
        lambda g: g["tensors"].__setitem__(0, {"element-type": "u8", "dimensions": [1] * 9}),
    ),
    "nine parameters": (
        "R0607",
        lambda g: g["capabilities"]["raw"].update(parameters={f"p{i}": i for i in range(9)}),
    ),
    "17 KiB of it": ("R0607", lambda g: g["proc-blocks"]["scale"].update(path="p" * 17000)),
    "a stage that is not there": ("R0608", lambda g: g["stages"].append("ghost")),
    "a stage that is not listed": ("R0608", lambda g: g["stages"].remove("scale")),
    "a stage listed twice": ("R0608", lambda g: g["stages"].append("net")),
    "an unknown tensor": ("R0608", lambda g: g["outputs"]["serial"].update(inputs=[3])),
    "a tensor read too early": ("R0608", lambda g: g["proc-blocks"]["scale"].update(inputs=[2])),
    "a tensor produced twice": ("R0608", lambda g: g["models"]["net"].update(outputs=[1])),
    "a tensor nobody produces": ("R0608", lambda g: g["tensors"].append(g["tensors"][0])),
    "an empty dimension": (
        "R0608",
        lambda g: g["tensors"].__setitem__(0, {"element-type": "u8", "dimensions": [0]}),
    ),
    "ids that start at 0": ("R0608", lambda g: g["capabilities"]["raw"].update(id=0)),
    "ids that skip": ("R0608", lambda g: g["outputs"]["serial"].update(id=9)),
    "a model without its resource": (
        "R0608",
        lambda g: g["models"]["net"].update(resource="other"),
    ),
    "words of an unknown resource": (
        "R0608",
        lambda g: g["proc-blocks"]["scale"].update(arguments={"a": {"resource": "other"}}),
    ),
    "an argument that is another object": (
        "R0605",
        lambda g: g["proc-blocks"]["scale"].update(arguments={"a": {"file": "net"}}),
    ),
    "words of two resources": (
        "R0605",
        lambda g: g["proc-blocks"]["scale"].update(
            arguments={"a": {"resource": "net", "other": "net"}}
        ),
    ),
    "an operator twice": (
        "R0608",
        lambda g: g["models"]["net"].update(operators=[{"name": "ADD", "version": 1}] * 2),
    ),
    "another code length": ("R0608", lambda g: g["code"].update(bytes=g["code"]["bytes"] + 1)),
    "another code hash": ("R0608", lambda g: g["code"].update(sha256="0" * 64)),
    "another resource hash": ("R0608", lambda g: g["resources"]["net"].update(sha256="0" * 64)),
    "another resource length": ("R0608", lambda g: g["resources"]["net"].update(bytes=99)),
    "more stack than memory": ("R0608", lambda g: g["memory"].update(stack=2000)),
    "another memory": ("R0608", lambda g: g["memory"].update(used=1100)),
    "two pages of memory": ("R0608", lambda g: g["memory"].update(used=65537)),
    "no output inputs": ("R0608", lambda g: g["outputs"]["serial"].update(inputs=[])),
    "an empty name": ("R0608", lambda g: g["rune"].update(name="")),
}


@pytest.mark.parametrize("what", BROKEN_GRAPHS)
def test_a_graph_that_breaks_a_rule_is_refused(parts: Parts, what: str) -> None:
    code, change = BROKEN_GRAPHS[what]
    change(parts.graph)
    assert code_of(parts.build()) == code


def test_a_code_map_is_read(parts: Parts) -> None:
    assert read_rune(parts.build()).require_graph().code_map is None
    parts.add_code_map()
    rune = read_rune(parts.build())
    assert rune.require_graph().code_map == CodeMap({"scale": 9}, (1032, 1032, 1096))
    assert rune.document == parts.graph


BROKEN_CODE_MAPS: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a newer minor version": ("R0606", lambda g: g.update(minor=2)),
    "minor version 0": ("R0605", lambda g: g.update(minor=0)),
    "a minor version of text": ("R0605", lambda g: g.update(minor="1")),
    "no minor version": ("R0605", lambda g: g.pop("minor")),
    "no functions": ("R0605", lambda g: g.pop("functions")),
    "no addresses": ("R0605", lambda g: g.pop("addresses")),
    "a list of functions": ("R0605", lambda g: g.update(functions=[9])),
    "a function of text": ("R0605", lambda g: g["functions"].update(scale="9")),
    "a block without a function": ("R0608", lambda g: g["functions"].clear()),
    "a function of a model": ("R0608", lambda g: g["functions"].update(net=10)),
    "an imported function": ("R0608", lambda g: g["functions"].update(scale=0)),
    "a function that is not there": ("R0608", lambda g: g["functions"].update(scale=11)),
    "a function far away": ("R0608", lambda g: g["functions"].update(scale=2**31 - 1)),
    "a function without parameters": ("R0608", lambda g: g["functions"].update(scale=7)),
    "a function of fewer tensors": ("R0608", lambda g: g["functions"].update(scale=10)),
    "an address missing": ("R0608", lambda g: g["addresses"].pop()),
    "an address too many": ("R0608", lambda g: g["addresses"].append(1024)),
    "an address that is not aligned": ("R0608", lambda g: g.update(addresses=[1032, 1036, 1096])),
    "a tensor past the memory": ("R0608", lambda g: g.update(addresses=[1032, 1032, 1104])),
    "a negative address": ("R0605", lambda g: g.update(addresses=[-8, 1032, 1096])),
}


@pytest.mark.parametrize("what", BROKEN_CODE_MAPS)
def test_a_code_map_that_breaks_a_rule_is_refused(parts: Parts, what: str) -> None:
    code, change = BROKEN_CODE_MAPS[what]
    parts.add_code_map()
    change(parts.graph)
    assert code_of(parts.build()) == code


def test_two_blocks_do_not_share_a_function(parts: Parts) -> None:
    parts.add_code_map()
    again = parts.graph["proc-blocks"]["scale"] | {"inputs": [1], "outputs": [2]}
    parts.graph["proc-blocks"]["again"] = again
    parts.graph["stages"].insert(2, "again")
    parts.graph["models"]["net"] |= {"inputs": [2], "outputs": [3]}
    parts.graph["tensors"].append(parts.graph["tensors"][0])
    parts.graph |= {"functions": {"scale": 9, "again": 9}, "addresses": [1032] * 4}
    with pytest.raises(UserFileError, match="the same function"):
        read_rune(parts.build())


def pin(graph: dict[str, Any], **changes: object) -> None:
    """Let the graph drive a pin with the first element of its model's output, and change that."""
    made = graph["models"]["net"]["outputs"][0]
    graph["tensors"][made] = {"element-type": "f32", "dimensions": [1, 1]}
    output = {"id": graph["outputs"]["serial"]["id"], "kind": "PIN", "inputs": [made]}
    output |= {"pin": "P0.13", "active-low": 1, **changes}
    graph["outputs"]["serial"] = {name: value for name, value in output.items() if value is not ...}


def test_a_pin_is_read(parts: Parts) -> None:
    pin(parts.graph)
    output = read_rune(parts.build()).require_graph().outputs["serial"]
    assert (output.kind, output.pin) == (OutputKind.PIN, Pin("P0.13", active_low=True))


BROKEN_PINS: dict[str, tuple[str, dict[str, object]]] = {
    "no name": ("R0605", {"pin": ...}),
    "no polarity": ("R0605", {"active-low": ...}),
    "a polarity of 2": ("R0605", {"active-low": 2}),
    "a truth value": ("R0605", {"active-low": True}),
    "an empty name": ("R0608", {"pin": ""}),
    "a quote in the name": ("R0608", {"pin": 'a"'}),
    "a letter beyond ASCII": ("R0608", {"pin": "pé"}),
    "a line feed behind": ("R0608", {"pin": "PA5\n"}),
    "a dot in front": ("R0608", {"pin": ".5"}),
    "33 letters": ("R0608", {"pin": "p" * 33}),
    "a pin of a serial": ("R0605", {"kind": "SERIAL"}),
    "two inputs": ("R0608", {"inputs": [2, 2]}),
    "many numbers": ("R0608", {"inputs": [0]}),
}


@pytest.mark.parametrize("what", BROKEN_PINS)
def test_a_pin_that_breaks_a_rule_is_refused(parts: Parts, what: str) -> None:
    code, changes = BROKEN_PINS[what]
    parts.graph["tensors"][0] = {"element-type": "u8", "dimensions": [4]}
    pin(parts.graph, **changes)
    assert code_of(parts.build()) == code


SPELLINGS: dict[str, tuple[bytes, bytes]] = {
    "white space": (b'"abi":1,', b'"abi": 1,'),
    "an escape that need not be": (b'"probe"', b'"pro\\u0062e"'),
    "an integer as a float": (b'"arena":1264', b'"arena":1264.0'),
    "a float with zeros": (b"360.0", b"360.00"),
    "a float with an exponent": (b"360.0", b"3.6e2"),
    "not a number": (b"360.0", b"NaN"),
    "a member twice": (b'"abi":1,', b'"abi":1,"abi":1,'),
    "another order": (
        b'{"name":"FULLY_CONNECTED","version":1}',
        b'{"version":1,"name":"FULLY_CONNECTED"}',
    ),
    "no JSON": (b'"abi":1,', b'"abi":,'),
    "no UTF-8": (b'"probe"', b'"pro\xff"'),
}


@pytest.mark.parametrize("what", SPELLINGS)
def test_a_graph_in_another_spelling_is_refused(parts: Parts, what: str) -> None:
    old, new = SPELLINGS[what]
    good = parts.build()
    content = good[good.index(b'{"abi"') : good.index(b"\0", good.index(b'{"abi"'))]
    assert old in content
    assert code_of(parts.build(graph=content.replace(old, new))) == "R0605"


def test_deep_nesting_is_refused(parts: Parts) -> None:
    assert code_of(parts.build(graph=b"[" * 16000)) == "R0605"


def _sections(data: bytes) -> list[bytes]:
    """Split a good file into its module and its custom sections."""
    names = (b".rune_version", b".rune_graph", b".rune_pad", b".rune_resource", b".rune_digest")
    starts = []
    for name in names:
        at = data.rindex(bytes([len(name)]) + name)
        size_bytes = 1 if len(name) + 1 < 128 and data[at - 1] < 128 and data[at - 2] == 0 else 2
        starts.append(at - 1 - size_bytes)
    return [data[a:b] for a, b in zip([0, *starts], [*starts, len(data)], strict=True)]


LAYOUTS: dict[str, tuple[int, ...]] = {
    "without a version": (0, 2, 3, 4),
    "without a graph": (0, 1, 3, 4),
    "with the graph first": (0, 2, 1, 3, 4),
    "with two versions": (0, 1, 1, 2, 3, 4),
    "without padding": (0, 1, 2, 4),
    "without the resource": (0, 1, 2),
    "with the resource twice": (0, 1, 2, 3, 4, 3, 4),
    "with padding twice": (0, 1, 2, 3, 3, 4),
}


@pytest.mark.parametrize("what", LAYOUTS)
def test_sections_in_another_order_are_refused(parts: Parts, what: str) -> None:
    pieces = _sections(parts.build())
    body = b"".join(pieces[index] for index in LAYOUTS[what])
    assert code_of(parts.sealed(body)) in {"R0603", "R0608"}


def test_bytes_after_the_digest_are_refused(parts: Parts) -> None:
    data = parts.build()
    assert code_of(data + b"\0") == "R0602"
    assert code_of(data + b"\0\x02\x01x") == "R0603"


def test_padding_must_be_zero_and_shortest(parts: Parts) -> None:
    pieces = _sections(parts.build())
    pad = pieces[3]
    longer = b"\0" + bytes([pad[1] + 16]) + pad[2:] + bytes(16)
    assert code_of(parts.sealed(b"".join([*pieces[:3], longer, pieces[4]]))) == "R0603"
    assert len(pad) > 12
    dirty = pad[:-1] + b"\x01"
    assert code_of(parts.sealed(b"".join([*pieces[:3], dirty, pieces[4]]))) == "R0603"


def test_a_section_length_longer_than_need_be_is_refused(parts: Parts) -> None:
    pieces = _sections(parts.build())
    version = pieces[1]
    padded = b"\0" + bytes([version[1] | 0x80, 0]) + version[2:]
    assert code_of(parts.sealed(b"".join([pieces[0], padded, *pieces[2:5]]))) == "R0603"


BROKEN_MODULES: dict[str, tuple[str, str, str]] = {
    "imports from elsewhere": ("R0609", '"env" "_debug"', '"wasi" "_debug"'),
    "imports something unknown": ("R0609", '"env" "_debug"', '"env" "system"'),
    "imports a legacy function": ("R0609", '"env" "_debug"', '"env" "tfm_model_invoke"'),
    "imports with another signature": (
        "R0609",
        "(func $debug (param i32 i32) (result i32))",
        "(func $debug (param i32 i64) (result i32))",
    ),
    "has no _call": ("R0609", '(export "_call")', '(export "call")'),
    "has another _call": (
        "R0609",
        '(export "_call") (param i32 i32 i32)',
        '(export "_call") (param i32 i32)',
    ),
    "has no memory": ("R0609", '(export "memory")', '(export "mem")'),
    "can grow": ("R0608", "1 1)", "1 2)"),
    "has no heap base": ("R0609", '(export "__heap_base") i32', '(export "heap") i32'),
    "has a heap base that changes": (
        "R0609",
        '(export "__heap_base") i32',
        '(export "__heap_base") (mut i32)',
    ),
    "has a start function": ("R0609", "(data", "(func $go) (start $go) (data"),
    "has another heap base": (
        "R0608",
        '"__heap_base") i32 (i32.const 1104)',
        '"__heap_base") i32 (i32.const 1100)',
    ),
}


@pytest.mark.parametrize("what", BROKEN_MODULES)
def test_a_module_that_is_not_the_abis_is_refused(
    parts: Parts, module_text: str, wat: Callable[[str], bytes], what: str
) -> None:
    code, old, new = BROKEN_MODULES[what]
    assert old in module_text
    parts.set_code(wat(module_text.replace(old, new)))
    assert code_of(parts.build()) == code


@pytest.mark.parametrize("depth", [48, 49, 1001])
@pytest.mark.parametrize("kind", ["block", "loop", "if"])
def test_blocks_nested_deeper_than_a_device_compiles_are_refused(
    parts: Parts, module_text: str, wat: Callable[[str], bytes], kind: str, depth: int
) -> None:
    opened = {"block": "(block ", "loop": "(loop ", "if": "(if (i32.const 1) (then "}[kind]
    closed = "))" if kind == "if" else ")"
    # What could be taken for a block by a walk that loses its step.
    noise = "(drop (f64.const 1e300)) (drop (i32.const 0x020202)) (drop (f32.const 2.125))"
    body = noise + opened * (depth - 1) + closed * (depth - 1)
    parts.set_code(wat(module_text.replace("(data", f"(func {body}) (data")))
    if depth == 48:
        read_rune(parts.build())
    else:
        assert code_of(parts.build()) == "R0610"


LEGACY = """
(module
  (import "env" "request_capability" (func (param i32) (result i32)))
  (memory (export "memory") 17)
  (func (export "_manifest") (result i32) (i32.const 1))
  (func (export "_call") (param i32 i32 i32) (result i32) (i32.const 0)))
"""


@pytest.mark.parametrize("dot", ["", "."])
def test_a_legacy_rune_is_recognised(parts: Parts, wat: Callable[[str], bytes], dot: str) -> None:
    section = parts.section
    entries = b"".join(
        parts.entry(name, data) for name, data in ((b"one", b"first"), (b"two", b""))
    )
    data = wat(LEGACY)
    data += section(f"{dot}rune_graph", b'{"rune": {"name": "old"}, "capabilities": {}}')
    data += section(f"{dot}rune_version", b'{"version":"0.11.3"}') + section("name", b"")
    data += section(".rune_resource", entries) + section("producers", b"whatever")
    rune = read_rune(data)
    assert rune.is_legacy
    assert rune.code == data
    assert rune.version == "0.11.3"
    assert rune.name == "old"
    assert rune.document == {"rune": {"name": "old"}, "capabilities": {}}
    assert rune.resources == {"one": b"first", "two": b""}
    assert rune.digest is None
    with pytest.raises(UserFileError) as caught:
        rune.require_graph()
    assert caught.value.code == "R0616"


def test_a_legacy_rune_without_sections_or_with_a_broken_graph_is_read(
    parts: Parts, wat: Callable[[str], bytes]
) -> None:
    bare = read_rune(wat(LEGACY))
    assert bare.is_legacy
    assert bare.document is None
    assert bare.version is None
    broken = read_rune(wat(LEGACY) + parts.section(".rune_graph", b"{{{"))
    assert broken.document is None


def test_webassembly_that_is_no_rune_is_refused(wat: Callable[[str], bytes]) -> None:
    assert code_of(wat("(module)")) == "R0602"
    assert code_of(wat('(module (memory 1) (func (export "main")))')) == "R0601"


def test_a_rune_without_its_digest_is_not_taken_for_a_legacy_rune(parts: Parts) -> None:
    data = parts.build()
    assert code_of(data[: -(32 + 15)]) == "R0602"


def test_the_digest_is_that_of_everything_before_it(parts: Parts) -> None:
    data = parts.build()
    digest = read_rune(data).digest
    assert digest == hashlib.sha256(data[: -(32 + 15)]).digest()
