"""Functions of the module that only one block needs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import wasmtime

from runec.codegen import compile_pipeline
from runec.container import CodeMap, Rune, write_rune
from runec.firmware.block_code import BlockCode, block_code
from runec.frontend import analyse

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
RAW = "  a: {capability: RAW, outputs: [{type: f32, dimensions: [12]}]}\n"
FIRST = "  first: {proc-block: normalize, inputs: [a]}\n"
SECOND = "  second: {proc-block: modulo, inputs: [first], args: {modulus: 10}}\n"
# In `_call`: two addresses, the call, what becomes of an error, the end of the stage; sizes.
CALL_BYTES = 48


def build(folder: Path, *stages: str) -> Rune:
    last = stages[-1].split(":")[0].strip()
    text = HEAD + "".join(stages) + f"  serial: {{out: serial, inputs: [{last}]}}\n"
    (folder / "Runefile.yml").write_text(text)
    pipeline = analyse(folder / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def with_code(rune: Rune, text: str, code_map: CodeMap | None) -> Rune:
    """The rune with another module, which is not that of its file."""
    graph = dataclasses.replace(rune.require_graph(), code_map=code_map)
    return dataclasses.replace(rune, code=bytes(wasmtime.wat2wasm(text)), graph=graph)


def test_a_block_costs_what_the_code_shrinks_by_without_it(tmp_path: Path) -> None:
    one, both = build(tmp_path, RAW, FIRST), build(tmp_path, RAW, FIRST, SECOND)
    found = block_code(both)
    assert list(found) == ["first", "second"]
    assert found["first"] == block_code(one)["first"]
    second = found["second"]
    assert second.function_count >= 1
    assert 0 < second.bytes <= len(both.code) - len(one.code) <= second.bytes + CALL_BYTES


NOTHING = "nop " * 300
BLOCK = "(func ${} (param i32 i32) (result i32) {} i32.const 0)"
SHARING = f"""(module
    (import "env" "_debug" (func $debug (param i32 i32) (result i32)))
    (func $shared {NOTHING})
    (func $deep)
    (func $own call $deep call $shared)
    {BLOCK.format("first", "call $own call $shared")}
    {BLOCK.format("second", "call $shared")}
    (func (export "_manifest") (result i32) i32.const 1)
    (func (export "_call") (param i32 i32 i32) (result i32)
        i32.const 0 i32.const 0 call $debug drop
        i32.const 0 i32.const 0 call $first drop
        i32.const 0 i32.const 0 call $second))"""


def test_what_blocks_share_is_counted_for_none_of_them(tmp_path: Path) -> None:
    rune = build(tmp_path, RAW, FIRST, SECOND)
    code_map = CodeMap({"first": 4, "second": 5}, ())
    # Each body: no locals, two bytes a call, two of the constant, the end.
    assert block_code(with_code(rune, SHARING, code_map)) == {
        "first": BlockCode(8 + 2 + 6, 3),
        "second": BlockCode(6, 1),
    }


def test_what_the_host_interface_needs_is_counted_for_no_block(tmp_path: Path) -> None:
    rune = build(tmp_path, RAW, FIRST, SECOND)
    used = SHARING.replace("i32.const 1)", "call $own i32.const 1)")
    assert block_code(with_code(rune, used, CodeMap({"first": 4, "second": 5}, ()))) == {
        "first": BlockCode(8, 1),
        "second": BlockCode(6, 1),
    }


def test_nothing_is_known_without_a_code_map_or_with_indirect_calls(tmp_path: Path) -> None:
    rune = build(tmp_path, RAW, FIRST, SECOND)
    assert block_code(with_code(rune, SHARING, None)) == {}
    indirect = SHARING.replace(
        "(func $deep)", "(table 1 funcref) (func $deep i32.const 0 call_indirect)"
    )
    assert block_code(with_code(rune, indirect, CodeMap({"first": 4, "second": 5}, ()))) == {}
