"""Other programs: finding them, running them, and saying what is missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runec.diagnostics import MachineError


def find_tool(name: str, *, hint: str) -> Path:
    """Return the path of a program: beside this Python first (a virtual environment's), then PATH.

    Raises:
        MachineError: R1004, it is not installed; `hint` says what to install.
    """
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise MachineError("R1004", f"the program {name!r} is not installed", hint=hint)
    return Path(found)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended."""

    returncode: int
    stdout: str
    stderr: str


def run_tool(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str | None] | None = None,
    timeout_s: float = 600,
) -> Finished:
    """Run a program to its end and return what it said; a bad exit status is the caller's to judge.

    `environment` is added to this process's; a name with None is taken out of it. On a time-out,
    Ctrl-C or SIGTERM the program is killed, and with it what it has started: a builder's compilers.

    Raises:
        MachineError: R1004, it cannot be started; R1005, it took longer than `timeout_s`.
    """
    arguments = [str(part) for part in command]
    merged = {**os.environ, **(environment or {})}
    try:
        process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env={name: value for name, value in merged.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # a process group of its own, to be killed as one
        )
    except OSError as error:
        raise MachineError(
            "R1004", f"cannot start {arguments[0]}: {error.strerror}", hint="runec doctor"
        ) from None
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _kill_group(process.pid)
            raise MachineError(
                "R1005",
                f"{arguments[0]} did not end within {timeout_s:g} s",
                hint="try again on a machine that is less busy",
            ) from None
        except BaseException:
            _kill_group(process.pid)
            raise
    return Finished(process.returncode, stdout, stderr)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
