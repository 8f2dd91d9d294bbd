from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from runec.diagnostics import UserFileError
from tools import conformance as tool

PROJECT = Path(__file__).resolve().parent.parent.parent
RIGHT = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}'


@pytest.fixture
def conformance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/conformance.py`, looking at a project of the test's own with one example."""
    shutil.copytree(PROJECT / "examples" / "noop", tmp_path / "examples" / "copy")
    (tmp_path / "examples" / "copy" / "Runefile").unlink()
    monkeypatch.setattr(tool, "PROJECT", tmp_path)
    monkeypatch.setattr(tool, "OTHER_MODELS", tmp_path / "absent")
    return tool


def write_runs(folder: Path, *expected: str) -> None:
    text = "".join(f"[[run]]\nraw = ['input.bin']\nexpected = ['{line}']\n" for line in expected)
    (folder / "examples" / "copy" / "conformance.toml").write_text(text)


def test_equal_cells_pass(
    conformance: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, RIGHT, RIGHT, RIGHT)
    assert conformance.main(["--on", "host"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["copy", "wasm3", "ok,", "3", "runs"]


def test_one_unequal_byte_fails_the_matrix_and_is_shown(
    conformance: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, RIGHT, RIGHT.replace("3]", "4]"), RIGHT)
    assert conformance.main(["--on", "host", "--json"]) == 1
    cell = json.loads(capsys.readouterr().out)
    assert cell["verdict"] == "DIFF 1 of 3"
    (difference,) = cell["differences"]
    assert difference["inputs"] == ["input.bin"]
    assert difference["got"] == [RIGHT]


def test_a_run_that_fails_is_a_failed_cell(
    conformance: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, RIGHT, RIGHT, RIGHT)
    (tmp_path / "examples" / "copy" / "input.bin").write_bytes(b"short")
    assert conformance.main(["--on", "host"]) == 1
    assert "DIFF 3 of 3" in capsys.readouterr().out


def test_a_board_with_too_little_memory_says_so_and_is_no_failure(
    conformance: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_runs(tmp_path, RIGHT, RIGHT, RIGHT)

    def refuse(*_: object, **__: object) -> None:
        raise UserFileError("R0811", "the rune needs 1 byte more RAM")

    monkeypatch.setattr(conformance, "held_firmware", refuse)
    assert conformance.main(["--on", "host", "--on", "emulator:netduinoplus2"]) == 0
    row = " ".join(capsys.readouterr().out.splitlines()[1].split())
    assert row == "copy wasm3 ok, 3 runs too little RAM"


def test_a_namesakes_model_takes_part_only_where_it_fits(
    conformance: ModuleType, tmp_path: Path
) -> None:
    def take(name: str, model: str) -> list[str]:
        shutil.copytree(PROJECT / "examples" / "sine", tmp_path / "examples" / name)
        folder = tmp_path / "absent" / name
        folder.mkdir(parents=True)
        shutil.copyfile(PROJECT / "examples" / model, folder / "model.tflite")
        examples = list(conformance.find_examples([name]))
        found = conformance.with_other_models(examples[:1], conformance.OTHER_MODELS, tmp_path)
        return [each.name for each in found]

    assert take("fits", "sine/sinemodel.tflite") == ["fits, other model"]
    assert take("differs", "gesture/model.tflite") == []


def test_a_matrix_without_examples_fails(conformance: ModuleType) -> None:
    assert conformance.main(["--on", "host", "--example", "nowhere"]) == 1


def test_fewer_than_three_runs_are_refused(conformance: ModuleType, tmp_path: Path) -> None:
    write_runs(tmp_path, RIGHT, RIGHT)
    with pytest.raises(UserFileError) as caught:
        conformance.main(["--on", "host"])
    assert caught.value.code == "R1104"


def test_the_places_are_the_host_and_every_board_verified_in_an_emulator(
    conformance: ModuleType,
) -> None:
    from runec.boards import load_boards

    verified = [board.id for board in load_boards() if "emulated" in board.verified]
    found = [str(target) for target in conformance.targets([])]
    wasm3, aot = ([f"emulator:{board}{engine}" for board in verified] for engine in ("", "@aot"))
    assert found == ["host", *wasm3, *aot]


def test_other_models_are_compared_between_targets(conformance: ModuleType, tmp_path: Path) -> None:
    """An example's model is replaced by its namesake's; what comes out first is expected."""
    shutil.copytree(PROJECT / "examples" / "sine", tmp_path / "examples" / "sine")
    (tmp_path / "examples" / "sine" / "Runefile").unlink()
    write_runs(tmp_path, RIGHT, RIGHT, RIGHT)
    others = tmp_path / "others" / "sine"
    others.mkdir(parents=True)
    shutil.copyfile(PROJECT / "examples/sine/sinemodel.tflite", others / "different.tflite")
    shutil.copyfile(PROJECT / "examples/sine/input.bin", others / "extra.bin")
    examples = list(conformance.find_examples([]))
    (other,) = conformance.with_other_models(examples, tmp_path / "others", tmp_path / "scratch")
    assert other.name == "sine, other model"
    assert len(other.runs) == 4
    assert all(run.expected is None for run in other.runs)
    assert other.runs[-1].raw == (str(others / "extra.bin"),)


def test_a_board_without_the_memory_is_told_and_fails_nothing(
    conformance: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, RIGHT, RIGHT, RIGHT)
    assert conformance.main(["--on", "host", "--on", "emulator:bluepill_f103c8"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("too little RAM")


def test_a_board_in_a_slow_simulator_runs_three_inputs(
    conformance: ModuleType, tmp_path: Path
) -> None:
    write_runs(tmp_path, *[RIGHT] * 5)
    (example,) = conformance.find_examples([])
    where = conformance.targets(["host", "emulator:netduinoplus2", "emulator:nrf52_dk"])
    parts = [conformance.part_for(example, target).runs for target in where]
    assert [len(runs) for runs in parts] == [5, 5, 3]
    assert {run.repeats for run in parts[2]} == {1}


def test_what_takes_simulators_minutes_runs_on_the_host_and_in_qemu(
    conformance: ModuleType, tmp_path: Path
) -> None:
    write_runs(tmp_path, *[RIGHT] * 3)
    (example,) = conformance.find_examples([])
    where = conformance.targets(["host", "emulator:esp32c3", "emulator:netduinoplus2"])
    for reach, names in {
        "everywhere": ["host", "emulator:esp32c3", "emulator:netduinoplus2"],
        "quick": ["host", "emulator:netduinoplus2"],
        "first": ["host"],
    }.items():
        targeted = dataclasses.replace(example, reach=reach).targets(where)
        assert [str(target) for target in targeted] == names
