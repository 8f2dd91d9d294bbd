"""Real firmware on emulated boards. Nothing is skipped: `make setup` installs what they need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import Board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, WasmModule, write_rune
from runec.devices import Target, open_emulator, plan_emulation, run
from runec.diagnostics import RuneError, UserFileError
from runec.frontend import analyse
from runec.tools import find_tool, run_tool
from runec.vm import InputReader, Inputs

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
BOARDS = [board for board in load_boards() if {"builds", "emulated"} <= {*board.verified}]
# One a compiler, the quickest to emulate; `make emulated` takes all.
SOME = {
    board.toolchain.prefix: board
    for board in sorted(BOARDS, key=lambda board: getattr(board.emulator, "kind", "") == "qemu")
}
# 16 bytes come from RAW and go to SERIAL; the first word says what happens in between.
CHOOSER = """(module
  (import "env" "request_capability" (func $capability (param i32) (result i32)))
  (import "env" "request_provider_response" (func $provide (param i32 i32 i32) (result i32)))
  (import "env" "request_output" (func $output (param i32) (result i32)))
  (import "env" "consume_output" (func $consume (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (global (export "__heap_base") i32 (i32.const 1040))
  (global (export "__data_end") i32 (i32.const 1040))
  (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func (export "_manifest") (result i32)
    (drop (call $capability (i32.const 5)))
    (drop (call $output (i32.const 1)))
    (i32.const 1))
  (func (export "_call") (param i32 i32 i32) (result i32)
    (local $choice i32)
    (drop (call $provide (i32.const 1024) (i32.const 16) (i32.const 1)))
    (local.set $choice (i32.load (i32.const 1024)))
    (if (i32.eq (local.get $choice) (i32.const 1)) (then unreachable))
    (if (i32.eq (local.get $choice) (i32.const 2)) (then (drop (i32.load (i32.const 5000)))))
    (if (i32.eq (local.get $choice) (i32.const 3)) (then (return (i32.const 2))))
    (if (i32.eq (local.get $choice) (i32.const 4)) (then (drop (call $deep (i32.const 1)))))
    (if (i32.eq (local.get $choice) (i32.const 5))
      (then (drop (call $consume (i32.const 7) (i32.const 1024) (i32.const 16)))))
    (if (i32.eq (local.get $choice) (i32.const 6))
      (then (drop (i32.div_u (i32.const 1) (i32.const 0)))))
    (drop (call $consume (i32.const 2) (i32.const 1024) (i32.const 16)))
    (i32.const 0)))
"""


@pytest.fixture(scope="module")
def noop() -> Rune:
    pipeline = analyse(EXAMPLES / "noop" / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


@pytest.fixture(scope="module")
def chooser(tmp_path_factory: pytest.TempPathFactory) -> Rune:
    """A rune that fails in the way that its input asks for."""
    folder = tmp_path_factory.mktemp("chooser")
    (folder / "chooser.wat").write_text(CHOOSER)
    done = run_tool([find_tool("wat2wasm", hint=""), "chooser.wat"], cwd=folder)
    assert done.returncode == 0, done.stderr
    pipeline = analyse(EXAMPLES / "noop" / "Runefile.yml", name="chooser").pipeline
    code = (folder / "chooser.wasm").read_bytes()
    return write_rune(pipeline, WasmModule(code, 1040, 1024))


@pytest.fixture
def words(tmp_path: Path) -> Callable[..., Inputs]:
    """Make the RAW input of four i32."""

    def make(*values: int) -> Inputs:
        path = tmp_path / "input.bin"
        path.write_bytes(b"".join(value.to_bytes(4, "little", signed=True) for value in values))
        return Inputs(raw=(path,))

    return make


@pytest.mark.parametrize("board", SOME.values(), ids=lambda board: board.id)
def test_a_board_prints_what_the_host_prints(
    noop: Rune, board: Board, words: Callable[..., Inputs]
) -> None:
    inputs = words(-1, 2**31 - 1, 0, -(2**31))
    lines = list(run(noop, inputs, Target("emulator", board), repeats=2))
    assert lines == list(run(noop, inputs, Target("host"), repeats=2))


FAILURES = {
    1: ("R0907", "unreachable"),
    2: ("R0907", "linear memory"),
    3: ("R0908", "stage"),
    4: ("R0907", "stack"),
    5: ("R0909", "consume_output"),
    6: ("R0907", "divi"),
}


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_a_failing_rune_is_told_and_the_firmware_lives_on(
    chooser: Rune, board: Board, words: Callable[..., Inputs]
) -> None:
    good = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,7,8,9]}]}'
    with open_emulator(plan_emulation(chooser, board)) as device:
        for choice, (code, word) in FAILURES.items():
            with pytest.raises(RuneError) as caught:
                list(device.run(InputReader(words(choice, 0, 0, 0))))
            assert caught.value.code == code, choice
            assert word in caught.value.message, choice
            assert list(device.run(InputReader(words(0, 7, 8, 9)))) == [good], choice
        with pytest.raises(UserFileError):
            list(device.run(InputReader(words(1, 2))))
        assert list(device.run(InputReader(words(0, 7, 8, 9)))) == [good]
        stats = device.stats()
        assert stats.linear_memory_bytes == 1040
        assert device.hello.board == board.id
