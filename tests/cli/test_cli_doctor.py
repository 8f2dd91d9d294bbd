"""`runec doctor --fix`, with stand-ins for the programs that it calls."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.boards import load_boards
from runec.cli import doctor_checks, doctor_fix
from runec.cli.doctor_checks import Check, Mend
from runec.components import components
from runec.diagnostics import MachineError

PYTHON = sys.executable
APT = """#!{python}
import os, pathlib, sys
log = pathlib.Path({log!r})
with log.open("a") as stream:
    print(*sys.argv[1:], os.environ.get("DEBIAN_FRONTEND"), file=stream)
if {fails} and sys.argv[1] == "install":
    sys.exit("E: Unable to locate package clang")
if sys.argv[1] == "install":
    for name in {programs!r}:
        path = pathlib.Path({bin!r}) / name
        path.write_text("#!/bin/sh\\necho version 1.2.3\\n")
        path.chmod(0o755)
"""
PIP = """#!{python}
import pathlib, sys
with pathlib.Path({log!r}).open("a") as stream:
    print("pip", *sys.argv[1:], file=stream)
pathlib.Path({log!r}).with_name("installed").touch()
"""


class Machine:
    """A machine with nothing on its PATH but an apt-get, and what that installs."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        boards = load_boards()
        names = {"clang", "wasm-ld"}
        for board in boards:
            names |= {f"{board.toolchain.prefix}{tool}" for tool in ("gcc", "g++", "objcopy")}
            names |= {board.toolchain.cxx_headers_from} - {""}
            if board.emulator is not None:
                names |= {board.emulator.program or "-"} - {"-"}
        self.programs = sorted(name for name in names if name)

    def script(self, name: str, text: str, *, fails: bool = False) -> Path:
        path = self.bin / name
        path.write_text(
            text.format(
                python=PYTHON,
                log=str(self.log),
                bin=str(self.bin),
                programs=self.programs,
                fails=fails,
            )
        )
        path.chmod(0o755)
        return path

    @property
    def calls(self) -> list[str]:
        """What was called, line by line."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    made.script("apt-get", APT)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    # Sources are there, and whole, whatever this machine's cache holds.
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    for item in components():
        folder = tmp_path / item.name
        for kept in item.keep:
            path = folder / kept / "x" if kept.endswith("/") else folder / kept
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        name = f"RUNEC_COMPONENT_{item.name.upper().replace('-', '_')}"
        monkeypatch.setenv(name, str(folder))
    installed = dict.fromkeys(["ai-edge-litert", "labwired"], "1.0")
    monkeypatch.setattr(doctor_checks, "_package", lambda name: installed.get(name, "1.0"))
    return made


def packages() -> set[str]:
    wanted = {"clang", "lld"}
    for board in load_boards():
        wanted |= set(board.toolchain.packages)
        if board.emulator is not None and board.emulator.program:
            wanted.add(board.emulator.program)
    return wanted


def test_root_gets_debian_packages_and_a_second_look(
    runec: Callable[..., Any], machine: Machine
) -> None:
    before = runec("doctor")
    assert before.code == 4
    assert machine.calls == []
    done = runec("doctor", "--fix")
    assert (done.code, done.stderr) == (0, "")
    update, install = machine.calls
    assert update == "update noninteractive"
    assert install.startswith("install -y --no-install-recommends ")
    assert set(install.split()[3:-1]) == packages()
    lines = done.stdout.splitlines()
    assert lines[0] == "update the list of Debian packages: apt-get update"
    assert lines[2].startswith("install Debian packages: apt-get install -y ")
    assert lines[1] == lines[3] == "  done"
    assert "missing" not in done.stdout
    again = runec("doctor", "--fix")
    assert (again.code, again.stderr) == (0, "there is nothing to mend\n")
    assert len(machine.calls) == 2


def test_others_than_root_are_told_the_command(
    runec: Callable[..., Any], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = runec("doctor", "--fix")
    assert done.code == 4
    assert machine.calls == []
    assert "run this command yourself: sudo apt-get install -y --no-install-recom" in done.stdout
    (machine.bin / "apt-get").unlink()
    done = runec("doctor", "--fix")
    assert "this is no Debian: install the equivalents" in done.stdout


def test_a_dry_run_only_shows(runec: Callable[..., Any], machine: Machine) -> None:
    done = runec("doctor", "--fix", "--dry-run")
    assert done.code == 4
    assert "apt-get install -y" in done.stdout
    assert machine.calls == []
    assert runec("doctor", "--dry-run").code == 2


def test_a_failed_action_is_told_and_ends_with_4(
    runec: Callable[..., Any], machine: Machine
) -> None:
    machine.script("apt-get", APT, fails=True)
    done = runec("doctor", "--fix")
    assert done.code == 4
    assert "  failed: E: Unable to locate package clang" in done.stdout
    assert "error[R1106]" in done.stderr


def test_python_packages_come_in_the_versions_that_runec_asks_for(
    runec: Callable[..., Any], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runec("doctor", "--fix").code == 0
    machine.log.unlink()
    there = machine.log.with_name("installed")

    def package(name: str) -> str | None:
        return "1.0" if name != "ai-edge-litert" or there.exists() else None

    monkeypatch.setattr(doctor_checks, "_package", package)
    monkeypatch.setattr(doctor_fix, "PYTHON", str(machine.script("python-stand-in", PIP)))
    assert runec("doctor").code == 0, "it need not be there"
    done = runec("doctor", "--fix", "--format", "json")
    assert (done.code, done.stderr) == (0, "")
    (call,) = machine.calls
    assert call.startswith("pip -m pip install --disable-pip-version-check ai-edge-litert")
    assert "<2.4" in call
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    actions = [row for row in rows if "action" in row]
    assert [(row["status"], row["parts"]) for row in actions] == [
        ("planned", ["ai-edge-litert"]),
        ("done", ["ai-edge-litert"]),
    ]
    assert {row["part"]: row["status"] for row in rows if "part" in row}["ai-edge-litert"] == "ok"


def test_a_package_that_pip_does_not_bring_is_still_missing(
    runec: Callable[..., Any], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runec("doctor", "--fix").code == 0
    monkeypatch.setattr(
        doctor_checks, "_package", lambda name: None if name == "ai-edge-litert" else "1"
    )
    monkeypatch.setattr(doctor_fix, "PYTHON", str(machine.script("python-stand-in", PIP)))
    done = runec("doctor", "--fix")
    assert done.code == 4
    assert "missing on this machine: ai-edge-litert" in done.stderr


def test_sources_are_fetched_and_what_a_killed_fetch_left_is_removed(
    runec: Callable[..., Any], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runec("doctor", "--fix").code == 0
    assert len(machine.calls) == 2
    item = components()[0]
    variable = f"RUNEC_COMPONENT_{item.name.upper().replace('-', '_')}"
    whole = Path(os.environ[variable])
    monkeypatch.delenv(variable)
    cache = Path(os.environ["RUNEC_CACHE_DIR"]) / "components"
    broken = cache / f"{item.name}-{item.version}-{item.sha256[:8]}"
    broken.mkdir(parents=True)
    left = cache / ".fetch-old"
    left.mkdir()
    os.utime(left, (0, 0))
    said = runec("doctor")
    assert said.code == 4
    assert f"{item.name} sources" in said.stderr

    def fetched(name: str) -> Path:
        assert name == item.name
        broken.rmdir()
        whole.rename(broken)
        return broken

    monkeypatch.setattr(doctor_fix, "fetch", fetched)
    done = runec("doctor", "--fix")
    assert (done.code, done.stderr) == (0, "")
    assert f"fetch third-party sources: runec components fetch {item.name}\n  done" in done.stdout
    assert not left.exists()


def test_what_cannot_be_fetched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise MachineError("R1012", "cargo could not download it")

    monkeypatch.setattr(doctor_fix, "fetch", fail)
    broken = Check("a", "b", None, "c", mend=Mend("component", ("wasm3",)))
    (action,) = doctor_fix.plan([broken])
    done = doctor_fix.do(action)
    assert (done.status, done.detail) == ("failed", "cargo could not download it")
    assert doctor_fix.plan([Check("a", "b", "found", "c", mend=Mend("debian", ("x",)))]) == []
