"""The same rune on the same chip with its FPU and without: the same bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from runec.boards import Board, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, WasmModule, write_rune
from runec.devices import EmulatedDevice, Target, plan_emulation, run_bytes
from runec.firmware import DeviceRune, build_project, create_project
from runec.frontend import analyse, analyse_text
from runec.vm import InputReader, Inputs
from tools.conformance import read_conformance

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MACHINE = ("-mcpu=cortex-m4", "-mthumb")
# The board's own; what Arduino's core for the nRF52 is built with; what labwired runs.
UNITS = {
    "hard": (*MACHINE, "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "softfp": (*MACHINE, "-mfpu=fpv4-sp-d16", "-mfloat-abi=softfp"),
    "soft": (*MACHINE, "-mfloat-abi=soft"),
}
pytestmark = pytest.mark.emulated
OnUnit = Callable[[Rune, str], Callable[[], EmulatedDevice]]


def with_unit(board: Board, unit: str) -> Board:
    toolchain = msgspec.structs.replace(board.toolchain, flags=UNITS[unit])
    return msgspec.structs.replace(board, toolchain=toolchain)


@pytest.fixture
def on_unit(tmp_path: Path) -> OnUnit:
    """Build a rune's firmware for an STM32F405 with one of UNITS; start it in QEMU."""

    def build(rune: Rune, unit: str) -> Callable[[], EmulatedDevice]:
        board = load_board("netduinoplus2")
        assert board.toolchain.flags == UNITS["hard"]
        board = with_unit(board, unit)
        built = build_project(create_project(DeviceRune.of(rune), board, tmp_path / unit))
        return lambda: EmulatedDevice(plan_emulation(rune, board), built.elf)

    return build


@pytest.mark.parametrize(
    "example", sorted(path.parent.name for path in EXAMPLES.glob("*/conformance.toml"))
)
def test_every_example_prints_what_it_must(on_unit: OnUnit, example: str) -> None:
    folder = EXAMPLES / example
    pipeline = analyse(folder / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    for unit in UNITS:
        start = on_unit(rune, unit)
        for run in read_conformance(folder / "conformance.toml"):
            with start() as device:
                lines = list(device.run(InputReader(run.inputs(folder)), repeats=run.repeats))
            assert lines == list(run.expected or ()), (unit, run)


# Every block that computes with floats, by type and length of what they are given: stage, input,
# outputs, arguments.
SCALE = "scale: 0.031, zero_point: 3"
BLOCKS = {
    "f32 64": (
        ("normalize", "x", ("f32 64",), ""),
        ("softmax", "x", ("f32 64",), ""),
        ("modulo", "x", ("f32 64",), "modulus: 0.7"),
        ("std_dev", "x", ("f32 1",), ""),
        ("mean", "x", ("f32 1",), ""),
        ("median", "x", ("f32 1",), ""),
        ("rolling_average", "x", ("f32 64",), ""),
        ("quantize", "x", ("i8 64",), SCALE),
        ("dequantize", "quantize", ("f32 64",), SCALE),
    ),
    "f64 16": (
        ("softmax", "x", ("f64 16",), ""),
        ("std_dev", "x", ("f64 1",), ""),
        ("mean", "x", ("f32 1",), ""),
        ("normalize", "x", ("f32 16",), ""),
    ),
    "i16 1920": (
        ("audio_float_conversion", "x", ("f32 1920",), ""),
        ("image_normalization", "x", ("f32 1920",), ""),
        ("stats", "x", ("f32 1", "f32 1"), ""),
        ("fft", "x", ("u32 1, 1960",), "sample_rate: 16000"),
        ("noise_filtering", "fft", ("i8 1, 1960",), ""),
    ),
}


def runefile(given: str) -> str:
    def outputs(*tensors: str) -> str:
        shown = (tensor.partition(" ") for tensor in tensors)
        return ", ".join(f"{{type: {kind}, dimensions: [{shape}]}}" for kind, _, shape in shown)

    lines = ["version: 1", "image: runicos/base", "pipeline:"]
    lines.append(f"  x: {{capability: RAW, outputs: [{outputs(given)}]}}")
    results = []
    for name, source, tensors, arguments in BLOCKS[given]:
        lines.append(
            f"  {name}: {{proc-block: {name}, inputs: [{source}], "
            f"outputs: [{outputs(*tensors)}], args: {{{arguments}}}}}"
        )
        results += [f"{name}.{index}" for index in range(len(tensors))]
    lines.append(f"  out: {{out: TENSOR, inputs: [{', '.join(results)}]}}")
    return "\n".join(lines) + "\n"


def samples(given: str) -> Iterator[bytes]:
    """Usual numbers, all magnitudes with subnormal ones, and any bit pattern."""
    rng = np.random.default_rng(29)
    if given == "i16 1920":
        for shift in (0, 4, 12):
            yield (rng.integers(-(2**15), 2**15, 1920) >> shift).astype("<i2").tobytes()
        return
    kind, count = ("<f4", 64) if given == "f32 64" else ("<f8", 16)
    yield rng.normal(0, 3, count).astype(kind).tobytes()
    with np.errstate(over="ignore"):
        yield (
            (rng.normal(0, 1, count) * 10.0 ** rng.integers(-45, 38, count)).astype(kind).tobytes()
        )
    yield rng.bytes(count * int(kind[2]))


@pytest.mark.parametrize("given", BLOCKS)
def test_every_block_with_floats_gives_the_hosts_bytes(
    on_unit: OnUnit, tmp_path: Path, given: str
) -> None:
    pipeline = analyse_text(runefile(given), "Runefile.yml", tmp_path, "blocks").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    inputs = []
    for number, data in enumerate(samples(given)):
        path = tmp_path / f"x{number}"
        path.write_bytes(data)
        inputs.append(Inputs(raw=(path,)))
    hosts = [list(run_bytes(rune, each, Target("host"), repeats=2)) for each in inputs]
    assert len({each[0] for each in hosts}) == len(inputs)
    for unit in UNITS:
        start = on_unit(rune, unit)
        for each, expected in zip(inputs, hosts, strict=True):
            with start() as device:
                assert list(device.run_bytes(InputReader(each), repeats=2)) == expected, unit


# What WebAssembly computes with floats. A to C are f32, D and E f64, I and J integers.
SINGLE = ("add", "sub", "mul", "div", "min", "max", "copysign")
ALONE = ("sqrt", "ceil", "floor", "trunc", "nearest", "abs", "neg")
COMPARED = ("eq", "ne", "lt", "gt", "le", "ge")
F32 = [
    *(f"(f32.{name} $A $B)" for name in SINGLE),
    *(f"(f32.{name} $A)" for name in ALONE),
    "(f32.convert_i32_s $I)",
    "(f32.convert_i32_u $I)",
    "(f32.convert_i64_s $J)",
    "(f32.convert_i64_u $J)",
    "(f32.demote_f64 $D)",
    # what a compiler would fuse
    "(f32.add (f32.mul $A $B) $C)",
    "(f32.sub $C (f32.mul $A $B))",
]
F64 = [
    *(f"(f64.{name} $D $E)" for name in SINGLE),
    *(f"(f64.{name} $D)" for name in ALONE),
    "(f64.convert_i32_s $I)",
    "(f64.convert_i64_u $J)",
    "(f64.promote_f32 $A)",
]
CUT = ((32, "A"), (64, "D"))
I32 = [
    *(f"(f32.{name} $A $B)" for name in COMPARED),
    *(f"(f64.{name} $D $E)" for name in COMPARED),
    *(
        f"(i32.trunc_sat_f{size}_{sign} ${of})"
        for size, of in ((32, "A"), (64, "D"))
        for sign in "su"
    ),
]
I64 = [
    f"(i64.trunc_sat_f{size}_{sign} ${of})" for size, of in ((32, "A"), (64, "D")) for sign in "su"
]
OPERATIONS = [*F32, *F64, *I32, *I64]
PAIRS = 96
IN = 1024
OUT = IN + 8 * (PAIRS + 2)
END = OUT + 8 * (PAIRS + 2)


def instructions() -> str:
    """A module that computes one of OPERATIONS, which its first word names, of each pair."""
    names = {
        "$A": "(f32.load (local.get $p))",
        "$B": "(f32.load offset=4 (local.get $p))",
        "$C": "(f32.load offset=8 (local.get $p))",
        "$D": "(f64.load (local.get $p))",
        "$E": "(f64.load offset=8 (local.get $p))",
        "$I": "(i32.load (local.get $p))",
        "$J": "(i64.load (local.get $p))",
    }
    results = [f"(i64.extend_i32_u (call $bits32 {text}))" for text in F32]
    results += [f"(call $bits64 {text})" for text in F64]
    results += [f"(i64.extend_i32_u {text})" for text in I32] + I64
    body = ""
    for number, result in enumerate(results):
        text = re.sub(r"\$[A-J]", lambda match: names[match[0]], result)
        body += f"""(if (i32.eq (local.get $what) (i32.const {number}))
            (then (i64.store (local.get $q) {text})))\n"""
    return f"""(module
      (import "env" "request_capability" (func $capability (param i32) (result i32)))
      (import "env" "request_provider_response" (func $provide (param i32 i32 i32) (result i32)))
      (import "env" "request_output" (func $output (param i32) (result i32)))
      (import "env" "consume_output" (func $consume (param i32 i32 i32) (result i32)))
      (memory (export "memory") 1 1)
      (global (export "__heap_base") i32 (i32.const {END}))
      (global (export "__data_end") i32 (i32.const {END}))
      (func $bits32 (param f32) (result i32)
        (select (i32.const 0x7fc00000) (i32.reinterpret_f32 (local.get 0))
          (f32.ne (local.get 0) (local.get 0))))
      (func $bits64 (param f64) (result i64)
        (select (i64.const 0x7ff8000000000000) (i64.reinterpret_f64 (local.get 0))
          (f64.ne (local.get 0) (local.get 0))))
      (func (export "_manifest") (result i32)
        (drop (call $capability (i32.const 5)))
        (drop (call $output (i32.const 5)))
        (i32.const 1))
      (func (export "_call") (param i32 i32 i32) (result i32)
        (local $what i32) (local $p i32) (local $q i32)
        (drop (call $provide (i32.const {IN}) (i32.const {OUT - IN}) (i32.const 1)))
        (local.set $what (i32.load (i32.const {IN})))
        (local.set $p (i32.const {IN + 8}))
        (local.set $q (i32.const {OUT}))
        (loop $each
          {body}
          (local.set $p (i32.add (local.get $p) (i32.const 8)))
          (local.set $q (i32.add (local.get $q) (i32.const 8)))
          (br_if $each (i32.lt_u (local.get $p) (i32.const {OUT - 8}))))
        (drop (call $consume (i32.const 2) (i32.const {OUT}) (i32.const {END - OUT})))
        (i32.const 0)))"""


@pytest.fixture
def arithmetic(wat: Callable[[str], bytes], tmp_path: Path) -> Rune:
    text = f"""
version: 1
image: runicos/base
pipeline:
  x: {{capability: RAW, outputs: [{{type: u32, dimensions: [{(OUT - IN) // 4}]}}]}}
  out: {{out: TENSOR, inputs: [x]}}
"""
    pipeline = analyse_text(text, "Runefile.yml", tmp_path, "arithmetic").pipeline
    return write_rune(pipeline, WasmModule(wat(instructions()), END, IN))


def operands() -> NDArray[np.uint32]:
    """Pairs of words: as two f32 and as one f64 of every kind."""
    rng = np.random.default_rng(31)
    special = [0, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F800000, 0xFF800000, 0x7FC12345]
    special += [0x7F7FFFFF, 0x4B000001, 0x3F000000, 0xBF000000, 0x4F000000, 0xCF000000, 0x80000000]
    words = rng.integers(0, 2**32, (PAIRS + 1, 2), np.uint32)
    words[:20] = rng.choice(np.array(special, np.uint32), (20, 2))
    words[20:50] = rng.normal(0, 100, (30, 2)).astype(np.float32).view(np.uint32)
    words[50:80] = rng.normal(0, 1e4, 30).astype("<f8").view("<u4").reshape(30, 2)
    return words


@contextmanager
def asked(folder: Path, number: int, words: NDArray[np.uint32]) -> Iterator[Inputs]:
    path = folder / "pairs"
    path.write_bytes(struct.pack("<2I", number, 0) + words.tobytes())
    yield Inputs(raw=(path,))


def test_every_float_instruction_of_webassembly_gives_the_hosts_bytes(
    on_unit: OnUnit, arithmetic: Rune, tmp_path: Path
) -> None:
    words = operands()
    starts = {unit: on_unit(arithmetic, unit) for unit in UNITS}
    devices = {unit: start() for unit, start in starts.items()}
    a, b = (words[:-1, at].copy().view(np.float32) for at in (0, 1))
    d = words.copy().view("<f8").ravel()
    try:
        for number, operation in enumerate(OPERATIONS):
            with asked(tmp_path, number, words) as inputs:
                (host,) = run_bytes(arithmetic, inputs, Target("host"))
                for unit, device in devices.items():
                    assert list(device.run_bytes(InputReader(inputs))) == [host], (unit, operation)
            # numpy's answer, where WebAssembly has the same operation
            name = operation.split()[0][1:]
            exact = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
            result = np.frombuffer(host[-8 * (PAIRS + 2) :], "<u8")[:PAIRS]
            with np.errstate(all="ignore"):
                if operation in F32[:4]:
                    expected = exact[name[4:]](a, b)
                    found = result.astype("<u4").view("<f4")
                elif operation in F64[:4]:
                    expected = exact[name[4:]](d[:-1], d[1:])
                    found = result.view("<f8")
                else:
                    continue
            assert np.array_equal(found, expected, equal_nan=True), operation
    finally:
        for device in devices.values():
            device.close()
