"""runevm_rune_read() with constructed runes, valid and malformed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runec.cli import execute
from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

PROJECT = Path(__file__).resolve().parents[3]
VECTORS = Path(__file__).resolve().parents[2] / "container" / "vectors"
REFUSALS = {"TRUNCATED", "NOT_A_RUNE", "MALFORMED", "DIGEST", "ABI", "LIMIT"}
TYPES = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "utf8"]
CAPABILITIES = [None, "RAND", "SOUND", "ACCEL", "IMAGE", "RAW", "FLOAT_IMAGE"]
OUTPUTS = [None, "SERIAL", "BLE", "PIN", "WIFI", "TENSOR"]

Graph = dict[str, Any]


def said(text: str) -> str:
    """A name as the graph spells it."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def story(rune: bytes, graph: dict[str, Any], resources: dict[str, bytes]) -> str:
    """What probe.c says about a rune, from the graph and the bytes."""

    def place(name: str) -> str:
        if name not in resources:
            return "at=-1 bytes=0"
        head = len(name).to_bytes(4, "big") + name.encode()
        size = len(resources[name])
        at = rune.index(head + size.to_bytes(4, "big") + resources[name]) + len(head) + 4
        return f"at={at} bytes={size}"

    def numbers(values: list[int]) -> str:
        return ",".join(map(str, values))

    memory = graph["memory"]
    words = [f"OK name={said(graph['rune']['name'])} code={graph['code']['bytes']}"]
    words += [f"memory={memory['used']} stack={memory['stack']} digest={rune[-32:].hex()}"]
    words += [f"mapped={int('functions' in graph)}"]
    words += [f"stage={said(name)}" for name in graph["stages"]]
    for name, item in graph["capabilities"].items():
        kind, spelled = CAPABILITIES.index(item["kind"]), made.canonical(item["parameters"])
        words += [f"capability={said(name)} id={item['id']} kind={kind}"]
        words += [f"tensor={item['outputs'][0]} parameters={spelled}"]
    for name, item in graph["models"].items():
        words += [f"model={said(name)} id={item['id']} {place(item['resource'])}"]
        words += [f"arena={item['arena']} inputs={numbers(item['inputs'])}"]
        words += [f"outputs={numbers(item['outputs'])}"]
    for name, item in graph["outputs"].items():
        kind = OUTPUTS.index(item["kind"])
        words += [f"output={said(name)} id={item['id']} kind={kind}"]
        words += [f"inputs={numbers(item['inputs'])}"]
    words += [f"resource={said(name)} {place(name)}" for name in graph["resources"]]
    for item in graph["tensors"]:
        size = made.SIZES[item["element-type"]]
        for dimension in item["dimensions"]:
            size *= dimension
        shape = "".join(f":{dimension}" for dimension in item["dimensions"])
        words += [f"tensor={TYPES.index(item['element-type'])}{shape} size={size}"]
    return " ".join(words)


def test_everything_that_a_rune_says_is_read_in_place(probe: Probe) -> None:
    rune = made.full_rune()
    graph = made.full_graph(made.FULL_CODE, made.FULL_RESOURCES)
    assert probe("read", [rune]) == [story(rune, graph, made.FULL_RESOURCES)]


def nothing(code: bytes) -> dict[str, Any]:
    """The graph of a rune that does nothing."""
    maps = ("capabilities", "proc-blocks", "models", "outputs", "resources", "functions")
    empty: dict[str, Any] = {name: {} for name in maps}
    return {**made.full_graph(code, {}), **empty, "stages": [], "tensors": [], "addresses": []}


def without_code_map(graph: Graph) -> None:
    for name in ("minor", "functions", "addresses"):
        del graph[name]


def test_a_rune_without_a_code_map_is_read(probe: Probe) -> None:
    graph = made.full_graph(made.FULL_CODE, made.FULL_RESOURCES)
    without_code_map(graph)
    rune = made.assemble(made.FULL_CODE, graph, made.FULL_RESOURCES)
    assert probe("read", [rune]) == [story(rune, graph, made.FULL_RESOURCES)]


def test_a_rune_of_nothing_is_read(probe: Probe) -> None:
    # Inside the module lengths are the linker's, padded or not.
    sections = (b"\x09\x01\0", b"\x0c\x81\x80\x80\x80\0\0", b"\x0a\x01\0", b"\x0b\x81\0\0")
    for code in (made.MAGIC, made.MAGIC + b"".join(sections)):
        rune = made.assemble(code, nothing(code), {})
        assert probe("read", [rune]) == [story(rune, nothing(code), {})]


def test_resources_of_every_size_lie_aligned(probe: Probe) -> None:
    for size in (*range(20), 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 16383):
        blobs = {"first": bytes(size), "second": b"\x07" * (size % 5)}
        pipe = made.Pipe(blobs=blobs)
        code = made.program(pipe.plain_manifest(), pipe.plain_call())
        rune = pipe.build()
        (line,) = probe("read", [rune])
        assert line == story(rune, pipe.graph(code), blobs)
        assert all(int(word[3:]) % 16 == 0 for word in line.split() if word.startswith("at="))


TWICE = """version: 1
image: runicos/base
pipeline:
  raw: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}
  once: {model: ./sine.tflite, inputs: [raw], outputs: [{type: f32, dimensions: [1, 1]}]}
  twice: {model: ./sine.tflite, inputs: [once], outputs: [{type: f32, dimensions: [1, 1]}]}
  serial: {out: serial, inputs: [twice]}
"""


def test_two_models_find_the_resource_that_they_share(probe: Probe, tmp_path: Path) -> None:
    model = (PROJECT / "examples" / "sine" / "sinemodel.tflite").read_bytes()
    (tmp_path / "sine.tflite").write_bytes(model)
    (tmp_path / "Runefile.yml").write_text(TWICE)
    assert execute(["build", str(tmp_path), "-o", str(tmp_path / "x.rune")]) == 0
    rune = (tmp_path / "x.rune").read_bytes()
    assert rune.count(model) == 1
    (line,) = probe("read", [rune])
    at = f"at={rune.index(model)} bytes={len(model)}"
    assert re.findall(r"model=(\w+) id=\d+ (at=\d+ bytes=\d+)", line) == [
        ("once", at),
        ("twice", at),
    ]


def test_a_thousand_labels_lie_in_the_file_and_not_in_the_graph(probe: Probe) -> None:
    words = "\n".join(f"n{number:08} a synset of ImageNet" for number in range(1001)).encode()
    blobs = {**made.FULL_RESOURCES, "labels": words}
    graph = made.full_graph(made.FULL_CODE, blobs)
    graph["proc-blocks"]["label"]["arguments"]["wordlist"]["resource"] = "labels"
    rune = made.assemble(made.FULL_CODE, graph, blobs)
    assert len(rune) > 32 * 1024
    assert probe("read", [rune]) == [story(rune, graph, blobs)]


def test_a_rune_cut_anywhere_is_refused(probe: Probe) -> None:
    rune = made.full_rune()
    lines = probe("read", [rune[:length] for length in range(len(rune))])
    assert set(lines) <= {"TRUNCATED", "NOT_A_RUNE"}
    # Cut between module and sections it is a module like any other.
    assert {length for length, line in enumerate(lines) if line != "TRUNCATED"} == {
        len(made.MAGIC), len(made.MAGIC) + 3, len(made.MAGIC) + 8, len(made.FULL_CODE)
    }  # fmt: skip


def test_every_flipped_bit_is_noticed(probe: Probe) -> None:
    rune = made.full_rune()
    flipped = []
    for bit in range(8 * len(rune)):
        changed = bytearray(rune)
        changed[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(changed))
    assert set(probe("read", flipped)) <= REFUSALS


def test_bytes_behind_the_digest_are_refused(probe: Probe) -> None:
    assert probe("read", [made.full_rune() + b"\0"]) == ["MALFORMED"]


def test_hostile_bytes_are_refused_without_reading_past_them(probe: Probe) -> None:
    chance = made.dice(11)
    rune = made.full_rune()
    changed = []
    for _ in range(3000):
        changes = [
            (chance.random(), chance.randrange(256), chance.randrange(4))
            for _ in range(chance.randint(1, 5))
        ]
        changed.append(made.mutate(rune, changes))
    lines = probe("read", [item for item in changed if item != rune])
    assert set(lines) <= REFUSALS


def test_hostile_bytes_with_a_right_digest_are_read_or_refused(probe: Probe) -> None:
    chance = made.dice(12)
    body = made.full_rune()[:-47]
    changed = []
    for _ in range(5000):
        changes = [(chance.random(), chance.randrange(256), chance.randrange(4))]
        changed.append(made.with_digest(made.mutate(body, changes)))
    lines = probe("read", changed)
    assert {line.split()[0] for line in lines} <= REFUSALS | {"OK"}
    assert sum(line == "MALFORMED" for line in lines) > 1000


def change(*path: str | int, value: Any) -> Callable[[Graph], None]:
    def apply(graph: Graph) -> None:
        node: Any = graph
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return apply


def drop(*path: str | int) -> Callable[[Graph], None]:
    def apply(graph: Graph) -> None:
        node: Any = graph
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return apply


def swap(key: str) -> Callable[[Graph], None]:
    def apply(graph: Graph) -> None:
        graph[key] = dict(reversed(graph[key].items()))

    return apply


WRONG_GRAPHS: dict[str, tuple[str, Callable[[Graph], None]]] = {
    "another abi": ("ABI", change("abi", value=2)),
    "no abi": ("ABI", drop("abi")),
    "abi a text": ("ABI", change("abi", value="1")),
    "no name": ("MALFORMED", change("rune", "name", value="")),
    "long name": ("LIMIT", change("rune", "name", value="é" * 33)),
    "code length": ("MALFORMED", change("code", "bytes", value=19)),
    "hash short": ("MALFORMED", change("code", "sha256", value="0" * 63)),
    "hash upper case": ("MALFORMED", change("code", "sha256", value="A" * 64)),
    "stack over memory": ("MALFORMED", change("memory", "stack", value=4097)),
    "negative": ("MALFORMED", change("memory", "used", value=-1)),
    "2^31": ("MALFORMED", change("memory", "used", value=2**31)),
    "2^32 + 1": ("MALFORMED", change("models", "net", "arena", value=2**32 + 1)),
    "fraction": ("MALFORMED", change("memory", "used", value=4096.5)),
    "null number": ("MALFORMED", change("memory", "used", value=None)),
    "words of no name": (
        "MALFORMED",
        change("proc-blocks", "label", "arguments", "wordlist", "resource", value=""),
    ),
    "words of a number": (
        "MALFORMED",
        change("proc-blocks", "label", "arguments", "wordlist", "resource", value=1),
    ),
    "words of a long name": (
        "LIMIT",
        change("proc-blocks", "label", "arguments", "wordlist", "resource", value="n" * 65),
    ),
    "words and more": (
        "MALFORMED",
        change("proc-blocks", "label", "arguments", "wordlist", "and", value="b"),
    ),
    "words of something else": (
        "MALFORMED",
        change("proc-blocks", "label", "arguments", "wordlist", value={"file": "b"}),
    ),
    "unknown member": ("MALFORMED", change("more", value=1)),
    "stage without entry": ("MALFORMED", drop("capabilities", "pad")),
    "entry without stage": ("MALFORMED", drop("stages", 1)),
    "stage twice": ("MALFORMED", change("stages", 1, value="mic")),
    "stages against order": ("MALFORMED", swap("models")),
    "33 stages": ("LIMIT", change("stages", value=[f"s{n}" for n in range(33)])),
    "stage name of 65 bytes": ("LIMIT", change("stages", 0, value="x" * 65)),
    "capability kind": ("MALFORMED", change("capabilities", "mic", "kind", value="MIC")),
    "capability kind prefix": ("MALFORMED", change("capabilities", "mic", "kind", value="SOUNDS")),
    "capability without output": ("MALFORMED", change("capabilities", "mic", "outputs", value=[])),
    "capability with two": ("LIMIT", change("capabilities", "mic", "outputs", value=[0, 1])),
    "capability id": ("MALFORMED", change("capabilities", "pad", "id", value=3)),
    "capability id twice": ("MALFORMED", change("capabilities", "pad", "id", value=1)),
    "parameter text": (
        "MALFORMED",
        change("capabilities", "mic", "parameters", "hz", value="16k"),
    ),
    "9 parameters": (
        "LIMIT",
        change("capabilities", "mic", "parameters", value={f"p{n}": n for n in range(9)}),
    ),
    "argument object": ("MALFORMED", change("proc-blocks", "fft", "arguments", "bins", value={})),
    "argument nested": ("MALFORMED", change("proc-blocks", "fft", "arguments", "bins", value=[[]])),
    "block without output": ("MALFORMED", change("proc-blocks", "label", "outputs", value=[])),
    "33 inputs": ("LIMIT", change("proc-blocks", "fft", "inputs", value=[0] * 33)),
    "model without input": ("MALFORMED", change("models", "net", "inputs", value=[])),
    "model before capability": ("MALFORMED", change("models", "net", "id", value=2)),
    "model id leaps": ("MALFORMED", change("models", "second", "id", value=6)),
    "model without resource": ("MALFORMED", change("models", "net", "resource", value="c")),
    "output id": ("MALFORMED", change("outputs", "raw", "id", value=9)),
    "output kind": ("MALFORMED", change("outputs", "raw", "kind", value="SERIALS")),
    "output of nothing": ("MALFORMED", change("outputs", "raw", "inputs", value=[])),
    "tensor made twice": ("MALFORMED", change("models", "second", "outputs", value=[4])),
    "tensor made twice, none missing": (
        "MALFORMED",
        change("models", "net", "outputs", value=[3, 4]),
    ),
    "tensor not made": ("MALFORMED", change("models", "second", "outputs", value=[7])),
    "tensor used before": ("MALFORMED", change("proc-blocks", "fft", "inputs", value=[4])),
    "tensor used by its maker": ("MALFORMED", change("models", "net", "inputs", value=[4])),
    "tensor not listed": ("MALFORMED", change("outputs", "raw", "inputs", value=[7])),
    "tensor 64": ("LIMIT", change("outputs", "raw", "inputs", value=[64])),
    "outputs against order": ("MALFORMED", change("proc-blocks", "fft", "outputs", value=[3, 2])),
    "tensor missing": ("MALFORMED", drop("tensors", 6)),
    "65 tensors": (
        "LIMIT",
        change("tensors", value=[{"element-type": "u8", "dimensions": [1]}] * 65),
    ),
    "element type": ("MALFORMED", change("tensors", 0, "element-type", value="f16")),
    "no dimensions": ("MALFORMED", change("tensors", 0, "dimensions", value=[])),
    "dimension 0": ("MALFORMED", change("tensors", 0, "dimensions", value=[0])),
    "9 dimensions": ("LIMIT", change("tensors", 0, "dimensions", value=[1] * 9)),
    "huge tensor": ("LIMIT", change("tensors", 0, "dimensions", value=[65536, 65536])),
    "huge product": ("LIMIT", change("tensors", 0, "dimensions", value=[2**31 - 1] * 8)),
    "resource length": ("MALFORMED", change("resources", "a", "bytes", value=6)),
    "resource not in file": (
        "MALFORMED",
        change("resources", "c", value={"bytes": 1, "sha256": "0" * 64}),
    ),
    "resource not in graph": ("MALFORMED", drop("resources", "zz")),
    "resource in file but null": ("MALFORMED", change("resources", "a", value={"bytes": None})),
    "resources against order": ("MALFORMED", swap("resources")),
    "newer minor version": ("ABI", change("minor", value=2)),
    "minor version 0": ("MALFORMED", change("minor", value=0)),
    "minor version a text": ("MALFORMED", change("minor", value="1")),
    "no minor version": ("MALFORMED", drop("minor")),
    "minor version without functions": ("MALFORMED", drop("functions")),
    "minor version without addresses": ("MALFORMED", drop("addresses")),
    "no function of a block": ("MALFORMED", drop("functions", "label")),
    "no function of the first block": ("MALFORMED", drop("functions", "fft")),
    "function of another stage": ("MALFORMED", change("functions", "net", value=13)),
    "functions against order": ("MALFORMED", swap("functions")),
    "function a text": ("MALFORMED", change("functions", "fft", value="12")),
    "function 2^31": ("MALFORMED", change("functions", "fft", value=2**31)),
    "address missing": ("MALFORMED", drop("addresses", 6)),
    "address too many": ("MALFORMED", change("addresses", value=[1024] * 8)),
    "many addresses too many": ("MALFORMED", change("addresses", value=[1024] * 300)),
    "address not aligned": ("MALFORMED", change("addresses", 0, value=1028)),
    "tensor past the memory": ("MALFORMED", change("addresses", 5, value=4088)),
    "text past the memory": ("MALFORMED", change("addresses", 6, value=4104)),
    "address at the end of all": ("MALFORMED", change("addresses", 0, value=2**31 - 8)),
    "graph over 16 KiB": (
        "LIMIT",
        change("proc-blocks", "fft", "arguments", value={"text": "x" * 16384}),
    ),
}


GOOD_PINS = ["LED", "P0.13", "13", "a_b-c", "x" * 32]
WRONG_PINS: list[dict[str, Any]] = [
    *({"pin": name} for name in ("", ".5", "a b", 'a"', "a\\", "é", "x" * 33, 5)),
    *({"active_low": low} for low in (2, True, "0", None)),
    {"tensor": ("u8", (2,))},
    {"tensor": ("utf8", (1,))},
]


@pytest.mark.parametrize("name", GOOD_PINS)
def test_a_pin_is_read(probe: Probe, name: str) -> None:
    rune = made.Pipe(tensor=("u8", (1, 1)), outputs=["PIN"], pin=name, active_low=1).build()
    assert probe("read", [rune])[0].startswith("OK ")


@pytest.mark.parametrize("wrong", WRONG_PINS, ids=str)
def test_a_pin_that_breaks_a_rule_is_refused(probe: Probe, wrong: dict[str, Any]) -> None:
    pipe = made.Pipe(**{"tensor": ("u8", (1,)), "outputs": ["PIN"], **wrong})
    assert probe("read", [pipe.build()]) == ["MALFORMED"]


def reversed_capabilities(graph: Graph) -> None:
    graph["capabilities"]["mic"]["outputs"] = [1]
    graph["capabilities"]["pad"]["outputs"] = [0]


WRONG_GRAPHS["tensors against the order of stages"] = ("MALFORMED", reversed_capabilities)


@pytest.mark.parametrize("name", WRONG_GRAPHS)
def test_a_graph_that_breaks_a_rule_is_refused(probe: Probe, name: str) -> None:
    expected, apply = WRONG_GRAPHS[name]
    graph = made.full_graph(made.FULL_CODE, made.FULL_RESOURCES)
    apply(graph)
    rune = made.assemble(made.FULL_CODE, graph, made.FULL_RESOURCES)
    assert probe("read", [rune]) == [expected]


SPELLINGS = {
    "white space": ('"abi":1', '"abi": 1'),
    "leading zero": ('"used":4096', '"used":04096'),
    "plus": ('"used":4096', '"used":+4096'),
    "exponent": ('"used":4096', '"used":4e3'),
    "trailing comma": ('"stages":["mic",', '"stages":["mic",,'),
    "no comma": ('"inputs":[0,1]', '"inputs":[0 1]'),
    "members swapped": ('"used":4096,"stack":1024', '"stack":1024,"used":4096'),
    "escape where none is needed": ("hotg-ai/proc", "hotg-ai\\/proc"),
    "letter escaped": ('"name":"x', '"name":"\\u0078'),
    "newline as a number": ("b\\n", "b\\u000a"),
    "short escape of another dialect": ("\\u0001", "\\b"),
    "upper-case escape": ("\\u0001", "\\u001F"),
    "escape cut": ("\\u0001", "\\u00"),
    "control character": ("\\u0001", "\x01"),
    "surrogate": ("\\u0001", "\\ud800"),
    "number without digits": ('"hz":16000', '"hz":-'),
    "point without digits": ('"hz":16000', '"hz":16000.'),
    "not a number": ('"hz":16000', '"hz":NaN'),
    "truth": ('"bins":12', '"bins":true'),
    "object closed twice": ("}]}", "}]}}"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_graph_spelled_otherwise_is_refused(probe: Probe, name: str) -> None:
    graph = made.canonical(made.full_graph(made.FULL_CODE, made.FULL_RESOURCES))
    old, new = SPELLINGS[name]
    assert old in graph
    end = graph.rindex(old) if name == "object closed twice" else graph.index(old)
    graph = graph[:end] + new + graph[end + len(old) :]
    rune = made.assemble(made.FULL_CODE, graph, made.FULL_RESOURCES)
    assert probe("read", [rune]) == ["ABI" if name == "white space" else "MALFORMED"]


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"]
)
def test_a_graph_that_is_not_utf8_is_refused(probe: Probe, bad: bytes) -> None:
    # The length does not change: the é of the name and what follows are ours to overwrite.
    rune = made.full_rune()[:-47].replace("é".encode(), b"\xc3\xa9"[: 2 - len(bad)] + bad, 1)
    at = rune.index(b".rune_graph") + 11
    text = rune[at : rune.index(b"\0", at)]
    body = made.FULL_CODE + made.section(".rune_version", b'{"version":"0.1.0"}')
    body += made.section(".rune_graph", text)
    for name in sorted(made.FULL_RESOURCES):
        body += made.resource_sections(len(body), name.encode(), made.FULL_RESOURCES[name])
    assert probe("read", [made.with_digest(body)]) == ["MALFORMED"]


def wrong_layouts() -> dict[str, tuple[str, bytes]]:
    version = made.section(".rune_version", b'{"version":"0.1.0"}')
    graph = made.full_graph(made.FULL_CODE, made.FULL_RESOURCES)
    graph_section = made.section(".rune_graph", made.canonical(graph).encode())
    head = made.FULL_CODE + version + graph_section

    def of_code(code: bytes, version_section: bytes = version) -> bytes:
        text = made.canonical(nothing(code)).encode()
        return made.with_digest(code + version_section + made.section(".rune_graph", text))

    def tail(start: int, *names: str) -> bytes:
        out = b""
        for name in names:
            out += made.resource_sections(
                start + len(out), name.encode(), made.FULL_RESOURCES[name]
            )
        return out

    good = head + tail(len(head), "a", "b", "zz")
    first = made.resource_sections(len(head), b"a", b"\x01" * 5)
    padded = first.replace(b".rune_pad", b".rune_bad")
    at = first.index(b".rune_pad") + 9
    zeros = first.index(b"\0", at)
    digest = made.section(".rune_digest", hashlib.sha256(good).digest())
    return {
        "empty": ("TRUNCATED", b""),
        "text": ("NOT_A_RUNE", b"hello, world"),
        "another version of wasm": ("NOT_A_RUNE", b"\0asm\x02\0\0\0" + good[8:]),
        "a module": ("NOT_A_RUNE", made.FULL_CODE),
        "a module with names": ("NOT_A_RUNE", made.FULL_CODE + made.section("name", b"x")),
        "a legacy rune": ("ABI", made.FULL_CODE + graph_section + version),
        "no digest": ("TRUNCATED", good),
        "digest wrong": ("DIGEST", good + digest[:-1] + bytes((digest[-1] ^ 1,))),
        "digest short": ("MALFORMED", good + made.section(".rune_digest", bytes(31))),
        "digest twice": ("MALFORMED", made.with_digest(good + digest)),
        "start section": ("MALFORMED", of_code(made.MAGIC + b"\x08\x01\0")),
        "sections against order": ("MALFORMED", of_code(made.MAGIC + b"\x0a\x01\0\x01\x01\0")),
        "section twice": ("MALFORMED", of_code(made.MAGIC + b"\x01\x01\0\x01\x01\0")),
        "section 12 after 10": ("MALFORMED", of_code(made.MAGIC + b"\x0a\x01\0\x0c\x01\0")),
        "section 12 before 9": ("MALFORMED", of_code(made.MAGIC + b"\x0c\x01\0\x09\x01\0")),
        "section 13": ("MALFORMED", made.with_digest(made.MAGIC + b"\x0d\0" + version)),
        "no version": ("ABI", made.with_digest(made.FULL_CODE + graph_section)),
        "version twice": ("MALFORMED", made.with_digest(made.FULL_CODE + version + version)),
        "version no JSON": (
            "MALFORMED",
            made.with_digest(good.replace(b'{"version":"', b'{"version": ')),
        ),
        "version too much JSON": ("MALFORMED", made.assemble(
            made.FULL_CODE, graph, made.FULL_RESOURCES, '{"version":"1"}}')),
        "graph twice": ("MALFORMED", made.with_digest(head + graph_section)),
        "no resources": ("MALFORMED", made.with_digest(head)),
        "resources against order": ("MALFORMED", made.with_digest(
            head + tail(len(head), "b", "a", "zz"))),
        "resource twice": ("MALFORMED", made.with_digest(head + tail(len(head), "a", "a", "zz"))),
        "no padding section": ("MALFORMED", made.with_digest(
            head + first[first.index(b"\x0e.rune_resource") - 2:])),
        "another section for padding": ("MALFORMED", made.with_digest(head + padded)),
        "padding not zero": ("MALFORMED", made.with_digest(
            head + first[:zeros] + b"\x01" + first[zeros + 1:] + good[len(head) + len(first):])),
        "longer LEB128 of a section": ("MALFORMED", of_code(made.MAGIC, b"\0\xa1\0" + version[2:])),
        "longer LEB128 of a name": ("MALFORMED", of_code(
            made.MAGIC, b"\0\x22\x8d\0" + version[3:])),
        "LEB128 over 32 bits": ("MALFORMED", made.with_digest(head + b"\0\xff\xff\xff\xff\x1f")),
        "section past the end": ("TRUNCATED", made.with_digest(head + b"\0\xff\xff\x03")),
        "name past its section": ("MALFORMED", made.with_digest(head + b"\0\x02\x09.rune_pad")),
        "wasm code behind": ("MALFORMED", made.with_digest(good + b"\x0b\x01\0")),
        "resource head short": ("MALFORMED", made.with_digest(
            head + made.section(".rune_pad", b"") + made.section(".rune_resource", b"\0\0\0\1a"))),
        "resource name long": ("MALFORMED", made.with_digest(
            head + made.section(".rune_pad", b"")
            + made.section(".rune_resource", b"\xff\xff\xff\xffaaaaaaaa"))),
        "resource data long": ("MALFORMED", made.with_digest(
            head + made.section(".rune_pad", b"")
            + made.section(".rune_resource", b"\0\0\0\1a\0\0\0\x05aaaa"))),
        "two resources in a section": ("MALFORMED", made.with_digest(
            head + made.section(".rune_pad", b"")
            + made.section(".rune_resource", b"\0\0\0\1a\0\0\0\0" * 2))),
    }  # fmt: skip


LAYOUTS = wrong_layouts()


@pytest.mark.parametrize("name", LAYOUTS)
def test_sections_that_break_a_rule_are_refused(probe: Probe, name: str) -> None:
    expected, data = LAYOUTS[name]
    assert probe("read", [data]) == [expected]


def test_padding_must_be_the_shortest(probe: Probe) -> None:
    pipe = made.Pipe(blobs={"a": b"12345"})
    code = made.program(pipe.plain_manifest(), pipe.plain_call())
    head = code + made.section(".rune_version", b'{"version":"0.1.0"}')
    head += made.section(".rune_graph", made.canonical(pipe.graph(code)).encode())
    shortest = made.resource_sections(len(head), b"a", b"12345")
    entry = shortest[shortest.index(b"\x0e.rune_resource") - 2 :]
    pad = len(shortest) - len(entry) - len(made.section(".rune_pad", b""))
    lines = probe(
        "read",
        [
            made.with_digest(head + made.section(".rune_pad", bytes(size)) + entry)
            for size in range(pad + 40)
        ],
    )
    assert [size for size, line in enumerate(lines) if line != "MALFORMED"] == [pad]


# What the host checks and a device does not: the module, and hashes that the digest covers.
HOST_ONLY = {"bad-function-index", "bad-import", "bad-memory-pages", "bad-resource-hash"}
VERDICTS = {
    "ok": {"OK"},
    "R0601": {"NOT_A_RUNE", "TRUNCATED"},
    "R0602": {"TRUNCATED"},
    "R0603": {"MALFORMED"},
    "R0604": {"DIGEST"},
    "R0605": {"MALFORMED", "ABI"},
    "R0606": {"ABI"},
    "R0607": {"LIMIT"},
    "R0608": {"MALFORMED", "LIMIT"},
}


def test_the_vectors_of_the_format_get_the_verdict_of_the_host(probe: Probe) -> None:
    vectors = sorted(VECTORS.glob("*.hex"))
    assert len(vectors) > 10
    for path in vectors:
        verdict, _, *digits = path.read_text().splitlines()
        data = bytes.fromhex("".join(digits))
        expected = {"OK"} if path.stem in HOST_ONLY else VERDICTS[verdict.removeprefix("# ")]
        (line,) = probe("read", [data])
        assert line.split()[0] in expected, path.stem
