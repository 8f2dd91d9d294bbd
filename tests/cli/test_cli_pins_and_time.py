from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RUNEFILE = """version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, outputs: [{type: u8}]}
  lamp: {out: PIN, inputs: [input], args: {pin: LED, active-low: true}}
"""


@pytest.fixture
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Runefile.yml").write_text(RUNEFILE)
    (tmp_path / "on").write_bytes(b"\x01")
    return tmp_path


def test_a_pin_that_the_board_lacks_is_told_at_its_line_and_nothing_is_made(
    runec: Callable[..., Any], lamp: Path
) -> None:
    done = runec("firmware", "new", "Runefile.yml", "--board", "netduinoplus2", "-d", "p")
    assert done.code == 1
    assert "error[R0841]: the board netduinoplus2 has no pin 'LED'" in done.stderr
    assert "Runefile.yml:5:3" in done.stderr
    assert "known pins: PA0 to PA15" in done.stderr
    assert not (lamp / "p").exists()


def test_a_pin_with_another_use_is_warned_of_at_its_line(
    runec: Callable[..., Any], lamp: Path
) -> None:
    (lamp / "Runefile.yml").write_text(RUNEFILE.replace("pin: LED", "pin: GPIO9"))
    new = ("firmware", "new", "Runefile.yml", "--board", "esp32c3", "-d", "p")
    flash = ("flash", "Runefile.yml", "--board", "esp32c3", "--dry-run")
    for words in (new, flash):
        done = runec(*words)
        assert done.code == 0
        assert "warning[R0845]: the out 'lamp' drives GPIO9 of esp32c3: its level" in done.stderr
        assert "Runefile.yml:5:3" in done.stderr
    assert (lamp / "p").exists()


def test_a_run_and_inspect_tell_of_the_pin(runec: Callable[..., Any], lamp: Path) -> None:
    assert runec("run", "Runefile.yml", "--raw", "on").stdout == ('{"2":{"pin":"LED","level":0}}\n')
    assert runec("build", "Runefile.yml", "-o", "lamp.rune").code == 0
    assert (lamp / "lamp.rune").is_file()
    assert "pin=LED, active low" in runec("inspect", "lamp.rune").stdout
    found = json.loads(runec("inspect", "lamp.rune", "--format", "json").stdout)
    assert '"pin": "LED"' in json.dumps(found)


def test_boards_show_lists_the_pins(runec: Callable[..., Any]) -> None:
    shown = runec("boards", "show", "nrf52840_dk").stdout
    assert "LED2: P0.14, on when low" in shown
    assert "P0.0 to P0.31, P1.0 to P1.31" in shown


@pytest.mark.parametrize(("seconds", "code"), [("1.5", 0), ("0", 2), ("101", 2)])
def test_the_time_of_a_run_on_a_board_is_chosen_when_its_firmware_is_made(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path, seconds: str, code: int
) -> None:
    target = tmp_path / "p"
    words = ["firmware", "new", noop_rune, "--board", "netduinoplus2", "-d", target]
    assert runec(*words, "--time-budget", seconds).code == code
    assert target.exists() == (code == 0)
    if code == 0:
        config = (target / "src" / "firmware_config.h").read_text()
        assert "#define FIRMWARE_TIME_BUDGET_MS 1500u" in config
        again = runec("firmware", "build", target, "--time-budget", "2")
        assert again.code == 2
        assert "--time-budget" in again.stderr
