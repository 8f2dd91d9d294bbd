"""Original runes (2020 to 2022) on a device: what they may ask for, what becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

PAGE = 65536
LIMIT = 1000  # of documents, in the probe


def steps(probe: Probe, rune: bytes, runs: int = 1, flags: int = 0) -> list[str]:
    (line,) = probe("run", [bytes((runs, flags)) + rune])
    return [step for step in line.split("|")[1:] if not step.startswith("write")]


def written(probe: Probe, rune: bytes, runs: int = 1) -> bytes:
    (line,) = probe("run", [bytes((runs, 0)) + rune])
    pieces = [step[6:] for step in line.split("|") if step.startswith("write ")]
    return bytes.fromhex("".join(pieces))


def document(output: int, content: bytes) -> bytes:
    return output.to_bytes(4, "little") + len(content).to_bytes(4, "little") + content


def load_with(probe: Probe, manifest: made.Orders, original: made.Original | None = None) -> str:
    rune = replace(original or made.Original(), manifest=manifest).build()
    return steps(probe, rune, runs=0)[-2]


def run_with(probe: Probe, call: made.Orders, original: made.Original | None = None) -> str:
    return steps(probe, replace(original or made.Original(), call=call).build())[-2]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("generation", [1, 2])
def test_both_generations_run_and_their_documents_are_handed_on(
    originals_probe: Probe, generation: int, first: int
) -> None:
    original = made.Original(generation=generation, first=first)
    rune = original.build()
    story = [
        "load OK <> <>",
        *[f"provide {first} 4", "run OK <> <>"] * 2,
        "runs 2 instances 1",
    ]
    assert steps(originals_probe, rune, runs=2) == story
    given = [bytes(value ^ 0x10 for value in values) for values in ((1, 2, 3, 4), (5, 6, 7, 8))]
    assert written(originals_probe, rune, runs=2) == b"".join(
        b"\x01" + document(original.output_id, data) for data in given
    )


def test_a_tensor_output_says_so_even_where_nothing_is_written(originals_probe: Probe) -> None:
    original = made.Original(model=None, kind="TENSOR")
    assert written(originals_probe, original.build()) == b"\x05" + document(2, b"\1\2\3\4")
    for kind, form in (("TENSOR", b"\x05"), ("SERIAL", b"\x01")):
        silent = made.Original(model=None, kind=kind, call=made.Orders())
        assert written(originals_probe, silent.build(), runs=2) == 2 * form


def test_a_firmware_without_originals_refuses_their_descriptions(
    probe: Probe, originals_probe: Probe
) -> None:
    rune = made.Original().build()
    assert probe("read", [rune]) == ["ABI"]
    (line,) = originals_probe("read", [rune])
    assert line.startswith("OK name=old")
    assert " memory=65536 stack=0" in line
    assert f"model=model 2 id=2 at={rune.index(b'the model' + bytes(3)) + 13} bytes=1" in line


def test_runes_of_abi_1_run_in_a_firmware_with_originals(originals_probe: Probe) -> None:
    rune = made.Pipe(model=b"\x10", blobs={"x": b"y"}).build()
    assert steps(originals_probe, rune)[-2] == "run OK <> <>"
    orders = made.Orders().poke(0, b"x").call("rune_resource_open", 0, 1)
    assert steps(originals_probe, replace(made.Pipe(blobs={"x": b"y"}), call=orders).build(), 2)[
        -2
    ].startswith("run HOST_CALL <out0> <the run ended")
    for function in ("tfm_preload_model", "rune_model_load", "tfm_model_invoke"):
        sizes = {"tfm_preload_model": 4, "rune_model_load": 8, "tfm_model_invoke": 5}
        call = made.Orders().call(function, *[0] * sizes[function])
        happened = steps(originals_probe, replace(made.Pipe(), call=call).build())[-2]
        assert happened == f"run HOST_CALL <{function}> <called in the wrong export>"


WRONG_GRAPHS: dict[str, Callable[[dict[str, Any]], object]] = {
    "first id 2": lambda g: g.update({"first-id": 2}),
    "an id before the first": lambda g: g["capabilities"]["capability 1"].update(id=0),
    "ids that do not rise": lambda g: g["outputs"]["output 3"].update(id=2),
    "an id twice": lambda g: g["models"]["model 2"].update(id=1),
    "a stack": lambda g: g["memory"].update(stack=16),
    "half a page": lambda g: g["memory"].update(used=PAGE + 16),
    "a tensor too many": lambda g: g["tensors"].append(g["tensors"][0]),
    "a tensor too few": lambda g: g["tensors"].pop(),
    "tensors that do not count on": lambda g: g["models"]["model 2"].update(inputs=[1]),
    "no outputs of a model": lambda g: g["models"]["model 2"].update(outputs=[]),
    "a capability with a tensor": lambda g: g["capabilities"]["capability 1"].update(outputs=[0]),
    "an output with a tensor": lambda g: g["outputs"]["output 3"].update(inputs=[1]),
    "a pin": lambda g: g["outputs"]["output 3"].update(kind="PIN"),
    "another kind": lambda g: g["outputs"]["output 3"].update(kind="BLE"),
    "a block": lambda g: g.update({"proc-blocks": {"x": {}}}),
    "a stage without an entry": lambda g: g["stages"].append("x"),
    "a stage twice": lambda g: g["stages"].append("output 3"),
    "stages in another order": lambda g: g["stages"].reverse(),
    "a resource that is not there": lambda g: g["models"]["model 2"].update(resource="x"),
}


@pytest.mark.parametrize("what", WRONG_GRAPHS)
def test_a_description_that_contradicts_itself_is_refused(
    originals_probe: Probe, what: str
) -> None:
    rune = made.Original().build(WRONG_GRAPHS[what])
    assert originals_probe("read", [rune]) == ["MALFORMED"]


def test_a_first_id_belongs_to_abi_0(originals_probe: Probe) -> None:
    def without(graph: dict[str, Any]) -> None:
        del graph["first-id"]

    assert originals_probe("read", [made.Original().build(without)]) == ["MALFORMED"]
    other = made.Original().build(lambda graph: graph.update(abi=2))
    assert originals_probe("read", [other]) == ["ABI"]


@pytest.mark.parametrize("generation", [1, 2])
def test_a_model_that_was_not_described_is_not_opened(
    originals_probe: Probe, generation: int
) -> None:
    original = made.Original(model=b"\x10\x20\x30", generation=generation)
    function = "tfm_preload_model" if generation == 1 else "rune_model_load"

    def load(at: int, length: int, inputs: int = 1, outputs: int = 1) -> str:
        orders = original.begin().poke(128, b"\x10\x20\x31")
        if at == 300:
            orders.poke(at, b"\x10\x20\x30")
        if generation == 1:
            orders.call(function, at, length, inputs, outputs)
        else:
            orders.call(function, 200, 4, at, length, 240, inputs, 248, outputs)
        return load_with(originals_probe, orders, original)

    another = f"load HOST_CALL <{function}> <the graph lists something else next>"
    tensors = f"load HOST_CALL <{function}> <another number of tensors than the model has>"
    assert load(129, 3) == another
    assert load(300, 2) == another
    assert load(300, 4) == another
    # The first generation passed numbers of elements in 2020: the file decides.
    counted = "load HOST_CALL <_manifest> <it asks for less than the graph lists>"
    assert load(300, 3, inputs=2) == (counted if generation == 1 else tensors)
    assert load(300, 3, outputs=0) == (counted if generation == 1 else tensors)
    outside = f"load OUT_OF_BOUNDS <{function}> <a pointer lies outside linear memory>"
    for at, length in ((PAGE - 2, 3), (PAGE, 1), (0xFFFFFFFF, 3), (0x80000000, 0x80000000)):
        assert load(at, length) == outside
    assert load(300, 3).startswith("load HOST_CALL <_manifest>")  # opened; no output follows


def test_a_model_is_opened_once_and_in_its_turn(originals_probe: Probe) -> None:
    original = made.Original()
    early = original.open_model(made.Orders())
    assert load_with(originals_probe, early).startswith("load HOST_CALL <tfm_preload_model>")
    twice = original.open_model(original.begin())
    twice.call("tfm_preload_model", 128, 1, 1, 1)
    assert load_with(originals_probe, twice).startswith("load HOST_CALL <tfm_preload_model>")
    none = replace(original, model=None)
    orders = none.begin().call("tfm_preload_model", 128, 0, 1, 1)
    assert load_with(originals_probe, orders, none).startswith("load HOST_CALL")


def test_what_the_rune_does_to_its_copy_of_a_model_changes_nothing(originals_probe: Probe) -> None:
    original = made.Original()
    call = made.Orders().poke(128, b"\xe2")
    call.content += original.plain_call().content
    assert run_with(originals_probe, call) == "run OK <> <>"
    assert written(originals_probe, replace(original, call=call).build()) == b"\x01" + document(
        3, bytes((0x11, 0x12, 0x13, 0x14))
    )


@pytest.mark.parametrize(
    ("words", "bad"),
    [
        ((0xFFFFFFFF, 4, 128, 1, 240, 1, 248, 1), "OUT_OF_BOUNDS"),
        ((200, 0x80000000, 128, 1, 240, 1, 248, 1), "OUT_OF_BOUNDS"),
        ((200, 4, 128, 1, PAGE - 7, 1, 248, 1), "OUT_OF_BOUNDS"),
        ((200, 4, 128, 1, 240, 1, PAGE - 4, 1), "OUT_OF_BOUNDS"),
        ((200, 4, 128, 1, 240, 0x20000001, 248, 1), "HOST_CALL"),
        ((200, 4, 128, 1, 240, 1, 248, 33), "HOST_CALL"),
    ],
)
def test_what_comes_with_a_model_of_the_second_generation_is_checked(
    originals_probe: Probe, words: tuple[int, ...], bad: str
) -> None:
    original = made.Original(generation=2)
    orders = original.begin().poke(128, b"\x10").call("rune_model_load", *words)
    happened = load_with(originals_probe, orders, original)
    assert happened.startswith(f"load {bad} <rune_model_load>")


@pytest.mark.parametrize(
    ("words", "bad"),
    [
        ((1, 64, 4, 512, 4), "HOST_CALL"),
        ((3, 64, 4, 512, 4), "HOST_CALL"),
        ((0xFFFFFFFF, 64, 4, 512, 4), "HOST_CALL"),
        ((2, 64, 3, 512, 4), "HOST_CALL"),
        ((2, 64, 4, 512, 5), "HOST_CALL"),
        ((2, PAGE - 3, 4, 512, 4), "OUT_OF_BOUNDS"),
        ((2, 64, 4, 0xFFFFFFFE, 4), "OUT_OF_BOUNDS"),
    ],
)
def test_a_model_is_run_from_and_to_its_tensors_sizes_in_memory(
    originals_probe: Probe, words: tuple[int, ...], bad: str
) -> None:
    happened = run_with(originals_probe, made.Orders().call("tfm_model_invoke", *words))
    assert happened.startswith(f"run {bad} <tfm_model_invoke>")


def test_everything_belongs_to_its_export(originals_probe: Probe) -> None:
    call = {
        "tfm_preload_model": (128, 1, 1, 1),
        "rune_model_load": (200, 4, 128, 1, 240, 1, 248, 1),
        "request_capability": (5,),
        "request_output": (1,),
    }
    for function, words in call.items():
        happened = run_with(originals_probe, made.Orders().call(function, *words))
        assert happened == f"run HOST_CALL <{function}> <called in the wrong export>"
    original = made.Original()
    for function, words in {
        "tfm_model_invoke": (2, 64, 4, 512, 4),
        "rune_model_open": (0, 3),
        "consume_output": (3, 64, 4),
    }.items():
        happened = load_with(originals_probe, original.begin().call(function, *words))
        assert happened == f"load HOST_CALL <{function}> <called in the wrong export>"


def test_documents_are_of_outputs_that_were_given_and_lie_in_memory(originals_probe: Probe) -> None:
    for words, bad in (
        ((2, 64, 4), "HOST_CALL"),
        ((4, 64, 4), "HOST_CALL"),
        ((3, PAGE - 3, 4), "OUT_OF_BOUNDS"),
        ((3, 0, 0xFFFFFFFF), "OUT_OF_BOUNDS"),
    ):
        happened = run_with(originals_probe, made.Orders().call("consume_output", *words))
        assert happened.startswith(f"run {bad} <consume_output>")


def test_a_run_hands_on_so_many_bytes_and_no_more(originals_probe: Probe) -> None:
    original = made.Original(model=None)
    most = made.Orders().call("consume_output", 2, 0, LIMIT - 1).call("consume_output", 2, 64, 1)
    assert run_with(originals_probe, most, original) == "run OK <> <>"
    # The next run begins anew.
    assert (
        steps(originals_probe, replace(original, call=most).build(), runs=2)[-2] == "run OK <> <>"
    )
    for over in (
        made.Orders().call("consume_output", 2, 0, LIMIT + 1),
        most.call("consume_output", 2, 64, 1),
    ):
        happened = run_with(originals_probe, over, original)
        assert happened == "run HOST_CALL <output 2> <a run writes more than a device hands on>"


def test_parameters_are_those_that_were_described(originals_probe: Probe) -> None:
    original = made.Original(parameters={"hz": 16000})
    value = (16000).to_bytes(4, "little")
    orders = original.begin().poke(0, b"hz").poke(8, value)
    orders.call("request_capability_set_param", 1, 0, 2, 8, 4, 1).expect(0)
    original.open_model(orders).call("request_output", 1).leave(1)
    assert load_with(originals_probe, orders, original) == "load OK <> <>"
    wrong = original.begin().poke(0, b"hz").poke(8, b"\1\0\0\0")
    wrong.call("request_capability_set_param", 1, 0, 2, 8, 4, 1)
    happened = load_with(originals_probe, wrong, original)
    assert happened.startswith("load HOST_CALL <request_capability_set_param>")


def test_resources_stay_open_and_ids_go_on_over_runs(originals_probe: Probe) -> None:
    original = made.Original(model=None, first=0, blobs={"words": b"ab"})
    manifest = made.Orders().poke(0, b"words").call("rune_resource_open", 0, 5).expect(0)
    # The capability is described under the first id, which the resource has taken.
    happened = load_with(originals_probe, manifest.call("request_capability", 5), original)
    assert happened.startswith("load HOST_CALL <request_capability> <the graph lists")
    later = original.begin().poke(0, b"words").call("request_output", 1).expect(1)
    later.call("rune_resource_open", 0, 5).expect(2).leave(1)
    call = made.Orders().call("rune_resource_read", 2, 64, 1).expect(1)
    runs = replace(original, manifest=later, call=call).build()
    assert steps(originals_probe, runs, runs=2)[-2] == "run OK <> <>"
    third = call.expect(1).call("rune_resource_read", 2, 64, 1)
    ends = replace(original, manifest=later, call=third.expect(1)).build()
    assert steps(originals_probe, ends, runs=2)[-2].startswith("run TRAP")  # both bytes are read
    opened = made.Orders().call("rune_resource_open", 0, 5).expect(3)
    again = replace(original, manifest=later, call=opened).build()
    assert steps(originals_probe, again, runs=1)[-2] == "run OK <> <>"
    assert steps(originals_probe, again, runs=2)[-2].startswith("run TRAP")  # the next id is 4


def test_a_resource_with_the_id_0_can_be_read_and_closed(originals_probe: Probe) -> None:
    def moved(graph: dict[str, Any]) -> None:
        graph["capabilities"]["capability 0"]["id"] = 1
        graph["outputs"]["output 1"]["id"] = 2

    manifest = made.Orders().poke(0, b"words").call("rune_resource_open", 0, 5).expect(0)
    manifest.call("rune_resource_read", 0, 64, 9).expect(2).call("rune_resource_close", 0)
    manifest.call("request_capability", 5).expect(1).call("request_output", 1).expect(2).leave(1)
    original = made.Original(model=None, first=0, blobs={"words": b"ab"}, manifest=manifest)
    assert steps(originals_probe, original.build(moved), runs=0)[-2] == "load OK <> <>"
    closed = made.Orders().call("rune_resource_read", 0, 64, 1)
    happened = steps(originals_probe, replace(original, call=closed).build(moved))[-2]
    assert happened.startswith("run HOST_CALL <rune_resource_read> <an id")
    huge = made.Orders().call("rune_resource_read", 0xFFFFFFFF, 64, 1)
    happened = steps(originals_probe, replace(original, call=huge).build(moved))[-2]
    assert happened.startswith("run HOST_CALL <rune_resource_read> <an id")


def test_the_model_beside_an_original_is_no_resource_of_its_own(originals_probe: Probe) -> None:
    name = b"the model"
    call = made.Orders().poke(0, name).call("rune_resource_open", 0, len(name)).expect(0xFFFFFFFF)
    assert run_with(originals_probe, call) == "run OK <> <>"


MESSAGE = '{"level":"INFO","message":"say \\"hi\\"\\t","target":"x","line":12}'


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (MESSAGE.encode(), b'say "hi"\t'),
        (b"plain words", b"plain words"),
        (b'{"level":"INFO"}', b'{"level":"INFO"}'),
        (b'{"message":12}', b'{"message":12}'),
        (b'{"message":"cut', b'{"message":"cut'),
        (b"", b""),
        (b'{"message":"' + b"x" * 500 + b'"}', b"x" * 239),
    ],
)
def test_the_words_in_a_message_are_told(originals_probe: Probe, said: bytes, heard: bytes) -> None:
    call = made.Orders().poke(1000, said).call("_debug", 1000, len(said)).expect(0)
    rune = replace(made.Original(), call=call.leave(2)).build()
    story = steps(originals_probe, rune)
    assert story[1] == f"log 2 {heard.hex()}"
    assert story[2] == f"run STAGE <_call> <{heard[:63].decode()}>"


def test_a_backtrace_is_asked_for_and_none_is_shown(originals_probe: Probe) -> None:
    call = made.Orders().call("log_backtrace").trap(301)
    assert run_with(originals_probe, call) == "run TRAP <_call> <fake trap>"


def test_what_manifest_returns_does_not_matter_but_what_it_asks_for_does(
    originals_probe: Probe,
) -> None:
    original = made.Original()
    orders = original.open_model(original.begin()).call("request_output", 1)
    assert load_with(originals_probe, orders.leave(0)) == "load OK <> <>"
    less = original.begin().leave(1)
    assert load_with(originals_probe, less) == (
        "load HOST_CALL <_manifest> <it asks for less than the graph lists>"
    )


@pytest.mark.parametrize(
    ("flags", "refusal"),
    [(1, "MODEL"), (2, "MEMORY"), (4, "ARENA"), (8, "CAPABILITY"), (16, "HEAP"), (64, "MODEL")],
)
def test_what_a_board_lacks_is_told_before_anything_runs(
    originals_probe: Probe, flags: int, refusal: str
) -> None:
    story = steps(originals_probe, made.Original().build(), flags=flags)
    assert story[0].startswith(f"load {refusal} ")
    assert story[1].startswith(f"run {refusal} ")


def test_no_byte_is_read_past_a_description_whatever_it_holds(originals_probe: Probe) -> None:
    whole = made.Original(blobs={"x": b"y"}).build()
    chance = made.dice(5)
    records = [
        made.with_digest(
            made.mutate(
                whole[:-47],
                [(chance.random(), chance.randrange(256), chance.randrange(4)) for _ in range(2)],
            )
        )
        for _ in range(400)
    ]
    records += [whole[:size] for size in range(len(whole))]
    lines = originals_probe("read", records)
    assert lines[-1] != "OK"
    assert not any("BUT FILLED" in line for line in lines)
    # Some of those that can be read are run as well.
    good = [record for record, line in zip(records, lines, strict=True) if line.startswith("OK")]
    assert good
    originals_probe("run", [b"\1\0" + record for record in good[:50]])
