"""Faults on an emulated board: each is reported with its place, and the next run is a good one.

The board is QEMU's, the firmware the real one. What may go wrong while a rune runs is one rune,
which does what the first byte of its input says; what keeps a rune from running is a rune that was
put into a firmware made for another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.codegen import compile_pipeline
from runec.container import CodeMap, Rune, WasmModule, read_rune, write_rune
from runec.devices import EmulatedDevice, plan_emulation, start_emulator
from runec.devices.session import Session
from runec.diagnostics import RuneError
from runec.firmware import DeviceRune, build_project, create_project
from runec.frontend import analyse
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Tensor,
    TensorType,
)
from runec.vm import InputReader, Inputs
from tests.blocks import known_block

BOARD = load_board("netduinoplus2").with_time_budget(0.05)
SINE = Path(__file__).resolve().parents[2] / "examples" / "sine"
MEMORY_BYTES = 1088
BUFFER = 1024
DIGEST_SECTION_BYTES = 2 + 1 + len(".rune_digest") + 32


def pipeline() -> Pipeline:
    """Two bytes -> a block -> SERIAL."""
    given, made = (Tensor(number, TensorType.parse("u8[2]"), 2) for number in range(2))
    block = known_block("identity")
    return Pipeline(
        "faulty",
        (
            Capability("in", CapabilityKind.RAW, {"length": 2}, (given,)),
            ProcBlock("block", block, "hotg-ai/proc-blocks#identity", {}, (given,), (made,)),
            Output("out", OutputKind.SERIAL, (made,)),
        ),
        {},
    )


FAULTS = {
    b"t": ("unreachable", "TRAP", "R0907", "block"),
    b"z": ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "TRAP", "R0907", "block"),
    b"m": (
        f"(drop (i32.load8_u (i32.const {MEMORY_BYTES})))",
        "OUT_OF_BOUNDS",
        "R0907",
        "block",
    ),
    b"p": (
        f"(drop (call $give (i32.const 2) (i32.const {MEMORY_BYTES - 1}) (i32.const 2)))",
        "OUT_OF_BOUNDS",
        "R0907",
        "consume_output",
    ),
    b"s": ("(drop (call $deep (i32.const 0)))", "STACK", "R0907", "block"),
    b"l": ("(loop $l (br $l))", "TIME", "R0911", "block"),
    b"c": ("(loop $l (call $nothing) (br $l))", "TIME", "R0911", "block"),
    b"w": ("(return (i32.const 7))", "STAGE", "R0908", "block"),
    b"h": ("(drop (call $out (i32.const 1)))", "HOST_CALL", "R0909", "request_output"),
    b"n": ("", "HOST_CALL", "R0909", "out"),
    b"u": ("", "TRAP", "R0907", "out"),
}
NO_OUTPUT, TRAP_BEHIND = b"n"[0], b"u"[0]
BLOCK_FUNCTION = 9  # behind 5 imports, _manifest, $nothing, $deep and _call


@pytest.fixture(scope="module")
def faulty(wat: Callable[[str], bytes]) -> Rune:
    cases = "".join(
        f"(if (i32.eq (i32.load8_u (i32.const {BUFFER})) (i32.const {letter[0]})) (then {code}))"
        for letter, (code, *_) in FAULTS.items()
    )
    text = f"""(module
        (import "env" "request_capability" (func $ask (param i32) (result i32)))
        (import "env" "request_output" (func $out (param i32) (result i32)))
        (import "env" "request_capability_set_param"
            (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "env" "request_provider_response" (func $take (param i32 i32 i32) (result i32)))
        (import "env" "consume_output" (func $give (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1 1)
        (global (export "__heap_base") i32 (i32.const {MEMORY_BYTES}))
        (global (export "__data_end") i32 (i32.const {MEMORY_BYTES}))
        (func (export "_manifest") (result i32)
            (drop (call $ask (i32.const 5))) (drop (call $out (i32.const 1)))
            (i32.const 1))
        (func $nothing)
        (func $deep (param i32) (result i32)
            (i32.add (call $deep (local.get 0)) (i32.const 1)))
        (func (export "_call") (param i32) (param $first i32) (param $last i32) (result i32)
            (block $end
                (block $out (block $block (block $in
                    (br_table $in $in $block $out $end (local.get $first)))
                    (drop (call $take (i32.const {BUFFER}) (i32.const 2) (i32.const 1)))
                    (br_if $end (i32.eq (local.get $last) (i32.const 1))))
                    (if (call $run (i32.const {BUFFER}) (i32.const {BUFFER}))
                        (then (return (i32.const 2))))
                    (br_if $end (i32.eq (local.get $last) (i32.const 2))))
                (br_if $end (i32.eq (i32.load8_u (i32.const {BUFFER})) (i32.const {NO_OUTPUT})))
                (if (i32.eq (i32.load8_u (i32.const {BUFFER})) (i32.const {TRAP_BEHIND}))
                    (then unreachable))
                (drop (call $give (i32.const 2) (i32.const {BUFFER}) (i32.const 2))))
            (i32.const 0))
        (func $run (param i32 i32) (result i32)
            {cases}
            (i32.const 0)))"""
    code_map = CodeMap({"block": BLOCK_FUNCTION}, (BUFFER, BUFFER))
    return write_rune(pipeline(), WasmModule(wat(text), MEMORY_BYTES, 1024, code_map))


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Rune], bytes]:
    """Build the firmware for a rune, once; its program holds the rune byte for byte."""

    @cache
    def build(data: bytes) -> bytes:
        project = create_project(
            DeviceRune.of(read_rune(data)), BOARD, tmp_path_factory.mktemp("faults") / "p"
        )
        return build_project(project).elf.read_bytes()

    return lambda rune: build(rune.data)


@pytest.fixture(scope="module")
def device(
    faulty: Rune, firmware: Callable[[Rune], bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatedDevice]:
    elf = tmp_path_factory.mktemp("device") / "faulty.elf"
    elf.write_bytes(firmware(faulty))
    with EmulatedDevice(plan_emulation(faulty, BOARD), elf) as started:
        yield started


def told_by(error: RuneError) -> str:
    """The name of the device's error, from the note that carries it."""
    return error.notes[0].rpartition(" ")[2]


@pytest.mark.parametrize("letter", FAULTS, ids=lambda letter: letter.decode())
def test_a_fault_of_a_run_is_told_with_its_place_and_the_next_run_is_a_good_one(
    device: EmulatedDevice, tmp_path: Path, letter: bytes
) -> None:
    _, name, code, place = FAULTS[letter]
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.write_bytes(letter + b"!")
    good.write_bytes(b"ok")
    before = device.stats().runs
    with pytest.raises(RuneError) as caught:
        list(device.run(InputReader(Inputs(raw=(bad,)))))
    assert (caught.value.code, told_by(caught.value)) == (code, name)
    assert f"(at {place!r})" in caught.value.message
    (line,) = device.run(InputReader(Inputs(raw=(good,))))
    assert line == '{"2":[{"element-type":"u8","dimensions":[2],"elements":[111,107]}]}'
    after = device.stats()
    assert after.runs == before + 2, "the board was not restarted"
    assert after.time_budget_ms == 50


def test_the_time_that_a_stopped_rune_took_is_its_budget(
    device: EmulatedDevice, tmp_path: Path
) -> None:
    (tmp_path / "loop").write_bytes(b"l!")
    with pytest.raises(RuneError):
        list(device.run(InputReader(Inputs(raw=(tmp_path / "loop",)))))
    assert device.stats().last_run_ms in (50, 51)


def signed(body: bytes) -> bytes:
    """The bytes of a .rune but its last section, with the digest that they have."""
    section = b"\x00" + bytes((DIGEST_SECTION_BYTES - 2,)) + b"\x0c.rune_digest"
    return body + section + hashlib.sha256(body).digest()


def changed(rune: Rune, **members: tuple[str, str]) -> bytes:
    """A .rune with other numbers in its graph, all together spelled with as many bytes."""
    body = rune.data[:-DIGEST_SECTION_BYTES]
    for name, (old, new) in members.items():
        before, after = (f'"{name}":{value}'.encode() for value in (old, new))
        assert body.count(before) == 1
        body = body.replace(before, after)
    assert len(body) == len(rune.data) - DIGEST_SECTION_BYTES
    return signed(body)


def damaged(rune: Rune) -> bytes:
    flipped = bytearray(rune.data)
    flipped[rune.data.index(b"__heap_base")] ^= 1
    return bytes(flipped)


def of_another_abi(rune: Rune) -> bytes:
    return changed(rune, abi=("1", "2"))


def with_more_memory(rune: Rune) -> bytes:
    return changed(rune, used=("1088", "1296"))


def with_another_capability(rune: Rune) -> bytes:
    raw, sound = '"RAW","parameters":{"length":2}', '"SOUND","parameters":{"leng":2}'
    return changed(rune, kind=(raw, sound))


@pytest.fixture(scope="module")
def sine() -> Rune:
    analysed = analyse(SINE / "Runefile.yml").pipeline
    return write_rune(analysed, compile_pipeline(analysed))


def with_a_larger_arena(rune: Rune) -> bytes:
    arena = rune.require_graph().models["sine"].arena
    return changed(rune, arena=(f"{arena}", f"{arena + 16}"))


def with_an_arena_that_is_too_small(rune: Rune) -> bytes:
    """Only the model engine finds that what the rune declares is too little."""
    arena = rune.require_graph().models["sine"].arena
    return changed(rune, name=('"sine"}', '"sine2"}'), arena=(f"{arena}", "512"))


REFUSALS: dict[str, tuple[str, Callable[[Rune], bytes], str, str, str]] = {
    "digest": ("faulty", damaged, "DIGEST", "R0905", ""),
    "abi": ("faulty", of_another_abi, "ABI", "R0905", ""),
    "memory": ("faulty", with_more_memory, "MEMORY", "R0906", "more linear memory than there is"),
    "capability": ("faulty", with_another_capability, "CAPABILITY", "R0906", "(at 'in')"),
    "arena": ("sine", with_a_larger_arena, "ARENA", "R0906", "(at 'sine')"),
    "model": ("sine", with_an_arena_that_is_too_small, "ARENA", "R0906", "(at 'sine')"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_rune_that_does_not_fit_its_firmware_is_refused_and_the_board_answers_on(
    request: pytest.FixtureRequest,
    firmware: Callable[[Rune], bytes],
    tmp_path: Path,
    case: str,
) -> None:
    fixture, change, name, code, words = REFUSALS[case]
    rune: Rune = request.getfixturevalue(fixture)
    program = firmware(rune)
    assert program.count(rune.data) == 1
    elf = tmp_path / "changed.elf"
    elf.write_bytes(program.replace(rune.data, change(rune)))
    with pytest.raises(RuneError) as caught:
        EmulatedDevice(plan_emulation(rune, BOARD), elf)
    assert (caught.value.code, told_by(caught.value)) == (code, name)
    assert words in caught.value.message
    with closing(start_emulator(BOARD, elf)) as transport:
        session = Session(transport, name="board")
        status = session.greet(booting=True, timeout_s=60).status
        refusals = [session.refusal(timeout_s=60) for _ in range(2)]
        assert [refusal.code for refusal in refusals] == [status, status]
        assert session.stats(timeout_s=60).runs == 0


def test_the_capability_with_which_a_rune_is_refused_is_one_that_another_firmware_gives(
    faulty: Rune,
) -> None:
    changed_rune = read_rune(with_another_capability(faulty)).require_graph()
    assert changed_rune.capabilities["in"].kind is CapabilityKind.SOUND
