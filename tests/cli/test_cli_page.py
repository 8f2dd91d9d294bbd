"""docs/cli.md matches the commands and their output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from tools import cli_page as tool

PROJECT = Path(__file__).resolve().parents[2]


COMMANDS: dict[str, click.Command] = dict(tool.verbs())
FIELDS: dict[str, dict[str, str]] = tool.FIELDS


def test_the_page_is_that_of_the_commands() -> None:
    page = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == tool.page(), "run `make docs`"


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_the_common_options_and_tells_its_json(verb: str) -> None:
    options = {name for item in COMMANDS[verb].params for name in item.opts}
    assert options >= {"--quiet", "--verbose", "--color", "--colour", "--format"}
    assert "`--format" in tool.HEAD
    assert FIELDS[verb]


def test_no_verb_is_told_of_that_is_not_there() -> None:
    assert FIELDS.keys() <= COMMANDS.keys()


PRINTING = {
    "new": ["new", "made"],
    "build": ["build", "noop", "-o", "x.rune"],
    "check": ["check", "wrong"],
    "fmt": ["fmt", "noop/Runefile.yml"],
    "convert": ["convert", "noop/Runefile"],
    "explain": ["explain", "R0012"],
    "run": ["run", "RUNE", "--raw", "noop/input.bin"],
    "inspect": ["inspect", "RUNE"],
    "graph": ["graph", "RUNE"],
    "model-info": ["model-info", "MODEL"],
    "block list": ["block", "list"],
    "block show": ["block", "show", "fft"],
    "block new": ["block", "new", "mine"],
    "block test": ["block", "test", "mine"],
    "block compile-commands": ["block", "compile-commands", "mine"],
    "cache": ["cache"],
    "size": ["size", "RUNE", "-b", "netduinoplus2"],
    "boards": ["boards"],
    "boards show": ["boards", "show", "esp32c3"],
    "firmware new": ["firmware", "new", "RUNE", "-b", "esp32c3", "-d", "project"],
    "components list": ["components", "list"],
    "completion": ["completion", "bash"],
    "version": ["version"],
}


@pytest.mark.parametrize("verb", PRINTING)
def test_json_has_the_fields_that_the_page_lists(
    runec: Callable[..., Any], noop_rune: Path, here: Path, verb: str
) -> None:
    (here / "wrong").mkdir()
    text = (here / "noop" / "Runefile.yml").read_text()
    (here / "wrong" / "Runefile.yml").write_text(text.replace("RAW", "RAVV"))
    if verb in ("block test", "block compile-commands"):
        assert runec("block", "new", "mine").code == 0
    paths = {"RUNE": str(noop_rune), "MODEL": str(PROJECT / "examples/sine/sinemodel.tflite")}
    words = [paths.get(word, word) for word in PRINTING[verb]]
    done = runec(*words, "--format", "json")
    assert done.code == (1 if verb == "check" else 0), done.stderr
    listed = set(FIELDS[verb])
    for line in done.stdout.splitlines():
        found = set(json.loads(line))
        if verb == "run":
            assert found == {"2"}
        elif verb.startswith("boards"):
            assert found >= listed
        else:
            assert found == listed
    assert done.stdout


def test_what_is_written_to_a_file_is_told_to_programs(
    runec: Callable[..., Any], here: Path
) -> None:
    for words in (["schema"], ["graph", "noop"]):
        done = runec(*words, "-o", here / "out.json", "--format", "json")
        assert json.loads(done.stdout) == {"path": str(here / "out.json")}
        assert done.stderr == ""
        json.loads((here / "out.json").read_text())
    assert FIELDS["schema"].keys() <= json.loads(runec("schema", "--format", "json").stdout).keys()


def test_tensors_become_json_for_programs(runec: Callable[..., Any], here: Path) -> None:
    (here / "Runefile.yml").write_text(
        "version: 1\nimage: runicos/base\npipeline:\n"
        "  input: {capability: RAW, outputs: [{type: u8, dimensions: [2]}]}\n"
        "  out: {out: TENSOR, inputs: [input]}\n"
    )
    assert runec("build", "-o", "x.rune").code == 0
    (here / "in.bin").write_bytes(b"\x07\xff")
    done = runec("run", "x.rune", "--raw", "in.bin", "--format", "json")
    assert json.loads(done.stdout) == {
        "tensors": [{"element-type": "u8", "dimensions": [2], "elements": [7, 255]}]
    }


def test_a_flash_is_told_to_programs(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runec.cli import flash
    from runec.devices import Flashed

    monkeypatch.setattr(flash, "flash", lambda *_, port, **__: Flashed(port, "esptool", "uart"))
    done = runec("flash", noop_rune, "-b", "esp32c3", "-p", "/dev/p", "--format", "json")
    assert json.loads(done.stdout) == {
        "rune": "noop",
        "board": "esp32c3",
        "port": "/dev/p",
        "link": "uart",
    }
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert set(json.loads(done.stdout)) < set(FIELDS["flash"])
