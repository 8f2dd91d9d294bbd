"""Blocks as deep as the host allows, compiled by the engine on boards; deeper ones are rejected."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from runec.boards import Board, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import MAX_NESTING, Rune, limits, read_rune, write_rune
from runec.container.wasm import CODE, WasmReader, walk_sections
from runec.container.writer import assemble
from runec.devices import Target, run_bytes
from runec.diagnostics import RuneError
from runec.frontend import analyse_text
from runec.vm import Inputs

BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
RUNEFILE = """
version: 1
image: runicos/base
pipeline:
  x: {capability: RAW, outputs: [{type: u8, dimensions: [4]}]}
  out: {out: SERIAL, inputs: [x]}
"""
RESULT = b'{"2":[{"element-type":"u8","dimensions":[4],"elements":[1,2,3,4]}]}\n'


def leb128(value: int) -> bytes:
    return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))


def deepened(code: bytes, depth: int) -> bytes:
    """Put blocks in one another, `depth` with the function's own, at the end of every function.

    Half are `loop`, half `block`; what they do is nothing.
    """
    (section,) = (item for item in walk_sections(code) if item.id == CODE)
    reader = WasmReader(code, section.content, section.end)
    count = reader.unsigned()
    bodies = []
    for _ in range(count):
        body = reader.take(reader.unsigned())
        inner = b"".join(b"\x02\x40" if i % 2 else b"\x03\x40" for i in range(depth - 1))
        deep = inner + b"\x0b" * (depth - 1)
        # Before the instructions but behind the locals would need a walk; the last `end` is easy,
        # and blocks without results leave what lies on the stack.
        changed = body[:-1] + deep + body[-1:]
        bodies.append(leb128(len(changed)) + changed)
    content = leb128(count) + b"".join(bodies)
    return (
        code[: section.start]
        + bytes((CODE,))
        + leb128(len(content))
        + content
        + code[section.end :]
    )


def nested(tmp_path: Path, depth: int) -> Rune:
    pipeline = analyse_text(RUNEFILE, "Runefile.yml", tmp_path, "nested").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    code = deepened(rune.code, depth)
    digest = hashlib.sha256(code).hexdigest()
    graph = dataclasses.replace(rune.require_graph(), code_bytes=len(code), code_sha256=digest)
    return read_rune(assemble(graph, code, {}))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    (tmp_path / "x.bin").write_bytes(bytes((1, 2, 3, 4)))
    return Inputs(raw=(tmp_path / "x.bin",))


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_the_deepest_module_runs_on_every_board(
    tmp_path: Path, inputs: Inputs, board: Board
) -> None:
    rune = nested(tmp_path, MAX_NESTING)
    assert list(run_bytes(rune, inputs, Target("emulator", board))) == [RESULT]


@pytest.mark.emulated
@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 1000])
def test_a_deeper_module_is_refused_by_the_board_itself(
    tmp_path: Path, inputs: Inputs, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    monkeypatch.setattr(limits, "MAX_NESTING", 10_000)  # as a tool that does not look
    rune = nested(tmp_path, depth)
    with pytest.raises(RuneError) as refused:
        list(run_bytes(rune, inputs, Target("emulator", load_board("netduinoplus2"))))
    assert refused.value.code == "R0906"
    assert "blocks nested too deeply" in refused.value.message
    assert "runevm error 308, ENGINE" in refused.value.notes
