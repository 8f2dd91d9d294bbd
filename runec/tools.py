"""Other programs: finding them, running them, and saying what is missing.

What only a program that is run needs is imported when one is: the console imports this module for
every verb, and most start no other program.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec

from runec.diagnostics import MachineError

if TYPE_CHECKING:
    import subprocess


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
    """Report every program that `run_tool` has run from now on to `watcher`; None: to none."""
    _watchers[:] = [] if watcher is None else [watcher]


class Limits(msgspec.Struct, frozen=True):
    """What a program, and each process that it starts, may take of the machine. None: no limit.

    Attributes:
        memory_bytes: Address space. Systems without such a limit (macOS) run without it.
        cpu_s: Processor time, in whole seconds.
        file_bytes: The largest file that it may write.
    """

    memory_bytes: int | None = None
    cpu_s: int | None = None
    file_bytes: int | None = None

    def apply_to(self, command: Sequence[str | Path]) -> list[str]:
        """Return the command that runs `command` within the limits, for `Popen` and the like.

        The program ends with this process, however that ends: the system kills it (Linux) when the
        thread that started it is gone. A shell sets all that and becomes the program: its process
        id stays. Nothing of Python runs between fork and exec, which is not safe beside other
        threads.
        """
        guard: list[str] = []
        steps = ["ulimit -c 0"]  # a program that is stopped writes no core
        if (setpriv := _setpriv()) is not None:
            guard = [setpriv, "--pdeathsig", "KILL", "--"]
            # Where this process had ended before the signal was asked for, none comes any more.
            steps.insert(0, f'[ "$PPID" = {os.getpid()} ] || exit 125')
        if self.memory_bytes is not None:
            steps.append(f"ulimit -v {self.memory_bytes // 1024}")
        if self.cpu_s is not None:
            # The hard limit is later: at the soft one the program ends with SIGXCPU, not SIGKILL.
            steps += [f"ulimit -H -t {self.cpu_s + _CPU_MORE_S}", f"ulimit -S -t {self.cpu_s}"]
        if self.file_bytes is not None:
            steps.append(f"ulimit -f {-(-self.file_bytes // _FILE_BLOCK_BYTES)}")
        # A limit of this process that is lower cannot be raised, and stays.
        script = "; ".join([f"{step} 2>/dev/null" for step in steps] + ['exec "$0" "$@"'])
        return [*guard, "/bin/sh", "-c", script, *(str(part) for part in command)]


def _setpriv() -> str | None:
    """Return util-linux' setpriv, which every Debian has; None on other systems."""
    import shutil  # noqa: PLC0415 - see above

    return shutil.which("setpriv") if sys.platform == "linux" else None


# What programs that runec starts may take, but for the compilers of blocks (runec.codegen.build).
# Measured on x86-64 as address space, with the examples: compilers of a firmware 280 MiB,
# PlatformIO 250 MiB, QEMU 1,290 MiB (1 GiB of it for translated code), labwired 64 MiB, the process
# of the model libraries 120 MiB, with LiteRT 370 MiB.
_GIB = 1 << 30
TOOL_LIMITS = Limits(memory_bytes=4 * _GIB, file_bytes=8 * _GIB)
"""For compilers and PlatformIO, upload tools, package tools: each of their processes."""
EMULATOR_LIMITS = Limits(memory_bytes=4 * _GIB, file_bytes=64 << 20)
"""For QEMU and labwired, whose only file is what they print to stderr."""
MODEL_LIMITS = Limits(memory_bytes=2 * _GIB, file_bytes=1 << 20)
"""For the process that executes a rune and its models; its processor time is set for each run."""

_CPU_MORE_S = 2
_FILE_BLOCK_BYTES = 512  # POSIX says so of `ulimit -f`
_OUTPUT_BYTES = 1024 * 1024

# What compilers, interpreters and emulators print where they get no memory, but not a compiler's
# message about its input, such as of `#error out of memory`.
_NO_MEMORY = (
    r"(?im)^(?!.*: (?:fatal error|error|warning|note): ).*"
    r"(?:out of memory|bad_alloc|cannot allocate memory|memory exhausted|memoryerror"
    r"|failed to map segment)"
)


# Shows what is going on while its block runs.
Progress = Callable[[str], AbstractContextManager[None]]


class ToolTimeoutError(MachineError):
    """R1005: a program took longer than it may."""


class Finished(msgspec.Struct, frozen=True):
    """How a program ended."""

    returncode: int
    stdout: str
    stderr: str

    def exceeded(self, limits: Limits) -> str | None:
        """Return which limit ended the program, as `768 MiB of memory`; None when none did.

        `returncode` may be a shell's (128 + signal) as well.
        """
        number = -self.returncode if self.returncode < 0 else self.returncode - 128
        if limits.cpu_s is not None and number == signal.SIGXCPU:
            return f"{limits.cpu_s} s of processor time"
        if limits.file_bytes is not None and number == signal.SIGXFSZ:
            return f"{limits.file_bytes // 1024**2} MiB of output"
        said = self.returncode != 0 and re.search(_NO_MEMORY, self.stderr)
        if limits.memory_bytes is not None and said:
            return f"{limits.memory_bytes // 1024**2} MiB of memory"
        return None


def run_tool(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str | None] | None = None,
    timeout_s: float = 600,
    limits: Limits | None = None,
) -> Finished:
    """Run a program to its end and return what it said; a bad exit status is the caller's to judge.

    `environment` is added to this process's; a name with None is taken out of it. On a time-out,
    Ctrl-C or SIGTERM the program is killed, and with it what it has started: a builder's compilers.
    `Finished.exceeded` says whether one of the limits ended it; they are `TOOL_LIMITS` unless
    `limits` are given, and then of each of its two outputs the first MiB is returned.

    Raises:
        MachineError: R1004, it cannot be started.
        ToolTimeoutError: R1005, it took longer than `timeout_s`.
    """
    with _held_back() as let_signals_in:
        import shlex  # noqa: PLC0415 - see above
        import subprocess  # noqa: PLC0415

        arguments = [str(part) for part in command]
        merged = {**os.environ, **(environment or {})}
        started_s = time.monotonic()
        # A program that cannot be started has the system say so, rather than a shell.
        is_program = _is_program(arguments[0], cwd, merged.get("PATH"))
        bounds = TOOL_LIMITS if limits is None else limits
        try:
            process = subprocess.Popen(
                bounds.apply_to(arguments) if is_program else arguments,
                cwd=cwd,
                env={name: value for name, value in merged.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # a process group of its own, to be killed as one
            )
        except OSError as error:
            raise MachineError(
                "R1004", f"cannot start {arguments[0]}: {error.strerror}", hint="runec doctor"
            ) from None
        try:
            with _listed(process.pid), _guarded(process.pid):
                most = None if limits is None else _OUTPUT_BYTES
                said = _said(process, most, started_s + timeout_s, let_signals_in)
        except BaseException as error:
            with process:  # closes its pipes and waits
                _kill_group(process.pid)
            if isinstance(error, TimeoutError):
                raise ToolTimeoutError(
                    "R1005",
                    f"{arguments[0]} timed out after {timeout_s:g} s",
                    hint="try again when the host has less load",
                ) from None
            raise
    for watcher in _watchers:
        watcher(shlex.join(arguments), time.monotonic() - started_s)
    return Finished(process.returncode, *said)


# How long a program may run on after Ctrl-C.
_SIGNALS_S = 0.1
_READ_BYTES = 65536


def _said(
    process: subprocess.Popen[bytes],
    most: int | None,
    end_s: float,
    let_signals_in: Callable[[], None],
) -> tuple[str, str]:
    """Wait for a program's end and return its two outputs, of each at most so many bytes.

    Unlike `communicate`, which would hold everything that a program writes.

    Raises:
        TimeoutError: It is `end_s` by the monotonic clock.
    """
    import selectors  # noqa: PLC0415 - see above
    import subprocess  # noqa: PLC0415

    def wait_s() -> float:
        let_signals_in()
        if (left_s := end_s - time.monotonic()) <= 0:
            raise TimeoutError
        return min(left_s, _SIGNALS_S)

    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    said = {pipe.fileno(): bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(wait_s()):
                part = os.read(key.fd, _READ_BYTES)
                if not part:
                    selector.unregister(key.fileobj)
                elif most is None or len(said[key.fd]) < most:
                    said[key.fd] += part
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s())
            break
    stdout, stderr = (
        text.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        for text in said.values()
    )
    for pipe in pipes:
        pipe.close()
    return stdout, stderr


def _is_program(name: str, cwd: Path | None, search: str | None) -> bool:
    """Return whether the system would find a program to start."""
    import shutil  # noqa: PLC0415 - see above

    if os.sep in name:
        return os.access((cwd or Path()) / name, os.X_OK)
    return shutil.which(name, path=search) is not None


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
    """Kill what `run_tool` is running in other threads: its callers have gone."""
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
