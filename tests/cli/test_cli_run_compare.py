"""`runec run` on several targets: a table, and whether all bytes agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_boards
from runec.cli import run as run_verb
from runec.devices import Target
from runec.diagnostics import DeviceRefusalError, MachineError, RuneError, UserFileError
from runec.firmware.refusals import BudgetError, UnfitBoardError, UnfitDeviceError

Run = Callable[..., Any]
RIGHT = b'{"2":[{"element-type":"i32","dimensions":[2],"elements":[1,2]}]}\n'
WRONG = RIGHT.replace(b"[1,2]", b"[1,3]")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each target gives, instead of running: results, or an error."""
    given: dict[str, Any] = {}

    def run_bytes(
        _rune: object, _inputs: object, target: Target, **_: object
    ) -> Generator[bytes, None, None]:
        answer = given.get(str(target), [RIGHT])
        if isinstance(answer, Exception):
            raise answer
        yield from answer

    monkeypatch.setattr(run_verb, "run_bytes", run_bytes)
    return given


def targets(*names: str) -> list[str]:
    return [word for name in names for word in ("--on", name)]


def test_a_runefile_and_a_folder_run_like_their_rune(runec: Run, here: Path) -> None:
    printed = {
        runec("run", source, "--raw", here / "noop/input.bin").stdout
        for source in (here / "noop", here / "noop/Runefile.yml", here / "noop/Runefile")
    }
    assert printed == {'{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}\n'}


def test_places_that_agree_are_a_table(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    done = runec("run", noop_rune, *targets("host", "serial:/dev/ttyUSB0"))
    assert done.code == 0, done.stderr
    assert not answers
    head, *rows = [line.split() for line in done.stdout.splitlines()]
    assert head == ["target", "verdict", "seconds", "output"]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("host", "same", "[1,2]"),
        ("serial:/dev/ttyUSB0", "same", "[1,2]"),
    ]
    assert "the same bytes on 2 targets" in done.stderr


def test_several_outputs_are_shown_with_their_names(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    both = RIGHT[:-2] + b',"7":{"pin":"LED","level":1}}\n'
    answers["host"] = answers["serial:/dev/a"] = [both]
    done = runec("run", noop_rune, *targets("host", "serial:/dev/a"))
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith("serial: [1,2] 1")


def test_one_other_byte_is_exit_code_3_and_the_place_is_named(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    answers["serial:/dev/b"] = [RIGHT, WRONG]
    answers["host"] = answers["serial:/dev/a"] = [RIGHT, RIGHT]
    on = targets("host", "serial:/dev/a", "serial:/dev/b")
    done = runec("run", noop_rune, *on)
    assert done.code == 3
    assert "error[R1111]: bytes differ from host: serial:/dev/b" in done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == [
        "same",
        "same",
        "DIFFERENT",
    ]
    again = runec("run", noop_rune, *on, "--format", "json")
    records = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.code == 3
    assert [record["verdict"] for record in records] == ["same", "same", "DIFFERENT"]
    assert records[2]["results"] == [json.loads(RIGHT), json.loads(WRONG)]
    assert json.loads(again.stderr)["code"] == "R1111"


def test_fewer_results_are_other_bytes(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    answers["host"] = [RIGHT, RIGHT]
    assert runec("run", noop_rune, *targets("host", "serial:/dev/a")).code == 3


def test_a_place_that_fails_is_told_and_the_others_go_on(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    answers["serial:/dev/a"] = MachineError("R0941", "cannot open it", hint="plug it in")
    done = runec("run", noop_rune, *targets("host", "serial:/dev/a", "serial:/dev/b"))
    assert done.code == 4
    assert "error[R0941]: cannot open it" in done.stderr
    rows = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
    assert rows == [["host", "same"], ["serial:/dev/a", "failed"], ["serial:/dev/b", "same"]]


def test_a_rune_that_traps_everywhere_is_no_difference(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    for name in ("host", "serial:/dev/a"):
        answers[name] = RuneError("R0907", "the rune trapped", hint="see")
    done = runec("run", noop_rune, *targets("host", "serial:/dev/a"))
    assert done.code == 3
    assert "R1111" not in done.stderr


def test_all_is_the_host_and_every_emulated_board_that_has_the_memory(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    emulated = [f"emulator:{board.id}" for board in load_boards() if "emulated" in board.verified]
    small = emulated[-1]
    answers[small] = BudgetError("R0811", "too big", hint="less", stage=None, notes=[])
    done = runec("run", noop_rune, "--on", "all", "--format", "json")
    assert done.code == 0, done.stderr
    verdicts = {
        record["target"]: record["verdict"] for record in map(json.loads, done.stdout.splitlines())
    }
    expected = dict.fromkeys(["host", *emulated], "same") | {small: "too little memory"}
    assert verdicts == expected
    # Whoever names the board wants to know.
    named = runec("run", noop_rune, *targets("host", small))
    assert named.code == 1
    assert "error[R0811]" in named.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UnfitDeviceError, "R0814"), (UnfitDeviceError, "R0951"), (UnfitBoardError, "R0840")],
)
def test_a_board_that_the_rune_does_not_fit_is_a_row_and_the_others_run(
    runec: Run, noop_rune: Path, answers: dict[str, Any], kind: type[DeviceRefusalError], code: str
) -> None:
    emulated = [f"emulator:{board.id}" for board in load_boards() if "emulated" in board.verified]
    answers[emulated[0]] = kind(code, "it has no such thing", hint="another")
    done = runec("run", noop_rune, "--on", "all")
    assert done.code == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert set(rows) == {"host", *emulated}
    assert "does not fit" in rows.pop(emulated[0])
    assert all(row.split()[1] == "same" for row in rows.values())
    assert f"{code}: it has no such thing" in done.stdout
    # Whoever names the board wants to know.
    named = runec("run", noop_rune, *targets(emulated[0], "host"), "--format", "json")
    assert named.code == 1
    first, second = map(json.loads, named.stdout.splitlines())
    assert (first["verdict"], first["code"], first["reason"]) == (
        "failed",
        code,
        "it has no such thing",
    )
    assert second["verdict"] == "same"


def test_a_mistake_that_is_the_same_everywhere_is_told_once(
    runec: Run, noop_rune: Path, answers: dict[str, Any]
) -> None:
    board = next(board for board in load_boards() if "emulated" in board.verified)
    for target in ("host", f"emulator:{board.id}"):
        answers[target] = UserFileError("R1003", "cannot read input.bin", hint="write it")
        done = runec("run", noop_rune, *targets(target, "serial:/dev/a"))
        assert (done.code, done.stdout) == (1, "")
        assert done.stderr.count("error[R1003]") == 1


def test_of_several_places_the_host_tells_its_steps(
    runec: Run, noop_rune: Path, here: Path
) -> None:
    words = ("run", noop_rune, "--raw", here / "noop/input.bin", "--trace")
    alone = runec(*words)
    both = runec(*words, *targets("host", "host"))
    assert both.code == 0
    assert both.stderr.count("RAW") == 2 * alone.stderr.count("RAW") > 0
    refused = runec(*words, *targets("serial:/dev/a", "serial:/dev/b"))
    assert refused.code == 2
    assert "error[R0921]" in refused.stderr


@pytest.mark.emulated
def test_real_places_give_the_same_bytes(runec: Run, noop_rune: Path, here: Path) -> None:
    done = runec(
        *("run", noop_rune, "--raw", here / "noop/input.bin", "-r", "2"),
        *targets("host", "emulator:netduinoplus2"),
    )
    assert done.code == 0, done.stderr
    assert done.stdout.count("[0,1,2,3]") == 2
