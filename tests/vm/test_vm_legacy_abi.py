"""Modules that call their host as the runes of 2020 to 2022 do."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.container import Rune, read_rune
from runec.diagnostics import Diagnostic, RuneError
from runec.vm import Inputs, Step, Watch, run_rune, run_rune_bytes

Legacy = Callable[..., Rune]


@pytest.fixture
def legacy(make_legacy: Callable[..., bytes]) -> Legacy:
    """A module with a memory that can grow, data at the given addresses, and a version section."""

    def make(manifest: str, call: str, data: dict[int, bytes], version: str = "0.11.3") -> Rune:
        return read_rune(make_legacy(manifest, call, data, version))

    return make


def f32_file(folder: Path, *values: float) -> Path:
    path = folder / "input.bin"
    path.write_bytes(struct.pack(f"<{len(values)}f", *values))
    return path


NOOP_MANIFEST = """
    (drop (call $request_capability (i32.const 5)))
    (drop (call $request_output (i32.const 1)))"""


@pytest.mark.parametrize(("version", "first"), [("0.11.3", 1), ("0.10.0", 0), ("0.3.0", 0)])
def test_outputs_come_as_json_and_ids_start_as_they_did(
    legacy: Legacy, tmp_path: Path, version: str, first: int
) -> None:
    text = b'{"type_name":"f32","channel":2,"elements":[4.8617184e-2, null],"dimensions":[1,2]}'
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const {first})))
        (if (f32.ne (f32.load (i32.const 8)) (f32.const 0.5)) (then unreachable))
        (drop (call $consume_output (i32.const {first + 1}) (i32.const 64) (i32.const {len(text)})))
        """
    rune = legacy(NOOP_MANIFEST, call, {64: text}, version)
    assert list(run_rune(rune, Inputs(raw=(f32_file(tmp_path, 0.5),)))) == [
        '{"2":[{"element-type":"f32","dimensions":[1,2],"elements":[0.048617184,null]}]}'
    ]


def test_an_input_that_a_legacy_rune_did_not_ask_for_is_warned_of_at_the_end(
    legacy: Legacy, tmp_path: Path
) -> None:
    text = b'{"type_name":"f32","channel":1,"elements":[1],"dimensions":[1]}'
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 1)))
        (drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const {len(text)})))"""
    rune = legacy(NOOP_MANIFEST, call, {64: text})
    warned: list[Diagnostic] = []
    raw, other = f32_file(tmp_path, 0.5), tmp_path / "b.wav"
    inputs = Inputs(raw=(raw, raw), sound=(other,), warn=warned.append)
    assert len(list(run_rune(rune, inputs, repeats=2))) == 2
    assert [each.code for each in warned] == ["R0749", "R0749"]
    assert "it is number 2, the rune reads number 1" in warned[0].message
    assert f"--sound {other} has no effect: the rune's capabilities are RAW" in warned[1].message


def test_a_list_of_tensors_and_text_come_out(legacy: Legacy) -> None:
    text = (
        b'[{"type_name":"&str","channel":1,"elements":["Ring\\n"],"dimensions":[1]},'
        b'{"type_name":"U8","channel":1,"elements":[1,255],"dimensions":[2]}]'
    )
    call = f"(drop (call $consume_output (i32.const 1) (i32.const 64) (i32.const {len(text)})))"
    rune = legacy("(drop (call $request_output (i32.const 1)))", call, {64: text})
    (line,) = run_rune(rune, Inputs())
    assert line == (
        '{"1":[{"element_type":"utf8","dimensions":[1],"elements":["Ring\\n"]},'
        '{"element-type":"u8","dimensions":[2],"elements":[1,255]}]}'
    )


BAD_OUTPUTS = [
    b"",
    b"Ring",
    b"[NaN]",
    b'"\\x"',
    b"\xff",
    b"[1] [2]",
    b'{"type_name":"f32","channel":1,"elements":[1],"dimensions":[2]}',
    b'[{"type_name":"u8","channel":1,"elements":[1],"dimensions":[2]}]',
    b'{"type_name":"f31","channel":1,"elements":[1],"dimensions":[1]}',
    b'{"type_name":"u8","channel":1,"elements":[256],"dimensions":[1]}',
    b'{"type_name":"u8","channel":1,"elements":["a"],"dimensions":[1]}',
    b'{"type_name":"u8","channel":1,"elements":[1.5],"dimensions":[1]}',
    b'{"type_name":"u8","channel":-1,"elements":[1],"dimensions":[1]}',
    b'{"type_name":"utf8","channel":1,"elements":[1],"dimensions":[1]}',
    b'{"type_name":"u8","channel":"1","elements":[1],"dimensions":[1]}',
    b'{"type_name":"u8","channel":1,"elements":[1],"dimensions":[]}',
    b"[" * 50_000,
]


@pytest.mark.parametrize("text", BAD_OUTPUTS, ids=lambda text: str(text[:70]))
def test_an_output_that_cannot_be_read_traps(legacy: Legacy, text: bytes) -> None:
    call = f"(drop (call $consume_output (i32.const 1) (i32.const 64) (i32.const {len(text)})))"
    rune = legacy("(drop (call $request_output (i32.const 1)))", call, {64: text})
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, Inputs()))
    assert caught.value.code == "R0710"
    assert "an output that cannot be read" in caught.value.message


DOCUMENTS = [
    (b"[6.972786e-1]", '{"2":[6.972786e-1]}'),
    (b'"Ring"', '{"2":"Ring"}'),
    (b'"a  \\" \\u0041"', '{"2":"a  \\" \\u0041"}'),
    (b"null", '{"2":null}'),
    (b'{ "a": [1, 2],\n "b" : {} }', '{"2":{"a":[1,2],"b":{}}}'),
    (b"[]", '{"2":[]}'),
]


@pytest.mark.parametrize(("text", "line"), DOCUMENTS, ids=lambda item: str(item)[:40])
def test_any_json_of_2020_is_printed_as_it_is(legacy: Legacy, text: bytes, line: str) -> None:
    """Numbers keep their digits; the key is the output's own id."""
    call = f"(drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const {len(text)})))"
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_output (i32.const 1)))"""
    rune = legacy(manifest, call, {64: text}, "0.2.0")
    assert list(run_rune(rune, Inputs())) == [line]


def test_several_documents_of_a_run_are_a_list(legacy: Legacy) -> None:
    consume = "(drop (call $consume_output (i32.const 0) (i32.const {at}) (i32.const {length})))"
    tensor = b'{"type_name":"u8","channel":0,"elements":[7],"dimensions":[1]}'
    call = consume.format(at=64, length=6) + consume.format(at=80, length=3)
    call += consume.format(at=96, length=len(tensor))
    data = {64: b'"Ring"', 80: b"[1]", 96: tensor}
    rune = legacy("(drop (call $request_output (i32.const 1)))", call, data, "0.2.0")
    (line,) = run_rune(rune, Inputs())
    assert line == ('{"0":["Ring",[1],{"element-type":"u8","dimensions":[1],"elements":[7]}]}')


MODEL_AT = 4096
CHECK_SINE = """
    (if (f32.lt (f32.load (i32.const 16)) (f32.const {low})) (then unreachable))
    (if (f32.gt (f32.load (i32.const 16)) (f32.const {high})) (then unreachable))"""
SAID = b'{"type_name":"f32","channel":3,"elements":[0.5],"dimensions":[1]}'
TELL = f"(drop (call $consume_output (i32.const 3) (i32.const 64) (i32.const {len(SAID)})))"


def test_models_of_the_first_generation_run(legacy: Legacy, sine: bytes, tmp_path: Path) -> None:
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $tfm_preload_model (i32.const {MODEL_AT}) (i32.const {len(sine)})
            (i32.const 1) (i32.const 1)))
        (drop (call $request_output (i32.const 1)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 1)))
        (drop (call $tfm_model_invoke (i32.const 2) (i32.const 8) (i32.const 4)
            (i32.const 16) (i32.const 4)))
        {CHECK_SINE.format(low=0.6, high=0.8)} {TELL}"""
    rune = legacy(manifest, call, {64: SAID, MODEL_AT: sine})
    assert len(list(run_rune(rune, Inputs(raw=(f32_file(tmp_path, 0.8),))))) == 1
    with pytest.raises(RuneError, match="unreachable"):
        list(run_rune(rune, Inputs(raw=(f32_file(tmp_path, 3.1),))))


@pytest.mark.parametrize("shape", [b"f32[1, 1]", b"f32[1, 2]"])
def test_models_of_the_second_generation_run_when_their_shapes_are_true(
    legacy: Legacy, sine: bytes, tmp_path: Path, shape: bytes
) -> None:
    mime = b"application/tflite-model"
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_load (i32.const 512) (i32.const {len(mime)})
            (i32.const {MODEL_AT}) (i32.const {len(sine)})
            (i32.const 544) (i32.const 1) (i32.const 552) (i32.const 1)))
        (drop (call $request_output (i32.const 1)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 1)))
        (drop (call $rune_model_infer (i32.const 2) (i32.const 600) (i32.const 604)))
        {CHECK_SINE.format(low=0.6, high=0.8)} {TELL}"""
    data = {
        64: SAID,
        512: mime,
        544: struct.pack("<4I", 576, len(shape), 588, 9),
        576: shape,
        588: b"f32[1, 1]",
        600: struct.pack("<2I", 8, 16),
        MODEL_AT: sine,
    }
    lines = run_rune(legacy(manifest, call, data), Inputs(raw=(f32_file(tmp_path, 0.8),)))
    if shape == b"f32[1, 1]":
        assert len(list(lines)) == 1
        return
    with pytest.raises(RuneError) as caught:
        list(lines)
    assert caught.value.code == "R0714"
    assert "the rune said tensors would be f32[1, 2]" in caught.value.message


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (b"application/tfjs-model", "tensorflow-js (application/tfjs-model)"),
        (b"application/onnx-model", "onnx (application/onnx-model)"),
        (b"application/tf-model", "tensorflow (application/tf-model)"),
        (b"text/x", "of an unknown format (text/x)"),
    ],
)
def test_a_model_of_another_format_is_named(legacy: Legacy, kind: bytes, words: str) -> None:
    manifest = f"""(drop (call $rune_model_load (i32.const 512) (i32.const {len(kind)})
        (i32.const 600) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))"""
    with pytest.raises(RuneError) as caught:
        list(run_rune(legacy(manifest, "", {512: kind}), Inputs()))
    assert caught.value.code == "R0716"
    assert words in caught.value.message
    assert "TFLiteConverter" in str(caught.value.hint)


def test_an_import_that_no_legacy_rune_had_is_refused(wat: Callable[[str], bytes]) -> None:
    code = wat("""(module
        (import "env" "tea" (func (result i32)))
        (memory (export "memory") 1)
        (func (export "_manifest") (result i32) (i32.const 1))
        (func (export "_call") (param i32 i32 i32) (result i32) (i32.const 0)))""")
    with pytest.raises(RuneError) as caught:
        list(run_rune(read_rune(code), Inputs()))
    assert caught.value.code == "R0716"
    assert "tea" in caught.value.message


def test_a_legacy_rune_that_takes_all_memory_is_stopped(legacy: Legacy) -> None:
    # 256 MiB at a time: the engine copies all of it each time.
    grow = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 4096)) (i32.const -1))))"
    rune = legacy("(drop (call $request_output (i32.const 1)))", f"{grow} {grow}", {})
    try:
        assert list(run_rune(rune, Inputs())) == ["{}"]
    except RuneError as error:
        assert error.code in {"R0708", "R0712"}  # noqa: PT017 - either end is a good one


def test_a_legacy_tensor_output_passes_in_binary(legacy: Legacy) -> None:
    content = b"\x06\0\0\0u8[03]abc"
    call = f"(drop (call $consume_output (i32.const 1) (i32.const 64) (i32.const {len(content)})))"
    manifest = "(drop (call $request_output (i32.const 5)))"
    rune = legacy(manifest, call, {64: content})
    assert list(run_rune_bytes(rune, Inputs())) == [b"\x05\0\0\0u8[3]abc"]
    broken = legacy(manifest, call, {64: content.replace(b"03", b"99")})
    with pytest.raises(RuneError) as caught:
        list(run_rune_bytes(broken, Inputs()))
    assert caught.value.code == "R0710"


def test_a_legacy_rune_gets_resources_at_run_time_and_is_traced(legacy: Legacy) -> None:
    name, head = b"words", b'{"type_name":"u8","channel":3,"dimensions":[1],"elements":['
    call = f"""
        (drop (call $rune_resource_read (call $rune_resource_open (i32.const 8)
            (i32.const {len(name)})) (i32.const {64 + len(head)}) (i32.const 3)))
        (drop (call $consume_output (i32.const 1) (i32.const 64) (i32.const {len(head) + 3})))"""
    rune = legacy("(drop (call $request_output (i32.const 1)))", call, {8: name, 64: head + b"???"})
    steps: list[Step] = []
    results = run_rune_bytes(
        rune, Inputs(), resources={"words": b"7]}"}, watch=Watch(step=steps.append)
    )
    assert list(results) == [b'{"3":[{"element-type":"u8","dimensions":[1],"elements":[7]}]}\n']
    (step,) = steps
    assert (step.stages, step.what, str(step.inputs[0])) == (("number 1",), "SERIAL", "u8[1] 7")


def test_a_pin_of_a_legacy_rune_is_refused(legacy: Legacy) -> None:
    with pytest.raises(RuneError, match="PIN outputs are not supported"):
        list(run_rune(legacy("(drop (call $request_output (i32.const 3)))", "", {}), Inputs()))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, sine: bytes) -> Rune:
    """What clang makes of compiled_legacy.c: 17 pages, a heap, a table, its model as data."""
    target = tmp_path_factory.mktemp("compiled") / "legacy.wasm"
    compiler = shutil.which("clang")
    assert compiler is not None, "no clang: make setup"
    command = [compiler, "--target=wasm32", "-O2", "-nostdlib", "-ffreestanding", "-Wall"]
    command += ["-Wextra", "-Werror", "-Wl,--no-entry", "-Wl,-z,stack-size=1048576"]
    source = Path(__file__).with_name("compiled_legacy.c")
    command += [f"-DMODEL={','.join(map(str, sine))}", str(source), "-o", str(target)]
    subprocess.run(command, check=True, timeout=120)
    name, label = b"label", b"Ring"
    entry = len(name).to_bytes(4, "big") + name + len(label).to_bytes(4, "big") + label
    parts = [target.read_bytes()]
    for title, content in (
        (b".rune_version", b'{"version":"0.11.3"}'),
        (b".rune_resource", entry),
    ):
        body = bytes((len(title),)) + title + content
        parts.append(bytes((0, len(body))) + body)
    return read_rune(b"".join(parts))


def test_a_legacy_rune_that_a_compiler_made_runs(compiled: Rune, tmp_path: Path) -> None:
    """It grows its memory, calls through a table, reads its resource and writes its JSON."""
    said: list[str] = []
    inputs = Inputs(raw=(f32_file(tmp_path, 0.8),))
    lines = list(run_rune(compiled, inputs, repeats=3, log=said.append))
    assert len(set(lines)) == 1
    assert '"elements":["Ring"]' in lines[0]
    assert said
