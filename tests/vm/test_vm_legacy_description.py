"""What an original rune asks for is found out on the host, and written down for devices."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.container import GraphCapability, GraphOutput, GraphResource, Rune, read_rune
from runec.diagnostics import RunecError, RuneError
from runec.pipeline import CapabilityKind, OutputKind
from runec.vm import Inputs, Watch, device_result, device_rune, run_rune_bytes
from runec.vm.messages import unpack_recorded
from tests import sine_originals

MakeOriginal = Callable[..., bytes]
PROJECT = Path(__file__).resolve().parents[2]
PAGE = 65536
DOCUMENT = (
    b'[{"type_name":"&str","channel":7,"elements":["Ring\\n"],"dimensions":[1]},'
    b'{"type_name":"F32","channel":4,"elements":[4.8617184e-2, null],"dimensions":[1,2]}]'
)


def first_generation(sine: bytes) -> sine_originals.Bodies:
    return sine_originals.first_generation(sine, b"f32[001]")


def second_generation(sine: bytes) -> sine_originals.Bodies:
    """It loads its model twice."""
    answered = f"""
        (if (f32.gt (f32.load (i32.const 16)) (f32.const 0.6)) (then
            (drop (call $consume_output (i32.const 4) (i32.const 1000)
                (i32.const {len(DOCUMENT)})))))"""
    load = sine_originals.load_model(sine)
    return sine_originals.second_generation(
        sine, number_2=load, answered=answered, data={1000: DOCUMENT}
    )


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    (tmp_path / "x.bin").write_bytes(struct.pack("<f", 0.8))
    return Inputs(raw=(tmp_path / "x.bin",))


def test_the_first_generation_is_described(make_original: MakeOriginal, sine: bytes) -> None:
    data = make_original(*first_generation(sine), "0.3.0", resources={"labels": b"one\ntwo"})
    rune = device_rune(read_rune(data))
    graph = rune.require_graph()
    assert (graph.abi, graph.first_id, graph.name) == (0, 0, "original")
    assert graph.stages == ("capability 0", "model 1", "output 2")
    assert graph.capabilities == {"capability 0": GraphCapability(0, CapabilityKind.RAW, {}, None)}
    assert graph.outputs == {"output 2": GraphOutput(2, OutputKind.TENSOR, ())}
    model = graph.models["model 1"]
    assert (model.id, model.inputs, model.outputs) == (1, (0,), (1,))
    assert [str(kind) for kind in graph.tensors] == ["f32[1, 1]", "f32[1, 1]"]
    assert model.arena > 0
    assert {item.name for item in model.operators} == {"FULLY_CONNECTED"}
    assert rune.resources == {"labels": b"one\ntwo", "model 1": sine}
    assert graph.resources["model 1"] == GraphResource(len(sine), hashlib.sha256(sine).hexdigest())
    # The module is what it was, to the byte: the sections before the custom ones.
    assert data.startswith(rune.code)
    assert data[len(rune.code) :].startswith(b"\0")
    assert rune.is_original
    assert device_rune(rune) is rune
    assert device_rune(read_rune(data)).data == rune.data


def test_the_second_generation_is_described(make_original: MakeOriginal, sine: bytes) -> None:
    rune = device_rune(read_rune(make_original(*second_generation(sine))))
    graph = rune.require_graph()
    assert graph.first_id == 1
    assert graph.stages == ("capability 1", "model 2", "model 3", "output 4")
    assert graph.capabilities["capability 1"].parameters == {"length": 4}
    # Both are the same bytes, which are stored once.
    assert [model.resource for model in graph.models.values()] == ["model 2"] * 2
    assert list(rune.resources) == ["model 2"]
    assert [model.outputs for model in graph.models.values()] == [(1,), (3,)]


@pytest.mark.parametrize("generation", [first_generation, second_generation])
def test_a_description_runs_on_the_host_as_what_it_describes(
    make_original: MakeOriginal,
    sine: bytes,
    inputs: Inputs,
    generation: Callable[[bytes], sine_originals.Bodies],
) -> None:
    version = "0.3.0" if generation is first_generation else "0.11.3"
    rune = read_rune(make_original(*generation(sine), version))
    expected = list(run_rune_bytes(rune, inputs, repeats=2))
    assert expected[0]
    assert list(run_rune_bytes(device_rune(rune), inputs, repeats=2)) == expected


def grown(make_original: MakeOriginal, manifest: str, call: str, pages: int = 2) -> int:
    rune = device_rune(read_rune(make_original(manifest, call, {}, pages=pages)))
    used = rune.require_graph().memory_used
    assert used % PAGE == 0
    return used // PAGE


def test_memory_is_what_a_trial_run_takes_and_a_page(make_original: MakeOriginal) -> None:
    grow = "(drop (memory.grow (i32.const 3)))"
    capability = "(drop (call $request_capability (i32.const 5)))"
    # Code that cannot grow its memory gets no more than it has.
    assert grown(make_original, "", "", pages=1) == 1
    assert grown(make_original, grow, "") == 2 + 3 + 1
    assert grown(make_original, grow, grow) == 2 + 3 + 3 + 1
    zeros = """
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 1)))
        (if (i32.eqz (i32.load (i32.const 8))) (then (drop (memory.grow (i32.const 2)))))"""
    assert grown(make_original, capability, zeros) == 2 + 2 + 1
    # A trial that fails with zeros tells nothing of what inputs do.
    assert grown(make_original, grow, f"{grow} unreachable") == 2 + 3 + 1


def code_of(data: bytes) -> str:
    with pytest.raises(RunecError) as caught:
        device_rune(read_rune(data))
    assert caught.value.hint
    return caught.value.code


def test_what_cannot_be_described_is_refused(make_original: MakeOriginal) -> None:
    assert code_of(make_original("unreachable", "", {})) == "R0708"
    assert code_of(make_original("(drop (call $request_output (i32.const 3)))", "", {})) == "R0706"
    many = "(drop (call $request_capability (i32.const 5)))" * 9
    assert code_of(make_original(many, "", {})) == "R0607"
    parameter = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_capability_set_param (i32.const 1) (i32.const 0) (i32.const 1)
            (i32.const 8) (i32.const 4) (i32.const 2)))"""
    assert code_of(make_original(parameter, "", {0: b"x", 8: b"\0\0\x80\x7f"})) == "R0716"
    set_to = """(drop (call $request_capability_set_param (i32.const 1) (i32.const 0)
        (i32.const 1) (i32.const {at}) (i32.const 4) (i32.const 1)))"""
    asked = "(drop (call $request_capability (i32.const 5)))"
    twice = asked + set_to.format(at=8) + set_to.format(at=12)
    numbers = {0: b"x", 8: struct.pack("<2I", 3, 4)}
    assert code_of(make_original(twice, "", numbers)) == "R0716"
    again = asked + 2 * set_to.format(at=8)
    assert device_rune(read_rune(make_original(again, "", numbers))).graph is not None
    broken = """
        (drop (call $tfm_preload_model (i32.const 8) (i32.const 40) (i32.const 1) (i32.const 1)))"""
    assert code_of(make_original(broken, "", {})) == "R0713"
    long_name = make_original("", "", {}, resources={"n" * 65: b""})
    assert code_of(long_name) == "R0607"


def test_a_resource_called_like_the_model_stays_its_own(
    make_original: MakeOriginal, sine: bytes
) -> None:
    data = make_original(*second_generation(sine), resources={"model 2": b"mine"})
    rune = device_rune(read_rune(data))
    assert rune.resources == {"model 2": b"mine", "model 2'": sine}


def test_the_model_beside_it_is_no_resource_of_the_rune(
    make_original: MakeOriginal, sine: bytes, inputs: Inputs
) -> None:
    manifest, _, data = first_generation(sine)
    call = """(if (i32.ne (call $rune_resource_open (i32.const 0) (i32.const 7)) (i32.const -1))
        (then unreachable))"""
    rune = device_rune(read_rune(make_original(manifest, call, data | {0: b"model 1"}, "0.3.0")))
    assert "model 1" in rune.resources
    assert list(run_rune_bytes(rune, inputs)) == [b""]


def test_what_a_device_hands_on_becomes_what_the_host_writes(
    make_original: MakeOriginal, sine: bytes, inputs: Inputs
) -> None:
    rune = read_rune(make_original(*second_generation(sine)))
    document = struct.pack("<II", 4, len(DOCUMENT)) + DOCUMENT
    assert [device_result(b"\x01" + document)] == list(run_rune_bytes(rune, inputs))
    twice = device_result(b"\x01" + 2 * document)
    assert twice == (
        b'{"7":[{"element_type":"utf8","dimensions":[1],"elements":["Ring\\n"]},'
        b'{"element_type":"utf8","dimensions":[1],"elements":["Ring\\n"]}],'
        b'"4":[{"element-type":"f32","dimensions":[1,2],"elements":[0.048617184,null]},'
        b'{"element-type":"f32","dimensions":[1,2],"elements":[0.048617184,null]}]}\n'
    )
    assert device_result(b"\x01") == b"{}\n"
    assert device_result(b"\x05") == b""
    tensor = b"\x06\0\0\0u8[03]abc"
    assert device_result(b"\x05" + struct.pack("<II", 2, len(tensor)) + tensor) == (
        b"\x05\0\0\0u8[3]abc"
    )


def test_the_pages_example_is_read_as_it_says() -> None:
    text = (PROJECT / "docs" / "spec" / "link.md").read_text()
    found = re.search(r"`(01(?:  (?:\w\w ?)+){2}) (\{.*\})` becomes\n`(\{.*\})` and a", text)
    assert found is not None
    head, given, expected = found.groups()
    words = bytes.fromhex(head.replace(" ", "")) + given.encode()
    assert device_result(words).decode() == expected + "\n"


@pytest.mark.parametrize(
    "words", [b"", b"\x02", b"\x07", b"\x01\0", b"\x01" + struct.pack("<II", 1, 3) + b"{}"]
)
def test_words_of_a_device_that_are_no_documents_are_refused(words: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        device_result(words)


def test_any_json_of_a_device_is_printed_as_on_the_host() -> None:
    text = b"[6.972786e-1]"
    words = b"\x01" + struct.pack("<II", 2, len(text)) + text
    assert device_result(words) == b'{"2":[6.972786e-1]}\n'


@pytest.mark.parametrize("text", [b"", b"Ring", b"[" * 50_000, b'{"type_name":"u8"}'])
def test_a_document_that_cannot_be_read_is_the_runes_fault(text: bytes) -> None:
    with pytest.raises(RuneError) as caught:
        device_result(b"\x01" + struct.pack("<II", 1, len(text)) + text)
    assert caught.value.code == "R0710"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x02\0\0\0{}",
        b"\xff\0\0\0{}",
        b'\x48\0\0\0{"first_id":1,"capabilities":[],"models":[[1,5]],"outputs":[],"memory_pages":1}',
        b'\x4c\0\0\0{"first_id":1,"capabilities":[[1,"TEA",{}]],"models":[],"outputs":[],"memory_pages":1}',
    ],
)
def test_a_record_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_recorded(body)


def test_a_trace_of_a_description_names_what_the_original_names(
    make_original: MakeOriginal, sine: bytes, inputs: Inputs
) -> None:
    rune: Rune = device_rune(read_rune(make_original(*first_generation(sine), "0.3.0")))
    names: list[str] = []
    watch = Watch(step=lambda step: names.extend(step.stages))
    list(run_rune_bytes(rune, inputs, watch=watch))
    assert names == ["number 0", "number 1", "number 2"]
