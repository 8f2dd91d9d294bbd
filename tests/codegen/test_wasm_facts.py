"""Reading modules: recursion, features a rune must not use, and cut-short bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runec.codegen.wasm import finish_module, read_facts
from runec.container import FunctionType, read_module, walk_sections
from runec.diagnostics import UserFileError


def assemble(text: str, folder: Path, *flags: str) -> bytes:
    (folder / "module.wat").write_text(text)
    tool = Path(sys.executable).parent / "wat2wasm"
    target = folder / "module.wasm"
    source = folder / "module.wat"
    subprocess.run([tool, *flags, source, "-o", target], check=True, timeout=60)
    return target.read_bytes()


WALKED = """(module
  (import "env" "_debug" (func $debug (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global (export "__heap_base") i32 (i32.const 70000))
  (global (export "negative") i32 (i32.const -1))
  (func $leaf (param i32) (result i32) (local i64 f32)
    (block (block (block (br_table 0 1 2 (local.get 0)))))
    (local.set 1 (i64.const -9223372036854775808))
    (local.set 2 (f32.load offset=200000 align=1 (i32.const 7)))
    (drop (f64.const 1.5)) (drop (f32.const 0x1p-149))
    (loop (br_if 0 (i32.eqz (memory.size))))
    (i32.add (i32.extend8_s (local.get 0)) (i32.trunc_sat_f32_s (local.get 2))))
  (func $twice (export "_call") (param i32) (result i32)
    (drop (call $debug (i32.const 0) (i32.const 0)))
    (call $leaf (call $leaf (local.get 0)))))"""


def test_finds_who_calls_whom_past_every_kind_of_immediate(tmp_path: Path) -> None:
    facts = read_facts(assemble(WALKED, tmp_path))
    assert facts.imports == ("_debug",)
    assert facts.exports == {"memory", "__heap_base", "negative", "_call"}
    assert facts.globals == {"__heap_base": 70000, "negative": 2**32 - 1}
    assert facts.calls == {1: frozenset(), 2: frozenset({0, 1})}
    assert not facts.is_recursive


@pytest.mark.parametrize(
    ("functions", "recursive"),
    [
        ("(func $a (call $a))", True),
        ("(func $a (call $b)) (func $b (call $c)) (func $c (call $a))", True),
        ("(func $z (call $a)) (func $a (call $b)) (func $b (call $b))", True),
        ("(func $a (call $b) (call $c)) (func $b (call $c)) (func $c)", False),
        ("(func $a (call $c) (call $b)) (func $b (call $c)) (func $c)", False),
    ],
)
def test_recursion_is_seen_however_long_the_way(
    tmp_path: Path, functions: str, recursive: bool
) -> None:
    module = assemble(f"(module {functions})", tmp_path)
    assert read_facts(module).is_recursive is recursive


@pytest.mark.parametrize(
    "body",
    [
        "(memory 1) (func (drop (memory.grow (i32.const 1))))",
        "(func $start) (start $start)",
        "(table 1 funcref) (elem (i32.const 0) $f) (func $f)",
        "(table 1 funcref) (type $t (func)) (func (call_indirect (type $t) (i32.const 0)))",
        "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
        '(import "wasi" "exit" (func))',
        '(import "env" "memory" (memory 1))',
        "(func (drop (v128.const i64x2 0 0)))",
        "(global f32 (f32.const 0))",
    ],
)
def test_a_feature_that_a_rune_must_not_use_is_refused(tmp_path: Path, body: str) -> None:
    module = assemble(f"(module {body})", tmp_path)
    with pytest.raises(ValueError):
        read_facts(module)


def test_a_finished_module_has_no_custom_section_no_table_and_fixed_memory(tmp_path: Path) -> None:
    text = '(module (table 1 1 funcref) (memory 1) (func $named (export "f")))'
    linked = assemble(text, tmp_path, "--debug-names")
    assert {0, 4} < {section.id for section in walk_sections(linked)}
    finished = finish_module(linked, 65536 * 200 + 1, {"f"})
    assert [section.id for section in walk_sections(finished)] == [1, 3, 5, 7, 10]
    memory = next(section for section in walk_sections(finished) if section.id == 5)
    assert finished[memory.content : memory.end] == bytes([1, 1, 0xC9, 1, 0xC9, 1])


SYMBOLS = """(module
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 1024))
  (global (export "first") i32 (i32.const 128))
  (global (export "__data_end") i32 (i32.const -300))
  (global (export "second") (export "third") i32 (i32.const 1))
  (global (export "__heap_base") (export "fourth") i32 (i32.const 70000))
  (global (export "changes") (mut i32) (i32.const 5))
  (func (export "a") (param i32) (global.set $stack (local.get 0)))
  (func (export "_call") (result i32) (global.get $stack)))"""


def test_what_is_exported_to_be_located_goes_with_its_globals(tmp_path: Path) -> None:
    linked = assemble(SYMBOLS, tmp_path)
    before = read_facts(linked)
    assert before.functions == {
        "a": (0, FunctionType((0x7F,), ())),
        "_call": (1, FunctionType((), (0x7F,))),
    }
    assert before.globals["first"] == 128
    kept = {"memory", "_call", "__data_end", "__heap_base"}
    finished = finish_module(linked, 70000, kept)
    after = read_facts(finished)
    assert after.exports == kept
    assert after.functions == {"_call": (1, FunctionType((), (0x7F,)))}
    assert after.globals == {"__data_end": 2**32 - 300, "__heap_base": 70000}
    module = read_module(finished, walk_sections(finished))
    assert [each.value for each in module.globals] == [1024, 2**32 - 300, 70000, 5]
    (tmp_path / "finished.wasm").write_bytes(finished)
    tool = Path(sys.executable).parent / "wasm-validate"
    subprocess.run([tool, tmp_path / "finished.wasm"], check=True, timeout=60)


def test_no_cut_short_module_is_read(tmp_path: Path) -> None:
    module = assemble(WALKED, tmp_path)
    ends = {8, *(section.end for section in walk_sections(module))}
    for length in set(range(len(module))) - ends:
        with pytest.raises(UserFileError):
            read_facts(module[:length])
