"""Runes that cannot fit are rejected with the highest cost; the linker decides the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.boards import Board, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.firmware import BudgetError, DeviceRune, build_project, create_project
from runec.firmware.budget import flash_bounds, ram_bounds
from runec.firmware.memory_plan import MemoryPlan, plan_memory
from runec.frontend import analyse

MakeRune = Callable[[str], Rune]


def board_with(name: str, *, flash: int | None = None, ram: int | None = None) -> Board:
    board = load_board(name)
    memory = board.memory
    if flash is not None:
        code = msgspec.structs.replace(memory.code, size_bytes=flash)
        memory = msgspec.structs.replace(memory, code=code)
    if ram is not None:
        memory = msgspec.structs.replace(
            memory, ram=msgspec.structs.replace(memory.ram, size_bytes=ram)
        )
    return msgspec.structs.replace(board, memory=memory)


def planned(rune: Rune, board: Board) -> tuple[MemoryPlan, Board]:
    return plan_memory(DeviceRune.of(rune), board), board


def refused(rune: Rune, board: Board, folder: Path) -> BudgetError:
    with pytest.raises(BudgetError) as caught:
        create_project(DeviceRune.of(rune), board, folder)
    assert not folder.exists()
    return caught.value


def test_a_rune_too_big_for_a_board_that_others_fit_is_told_what_of_it_is_big(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    error = refused(example_rune("microspeech"), load_board("nrf52_dk"), tmp_path / "p")
    assert error.code == "R0811"
    assert "too small for the engine" not in (error.hint or "")
    assert (error.hint or "").startswith("make its linear memory smaller, or choose")
    create_project(
        DeviceRune.of(example_rune("gesture")), load_board("nrf52_dk"), tmp_path / "smaller"
    )


def test_the_engines_fixed_need_does_not_depend_on_the_rune(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board = board_with("netduinoplus2", ram=24_576)
    notes = {}
    for name in ("noop", "gesture", "microspeech"):
        error = refused(example_rune(name), board, tmp_path / name)
        assert "its RAM is too small for the engine wasm3" in (error.hint or "")
        parts = dict(note.split(": ", 1) for note in error.notes)
        notes[name] = (parts["the engine"], parts["the engine's heap for its code"])
    assert len({fixed for fixed, _ in notes.values()}) == 1
    heaps = [int(heap.partition(" ")[0]) for _, heap in notes.values()]
    assert heaps == sorted(heaps)
    assert heaps[-1] > 4 * len(example_rune("microspeech").code)


def test_the_flash_that_any_rune_needs_is_told_apart_from_that_for_models(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    board = board_with("netduinoplus2", flash=65_536)
    for name in ("noop", "sine", "gesture"):
        error = refused(example_rune(name), board, tmp_path / name)
        assert error.code == "R0812"
        assert "its flash is too small for the engine wasm3" in (error.hint or "")
        rest = [note for note in error.notes if note.startswith("the engine and the rest")]
        (size,) = re.findall(r"(\d+) bytes$", rest[0])
        assert int(size) == 83 * 1024, "the same for each"
    enough = board_with("netduinoplus2", flash=100_000)
    error = refused(example_rune("gesture"), enough, tmp_path / "p")
    assert (error.hint or "").startswith("omit gesture or use a model with fewer kinds of")
    create_project(DeviceRune.of(example_rune("noop")), enough, tmp_path / "p")


def test_code_counts_with_the_heap_that_it_causes(example_rune: MakeRune) -> None:
    rune = example_rune("microspeech")
    costs = {
        cost.stage: cost for cost in plan_memory(DeviceRune.of(rune), load_board("nrf52_dk")).stages
    }
    assert tuple(costs) == rune.require_graph().stages
    block = costs["audio_frontend"]
    assert 0.6 * len(rune.code) < block.flash_bytes < len(rune.code)
    assert block.ram["the engine's heap for its code"] > 4 * block.flash_bytes
    model = rune.require_graph().models["keyword"]
    assert costs["keyword"].ram["the arena of its model"] == model.arena
    weights = rune.resources[model.resource]
    assert costs["keyword"].flash["its model"] == len(weights or b"")


def test_a_rune_without_a_model_names_the_stage_whose_code_is_largest(
    tmp_path: Path,
) -> None:
    text = (
        "version: 1\nimage: runicos/base\npipeline:\n"
        "  a: {capability: RAW, outputs: [{type: f32, dimensions: [12]}]}\n"
        "  small: {proc-block: normalize, inputs: [a]}\n"
        "  large: {proc-block: modulo, inputs: [small], args: {modulus: 10}}\n"
        "  serial: {out: serial, inputs: [large]}\n"
    )
    (tmp_path / "Runefile.yml").write_text(text)
    pipeline = analyse(tmp_path / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    least = flash_bounds(len(rune.data), *planned(rune, load_board("netduinoplus2"))).least
    board = board_with("netduinoplus2", flash=least - 1)
    error = refused(rune, board, tmp_path / "p")
    assert (error.code, error.stage) == ("R0812", "large")
    assert "needs at least 1 bytes more flash" in error.message
    assert (error.hint or "").startswith("omit large or use a smaller block there, or")


@pytest.mark.parametrize(("flash", "ram"), [(124_000, None), (None, 42_000)])
def test_what_fits_is_not_refused(
    example_rune: MakeRune, tmp_path: Path, flash: int | None, ram: int | None
) -> None:
    board = board_with("netduinoplus2", flash=flash, ram=ram)
    built = build_project(
        create_project(DeviceRune.of(example_rune("sine")), board, tmp_path / "p")
    )
    assert built.flash_bytes <= board.memory.flash_bytes
    assert built.ram_bytes <= board.memory.ram.size_bytes


def test_near_the_limit_the_linker_decides_with_the_same_errors_and_the_real_figures(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    rune, board = example_rune("sine"), load_board("netduinoplus2")
    built = build_project(create_project(DeviceRune.of(rune), board, tmp_path / "p"))
    for name, real, least in (
        ("flash", built.flash_bytes, flash_bounds(len(rune.data), *planned(rune, board)).least),
        ("ram", built.ram_bytes, ram_bounds(*planned(rune, board)).least),
    ):
        small = board_with("netduinoplus2", **{name: real - 64})
        assert least < real - 64
        project = create_project(DeviceRune.of(rune), small, tmp_path / "p")
        with pytest.raises(BudgetError) as caught:
            build_project(project)
        error = caught.value
        assert error.code == {"flash": "R0812", "ram": "R0811"}[name]
        assert error.stage == "sine"
        told = re.search(r"needs (\d+) bytes more", error.message)
        assert told is not None
        # And what lies between sections: .rodata and .rune begin at multiples of 16.
        assert 64 <= int(told[1]) <= 64 + 2 * 16
        found = [re.search(r": (?:about )?(\d+) bytes$", note) for note in error.notes]
        sizes = [int(each[1]) for each in found if each]
        assert sum(sizes) == real - 64 + int(told[1]), "the notes account for every byte"
        assert "nrf52840_dk" in (error.hint or "")


def test_models_that_share_operators_count_what_each_adds(example_rune: MakeRune) -> None:
    rune = example_rune("sine")
    board = load_board("netduinoplus2")
    (model,) = (
        cost for cost in plan_memory(DeviceRune.of(rune), board).stages if cost.stage == "sine"
    )
    bounds = flash_bounds(len(rune.data), *planned(rune, board))
    without = flash_bounds(len(rune.data), *planned(example_rune("noop"), board))
    assert model.flash["the code that runs its model"] == bounds.most - without.most
