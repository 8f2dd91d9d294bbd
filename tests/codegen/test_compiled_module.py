"""The WebAssembly module: small, valid, deterministic, and its calls of host functions."""

from __future__ import annotations

import dataclasses
import importlib.util
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
import wasmtime

from runec.codegen import build as build_module
from runec.codegen import compile_pipeline, generate
from runec.codegen.build import _Workshop
from runec.codegen.generate import BlockUnit, GeneratedCode
from runec.codegen.toolchain import find_toolchain
from runec.codegen.wasm import read_facts
from runec.container import MAX_NESTING, WasmModule, walk_sections
from runec.container.limits import MAX_STAGES
from runec.diagnostics import MachineError, UserFileError
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Tensor,
)
from runec.proc_blocks import Block, Catalogue
from tests.blocks import known_block

if TYPE_CHECKING:
    from tests.codegen.conftest import RecordingHost

# Everything that docs/spec/rune.md, section 2.3 does not name.
FORBIDDEN = (
    "--disable-mutable-globals",
    "--disable-simd",
    "--disable-multi-value",
    "--disable-bulk-memory",
    "--disable-reference-types",
)


def validate(code: bytes, folder: Path) -> None:
    tool = Path(sys.executable).parent / "wasm-validate"
    path = folder / "module.wasm"
    path.write_bytes(code)
    subprocess.run([tool, *FORBIDDEN, path], check=True, timeout=60)


def test_sine_is_small_and_valid(sine: Pipeline, tmp_path: Path) -> None:
    module = compile_pipeline(sine)
    assert len(module.code) <= 1024
    assert module.memory_bytes <= 4096
    assert module.stack_bytes == 1024
    validate(module.code, tmp_path)


def test_gesture_fits_a_few_kilobytes_and_is_valid(gesture: Pipeline, tmp_path: Path) -> None:
    module = compile_pipeline(gesture)
    assert len(module.code) <= 2048
    # The window of 128 samples is there once: normalize works in place.
    assert 1536 <= module.memory_bytes - module.stack_bytes <= 2 * 1536
    validate(module.code, tmp_path)


def test_the_module_has_only_what_the_format_allows(sine: Pipeline) -> None:
    code = compile_pipeline(sine).code
    ids = [section.id for section in walk_sections(code)]
    assert ids == sorted(ids)
    assert not {0, 4, 8, 9, 12} & set(ids)
    facts = read_facts(code)
    assert facts.exports == {"memory", "_manifest", "_call", "__heap_base", "__data_end"}
    assert set(facts.imports) == {
        "request_capability",
        "request_capability_set_param",
        "request_provider_response",
        "rune_model_open",
        "rune_model_infer",
        "request_output",
        "consume_output",
    }
    memory = next(section for section in walk_sections(code) if section.id == 5)
    assert code[memory.content : memory.end] == bytes([1, 1, 1, 1])


def test_memory_counts_up_to_the_heap_base_and_the_pages_hold_it(
    new_tensor: Callable[..., Tensor],
) -> None:
    wide = new_tensor(0, "f32[40000]")
    pipeline = Pipeline(
        "wide",
        (
            Capability("in", CapabilityKind.RAW, {}, (wide,)),
            Output("out", OutputKind.SERIAL, (wide,)),
        ),
        {},
    )
    module = compile_pipeline(pipeline)
    assert module.memory_bytes == read_facts(module.code).globals["__heap_base"]
    assert 160000 + 1024 <= module.memory_bytes <= 160000 + 1024 + 64
    memory = next(section for section in walk_sections(module.code) if section.id == 5)
    assert module.code[memory.content : memory.end] == bytes([1, 1, 3, 3])


def test_what_sine_says_to_the_host(
    sine: Pipeline, start: Callable[..., Callable[..., int]], new_host: type[RecordingHost]
) -> None:
    angle, result = struct.pack("<f", 400.5), struct.pack("<f", 0.25)
    host = new_host({1: angle}, {2: [result]}, {2: [4]})
    call = start(compile_pipeline(sine).code, host)
    assert call("_manifest") == 1
    assert call("_call") == 0
    assert host.calls == [
        ("capability", 5),
        ("param", 1, "length", struct.pack("<i", 4), 1),
        ("model", "sine"),
        ("output", 1),
        ("provide", 1, 4),
        ("infer", 2, [struct.pack("<f", 40.5)]),
        ("consume", 3, result),
    ]


def test_what_gesture_says_to_the_host_again_and_again(
    gesture: Pipeline, start: Callable[..., Callable[..., int]], new_host: type[RecordingHost]
) -> None:
    samples = struct.pack("<384f", *range(384))
    confidences = struct.pack("<4f", 0.1, 0.7, 0.15, 0.05)
    host = new_host({1: samples}, {2: [confidences]}, {2: [1536]})
    call = start(compile_pipeline(gesture).code, host)
    assert call("_manifest") == 1
    for _ in range(3):
        host.calls.clear()
        assert call("_call") == 0
        scaled = struct.pack("<384f", *(np.arange(384, dtype="<f4") / np.float32(383)))
        assert host.calls == [
            ("provide", 1, 1536),
            ("infer", 2, [scaled]),
            ("consume", 3, b"\x04\0\0\0Ring"),
        ]


def test_parameters_are_i32_or_f32_in_their_order(
    new_tensor: Callable[..., Tensor],
    start: Callable[..., Callable[..., int]],
    new_host: type[RecordingHost],
) -> None:
    given = new_tensor(0, "u8[1]")
    parameters = {"z": -(2**31), "a": 0.1, "m": 2**31 - 1, "größe": -0.0}
    capability = Capability("in", CapabilityKind.IMAGE, parameters, (given,))
    host = new_host({1: b"x"}, {}, {})
    call = start(compile_pipeline(Pipeline("p", (capability,), {})).code, host)
    assert call("_manifest") == 1
    assert call("_call") == 0
    assert host.calls == [
        ("capability", 4),
        ("param", 1, "z", struct.pack("<i", -(2**31)), 1),
        ("param", 1, "a", struct.pack("<f", 0.1), 2),
        ("param", 1, "m", struct.pack("<i", 2**31 - 1), 1),
        ("param", 1, "größe", struct.pack("<f", -0.0), 2),
        ("provide", 1, 1),
    ]


def test_a_failing_stage_ends_the_call_with_its_number(
    gesture: Pipeline, start: Callable[..., Callable[..., int]], new_host: type[RecordingHost]
) -> None:
    stages = list(gesture.stages)
    label = stages[4]
    assert isinstance(label, ProcBlock)
    short = {"wordlist": ("only",)}
    stages[4] = ProcBlock("label", label.block, "label", short, label.inputs, label.outputs)
    confidences = struct.pack("<4f", 0, 0, 1, 0)
    host = new_host({1: bytes(1536)}, {2: [confidences]}, {2: [1536]})
    call = start(compile_pipeline(Pipeline("p", tuple(stages), {})).code, host)
    call("_manifest")
    assert call("_call") == 5
    assert host.calls[-1] == (
        "debug",
        "label: index out of bounds: there are 1 labels but label 2 was requested",
    )


def test_stages_run_one_by_one_or_in_any_range_as_all_at_once(
    gesture: Pipeline, start: Callable[..., Callable[..., int]], new_host: type[RecordingHost]
) -> None:
    samples = struct.pack("<384f", *range(384))
    confidences = struct.pack("<4f", 0.1, 0.7, 0.15, 0.05)
    host = new_host({1: samples}, {2: [confidences]}, {2: [1536]})
    call = start(compile_pipeline(gesture).code, host)
    call("_manifest")
    host.calls.clear()
    call("_call")
    expected, seen = list(host.calls), []
    for ranges in ([(n, n) for n in range(1, 7)], [(1, 3), (4, 6)], [(1, 6)], [(0, 2), (3, 0)]):
        host.calls.clear()
        for first, last in ranges:
            assert call("_call", first, last) == 0
            seen.append((first, last, len(host.calls)))
        assert host.calls == expected
    assert seen[:6] == [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 4, 2), (5, 5, 2), (6, 6, 3)]
    assert seen[6:8] == [(1, 3, 2), (4, 6, 3)]


def test_a_failing_stage_returns_its_number_when_it_runs_alone(
    gesture: Pipeline, start: Callable[..., Callable[..., int]], new_host: type[RecordingHost]
) -> None:
    stages = list(gesture.stages)
    label = stages[4]
    assert isinstance(label, ProcBlock)
    stages[4] = msgspec.structs.replace(label, arguments={"wordlist": ("only",)})
    confidences = struct.pack("<4f", 0, 0, 1, 0)
    host = new_host({1: bytes(1536)}, {2: [confidences]}, {2: [1536]})
    call = start(compile_pipeline(Pipeline("p", tuple(stages), {})).code, host)
    call("_manifest")
    assert [call("_call", number, number) for number in range(1, 6)] == [0, 0, 0, 0, 5]


def test_the_code_map_has_the_functions_and_the_addresses(gesture: Pipeline) -> None:
    module = compile_pipeline(gesture)
    code_map = module.code_map
    assert code_map is not None
    assert list(code_map.functions) == ["normalize", "most_confident_index", "label"]
    # normalize works in place; the model's output lies elsewhere.
    assert code_map.addresses[0] == code_map.addresses[1] != code_map.addresses[2]
    # An engine of its own calls the function, with the addresses as its arguments.
    exported = with_exports(module.code, code_map.functions)
    store = wasmtime.Store()
    linker = wasmtime.Linker(store.engine)
    linker.define_unknown_imports_as_traps(wasmtime.Module(store.engine, exported))
    exports = linker.instantiate(store, wasmtime.Module(store.engine, exported)).exports(store)
    memory: Any = exports["memory"]
    at = dict(enumerate(code_map.addresses))

    def run(stage: str, *tensors: int) -> None:
        function: Any = exports[stage]
        assert function(store, *(at[tensor] for tensor in tensors)) == 0

    memory.write(store, struct.pack("<384f", *range(384)), at[0])
    run("normalize", 0, 1)
    scaled = np.frombuffer(memory.read(store, at[1], at[1] + 1536), "<f4")
    assert np.array_equal(scaled, np.arange(384, dtype="<f4") / np.float32(383))
    memory.write(store, struct.pack("<4f", 0.1, 0.7, 0.15, 0.05), at[2])
    run("most_confident_index", 2, 3)
    run("label", 3, 4)
    assert bytes(memory.read(store, at[4], at[4] + 8)) == b"\x04\0\0\0Ring"


def with_exports(code: bytes, functions: Mapping[str, int]) -> bytes:
    """The module with more exports, made by wabt."""
    with tempfile.TemporaryDirectory() as folder:
        binary, text = Path(folder, "m.wasm"), Path(folder, "m.wat")
        binary.write_bytes(code)
        tools = Path(sys.executable).parent
        subprocess.run([tools / "wasm2wat", binary, "-o", text], check=True, timeout=60)
        more = "".join(f'(export "{name}" (func {index}))' for name, index in functions.items())
        text.write_text(text.read_text().rstrip().removesuffix(")") + more + ")")
        subprocess.run([tools / "wat2wasm", text, "-o", binary], check=True, timeout=60)
        return binary.read_bytes()


def test_the_deepest_pipeline_nests_no_deeper_than_devices_compile(
    new_tensor: Callable[..., Tensor],
    start: Callable[..., Callable[..., int]],
    new_host: type[RecordingHost],
) -> None:
    tensors = [new_tensor(number, "u8[4]") for number in range(31)]
    blocks = tuple(
        ProcBlock(f"block {number}", known_block("identity"), "identity", {}, (given,), (made,))
        for number, (given, made) in enumerate(pairwise(tensors))
    )
    capability = Capability("in", CapabilityKind.RAW, {}, (tensors[0],))
    pipeline = Pipeline(
        "long", (capability, *blocks, Output("out", OutputKind.SERIAL, (tensors[-1],))), {}
    )
    assert len(pipeline.stages) == MAX_STAGES
    module = compile_pipeline(pipeline)
    assert read_facts(module.code).nesting <= MAX_NESTING
    host = new_host({1: b"abcd"}, {}, {})
    call = start(module.code, host)
    call("_manifest")
    for number in range(1, MAX_STAGES + 1):
        assert call("_call", number, number) == 0
    assert host.calls[-1] == ("consume", 2, b"abcd")


def test_one_serial_output_consumes_each_of_its_tensors_in_order(
    new_tensor: Callable[..., Tensor],
    start: Callable[..., Callable[..., int]],
    new_host: type[RecordingHost],
) -> None:
    bytes_, numbers = new_tensor(0, "u8[16]"), new_tensor(1, "i32[4]")
    pipeline = Pipeline(
        "two",
        (
            Capability("a", CapabilityKind.RAW, {}, (bytes_,)),
            Capability("b", CapabilityKind.RAW, {}, (numbers,)),
            Output("out", OutputKind.SERIAL, (numbers, bytes_)),
        ),
        {},
    )
    host = new_host({1: bytes(range(16)), 2: bytes(16)}, {}, {})
    call = start(compile_pipeline(pipeline).code, host)
    call("_manifest")
    assert call("_call") == 0
    assert host.calls[-2:] == [
        ("consume", 3, bytes(16)),
        ("consume", 3, bytes(range(16))),
    ]


def test_the_bytes_do_not_depend_on_the_folder(
    gesture: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = compile_pipeline(gesture)
    for place in (tmp_path / "a", tmp_path / "a longer name, with spaces" / "ü"):
        place.mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        assert compile_pipeline(gesture) == module


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder for temporary files; empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_nothing_is_left_behind(sine: Pipeline, temporary: Path) -> None:
    compile_pipeline(sine)
    assert list(temporary.iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(
    sine: Pipeline, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        assert list(temporary.iterdir()) != []
        raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "run_tool", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile_pipeline(sine)
    assert list(temporary.iterdir()) == []


def script(folder: Path, name: str, text: str) -> None:
    """Write a program; a compiler among them has its own headers in `folder`."""
    (folder / "include").mkdir(exist_ok=True)
    (folder / "include" / "stdint.h").write_text("")
    asked = f'case "$*" in *-print-resource-dir) echo "{folder}"; exit 0;; esac'
    path = folder / name
    path.write_text(f"#!/bin/sh\n{asked}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def machine_error(sine: Pipeline, path: str, monkeypatch: pytest.MonkeyPatch) -> MachineError:
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MachineError) as caught:
        compile_pipeline(sine)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    return caught.value


def test_without_a_compiler_it_says_what_to_install(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == "R0501"
    assert "clang is not installed" in error.message
    assert error.hint == "apt install clang lld, or pip install 'runec[zig]'"


def test_without_a_linker_it_says_so(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, "clang", "exit 0")
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == "R0501"
    assert "wasm-ld is not installed" in error.message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("error: unable to create target: No available targets", "cannot compile to WebAssembly"),
        ("fatal error: unknown flag", "is version 11"),
    ],
)
def test_a_compiler_that_cannot_do_it_is_as_good_as_none(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, message: str
) -> None:
    version = 'case "$1" in --version) echo "clang version 11.0.1"; exit 0;; esac'
    script(tmp_path, "clang", f'{version}\necho "{said}" >&2\nexit 1')
    script(tmp_path, "wasm-ld", "exit 0")
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == "R0501"
    assert message in error.message


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("glue.c:1:1: error: it is broken", "R0502"),
        ("LLVM ERROR: IO failure on output stream: No space left on device", "R1001"),
    ],
)
def test_a_failing_compiler_is_quoted(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: str
) -> None:
    version = 'case "$1" in --version) echo "clang version 17.0.1"; exit 0;; esac'
    script(tmp_path, "clang", f'{version}\necho "noise" >&2; echo "{said}" >&2\nexit 1')
    script(tmp_path, "wasm-ld", "exit 0")
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == code
    assert code != "R0502" or error.notes == (said,)


def test_a_compiler_without_headers_is_refused(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, "clang", "exit 0")
    script(tmp_path, "wasm-ld", "exit 0")
    (tmp_path / "include" / "stdint.h").unlink()
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == "R0501"
    assert "lacks its headers" in error.message


@pytest.mark.parametrize("linked", [b"", b"not wasm", b"\0asm\x01\0\0\0", b"\0asm\x01\0\0\0\x0a"])
def test_a_linker_that_writes_nonsense_is_found_out(
    sine: Pipeline, monkeypatch: pytest.MonkeyPatch, linked: bytes
) -> None:
    monkeypatch.setattr(_Workshop, "link", lambda *_: linked)
    with pytest.raises(MachineError) as caught:
        compile_pipeline(sine)
    assert caught.value.code == "R0503"


def test_a_compiler_that_reports_no_stack_is_refused(
    sine: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path, "clang", "exit 0")
    script(tmp_path, "wasm-ld", "exit 0")
    error = machine_error(sine, str(tmp_path), monkeypatch)
    assert error.code == "R0502"
    assert "no stack report" in error.message


def test_the_ziglang_wheel_stands_in_for_clang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = importlib.util.spec_from_file_location("ziglang", tmp_path / "__init__.py")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: wheel)
    zig = (sys.executable, "-m", "ziglang")
    toolchain = find_toolchain()
    assert toolchain.compiler == (*zig, "clang", "--target=wasm32")
    assert toolchain.header_folder() == tmp_path / "lib" / "include"
    assert toolchain.linker == (*zig, "wasm-ld")


def test_a_versioned_clang_needs_the_linker_of_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("clang", "clang-16", "wasm-ld-15", "clang-14", "wasm-ld-14"):
        script(tmp_path, name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_toolchain().compiler == (str(tmp_path / "clang-14"), "--target=wasm32")
    assert find_toolchain().linker == (str(tmp_path / "wasm-ld-14"),)


def with_block(unit: BlockUnit, block: Block) -> BlockUnit:
    return dataclasses.replace(unit, stage=msgspec.structs.replace(unit.stage, block=block))


def compile_block_source(sine: Pipeline, folder: Path, source: str) -> WasmModule:
    """Compile sine with another block.c in modulo's place."""
    code = generate(sine)
    (folder / "block.c").write_text(source)
    block = Catalogue.builtin().find("modulo")
    assert block is not None
    changed = msgspec.structs.replace(block, directory=folder)
    units = tuple(with_block(unit, changed) for unit in code.units)
    other = GeneratedCode(code.files, code.plan, units)
    return _Workshop(find_toolchain(), folder).build(other)


RECURSIVE = """
#include "rune_block.h"
static __attribute__((noinline)) float odd(float x, float y);
static __attribute__((noinline)) float even(float x, float y)
{
    return x > y ? odd(x - y, y) * 3.0f : x;
}
static float odd(float x, float y) { return x > y ? even(x - y, y) * 5.0f : x; }
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    out0[0] = even(in0[0], RUNE_ARG_MODULUS);
    return RUNE_OK;
}
"""
DEEP = """
#include "rune_block.h"
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    volatile float room[64];
    room[(int)in0[0] & 63] = RUNE_ARG_MODULUS;
    out0[0] = room[0];
    return RUNE_OK;
}
"""
VARIABLE = """
#include "rune_block.h"
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    volatile float room[(int)in0[0] + (int)RUNE_ARG_MODULUS];
    room[0] = 1.0f;
    out0[0] = room[0];
    return RUNE_OK;
}
"""
UNUSED = """
#include "rune_block.h"
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    int unused;
    out0[0] = in0[0];
    return RUNE_OK;
}
"""
WITH_LIBC = """
#include "rune_block.h"
void *malloc(uint32_t size);
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    float *room = malloc(4);
    *room = in0[0];
    out0[0] = *room;
    return RUNE_OK;
}
"""


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (RECURSIVE, "R0505", "recursion"),
        (DEEP, "R0504", "use 256 bytes of stack, but 0 are declared"),
        (VARIABLE, "R0504", "no fixed size"),
    ],
)
def test_a_block_whose_stack_cannot_be_known_is_refused(
    sine: Pipeline, tmp_path: Path, source: str, code: str, message: str
) -> None:
    with pytest.raises(UserFileError) as caught:
        compile_block_source(sine, tmp_path, source)
    assert caught.value.code == code
    assert message in caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "#error nothing here",
        UNUSED,
        WITH_LIBC,
    ],
)
def test_a_block_that_does_not_compile_or_wants_a_libc_is_refused(
    sine: Pipeline, tmp_path: Path, source: str
) -> None:
    with pytest.raises(MachineError) as caught:
        compile_block_source(sine, tmp_path, source)
    assert caught.value.code == "R0502"
    assert any("error" in note for note in caught.value.notes)
