"""Other programs: finding them, running them, and saying what is missing.

What only a program that is run needs is imported when one is: the console imports this module for
every verb, and most start no other program.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from runec.diagnostics import MachineError


def find_tool(name: str, *, hint: str) -> Path:
    """Return the path of a program: beside this Python first (a virtual environment's), then PATH.

    Raises:
        MachineError: R1004, it is not installed; `hint` says what to install.
    """
    import shutil  # noqa: PLC0415 - see above

    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise MachineError("R1004", f"the program {name!r} is not installed", hint=hint)
    return Path(found)


Watcher = Callable[[str, float], None]
"""Takes a command as a shell would, and the seconds that it took."""

_watchers: list[Watcher] = []


def watch_tools(watcher: Watcher | None) -> None:
    """Tell `watcher` of every program that `run_tool` has run from now on; None: nobody."""
    _watchers[:] = [] if watcher is None else [watcher]


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
    with _held_back() as let_signals_in:
        import shlex  # noqa: PLC0415 - see above
        import subprocess  # noqa: PLC0415

        arguments = [str(part) for part in command]
        merged = {**os.environ, **(environment or {})}
        started_s = time.monotonic()
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
        try:
            with _listed(process.pid), _guarded(process.pid):
                while True:
                    let_signals_in()
                    left_s = started_s + timeout_s - time.monotonic()
                    try:
                        stdout, stderr = process.communicate(timeout=min(left_s, _SIGNALS_S))
                        break
                    except subprocess.TimeoutExpired:
                        if left_s <= _SIGNALS_S:
                            raise
        except BaseException as error:
            with process:  # closes its pipes and waits
                _kill_group(process.pid)
            if isinstance(error, subprocess.TimeoutExpired):
                raise MachineError(
                    "R1005",
                    f"{arguments[0]} did not end within {timeout_s:g} s",
                    hint="try again on a machine that is less busy",
                ) from None
            raise
    for watcher in _watchers:
        watcher(shlex.join(arguments), time.monotonic() - started_s)
    return Finished(process.returncode, stdout, stderr)


# How long a program may run on after Ctrl-C.
_SIGNALS_S = 0.1


@contextmanager
def _held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C and requests to end back until the block is over, or calls what it is given.

    An exception that comes at any moment can come where it is dropped, as in the callbacks of an
    import, or just before a wait that it was to end.
    """
    came: list[int] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    def let_in() -> None:
        while came:
            number = came.pop(0)
            handlers[number](number, None)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    is_main = threading.current_thread() is threading.main_thread()  # no other one gets signals
    try:
        if is_main:
            with _blocked(numbers):
                for number in numbers:
                    handler = signal.getsignal(number)
                    if callable(handler):
                        handlers[number] = handler
                        signal.signal(number, note)
        yield let_in
    finally:
        with _blocked(numbers if is_main else ()):
            for held, handler in handlers.items():
                if signal.getsignal(held) is note:  # a handler may have put another in its place
                    signal.signal(held, handler)
        let_in()  # what came is not lost where the block has failed


@contextmanager
def _blocked(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Keep signals from this thread, so that handlers are changed all or not at all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_running: set[int] = set()


@contextmanager
def _listed(leader: int) -> Iterator[None]:
    _running.add(leader)
    try:
        yield
    finally:
        _running.discard(leader)


def end_tools() -> None:
    """Kill what `run_tool` is running in other threads: nobody waits for it any more."""
    for leader in tuple(_running):
        _kill_group(leader)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


# Waits for a line; where the pipe ends without one, this process was killed outright.
_GUARD = 'read -r _ || kill -s KILL -- "-$0"'


@contextmanager
def _guarded(leader: int) -> Iterator[None]:
    """Have a process group killed even where this process gets no chance to do it (SIGKILL)."""
    import subprocess  # noqa: PLC0415 - see above

    try:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, str(leader)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for runec, which ends it below
        )
    except OSError:  # a system without a shell, or without room: then as well as it goes
        yield
        return
    try:
        yield
    finally:
        # A line, rather than an end: the group's number may belong to somebody else by now.
        with contextlib.suppress(OSError):
            guard.communicate(b"\n")
