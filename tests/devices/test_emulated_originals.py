"""Runes as those of 2020 to 2022, in firmware: the host's bytes, where the memory suffices."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.container import Rune, read_rune
from runec.devices import Target, run_bytes
from runec.devices.targets import open_emulator
from runec.diagnostics import RuneError, UserFileError
from runec.vm import Inputs, Watch, device_rune
from tests import sine_originals

MakeOriginal = Callable[..., bytes]
SOURCE = Path(__file__).with_name("compiled_original.c")
SINE = Path(__file__).resolve().parents[2] / "examples" / "sine" / "sinemodel.tflite"
ROOMY = load_board("mps2_an386")
LOG = b'{"level":"INFO","message":"infer \\"sine\\"","target":"sine","module_path":"sine","line":9}'


def f32_file(path: Path, *values: float) -> Inputs:
    path.write_bytes(struct.pack(f"<{len(values)}f", *values))
    return Inputs(raw=(path,))


@pytest.fixture
def first(make_original: MakeOriginal) -> Rune:
    """No code of it grows memory."""
    bodies = sine_originals.first_generation(SINE.read_bytes(), b"f32[1,1]")
    return read_rune(make_original(*bodies, "0.3.0", pages=1))


@pytest.fixture
def second(make_original: MakeOriginal) -> Rune:
    """It has a resource, messages, JSON; its memory grows with each run."""
    # What the rune writes: the label is read from the resource, the digit is the number of
    # pages that it has grown by so far.
    text = (
        b'[{"type_name":"&str","channel":4,"elements":["????"],"dimensions":[1]},'
        b'{"type_name":"u8","channel":7,"elements":[0],"dimensions":[1]}]'
    )
    more = b'{"type_name":"F32","channel":4,"elements":[4.8617184e-2,null],"dimensions":[1,2]}'
    label = 1000 + text.index(b"????")
    digit = 1000 + text.index(b"[0]") + 1
    answered = f"""
        (drop (call $_debug (i32.const 800) (i32.const {len(LOG)})))
        (if (f32.gt (f32.load (i32.const 16)) (f32.const 0.5)) (then
            (drop (call $rune_resource_read (i32.const 2) (i32.const {label}) (i32.const 4)))))
        (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then
            (i32.store8 (i32.const {digit})
                (i32.add (i32.load8_u (i32.const {digit})) (i32.const 1)))))
        (drop (call $consume_output (i32.const 4) (i32.const 1000) (i32.const {len(text)})))
        (drop (call $consume_output (i32.const 4) (i32.const 1200) (i32.const {len(more)})))"""
    bodies = sine_originals.second_generation(
        SINE.read_bytes(),
        number_2="(drop (call $rune_resource_open (i32.const 720) (i32.const 6)))",
        answered=answered,
        data={720: b"labels", 800: LOG, 1000: text, 1200: more},
    )
    return read_rune(make_original(*bodies, pages=1, resources={"labels": b"Ring"}))


def test_both_generations_give_the_hosts_bytes(first: Rune, second: Rune, tmp_path: Path) -> None:
    target = Target("emulator", ROOMY)
    inputs = f32_file(tmp_path / "x.bin", 0.8)
    (expected,) = run_bytes(first, inputs, Target("host"))
    assert expected.startswith(b"\x09\0\0\0f32[1, 1]")
    assert struct.unpack("<f", expected[-4:])[0] == pytest.approx(0.72, abs=0.01)
    assert list(run_bytes(first, inputs, target)) == [expected]
    words: dict[str, list[str]] = {"host": [], "board": []}
    lines = {
        name: list(run_bytes(second, inputs, at, watch=Watch(log=words[name].append)))
        for name, at in (("host", Target("host")), ("board", target))
    }
    (line,) = lines["host"]
    assert line == (
        b'{"4":[{"element_type":"utf8","dimensions":[1],"elements":["Ring"]},'
        b'{"element-type":"f32","dimensions":[1,2],"elements":[0.048617184,null]}],'
        b'"7":[{"element-type":"u8","dimensions":[1],"elements":[1]}]}\n'
    )
    assert lines["board"] == lines["host"]
    assert words["host"] == ['infer "sine"']
    assert 'emulator:mps2_an386: info: infer "sine"' in words["board"]


def test_memory_grows_over_runs_as_far_as_was_described(second: Rune, tmp_path: Path) -> None:
    """One page at the trial, one to spare: the third run is answered that there is no more."""
    inputs = f32_file(tmp_path / "x.bin", 0.8)
    with open_emulator(second, ROOMY) as device:
        assert device.hello.abi == 0
        assert device.hello.digest == device_rune(second).digest
        digits = [
            result.partition(b'"u8","dimensions":[1],"elements":[')[2][:1]
            for result in device.run_bytes(inputs, repeats=3)
        ]
        assert device.stats().linear_memory_bytes == 3 * 65536
    assert digits == [b"1", b"2", b"2"]


def test_an_output_that_cannot_be_read_is_the_error_of_the_host(
    make_original: MakeOriginal,
) -> None:
    call = """(drop (call $consume_output (i32.const 1) (i32.const 64) (i32.const 2)))"""
    manifest = "(drop (call $request_output (i32.const 1)))"
    rune = read_rune(make_original(manifest, call, {64: b"{x"}, pages=1))
    said = []
    for target in (Target("host"), Target("emulator", ROOMY)):
        with pytest.raises(RuneError) as caught:
            list(run_bytes(rune, Inputs(), target))
        said.append((caught.value.code, caught.value.message))
    assert said[0][0] == "R0710"
    assert said[1] == said[0]


def test_a_small_board_is_told_how_much_memory_an_original_wants(
    first: Rune,
) -> None:
    with (
        pytest.raises(UserFileError) as caught,
        open_emulator(first, load_board("nucleo_f401re")),
    ):
        pass
    assert caught.value.code == "R0811"
    assert "its linear memory: 65536 bytes" in caught.value.notes
    assert caught.value.hint is not None
    assert "from its Runefile" in caught.value.hint
    assert "mps2_an386" in caught.value.hint


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Rune:
    """What clang makes of compiled_original.c: 17 pages, a heap, a table, its model as data."""
    target = tmp_path_factory.mktemp("compiled") / "original.wasm"
    compiler = shutil.which("clang")
    assert compiler is not None, "no clang: make setup"
    command = [compiler, "--target=wasm32", "-O2", "-nostdlib", "-ffreestanding", "-Wall"]
    command += ["-Wextra", "-Werror", "-Wl,--no-entry", "-Wl,-z,stack-size=1048576"]
    command += [f"-DMODEL={','.join(map(str, SINE.read_bytes()))}", str(SOURCE), "-o", str(target)]
    subprocess.run(command, check=True, timeout=120)
    name, label = b"label", b"Ring"
    entry = len(name).to_bytes(4, "big") + name + len(label).to_bytes(4, "big") + label
    sections = ((b".rune_version", b'{"version":"0.11.3"}'), (b".rune_resource", entry))
    parts = [target.read_bytes()]
    for title, content in sections:
        body = bytes((len(title),)) + title + content
        parts.append(bytes((0, len(body))) + body)
    return read_rune(b"".join(parts))


def test_an_original_that_a_compiler_made_gives_the_hosts_bytes(
    compiled: Rune, tmp_path: Path
) -> None:
    # 17 pages of stack and data; two for a buffer in _manifest, two in _call; one to spare.
    assert device_rune(compiled).require_graph().memory_used == (17 + 2 + 2 + 1) * 65536
    inputs = f32_file(tmp_path / "x.bin", 0.8)
    expected = list(run_bytes(compiled, inputs, Target("host"), repeats=3))
    assert b'"elements":["Ring"]' in expected[0]
    assert list(run_bytes(compiled, inputs, Target("emulator", ROOMY), repeats=3)) == expected
    with pytest.raises(UserFileError) as caught:
        list(run_bytes(compiled, inputs, Target("emulator", load_board("esp32c3"))))
    assert caught.value.code == "R0811"
    assert "its linear memory: 1441792 bytes" in caught.value.notes


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("board", "generation"),
    [("esp32c3", "first"), ("esp32c3", "second"), ("nrf52840_dk", "first")],
)
def test_other_boards_do_as_well_where_the_memory_suffices(
    request: pytest.FixtureRequest, tmp_path: Path, board: str, generation: str
) -> None:
    rune: Rune = request.getfixturevalue(generation)
    for value in (0.8, 3.1):
        inputs = f32_file(tmp_path / "x.bin", value)
        (expected,) = run_bytes(rune, inputs, Target("host"))
        target = Target("emulator", load_board(board))
        assert list(run_bytes(rune, inputs, target)) == [expected]
