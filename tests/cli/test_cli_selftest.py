"""`runec doctor --selftest` and `runec flash --selftest`: options, output, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from runec.cli import selftest as verb
from runec.devices.selftest_report import Report, parse_report
from tests.devices.test_selftest_report import good


def a_report(**changes: object) -> Report:
    report = parse_report(json.dumps(good()).encode(), "x")
    return msgspec.structs.replace(report, **changes)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What run_selftest was called with; it returns a good report."""
    calls: list[tuple[Any, ...]] = []

    def run(*arguments: Any, **more: Any) -> Report:
        calls.append((*arguments, more))
        return a_report()

    monkeypatch.setattr(verb, "run_selftest", run)
    return calls


def test_the_report_is_one_line_of_json(
    runec: Callable[..., Any], asked: list[tuple[Any, ...]]
) -> None:
    command = ["doctor", "--selftest", "--board", "nucleo_f401re", "--port", "/dev/ttyTEST"]
    done = runec(*command, "--format", "json", "--idle", "5", "--rounds", "7")
    assert done.code == 0
    assert done.stdout.count("\n") == 1
    assert parse_report(done.stdout.encode(), "stdout") == a_report()
    board, target, options, more = asked[0]
    assert (board.id, str(target)) == ("nucleo_f401re", "serial:/dev/ttyTEST")
    assert (options.idle_s, options.rounds, options.led) == (5.0, 7, 5)
    assert options.loopback is None
    assert not options.is_on_board
    assert more["protocol"] is None


def test_people_get_tables(runec: Callable[..., Any], asked: list[tuple[Any, ...]]) -> None:
    done = runec("doctor", "--selftest", "--board", "nucleo_f401re", "--on", "emulator")
    assert asked[0][1].board.id == "nucleo_f401re"
    assert done.code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("runec 0.1.0, self test of nucleo_f401re on serial:/dev/ttyACM0")
    assert "pass 1, after: upload" in lines
    assert "pass 2, after: reset" in lines
    assert [line.split() for line in lines if line.startswith("idle ")] == [
        ["idle", "passed", "60.0"]
    ] * 2
    assert lines[-1] == "result: passed"


def test_a_failure_is_printed_and_ends_with_3(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = good()
    fact = next(each for each in report["passes"][1]["facts"] if each["name"] == "led")
    fact.update(status="failed", why="the pin does not follow")
    report["result"] = "failed"
    failed = parse_report(json.dumps(report).encode(), "x")
    monkeypatch.setattr(verb, "run_selftest", lambda *_, **__: failed)
    done = runec("doctor", "--selftest", "--board", "nucleo_f401re", "--on", "emulator")
    assert done.code == 3
    assert "result: failed" in done.stdout
    assert "the pin does not follow" in done.stdout
    assert "error[R0929]: the self test of nucleo_f401re failed: led\n" in done.stderr


def test_pins_of_a_loop_back(runec: Callable[..., Any], asked: list[tuple[Any, ...]]) -> None:
    command = ["doctor", "--selftest", "--board", "nucleo_f401re", "--port", "/dev/ttyTEST"]
    assert runec(*command, "--loopback", "PA0,PB1", "--no-upload").code == 0
    assert asked[0][2].loopback == (0, 17)
    assert asked[0][2].is_on_board
    for text in ("PA0", "PA0,PA0", "PA0,PA1,PA4", "PA2,PA0", ","):
        assert runec(*command, "--loopback", text).code == 2
    assert len(asked) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--selftest"],
        ["--board", "esp32"],
        ["--idle", "60"],
        ["--loopback", "PA0,PA1"],
        ["--no-upload"],
        ["--selftest", "--board", "esp32", "--on", "emulator", "--port", "x"],
        ["--selftest", "--board", "esp32", "--on", "emulator", "--power-cycle"],
        ["--selftest", "--board", "esp32", "--on", "host"],
        ["--selftest", "--board", "esp32", "--rounds", "0"],
        ["--selftest", "--board", "esp32", "--port", "x", "--power-cycle"],
    ],
)
def test_options_that_do_not_go_together(
    runec: Callable[..., Any], asked: list[tuple[Any, ...]], options: list[str]
) -> None:
    done = runec("doctor", *options)
    assert done.code == 2
    assert "R1101" in done.stderr
    assert asked == []


def test_a_board_without_an_emulator(runec: Callable[..., Any]) -> None:
    done = runec("doctor", "--selftest", "--board", "pio:genericSTM32F411RE", "--on", "emulator")
    assert done.code != 0
    assert "error[R" in done.stderr


def test_flash_shows_how_the_self_test_gets_onto_a_board(runec: Callable[..., Any]) -> None:
    done = runec("flash", "--selftest", "--board", "netduinoplus2", "--dry-run")
    assert done.code == 0
    assert "--target upload" in done.stdout
    assert "/netduinoplus2/selftest+" in done.stdout
    assert "0x08000000:leave" in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["x.rune"],
        ["--monitor"],
        ["--framework", "arduino"],
        ["--input", "sensor"],
        ["--time-budget", "3"],
    ],
)
def test_flash_with_what_a_self_test_has_not(runec: Callable[..., Any], options: list[str]) -> None:
    done = runec("flash", "--selftest", "--board", "netduinoplus2", *options)
    assert done.code == 2
    assert "R1101" in done.stderr
