"""Link of a firmware, and uploads by vendor tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_an_upload_that_is_not_the_whole_flash_says_what_else_must_be_there(
    runec: Callable[..., Any], noop_rune: Path
) -> None:
    done = runec("flash", noop_rune, "--board", "esp32", "--port", "/dev/p", "--dry-run")
    assert done.code == 0, done.stderr
    assert "--upload-port /dev/p" in done.stdout
    assert "second-stage loader" in done.stderr
    assert "partition table" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "rings"),
    [
        (["--board", "netduinoplus2"], False),
        (["--board", "netduinoplus2", "--link", "rtt"], True),
        (["--board", "esp32"], False),
        (["--board", "esp32", "--link", "rtt"], True),
    ],
)
def test_the_link_is_where_the_board_or_the_user_says(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path, arguments: list[str], *, rings: bool
) -> None:
    folder = tmp_path / "p"
    done = runec("firmware", "new", noop_rune, "-d", folder, *arguments)
    assert done.code == 0, done.stderr
    plan = json.loads((folder / "build_plan.json").read_text())
    flags = {flag for group in plan["groups"] for flag in group["flags"]}
    assert ("-DHAL_LINK_RTT=1u" in flags) == rings
    assert ("SEGGER RTT" in (folder / "README.md").read_text()) == rings


def test_a_project_that_stands_already_has_its_link(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    assert runec("firmware", "new", noop_rune, "--board", "esp32c3", "-d", folder).code == 0
    done = runec("firmware", "build", folder, "--link", "rtt")
    assert done.code == 2
    assert "--link" in done.stderr
