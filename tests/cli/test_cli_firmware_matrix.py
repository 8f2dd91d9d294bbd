"""`runec firmware build` for several boards: a table, and no board that is dropped silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_boards
from runec.cli import firmware as firmware_verb
from runec.cli import firmware_matrix
from runec.diagnostics import MachineError, RunecError, UserFileError
from runec.firmware import FirmwareBuild, Project

Run = Callable[..., Any]
FITS, TOO_SMALL = "netduinoplus2", "bluepill_f103c8"


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> dict[str, RunecError]:
    """Builds nothing; a board fails with what it has here."""
    given: dict[str, RunecError] = {}

    def build_project(project: Project, **_: object) -> FirmwareBuild:
        if project.board.id in given:
            raise given[project.board.id]
        elf = project.directory / "firmware.elf"
        return FirmwareBuild(project.board.id, elf, elf, 1000, 2000, 0, 0, 0, 0)

    monkeypatch.setattr(firmware_matrix, "build_project", build_project)
    return given


def boards(*names: str) -> list[str]:
    return [word for name in names for word in ("--board", name)]


def test_what_fits_is_built_and_what_does_not_says_why(runec: Run, here: Path) -> None:
    words = ("firmware", "build", "noop", *boards(TOO_SMALL, FITS), "-d", "out")
    done = runec(*words)
    assert done.code == 0, done.stderr
    assert done.stderr == ""
    head, small, built = done.stdout.splitlines()
    assert head.split()[:5] == ["board", "verdict", "flash", "RAM", "seconds"]
    assert small.startswith(f"{TOO_SMALL}  does not fit")
    assert "R0811: the rune needs at least" in small
    assert small.endswith("(line 8)")
    assert built.split()[:2] == [FITS, "built"]
    assert built.endswith("out/noop-netduinoplus2")
    assert (here / "out" / "noop-netduinoplus2" / "platformio.ini").is_file()
    assert not (here / "out" / f"noop-{TOO_SMALL}").exists()

    again = runec(*words, "--format", "json")
    refused, made = map(json.loads, again.stdout.splitlines())
    assert (refused["board"], refused["code"], refused["line"]) == (TOO_SMALL, "R0811", 8)
    assert refused["flash_bytes"] is refused["elf"] is None
    assert made["verdict"] == "built"
    assert made["flash_bytes"] > made["ram_bytes"] > 30_000
    assert Path(made["elf"]).is_file()
    assert made["code"] is made["reason"] is None


@pytest.mark.usefixtures("failures")
def test_all_is_every_board_once(runec: Run, here: Path) -> None:
    done = runec("firmware", "build", "noop", *boards(FITS, "all"), "--format", "json")
    assert done.code == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(each["board"] for each in found) == [board.id for board in load_boards()]
    for each in found:
        assert (here / f"noop-{each['board']}").is_dir() is (each["verdict"] == "built")


def test_a_board_that_fails_is_told_and_the_others_are_built(
    runec: Run, here: Path, failures: dict[str, RunecError]
) -> None:
    failures[FITS] = MachineError("R0820", "the compiler is not installed", hint="apt-get")
    done = runec("firmware", "build", "noop", *boards(FITS, "nrf52_dk"))
    assert done.code == 4
    assert "error[R0820]: the compiler is not installed" in done.stderr
    _, failed, built = done.stdout.splitlines()
    assert failed.split()[:2] == [FITS, "failed"]
    assert built.split()[:2] == ["nrf52_dk", "built"]

    (here / "noop-esp32").mkdir()
    (here / "noop-esp32" / "mine").write_text("not of runec")
    mine = runec("firmware", "build", "noop", *boards("esp32", "nrf52_dk"))
    assert mine.code == 1
    assert "error[R0813]" in mine.stderr
    assert mine.stdout.splitlines()[2].split()[:2] == ["nrf52_dk", "built"]


@pytest.mark.usefixtures("here", "failures")
def test_a_rune_that_fits_no_board_has_failed(runec: Run) -> None:
    done = runec("firmware", "build", "noop", *boards(TOO_SMALL, TOO_SMALL))
    assert done.code == 1
    assert len(done.stdout.splitlines()) == 2
    assert "error" not in done.stderr


@pytest.mark.usefixtures("here", "failures")
def test_a_mistake_that_is_the_same_for_every_board_is_told_once(
    runec: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Project:
        raise UserFileError("R0814", "the resource is given at run time", hint="give it")

    monkeypatch.setattr(firmware_verb, "create_project", refuse)
    done = runec("firmware", "build", "noop", *boards(FITS, "nrf52_dk"))
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("error[R0814]") == 1


@pytest.mark.usefixtures("failures")
def test_a_board_without_the_vendors_platform_is_no_failure(
    runec: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(here))  # where no platform is installed
    done = runec("firmware", "build", "noop", "--board", "all", "--framework", "arduino")
    without = [board.id for board in load_boards() if board.vendor is None]
    refused = [line for line in done.stdout.splitlines() if "R0803" in line]
    assert "PlatformIO first downloads the platform ststm32@19.6.0" in done.stderr
    assert [line.split()[0] for line in refused] == without != []
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["size", "noop"],
        ["flash", "noop", "--dry-run"],
        ["firmware", "new", "noop", "-d", "out"],
        ["monitor", "--port", "/dev/none"],
    ],
)
def test_a_second_board_is_a_mistake_where_there_can_be_one(
    runec: Run, here: Path, words: list[str]
) -> None:
    done = runec(*words, *boards(FITS, "esp32"))
    assert (done.code, done.stdout) == (2, "")
    assert f"one board, not 2: {FITS}, esp32" in done.stderr
    assert not (here / "out").exists()
