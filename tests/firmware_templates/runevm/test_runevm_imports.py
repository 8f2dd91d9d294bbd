"""runevm_load() and runevm_run(): host functions and errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

MEMORY = 1024
BLOBS = {"words": b"Wing Ring Slope", "none": b""}
LINE = '{"2":[{"element-type":"u8","dimensions":[4],"elements":[%s]}]}\n'


def steps(probe: Probe, rune: bytes, runs: int = 1, flags: int = 0) -> list[str]:
    """What happened, in order: load, provide, log, run; pieces of output are left out."""
    (line,) = probe("run", [bytes((runs, flags)) + rune])
    return [step for step in line.split("|")[1:] if not step.startswith("write")]


def written(probe: Probe, rune: bytes, runs: int = 1) -> str:
    (line,) = probe("run", [bytes((runs, 0)) + rune])
    pieces = [step[6:] for step in line.split("|") if step.startswith("write ")]
    return bytes.fromhex("".join(pieces)).decode()


def last_run(probe: Probe, call: made.Orders, pipe: made.Pipe | None = None) -> str:
    rune = replace(pipe or made.Pipe(), call=call).build()
    return steps(probe, rune)[-2]


def load_with(probe: Probe, manifest: made.Orders, pipe: made.Pipe | None = None) -> str:
    rune = replace(pipe or made.Pipe(), manifest=manifest).build()
    return steps(probe, rune, runs=0)[-2]


def test_a_run_gets_data_and_writes_its_output(probe: Probe) -> None:
    rune = made.Pipe().build()
    story = ["load OK <> <>", *["provide 1 4", "run OK <> <>"] * 2, "runs 2 instances 1"]
    assert steps(probe, rune, runs=2) == story
    assert written(probe, rune, runs=2) == LINE % "1,2,3,4" + LINE % "5,6,7,8"


def test_a_model_is_opened_by_its_stage_and_gets_pointers_to_tensors(probe: Probe) -> None:
    rune = made.Pipe(model=b"\x10").build()
    assert written(probe, rune) == LINE.replace('"2"', '"3"') % "17,18,19,20"


def test_after_an_error_the_rune_is_instantiated_anew(probe: Probe) -> None:
    # The fourth byte given is 4 in the first run only: 64 + 3.
    call = made.Pipe().provide().trap_if(67, 4).call("consume_output", 2, 64, 4)
    rune = replace(made.Pipe(), call=call).build()
    assert steps(probe, rune, runs=3) == [
        "load OK <> <>",
        "provide 1 4",
        "run TRAP <_call> <fake trap>",
        "provide 1 4",
        "run OK <> <>",
        "provide 1 4",
        "run OK <> <>",
        "runs 3 instances 2",
    ]
    assert written(probe, rune, runs=2) == LINE % "5,6,7,8"


def test_a_failed_stage_is_named_and_its_last_words_are_the_detail(probe: Probe) -> None:
    words = "größer als 3".encode()
    call = made.Orders().poke(100, b"first" + words)
    call.call("_debug", 100, 5).expect(0).call("_debug", 105, len(words)).leave(2)
    story = steps(probe, replace(made.Pipe(), call=call).build())
    assert story[1:4] == [
        f"log 2 {b'first'.hex()}",
        f"log 2 {words.hex()}",
        "run STAGE <out0> <größer als 3>",
    ]


def test_last_words_are_cut_between_characters(probe: Probe) -> None:
    words = ("x" + "ü" * 40).encode()
    call = made.Orders().poke(100, words).call("_debug", 100, len(words)).leave(1)
    assert last_run(probe, call) == f"run STAGE <in> <x{'ü' * 31}>"


def test_a_number_that_is_no_stage(probe: Probe) -> None:
    assert last_run(probe, made.Orders().leave(3)).startswith("run HOST_CALL <_call>")
    assert last_run(probe, made.Orders().leave(0xFFFFFFFF)).startswith("run HOST_CALL <_call>")


@pytest.mark.parametrize(("code", "name"), [(301, "TRAP"), (302, "OUT_OF_BOUNDS"), (307, "TIME")])
def test_what_the_engine_says_is_handed_on(probe: Probe, code: int, name: str) -> None:
    assert last_run(probe, made.Orders().trap(code)) == f"run {name} <_call> <fake trap>"


def test_a_fault_of_the_manifest_is_told_with_its_name(probe: Probe) -> None:
    assert load_with(probe, made.Orders().trap(301)) == "load TRAP <_manifest> <fake trap>"


def in_stages(change: dict[int, made.Orders]) -> made.Orders:
    """What `_call` does for in, mod, label, net and out0, but for the stages in `change`."""
    pointers = (64).to_bytes(4, "little") + (512).to_bytes(4, "little")
    plain = {
        1: made.Pipe().provide(),
        2: made.Orders().poke(68, b"mod"),
        3: made.Orders().poke(68, b"label"),
        4: made.Orders().poke(0, pointers).call("rune_model_infer", 2, 0, 4).expect(0),
        5: made.Orders().call("consume_output", 3, 512, 4).expect(0),
    }
    call = made.Orders()
    for number, orders in {**plain, **change}.items():
        call.stage(number, orders)
    return call


STAGES = ("in", "mod", "label", "net", "out0")


def test_a_rune_with_a_code_map_runs_stage_by_stage_to_the_same_end(probe: Probe) -> None:
    outcomes = []
    for mapped in (False, True):
        pipe = made.Pipe(model=b"\x10", blocks=("mod", "label"), mapped=mapped)
        rune = replace(pipe, call=in_stages({})).build()
        story = ["load OK <> <>", *["provide 1 4", "run OK <> <>"] * 2, "runs 2 instances 1"]
        assert steps(probe, rune, runs=2) == story
        outcomes.append(written(probe, rune, runs=2))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].startswith(LINE.replace('"2"', '"3"') % "17,18,19,20")


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("mapped", [True, False])
def test_a_trap_names_its_stage_where_the_rune_has_a_code_map(
    probe: Probe, mapped: bool, number: int
) -> None:
    pipe = made.Pipe(model=b"\x10", blocks=("mod", "label"), mapped=mapped)
    call = in_stages({number: made.Orders().trap(301)})
    place = STAGES[number - 1] if mapped else "_call"
    assert last_run(probe, call, pipe) == f"run TRAP <{place}> <fake trap>"


@pytest.mark.parametrize("result", [1, 3, 99])
def test_the_stage_that_failed_is_the_one_that_ran(probe: Probe, result: int) -> None:
    pipe = made.Pipe(model=b"\x10", blocks=("mod", "label"), mapped=True)
    call = in_stages({3: made.Orders().leave(result), 4: made.Orders().trap(301)})
    assert last_run(probe, call, pipe) == "run STAGE <label> <>"


def test_what_a_host_function_reports_stays_the_place(probe: Probe) -> None:
    wrong = made.Orders().call("consume_output", 9, 512, 4)
    pipe = made.Pipe(model=b"\x10", blocks=("mod", "label"), mapped=True)
    assert last_run(probe, in_stages({2: wrong}), pipe).startswith("run HOST_CALL <consume_output>")


@pytest.mark.parametrize(("mapped", "place"), [(True, "loop"), (False, "_call")])
def test_a_rune_that_does_not_end_is_stopped_and_the_next_run_is_a_good_one(
    probe: Probe, mapped: bool, place: str
) -> None:
    call = made.Orders().stage(1, made.Pipe().provide())
    call.stage(2, made.Orders().go_on_if(64, 1))
    call.stage(3, made.Orders().call("consume_output", 2, 64, 4))
    rune = replace(made.Pipe(blocks=("loop",), mapped=mapped), call=call).build()
    assert steps(probe, rune, runs=2) == [
        "load OK <> <>",
        "provide 1 4",
        f"run TIME <{place}> <fake end of time>",
        "provide 1 4",
        "run OK <> <>",
        "runs 2 instances 2",
    ]


def test_the_time_that_a_model_takes_is_looked_at_when_it_is_done(probe: Probe) -> None:
    rune = made.Pipe(model=b"\xe3").build()
    assert steps(probe, rune, runs=2)[2::2] == ["run TIME <net> <>", "run OK <> <>"]


BEYOND = [(MEMORY + 1, 0), (MEMORY, 1), (MEMORY - 3, 4), (0, MEMORY + 1), (0xFFFFFFFF, 1)]
BEYOND += [(64, 0xFFFFFFFF), (0x80000000, 0x80000000), (0xFFFFFFF0, 0x20)]


@pytest.mark.parametrize(("pointer", "length"), BEYOND)
def test_no_pointer_leads_out_of_linear_memory(probe: Probe, pointer: int, length: int) -> None:
    calls = {
        "_debug": (pointer, length),
        "request_provider_response": (pointer, length, 1),
        "consume_output": (2, pointer, length),
        "rune_resource_open": (pointer, length),
    }
    for function, arguments in calls.items():
        happened = last_run(probe, made.Orders().call(function, *arguments))
        assert happened.startswith(f"run OUT_OF_BOUNDS <{function}>"), function
    manifest = made.Orders().call("request_capability", made.RAW)
    for key, value in ((0, 1), (1, 0)):
        spans = [(pointer, length), (64, 4)]
        arguments = (*spans[key], *spans[value])
        step = made.Orders()
        step.content += manifest.content
        step.call("request_capability_set_param", 1, *arguments, 1)
        happened = load_with(probe, step)
        assert happened.startswith("load OUT_OF_BOUNDS <request_capability_set_param>")
    model = made.Pipe(model=b"\x00")
    step = made.Orders()
    step.content += manifest.content
    happened = load_with(probe, step.call("rune_model_open", pointer, length), model)
    assert happened.startswith("load OUT_OF_BOUNDS <rune_model_open>")


@pytest.mark.parametrize("pointers", [(MEMORY - 3, 512), (64, MEMORY - 3), (0xFFFFFFFF, 0)])
def test_no_tensor_of_a_model_lies_outside(probe: Probe, pointers: tuple[int, int]) -> None:
    words = b"".join(pointer.to_bytes(4, "little") for pointer in pointers)
    call = made.Orders().poke(0, words).call("rune_model_infer", 2, 0, 4)
    happened = last_run(probe, call, made.Pipe(model=b"\x00"))
    assert happened.startswith("run OUT_OF_BOUNDS <rune_model_infer>")


@pytest.mark.parametrize("arrays", [(MEMORY - 3, 4), (0, MEMORY), (0xFFFFFFFE, 4)])
def test_no_array_of_pointers_lies_outside(probe: Probe, arrays: tuple[int, int]) -> None:
    call = made.Orders().poke(0, bytes((64, 0, 0, 0, 0, 2, 0, 0)))
    happened = last_run(probe, call.call("rune_model_infer", 2, *arrays), made.Pipe(model=b"\x00"))
    assert happened.startswith("run OUT_OF_BOUNDS <rune_model_infer>")


def test_everything_up_to_the_last_byte_may_be_used(probe: Probe) -> None:
    call = made.Orders().call("request_provider_response", MEMORY - 4, 4, 1).expect(4)
    call.call("consume_output", 2, MEMORY - 4, 4).call("_debug", MEMORY, 0).call("_debug", 0, 0)
    assert last_run(probe, call) == "run OK <> <>"


@pytest.mark.parametrize("number", [0, 2, 3, 0xFFFFFFFF])
def test_ids_that_were_not_given_are_refused(probe: Probe, number: int) -> None:
    model = made.Pipe(model=b"\x00")
    wrong = {
        "request_provider_response": (64, 4, number),
        "rune_model_infer": (number if number != 2 else 1, 0, 4),
        "consume_output": (number if number != 3 else 1, 64, 4),
        "rune_resource_read": (number, 64, 4),
        "rune_resource_close": (number,),
    }
    for function, arguments in wrong.items():
        happened = last_run(probe, made.Orders().call(function, *arguments), model)
        assert happened.startswith(f"run HOST_CALL <{function}> <an id"), function


@pytest.mark.parametrize("length", [0, 3, 5, 100])
def test_lengths_must_be_those_of_the_graph(probe: Probe, length: int) -> None:
    provide = made.Orders().call("request_provider_response", 64, length, 1)
    assert last_run(probe, provide).startswith("run HOST_CALL <request_provider_response>")
    consume = made.Orders().call("consume_output", 2, 64, length)
    assert last_run(probe, consume).startswith("run HOST_CALL <out0>")


def test_each_function_belongs_to_its_export(probe: Probe) -> None:
    manifest = made.Orders().call("request_capability", made.RAW).call("request_output", 1)
    for function, arguments in {
        "request_provider_response": (64, 4, 1),
        "consume_output": (2, 64, 4),
        "rune_model_infer": (2, 0, 4),
    }.items():
        step = made.Orders()
        step.content += manifest.content
        happened = load_with(probe, step.call(function, *arguments))
        assert happened == f"load HOST_CALL <{function}> <called in the wrong export>"
    for function, values in {
        "request_capability": (made.RAW,),
        "request_capability_set_param": (1, 0, 0, 0, 4, 1),
        "rune_model_open": (0, 3),
        "request_output": (1,),
    }.items():
        happened = last_run(probe, made.Orders().call(function, *values))
        assert happened == f"run HOST_CALL <{function}> <called in the wrong export>"


def test_the_manifest_must_ask_for_what_the_graph_lists(probe: Probe) -> None:
    orders = made.Orders
    model = made.Pipe(model=b"\x00")
    wrong = [
        (orders().call("request_capability", 1), None, "request_capability"),
        (orders().call("request_output", made.SERIAL), None, "request_output"),
        (orders().poke(0, b"net").call("rune_model_open", 0, 3), model, "rune_model_open"),
        (
            orders().call("request_capability", 5).poke(0, b"nets").call("rune_model_open", 0, 4),
            model,
            "rune_model_open",
        ),
        (
            orders().call("request_capability", 5).call("request_capability", 5),
            None,
            "request_capability",
        ),
        (
            orders().call("request_capability", 5).call("request_output", made.PIN),
            None,
            "request_output",
        ),
        (orders().leave(1), None, "_manifest"),
        (orders().call("request_capability", 5).leave(1), None, "_manifest"),
        (made.Pipe().plain_manifest().leave(1), None, ""),
    ]
    for manifest, pipe, place in wrong[:-1]:
        happened = load_with(probe, manifest, pipe)
        assert happened.startswith(f"load HOST_CALL <{place}>"), (place, happened)
    assert load_with(probe, wrong[-1][0]) == "load OK <> <>"


@pytest.mark.parametrize("model", [None, b"\x00"])
@pytest.mark.parametrize("first", range(3))
def test_ids_must_be_those_of_the_graph(probe: Probe, model: bytes | None, first: int) -> None:
    # A resource that the graph leaves no id for, opened before the n-th stage asks.
    pipe = made.Pipe(model=model, blobs=BLOBS)
    asks = [made.Orders().call("request_capability", made.RAW)]
    places = ["request_capability"]
    if model is not None:
        asks.append(made.Orders().poke(32, b"net").call("rune_model_open", 32, 3))
        places.append("rune_model_open")
    asks.append(made.Orders().call("request_output", made.SERIAL))
    places.append("request_output")
    manifest = made.Orders().poke(0, b"words")
    for number, ask in enumerate(asks):
        if number == first:
            manifest.call("rune_resource_open", 0, 5)
        manifest.content += ask.content
    happened = load_with(probe, manifest.leave(1), pipe)
    if first < len(places):
        assert happened.startswith(f"load HOST_CALL <{places[first]}>")
    else:
        assert happened == "load OK <> <>"


def test_a_manifest_that_says_no(probe: Probe) -> None:
    manifest = made.Orders().poke(0, b"no!").call("_debug", 0, 3)
    manifest.content += made.Pipe().plain_manifest().content[:-5]
    rune = replace(made.Pipe(), manifest=manifest.leave(0)).build()
    assert steps(probe, rune, runs=0)[-2] == "load HOST_CALL <_manifest> <no!>"


@pytest.mark.parametrize(
    ("kind", "length"), [(1, 2), (1, 0), (5, 4), (6, 4), (7, 2), (0, 0), (3, 4), (0xFFFFFFFF, 4)]
)
def test_parameters_have_a_value_of_their_type(probe: Probe, kind: int, length: int) -> None:
    manifest = made.Orders().call("request_capability", made.RAW).poke(64, b"length\x00\x00\x04")
    manifest.call("request_capability_set_param", 1, 64, 6, 72, length, kind)
    manifest.call("request_output", made.SERIAL).leave(1)
    happened = load_with(probe, manifest)
    assert happened.startswith("load HOST_CALL <request_capability_set_param> <the value's length")


def resources(call: made.Orders) -> made.Pipe:
    """Opened in the manifest they take ids 2 and 3, so the graph's output has id 4."""
    manifest = made.Orders().call("request_capability", made.RAW).poke(0, b"wordsnone")
    manifest.call("rune_resource_open", 0, 5).expect(2).call("rune_resource_open", 5, 4).expect(3)
    manifest.call("request_output", made.SERIAL).expect(4).leave(1)
    whole = made.Pipe().provide().call("consume_output", 4, 64, 4)
    whole.content += call.content
    return made.Pipe(blobs=BLOBS, manifest=manifest, call=whole)


def resource_rune(call: made.Orders) -> bytes:
    pipe = resources(call)
    assert pipe.manifest is not None
    assert pipe.call is not None
    code = made.program(pipe.manifest, pipe.call)
    graph = pipe.graph(code)
    graph["outputs"]["out0"]["id"] = 4
    return made.assemble(code, graph, BLOBS)


def test_resources_are_read_in_pieces_to_their_end(probe: Probe) -> None:
    call = made.Orders()
    for at, count in ((200, 6), (206, 6), (212, 3), (215, 0)):
        call.call("rune_resource_read", 2, at, 6).expect(count)
    call.call("rune_resource_read", 3, 300, 8).expect(0)
    call.call("_debug", 200, 16).call("rune_resource_close", 2).call("rune_resource_close", 3)
    story = steps(probe, resource_rune(call))
    assert f"log 2 {(BLOBS['words'] + bytes(1)).hex()}" in story
    assert story[-2] == "run OK <> <>"


def test_resources_are_not_written_outside(probe: Probe) -> None:
    call = made.Orders().call("rune_resource_read", 2, MEMORY - 5, 6)
    happened = steps(probe, resource_rune(call))[-2]
    assert happened.startswith("run OUT_OF_BOUNDS <rune_resource_read>")


def test_a_resource_that_is_not_there_is_minus_one_and_takes_no_id(probe: Probe) -> None:
    call = made.Orders().poke(0, b"wordy").call("rune_resource_open", 0, 5).expect(-1)
    call.call("rune_resource_open", 0, 4).expect(-1).poke(0, b"words")
    call.call("rune_resource_open", 0, 5).expect(5)
    assert steps(probe, resource_rune(call))[-2] == "run OK <> <>"


def test_open_resources_are_limited_and_closing_makes_room(probe: Probe) -> None:
    call = made.Orders().poke(0, b"words")
    for number in range(5, 50):
        call.call("rune_resource_open", 0, 5).expect(number).call("rune_resource_close", number)
    assert steps(probe, resource_rune(call))[-2] == "run OK <> <>"
    for _ in range(6):
        call.call("rune_resource_open", 0, 5)
    assert steps(probe, resource_rune(call))[-2] == "run OK <> <>"
    call.call("rune_resource_open", 0, 5)
    happened = steps(probe, resource_rune(call))[-2]
    assert happened.startswith("run HOST_CALL <rune_resource_open>")


def test_each_run_gives_the_same_ids_and_closes_what_the_one_before_left_open(
    probe: Probe,
) -> None:
    call = made.Orders().poke(0, b"words").call("rune_resource_open", 0, 5).expect(5)
    call.call("rune_resource_read", 5, 200, 6).expect(6)
    # What `_manifest` opened stays open, and is read on.
    call.call("rune_resource_read", 2, 200, 1).expect(1)
    story = steps(probe, resource_rune(call), runs=12)
    assert story.count("run OK <> <>") == 12
    assert story[-1] == "runs 12 instances 1"


def test_a_closed_resource_is_closed(probe: Probe) -> None:
    call = made.Orders().call("rune_resource_close", 2).call("rune_resource_read", 2, 64, 1)
    assert steps(probe, resource_rune(call))[-2].startswith("run HOST_CALL <rune_resource_read>")


@pytest.mark.parametrize(
    ("model", "happened"),
    [
        (b"\xe0", "load OPERATOR <net> <SOFTMAX>"),
        (b"\xe1", "load ARENA <net> <too small>"),
        (b"\xe2", "run INVOKE <net> <node 3 failed>"),
    ],
)
def test_errors_of_the_model_engine_name_the_stage(
    probe: Probe, model: bytes, happened: str
) -> None:
    assert happened in steps(probe, made.Pipe(model=model).build())


def test_a_rune_that_could_not_be_loaded_does_not_run(probe: Probe) -> None:
    story = steps(probe, made.Pipe(model=b"\xe0").build(), runs=2)
    assert story[:3] == [f"{what} OPERATOR <net> <SOFTMAX>" for what in ("load", "run", "run")]
    assert steps(probe, b"no rune at all", runs=1)[:2] == [
        "load NOT_A_RUNE <> <>",
        "run NOT_A_RUNE <> <>",
    ]


@pytest.mark.parametrize(
    ("flags", "happened"),
    [
        (1, "load MODEL <net> <this firmware runs no models>"),
        (2, "load MEMORY <> <the rune needs more linear memory than there is>"),
        (4, "load ARENA <net> <the models need more arena than there is>"),
        (8, "load CAPABILITY <in> <this board does not have the capability>"),
        (16, "load HEAP <> <fake refusal>"),
        (64, "load MODEL <net> <the .rune must lie at a multiple of 16>"),
    ],
)
def test_what_the_board_cannot_do_is_known_before_the_rune_runs(
    probe: Probe, flags: int, happened: str
) -> None:
    assert steps(probe, made.Pipe(model=b"\x00").build(), runs=0, flags=flags)[0] == happened


@pytest.mark.parametrize(("first", "second", "good"), [(60, 40, True), (60, 41, False)])
def test_the_arenas_of_models_are_needed_together(
    probe: Probe, first: int, second: int, good: bool
) -> None:
    pipe = made.Pipe(model=b"\x00", arena=first)
    manifest = made.Orders().call("request_capability", made.RAW).poke(0, b"netten")
    manifest.call("rune_model_open", 0, 3).call("rune_model_open", 3, 3)
    manifest.call("request_output", made.SERIAL).leave(1)
    code = made.program(manifest, made.Orders())
    graph = pipe.graph(code)
    graph["stages"].insert(2, "ten")
    graph["models"]["ten"] = {
        **graph["models"]["net"],
        "id": 3,
        "arena": second,
        "inputs": [1],
        "outputs": [2],
    }
    graph["outputs"]["out0"] = {"id": 4, "kind": "SERIAL", "inputs": [2]}
    graph["tensors"] *= 2
    graph["tensors"].pop()
    rune = made.assemble(code, graph, {"net-data": b"\x00"})
    happened = steps(probe, rune, runs=0, flags=4)[0]
    assert happened.startswith("load OK" if good else "load ARENA <ten>")


def test_a_resource_of_run_time_is_refused(probe: Probe) -> None:
    pipe = made.Pipe()
    code = made.program(pipe.plain_manifest(), pipe.plain_call())
    graph = pipe.graph(code)
    graph["resources"] = {"later": {"bytes": None}}
    rune = made.assemble(code, graph, {})
    assert steps(probe, rune)[0] == "load NO_DATA <later> <its data is not in the rune>"


@pytest.mark.parametrize("model_format", ["onnx", "tensorflow-lit", "tensorflow-lite2"])
def test_a_model_of_another_format_is_refused(probe: Probe, model_format: str) -> None:
    pipe = made.Pipe(model=b"\x01")
    code = made.program(pipe.plain_manifest(), pipe.plain_call())
    graph = pipe.graph(code)
    graph["models"]["net"]["format"] = model_format
    rune = made.assemble(code, graph, {"net-data": b"\x01"})
    assert steps(probe, rune)[0] == "load MODEL <net> <no engine runs its format>"


@pytest.mark.parametrize(
    "outputs",
    [["BLE"], ["SERIAL", "TENSOR"], ["TENSOR", "SERIAL"], ["PIN", "TENSOR"], ["TENSOR", "PIN"]],
)
def test_outputs_that_are_not_written_are_refused(probe: Probe, outputs: list[str]) -> None:
    happened = steps(probe, made.Pipe(tensor=("u8", (1,)), outputs=outputs).build(), runs=0)[0]
    assert happened.startswith("load OUTPUT_KIND <out")


def test_a_firmware_that_drives_no_pins_refuses_a_pin(probe: Probe) -> None:
    rune = made.Pipe(tensor=("u8", (1,)), outputs=["SERIAL", "PIN"]).build()
    assert steps(probe, rune, runs=0)[0] == "load OK <> <>"
    happened = steps(probe, rune, runs=0, flags=128)[0]
    assert happened == "load OUTPUT_KIND <out1> <this firmware does not write its kind>"


def test_an_error_of_the_writer_ends_the_run(probe: Probe) -> None:
    story = steps(probe, made.Pipe().build(), runs=2, flags=32)
    assert story[2] == "run NO_DATA <out0> <>"
    assert story[4] == "run OK <> <>"
