"""Real firmware on emulated boards: runes that misbehave, and what was reserved for good ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.boards import load_board
from runec.container import MAX_NESTING, Rune, WasmModule, write_rune
from runec.devices import EmulatedDevice, plan_emulation
from runec.diagnostics import RunecError
from runec.firmware import DeviceRune, build_project, create_project
from runec.firmware.budget import flash_bounds, ram_bounds
from runec.frontend import analyse
from runec.pipeline import Resource
from runec.vm import InputReader, Inputs

NOOP = Path(__file__).resolve().parents[2] / "examples" / "noop"
MEMORY_BYTES = 1104
MakeRune = Callable[[str], Rune]
NoopWith = Callable[..., Rune]


@pytest.fixture
def noop_with(wat: Callable[[str], bytes]) -> NoopWith:
    """The noop example's graph over a module whose `_call` is `body`; `asks`: in `_manifest`.

    `memory_bytes`: its linear memory. `resource`: bytes that lie in flash beside it.
    """

    def make(
        body: str,
        functions: str = "",
        asks: str = "",
        *,
        memory_bytes: int = MEMORY_BYTES,
        resource: bytes = b"",
    ) -> Rune:
        pages = -(-memory_bytes // 65536)
        code = wat(f"""(module
            (import "env" "request_capability" (func $ask (param i32) (result i32)))
            (import "env" "request_capability_set_param"
                (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "env" "request_output" (func $out (param i32) (result i32)))
            (memory (export "memory") {pages} {pages})
            (global (export "__heap_base") i32 (i32.const {memory_bytes}))
            (global (export "__data_end") i32 (i32.const {memory_bytes}))
            (data (i32.const 1024) "length") (data (i32.const 1032) "\\10\\00\\00\\00")
            (func (export "_manifest") (result i32)
                i32.const 5 call $ask drop {asks} i32.const 1 call $out drop i32.const 1)
            {functions}
            (func $call (export "_call") (param i32 i32 i32) (result i32) {body}))""")
        module = WasmModule(code, memory_bytes, 1024)
        pipeline = analyse(NOOP / "Runefile.yml").pipeline
        if resource:
            resources = {"words": Resource("words", resource)}
            pipeline = msgspec.structs.replace(pipeline, resources=resources)
        return write_rune(pipeline, module)

    return make


def test_code_that_is_invalid_gets_into_no_firmware(noop_with: NoopWith, tmp_path: Path) -> None:
    good = noop_with("i32.const 1 i32.const 2 i32.add")
    code = good.code.replace(b"\x41\x01\x41\x02\x6a", b"\x41\x01\x41\x02\x92")  # f32.add
    assert code != good.code
    pipeline = analyse(NOOP / "Runefile.yml").pipeline
    bad = write_rune(pipeline, WasmModule(code, MEMORY_BYTES, 1024))
    board = load_board("netduinoplus2")
    create_project(DeviceRune.of(good), board, tmp_path / "good")
    with pytest.raises(RunecError, match="type mismatch") as caught:
        create_project(DeviceRune.of(bad), board, tmp_path / "bad")
    assert caught.value.code == "R0707"
    assert not (tmp_path / "bad").exists()


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["netduinoplus2", "esp32c3", "esp32"])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("unreachable", "TRAP"),
        (f"i32.const {MEMORY_BYTES} i32.load8_u", "OUT_OF_BOUNDS"),
        ("i32.const 0 i32.const 0 i32.const 0 call $call", "STACK"),
        ("i32.const 1", "STAGE"),
        ("i32.const 9 call $ask", "HOST_CALL"),
    ],
)
def test_the_firmware_answers_a_misbehaving_rune_with_its_error_and_lives_on(
    noop_with: NoopWith, tmp_path: Path, board: str, body: str, told: str
) -> None:
    rune = noop_with(body)
    built = build_project(
        create_project(DeviceRune.of(rune), load_board(board).emulated(), tmp_path / "p")
    )
    inputs = Inputs(raw=(NOOP / "input.bin",))
    with EmulatedDevice(plan_emulation(rune, load_board(board)), built.elf) as device:
        for _ in range(2):
            with pytest.raises(RunecError) as caught:
                list(device.run(InputReader(inputs)))
            assert any(note.endswith(told) for note in caught.value.notes)
        stats = device.stats()
    assert stats.runs == 2
    assert stats.stack_used_bytes is not None
    assert stats.stack_used_bytes < built.stack_bytes


@pytest.mark.emulated
def test_flash_and_ram_may_take_more_than_the_chip_has_of_either(
    noop_with: NoopWith, tmp_path: Path
) -> None:
    # 4 MiB of each. An ELF loader that cleared .bss behind the program in flash would get past its
    # end, where this board's memory starts again.
    half = 2_300_000
    body = f"""i32.const {half - 1} i32.const 97 i32.store8
        i32.const {half - 1} i32.load8_u i32.const 97 i32.ne"""
    rune = noop_with(body, memory_bytes=half, resource=bytes(half))
    board = load_board("mps2_an386").emulated()
    built = build_project(create_project(DeviceRune.of(rune), board, tmp_path / "p"))
    assert built.flash_bytes + built.ram_bytes > board.memory.code.size_bytes
    with (
        EmulatedDevice(plan_emulation(rune, board), built.elf) as device,
        # It ran to its end, which writes no output.
        pytest.raises(RunecError, match="before this output had its tensors"),
    ):
        list(device.run(InputReader(Inputs(raw=(NOOP / "input.bin",)))))


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["netduinoplus2", "esp32c3", "esp32"])
def test_a_parameter_that_the_graph_does_not_list_is_refused_when_the_rune_is_loaded(
    noop_with: NoopWith, tmp_path: Path, board: str
) -> None:
    asks = "i32.const 1 i32.const 1024 i32.const 6 i32.const 1032 i32.const 4 i32.const 1 "
    rune = noop_with("i32.const 0", asks=f"{asks} call $set drop")
    built = build_project(
        create_project(DeviceRune.of(rune), load_board(board).emulated(), tmp_path / "p")
    )
    with pytest.raises(RunecError) as caught:
        EmulatedDevice(plan_emulation(rune, load_board(board)), built.elf)
    assert caught.value.code == "R0909"
    assert any("request_capability_set_param" in note for note in caught.value.notes)


@pytest.mark.emulated
def test_a_rune_that_kills_the_chip_while_it_is_loaded_is_left_out_after_the_restart(
    noop_with: NoopWith,
    tmp_path: Path,
) -> None:
    # wasm3's compiler calls itself for each nested block: as many as a rune may have, and a stack
    # too small for them, which only the chip notices.
    depth = MAX_NESTING - 1
    nested = f"(func {'block ' * depth}{'end ' * depth})"
    rune = noop_with("i32.const 0", nested)
    board = load_board("netduinoplus2")
    memory = msgspec.structs.replace(board.memory, stack_bytes=4 * 1024)
    board = msgspec.structs.replace(board, memory=memory)
    built = build_project(create_project(DeviceRune.of(rune), board, tmp_path / "p"))
    with pytest.raises(RunecError) as caught:
        EmulatedDevice(plan_emulation(rune, board), built.elf)
    said = " ".join((caught.value.message, *caught.value.notes))
    assert "ENGINE" in said
    assert "it is left out" in said


@pytest.mark.emulated
@pytest.mark.parametrize(
    "board", ["netduinoplus2", "esp32c3", "esp32", "nucleo_f401re", "nrf52_dk"]
)
@pytest.mark.parametrize("example", ["noop", "sine", "gesture"])
def test_what_was_reserved_is_enough_and_what_the_budget_said_is_true(
    example_rune: MakeRune, tmp_path: Path, board: str, example: str
) -> None:
    rune = example_rune(example)
    project = create_project(DeviceRune.of(rune), load_board(board).emulated(), tmp_path / "p")
    built = build_project(project)
    flash = flash_bounds(len(rune.data), project.plan, project.board)
    ram = ram_bounds(project.plan, project.board)
    assert flash.least <= built.flash_bytes <= flash.most
    assert ram.least <= built.ram_bytes <= ram.most < built.ram_bytes + 1024
    with EmulatedDevice(plan_emulation(rune, load_board(board)), built.elf) as device:
        stats = device.stats()
    assert (stats.arena_used_bytes or 0) <= built.arena_bytes
    assert stats.engine_heap_used_bytes is not None
    assert stats.engine_heap_used_bytes <= built.engine_heap_bytes
    assert stats.linear_memory_bytes is not None
    assert stats.linear_memory_bytes <= built.linear_memory_bytes
