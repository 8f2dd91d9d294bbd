from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import flatbuffers  # type: ignore[import-untyped]
import msgspec
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.boards import load_board, load_boards
from runec.container import GraphOperator, Rune
from runec.data import data_dir
from runec.diagnostics import MachineError, UsageError, UserFileError
from runec.firmware import DeviceRune, StageError, create_project, load_project
from tests.common import contents

MakeRune = Callable[[str], Rune]
BOARDS = [board.id for board in load_boards() if "builds" in board.verified]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("example", ["noop", "sine", "gesture"])
def test_a_project_holds_every_file_that_its_plan_names(
    example_rune: MakeRune, tmp_path: Path, board: str, example: str
) -> None:
    rune = example_rune(example)
    create_project(DeviceRune.of(rune), load_board(board), tmp_path / "a project")
    files = contents(tmp_path / "a project")
    plan = json.loads(files["build_plan.json"])
    for group in plan["groups"]:
        for name in (*group["sources"], *group["depends"]):
            assert name in files
    assert files["rune/rune.rune"] == rune.data
    sources = [name for group in plan["groups"] for name in group["sources"]]
    assert any(name.startswith("lib/tflm/") for name in sources) == (example != "noop")
    assert "src/firmware.c" in sources


def test_two_projects_of_one_rune_are_the_same_bytes_and_know_no_place(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board, rune = load_board("esp32c3"), example_rune("gesture")
    create_project(DeviceRune.of(rune), board, tmp_path / "one")
    create_project(DeviceRune.of(rune), board, tmp_path / "another place" / "two")
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "another place" / "two")
    home, package = os.fsencode(tmp_path), os.fsencode(data_dir("boards").parent)
    for name, data in one.items():
        assert home not in data, name
        assert package not in data, name
        assert not re.search(rb"20[2-9]\d-\d\d-\d\d", data) or name.startswith("lib/"), name


def test_writing_a_project_again_touches_nothing(example_rune: MakeRune, tmp_path: Path) -> None:
    board, rune = load_board("netduinoplus2"), example_rune("sine")
    create_project(DeviceRune.of(rune), board, tmp_path / "p")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "p").rglob("*")}
    create_project(DeviceRune.of(rune), board, tmp_path / "p")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "p").rglob("*")} == times


def test_the_next_version_of_a_rune_leaves_no_file_of_the_first(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board, rune = load_board("netduinoplus2"), example_rune("noop")
    first = dataclasses.replace(
        example_rune("gesture"),
        graph=dataclasses.replace(example_rune("gesture").require_graph(), name="noop"),
    )
    create_project(DeviceRune.of(first), board, tmp_path / "p")
    (tmp_path / "p" / "my notes.txt").write_text("mine")
    create_project(DeviceRune.of(rune), board, tmp_path / "p")
    create_project(DeviceRune.of(rune), board, tmp_path / "fresh")
    after = contents(tmp_path / "p")
    assert after.pop("my notes.txt") == b"mine"
    assert after == contents(tmp_path / "fresh")


def test_a_project_reads_back_what_it_was_made_for(example_rune: MakeRune, tmp_path: Path) -> None:
    made = create_project(
        DeviceRune.of(example_rune("gesture")), load_board("esp32c3"), tmp_path / "p"
    )
    assert load_project(tmp_path / "p") == made
    assert made.plan.operators == (
        "CONV_2D",
        "DEQUANTIZE",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "QUANTIZE",
        "RESHAPE",
        "SOFTMAX",
    )


def test_a_firmware_has_the_boards_time_for_a_run_and_the_runes_capabilities(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board = load_board("netduinoplus2")
    config = tmp_path / "p" / "src" / "firmware_config.h"
    create_project(DeviceRune.of(example_rune("gesture")), board, tmp_path / "p")
    limits = data_dir("firmware_templates") / "runevm" / "include" / "runevm_limits.h"
    assert "#define FIRMWARE_CAPABILITIES 0x08u\n" in config.read_text()  # ACCEL
    assert "#define FIRMWARE_TIME_BUDGET_MS 30000u\n" in config.read_text()
    assert "#define RUNEVM_TIME_BUDGET_MS 30000u\n" in limits.read_text()
    create_project(
        DeviceRune.of(example_rune("gesture")), board.with_time_budget(1.5), tmp_path / "p"
    )
    assert "#define FIRMWARE_TIME_BUDGET_MS 1500u\n" in config.read_text()


def test_the_memory_plan_follows_the_graph(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = example_rune("gesture")
    graph = rune.require_graph()
    plan = create_project(DeviceRune.of(rune), load_board("esp32c3"), tmp_path / "p").plan
    assert graph.memory_used <= plan.linear_memory_bytes < graph.memory_used + 16
    assert plan.arena_bytes == sum(model.arena for model in graph.models.values())
    assert plan.pool_bytes == plan.linear_memory_bytes + plan.engine_heap_bytes
    assert plan.engine_heap_bytes > 4 * graph.code_bytes


def test_components_are_named_with_version_licence_and_digest(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    create_project(DeviceRune.of(example_rune("sine")), load_board("esp32c3"), tmp_path / "p")
    files = contents(tmp_path / "p")
    named = {each["name"]: each for each in json.loads(files["sbom.json"])["components"]}
    assert set(named) == {"runevm", "pywasm3", "tfmicro"}
    for each in named.values():
        assert each["version"].encode() in files["NOTICE"] or each["name"] == "runevm"
        for digest in each.get("hashes", []):
            assert digest["content"].encode() in files["NOTICE"]
    assert b"MIT License" in files["lib/wasm3/LICENSE"]
    assert b"Apache License" in files["lib/tflm/LICENSE"]


LIBGCC = "gcc-runtime-library-exception.txt"
# Of each licence, words that nothing but its own text has.
LICENCES = {
    "runec.txt": b"Apache License",
    "wasm3.txt": b"MIT License",
    "tflm.txt": b"Apache License",
    "newlib.txt": b"Cygnus Support",
    "picolibc.txt": b"SiFive Inc.",
    LIBGCC: b"GCC RUNTIME LIBRARY EXCEPTION",
}


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("sine netduinoplus2 bare", {"picolibc.txt"}),
        ("noop esp32c3 bare", {"newlib.txt", "tflm.txt"}),
        ("noop esp32c3 arduino", {"newlib.txt", "picolibc.txt", "tflm.txt", LIBGCC}),
    ],
)
def test_the_text_of_every_licence_is_in_the_project(
    example_rune: MakeRune, tmp_path: Path, words: str, absent: set[str]
) -> None:
    example, board, framework = words.split()
    rune = DeviceRune.of(example_rune(example))
    create_project(rune, load_board(board), tmp_path / "p", framework=framework)
    notice = (tmp_path / "p" / "NOTICE").read_text()
    found = {path.name: path.read_bytes() for path in (tmp_path / "p" / "LICENSES").iterdir()}
    assert set(found) == LICENCES.keys() - absent
    assert {name for name in LICENCES if name in notice} == set(found)
    for name, text in found.items():
        assert LICENCES[name] in text, name
    assert "Copyright (c) 2019 Steven Massey, Volodymyr Shymanskyy" in notice
    assert ("Arm Limited" in notice) == (example == "sine")


def with_graph(rune: Rune, **changes: object) -> Rune:
    graph = dataclasses.replace(rune.require_graph(), **changes)  # type: ignore[arg-type]
    return dataclasses.replace(rune, graph=graph)


def test_too_much_ram_is_refused_before_anything_is_written(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    rune = with_graph(example_rune("noop"), memory_used=300_000)
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(rune), load_board("netduinoplus2"), tmp_path / "p")
    assert caught.value.code == "R0811"
    assert "its linear memory" in (caught.value.hint or "")
    assert not (tmp_path / "p").exists()
    told = re.findall(r"needs at least (\d+) bytes more RAM than the 131072", caught.value.message)
    excess = int(told[0])
    *costs, stage = caught.value.notes
    assert stage == "the stage with the highest cost: input: 16 bytes (its tensors 16)"
    parts = [int(re.findall(r": (\d+) bytes", note)[0]) for note in costs]
    assert sum(parts) == 131072 + excess, "the notes account for every byte"
    smaller = with_graph(example_rune("noop"), memory_used=300_000 - excess)
    create_project(DeviceRune.of(smaller), load_board("netduinoplus2"), tmp_path / "p")


def test_a_board_too_small_for_the_engine_says_so_and_which_boards_are_not(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    with pytest.raises(UserFileError) as caught:
        create_project(
            DeviceRune.of(example_rune("noop")), load_board("bluepill_f103c8"), tmp_path / "p"
        )
    assert caught.value.code == "R0811"
    hint = caught.value.hint or ""
    assert "its RAM is too small for the engine wasm3; compile the rune: --backend aot" in hint
    fitting = hint.rpartition(": ")[2].split(", ")
    assert fitting == BOARDS
    assert not (tmp_path / "p").exists()


def test_only_boards_with_the_memory_are_proposed(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = with_graph(example_rune("noop"), memory_used=150_000)
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(rune), load_board("nrf52_dk"), tmp_path / "p")
    hint = caught.value.hint or ""
    assert hint.startswith("make its linear memory smaller, or choose a board that it fits")
    proposed = hint.rpartition(": ")[2].split(", ")
    assert "nrf52840_dk" in proposed
    assert "netduinoplus2" not in proposed
    for board in proposed:
        create_project(DeviceRune.of(rune), load_board(board), tmp_path / board)


def test_flash_that_is_too_small_for_the_engine_is_told_as_such(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board = load_board("bluepill_f103c8")
    ram = msgspec.structs.replace(board.memory.ram, size_bytes=131_072)
    memory = msgspec.structs.replace(board.memory, ram=ram)
    with pytest.raises(UserFileError) as caught:
        create_project(
            DeviceRune.of(example_rune("noop")),
            msgspec.structs.replace(board, memory=memory),
            tmp_path / "p",
        )
    assert caught.value.code == "R0812"
    assert "flash is too small for the engine wasm3" in (caught.value.hint or "")


def test_a_large_arena_is_named_as_what_is_too_big(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = example_rune("sine")
    models = {
        name: dataclasses.replace(model, arena=200_000)
        for name, model in rune.require_graph().models.items()
    }
    with pytest.raises(UserFileError) as caught:
        create_project(
            DeviceRune.of(with_graph(rune, models=models)),
            load_board("netduinoplus2"),
            tmp_path / "p",
        )
    assert caught.value.code == "R0811"
    assert "the arena of its models" in (caught.value.hint or "")


def test_too_much_flash_is_refused(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = dataclasses.replace(example_rune("noop"), data=bytes(1_000_000))
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(rune), load_board("netduinoplus2"), tmp_path / "p")
    assert caught.value.code == "R0812"
    assert not (tmp_path / "p").exists()


def test_an_operator_without_a_kernel_is_named(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = example_rune("sine")
    operators = (GraphOperator("FULLY_CONNECTED", 1), GraphOperator("GATHER", 2))
    models = {
        name: dataclasses.replace(model, operators=operators)
        for name, model in rune.require_graph().models.items()
    }
    with pytest.raises(UserFileError) as caught:
        create_project(
            DeviceRune.of(with_graph(rune, models=models)), load_board("esp32c3"), tmp_path / "p"
        )
    assert caught.value.code == "R0810"
    assert caught.value.message.endswith("no kernel for GATHER")


def test_an_operator_that_devices_compute_otherwise_is_named_with_its_stage(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    rune = example_rune("sine")
    ((stage, model),) = rune.require_graph().models.items()
    data = rune.resources[model.resource]
    assert data is not None
    changed = schema.ModelT.InitFromPackedBuf(data, 0)
    for tensor in changed.subgraphs[0].tensors:
        # As converters write it: 16 bits between the operators, weights of 8 bits, biases of 64.
        constant = changed.buffers[tensor.buffer]
        if tensor.type == schema.TensorType.INT8 and constant.data is None:
            tensor.type = schema.TensorType.INT16
            tensor.quantization.zeroPoint = [0]
        if tensor.type == schema.TensorType.INT32:
            tensor.type = schema.TensorType.INT64
            constant.data = np.array(constant.data, "u1").view("<i4").astype("<i8").view("u1")
    builder = flatbuffers.Builder(0)
    builder.Finish(changed.Pack(builder), b"TFL3")
    changed_rune = rune.with_resources({model.resource: bytes(builder.Output())})
    with pytest.raises(StageError) as caught:
        create_project(DeviceRune.of(changed_rune), load_board("esp32c3"), tmp_path / "p")
    assert caught.value.code == "R0810"
    assert caught.value.stage == stage
    assert "FULLY_CONNECTED of int16" in caught.value.message
    assert not (tmp_path / "p").exists()


def test_a_folder_with_something_else_is_left_alone(example_rune: MakeRune, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path)
    assert caught.value.code == "R0813"
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_file_in_the_folders_place_is_left_alone(example_rune: MakeRune, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a file")
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "p")
    assert caught.value.code == "R0813"


def test_sources_that_are_not_whole_are_reported(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    (mine / "wasm3").mkdir(parents=True)
    (mine / "LICENSE").write_text("MIT")
    monkeypatch.setenv("RUNEC_COMPONENT_WASM3", str(mine))
    with pytest.raises(MachineError) as caught:
        create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "p")
    assert caught.value.code == "R0822"
    assert "m3_" in caught.value.message


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format":1}', "\x00\xff"])
def test_a_damaged_project_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "runec-project.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserFileError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "R0813"


def test_a_manifest_cannot_make_runec_remove_files_elsewhere(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), folder)
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    manifest = json.loads((folder / "runec-project.json").read_text())
    digest = hashlib.sha256(b"kept").hexdigest()
    for name in ("../kept.txt", str(kept), "src/../../kept.txt"):
        manifest["files"][name] = digest
    (folder / "runec-project.json").write_text(json.dumps(manifest))
    create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), folder)
    assert kept.read_text() == "kept"


def test_an_unknown_backend_is_a_usage_error(example_rune: MakeRune, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        create_project(
            DeviceRune.of(example_rune("noop")),
            load_board("esp32c3"),
            tmp_path / "p",
            backend="wasm4",
        )
    assert caught.value.code == "R0803"
    assert caught.value.hint == 'did you mean "wasm3"?'


@pytest.mark.parametrize("board", BOARDS)
def test_a_project_says_how_it_is_built(example_rune: MakeRune, tmp_path: Path, board: str) -> None:
    create_project(DeviceRune.of(example_rune("noop")), load_board(board), tmp_path / "p")
    readme = (tmp_path / "p" / "README.md").read_text(encoding="utf-8")
    assert "```\nrunec firmware build .\n```" in readme
    assert load_board(board).hal.console in readme
    assert (f"--board {board}" in readme) == (load_board(board).upload is not None)


def test_a_compiled_rune_fits_where_no_interpreter_does(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board = load_board("bluepill_f103c8")
    project = create_project(
        DeviceRune.of(example_rune("sine")), board, tmp_path / "p", backend="aot"
    )
    assert project.plan.engine_heap_bytes == 0
    assert project.plan.stack_bytes == 8192
    plan = json.loads((tmp_path / "p/build_plan.json").read_text())
    sources = [name for group in plan["groups"] for name in group["sources"]]
    assert "src/rune_code.c" in sources
    assert not any("wasm3" in name for name in sources)
    assert "wasm3" not in (tmp_path / "p/NOTICE").read_text()
