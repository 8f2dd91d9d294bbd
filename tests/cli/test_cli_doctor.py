"""`runec doctor` on a machine with nothing installed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_boards
from runec.cli import doctor_checks
from runec.components import components

PIP = f"{sys.executable} -m pip install"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an apt-get on its PATH, Python packages and sources, and nothing else."""
    (tmp_path / "apt-get").write_text("")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor_checks, "_package", lambda _: "1.0")
    return tmp_path


def packages() -> set[str]:
    wanted = {"clang", "lld"}
    for board in load_boards():
        wanted |= set(board.toolchain.packages)
        if board.emulator is not None and board.emulator.program:
            wanted.add(board.emulator.program)
    return wanted


def shown(output: str) -> list[str]:
    """The commands below the table."""
    return output.partition("To install the missing parts:\n")[2].splitlines()


@pytest.mark.usefixtures("bare")
def test_one_command_installs_all_debian_packages(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = runec("doctor")
    (command,) = shown(done.stdout)
    assert command.startswith("apt-get install ")
    assert set(command.split()[2:]) == packages()
    assert done.code == 4
    assert f"= help: {command}\n" in done.stderr
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert shown(runec("doctor").stdout) == [f"sudo {command}"]


def test_another_system_than_debian_gets_the_names(runec: Callable[..., Any], bare: Path) -> None:
    (bare / "apt-get").unlink()
    (line,) = shown(runec("doctor").stdout)
    assert line.startswith("install the equivalents of the Debian packages clang lld ")


@pytest.mark.usefixtures("bare")
def test_pip_installs_the_versions_of_runecs_metadata(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"soxr", "tflite-micro", "labwired", "ai-edge-litert"}
    monkeypatch.setattr(doctor_checks, "_package", lambda name: None if name in missing else "1")
    done = runec("doctor", "--format", "json")
    rows = {row["part"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["soxr"]["status"], rows["soxr"]["install"]) == ("missing", f"{PIP} runec")
    assert rows["ai-edge-litert"]["status"] == "-"
    assert rows["ai-edge-litert"]["install"] == f"{PIP} 'runec[litert]'"
    assert shown(runec("doctor").stdout)[1:] == [f"{PIP} runec", f"{PIP} 'runec[emulators]'"]


def test_damaged_sources_are_fetched_and_leftovers_removed(
    runec: Callable[..., Any], bare: Path
) -> None:
    item = components()[0]
    cache = bare / "cache" / "components"
    (cache / f"{item.name}-{item.version}-{item.sha256[:8]}").mkdir(parents=True)
    left = cache / ".fetch-old"
    left.mkdir()
    os.utime(left, (0, 0))
    done = runec("doctor")
    assert shown(done.stdout)[1:] == [f"runec components fetch {item.name}"]
    assert f"rm -r {left}" in done.stdout
    assert f"{item.name} sources" in done.stderr


def test_nothing_is_printed_when_nothing_is_missing(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_checks, "_program", lambda _: "1.0")
    monkeypatch.setattr(doctor_checks, "_package", lambda _: "1.0")
    done = runec("doctor")
    assert (done.code, done.stderr, shown(done.stdout)) == (0, "", [])
