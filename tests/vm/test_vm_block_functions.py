"""Which functions of a module are whose: what a block adds to the module."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import wasmtime

from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.frontend import analyse
from runec.vm.block_functions import BlockFunctions

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
RAW = "  a: {capability: RAW, outputs: [{type: f32, dimensions: [12]}]}\n"
FIRST = "  first: {proc-block: normalize, inputs: [a]}\n"
SECOND = "  second: {proc-block: modulo, inputs: [first], args: {modulus: 10}}\n"
CALL_BYTES = 32  # in `_call`: two addresses, the call, what becomes of an error; sizes


def build(folder: Path, *stages: str) -> Rune:
    last = stages[-1].split(":")[0].strip()
    text = HEAD + "".join(stages) + f"  serial: {{out: serial, inputs: [{last}]}}\n"
    (folder / "Runefile.yml").write_text(text)
    pipeline = analyse(folder / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def costs(rune: Rune) -> dict[str, tuple[int, int]]:
    return BlockFunctions(rune.code, rune.require_graph()).costs()


def test_a_block_costs_what_the_code_shrinks_by_without_it(tmp_path: Path) -> None:
    one, both = build(tmp_path, RAW, FIRST), build(tmp_path, RAW, FIRST, SECOND)
    found = costs(both)
    assert list(found) == ["first", "second"]
    assert found["first"] == costs(one)["first"]
    size, count = found["second"]
    assert count >= 1
    assert 0 < size <= len(both.code) - len(one.code) <= size + CALL_BYTES


def test_what_blocks_share_is_counted_for_none_of_them(tmp_path: Path) -> None:
    graph = build(tmp_path, RAW, FIRST, SECOND).require_graph()
    nothing = "nop " * 300
    block = "(func ${} (param i32 i32) (result i32) {} i32.const 0)"
    module = wasmtime.wat2wasm(
        f"""(module
        (import "env" "request_provider_response" (func $ask (param i32 i32 i32) (result i32)))
        (import "env" "consume_output" (func $out (param i32 i32 i32) (result i32)))
        (func $shared {nothing})
        (func $deep)
        (func $own call $deep call $shared)
        {block.format("first", "call $own call $shared")}
        {block.format("second", "call $shared")}
        (func $zero (result i32) i32.const 0)
        (func (export "_manifest") (result i32) call $zero)
        (func (export "_call") (param i32 i32 i32) (result i32)
            call $zero call $zero call $zero call $ask drop
            call $zero call $zero call $first drop
            call $zero call $zero call $second drop
            call $zero call $zero call $zero call $out))"""
    )
    found = BlockFunctions(bytes(module), graph).costs()
    # Each body: no locals, two bytes a call, two of the constant, the end.
    assert found == {"first": (8 + 2 + 6, 3), "second": (6, 1)}


def test_a_module_of_another_kind_is_refused(tmp_path: Path) -> None:
    rune = build(tmp_path, RAW, FIRST)
    graph = rune.require_graph()
    other = dataclasses.replace(graph, stages=tuple(reversed(graph.stages)))
    with pytest.raises(ValueError, match="calls"):
        BlockFunctions(rune.code, other)
