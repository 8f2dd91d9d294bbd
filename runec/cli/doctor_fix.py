"""What `runec doctor --fix` does about what is missing: one action for each kind of part."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Literal

from runec.cli.doctor_checks import Check, Mend
from runec.components import fetch
from runec.diagnostics import MachineError, RunecError
from runec.tools import find_tool, run_tool

_TIMEOUT_S = 3600.0
PYTHON = sys.executable

Status = Literal["planned", "done", "failed", "yours"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, as a command; `yours`: only the user can, `detail` says why or what failed.

    A command that begins with `runec` is done in this process.
    """

    action: str
    command: tuple[str, ...]
    parts: tuple[str, ...]
    status: Status = "planned"
    detail: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the action as one JSON object."""
        return asdict(self)


def plan(checks: Iterable[Check]) -> list[Action]:
    """Return what would mend what is missing, what need not be there included."""
    wanted: dict[Mend, list[str]] = {}
    for check in checks:
        if check.found is None and check.mend is not None:
            wanted.setdefault(check.mend, []).append(check.part)
    return [*_debian(wanted), *_python(wanted), *_own(wanted)]


def _of_kind(wanted: dict[Mend, list[str]], kind: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of one kind and the parts that they are for, each once."""
    names = [name for mend in wanted if mend.kind == kind for name in mend.names]
    parts = [part for mend, parts in wanted.items() if mend.kind == kind for part in parts]
    return list(dict.fromkeys(names)), tuple(dict.fromkeys(parts))


def _debian(wanted: dict[Mend, list[str]]) -> Iterator[Action]:
    packages, parts = _of_kind(wanted, "debian")
    if not packages:
        return
    install = ("apt-get", "install", "-y", "--no-install-recommends", *packages)
    try:
        find_tool("apt-get", hint="")
    except MachineError:
        detail = "this is no Debian: install the equivalents of these packages"
        yield Action("install Debian packages", install, parts, "yours", detail)
        return
    if os.geteuid() != 0:
        detail = "only root may: run this command yourself"
        yield Action("install Debian packages", ("sudo", *install), parts, "yours", detail)
        return
    yield Action("update the list of Debian packages", ("apt-get", "update"), parts)
    yield Action("install Debian packages", install, parts)


def _python(wanted: dict[Mend, list[str]]) -> Iterator[Action]:
    names, parts = _of_kind(wanted, "python")
    if names:
        pip = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check")
        yield Action("install Python packages", (*pip, *map(requirement, names)), parts)


def requirement(name: str) -> str:
    """Return what runec's own metadata asks for under that name, versions included."""
    try:
        found = requires("runec") or []
    except PackageNotFoundError:
        found = []
    for text in found:
        stated, _, _ = text.partition(";")
        first = re.match(r"[\w.-]+", stated)
        if first is not None and first[0].lower().replace("_", "-") == name:
            return stated.strip()
    return name


def _own(wanted: dict[Mend, list[str]]) -> Iterator[Action]:
    for mend, parts in wanted.items():
        if mend.kind == "component":
            command = ("runec", "components", "fetch", *mend.names)
            yield Action("fetch third-party sources", command, tuple(parts))
        elif mend.kind == "leftover":
            yield Action("remove", ("rm", "-r", *mend.names), tuple(parts))


def do(action: Action) -> Action:
    """Do a planned action and return it as done or failed; never raises for what others do."""
    if action.status != "planned":
        return action
    run: Callable[[Sequence[str]], str | None] = _run
    if action.command[0] == "runec":
        run = _fetch
    elif action.command[0] == "rm":
        run = _remove
    wrong = run(action.command)
    importlib.invalidate_caches()
    return replace(action, status="done" if wrong is None else "failed", detail=wrong)


def _fetch(command: Sequence[str]) -> str | None:
    try:
        fetch(command[-1])
    except RunecError as error:
        return error.message
    return None


def _remove(command: Sequence[str]) -> str | None:
    folder = Path(command[-1])
    shutil.rmtree(folder, ignore_errors=True)
    return f"{folder} cannot be removed" if folder.exists() else None


def _run(command: Sequence[str]) -> str | None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        program = find_tool(command[0], hint="")
        done = run_tool([program, *command[1:]], environment=environment, timeout_s=_TIMEOUT_S)
    except MachineError as error:
        return error.message
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(?i)(error|e):", line)] or lines[-1:]
    return "; ".join(telling[:2]) or f"it ended with status {done.returncode}"
