"""The parent's side of the child process: started, spoken to with deadlines, always killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from runec.diagnostics import MachineError, RunecError, RuneError
from runec.tools import MODEL_LIMITS
from runec.vm.errors import REPORTED, out_of_time, process_died
from runec.vm.messages import HEADER, MESSAGE_BYTES_MAX, Kind, pack_message

_CODE = re.compile(r"R0[37]\d\d")
_NOTE_LINES = 4
_PART_BYTES = 64 * 1024
# glibc picks another expf, sinf, ... on processors that can multiply and add in one step; about one
# result in 50 million differs in its last bit from those of other hosts and of devices.
_TUNABLES = "glibc.cpu.hwcaps=-FMA,-FMA4,-FMA_Usable,-FMA4_Usable"


def child_environment(preload: Path | None = None) -> dict[str, str]:
    """Return the environment in which results are those of other hosts and of devices.

    `preload` is a shared library that the child loads before the C library: `host_math`.
    """
    before = os.environ.get("LD_PRELOAD", "")
    root = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    tunables = os.environ.get("GLIBC_TUNABLES")
    return {
        **os.environ,
        "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
        "GLIBC_TUNABLES": f"{tunables}:{_TUNABLES}" if tunables else _TUNABLES,
        # One thread is enough for what NumPy does here, and each reserves memory.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        **({} if preload is None else {"LD_PRELOAD": f"{preload} {before}"}),
    }


@contextlib.contextmanager
def rune_process(preload: Path | None = None) -> Iterator[RuneProcess]:
    """Start the child process; kill it when the block ends, whichever way.

    `preload` is a shared library for `child_environment`.

    Raises:
        MachineError: R0718, it cannot be started.
    """
    with contextlib.ExitStack() as stack:
        try:
            stderr = stack.enter_context(tempfile.TemporaryFile())
            child = subprocess.Popen(
                MODEL_LIMITS.apply_to([sys.executable, "-P", "-m", "runec.vm.child"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=child_environment(preload),
                # Ctrl-C is for the parent, which then kills the child.
                start_new_session=True,
            )
        except OSError as error:
            raise MachineError(
                "R0718",
                f"cannot start the process that executes the rune: {error.strerror}",
                hint="close other programs, or free space in the temporary folder",
            ) from None
        stack.callback(_end, child)
        yield RuneProcess(child, stderr)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


class RuneProcess:
    """A child process that executes one rune."""

    def __init__(self, child: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
        self._child = child
        self._stderr = stderr
        self._to_child = cast("IO[bytes]", child.stdin).fileno()
        self._from_child = cast("IO[bytes]", child.stdout).fileno()
        self._deadline = 0.0
        self._limit_s = 0.0
        for descriptor in (self._to_child, self._from_child):
            os.set_blocking(descriptor, False)

    def set_deadline(self, seconds: float) -> None:
        """Restart the time-out of the child."""
        self._limit_s = seconds
        self._deadline = time.monotonic() + seconds

    def extend_deadline(self, seconds: float) -> None:
        """Do not count time that the child had to wait for its parent."""
        self._deadline += seconds

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        remaining = self._deadline - time.monotonic()
        if remaining <= 0 or not poll.poll(max(1, int(remaining * 1000))):
            raise out_of_time(self._limit_s)

    def send(self, kind: Kind, body: bytes = b"") -> None:
        """Send a message. Raises RuneError R0711, R0712."""
        view = memoryview(pack_message(kind, body))
        while view:
            self._wait(self._to_child, select.POLLOUT)
            try:
                view = view[os.write(self._to_child, view[:_PART_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._died() from None

    def _read(self, count: int) -> bytes:
        content = bytearray()
        while len(content) < count:
            self._wait(self._from_child, select.POLLIN)
            try:
                part = os.read(self._from_child, min(count - len(content), 16 * _PART_BYTES))
            except BlockingIOError:
                continue
            if not part:
                raise self._died()
            content += part
        return bytes(content)

    def receive(self) -> tuple[Kind, bytes]:
        """Return the child's next message.

        Raises:
            RunecError: what the child reports.
            RuneError: R0711, no message in time; R0712, it ended.
        """
        length, number = HEADER.unpack(self._read(HEADER.size))
        if not 1 <= length <= MESSAGE_BYTES_MAX or number not in set(Kind):
            raise process_died("it sent no message", [])
        body = self._read(length - 1)
        if number == Kind.ERROR:
            raise _reported(body)
        return Kind(number), body

    def _died(self) -> RuneError:
        try:
            status = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return process_died("it closed its pipe", [])
        if status == -signal.SIGXCPU:
            return out_of_time(self._limit_s)
        what = f"with status {status}"
        if status < 0:
            what = f"killed by {signal.Signals(-status).name}"
        return process_died(what, self._last_words())

    def _last_words(self) -> list[str]:
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - 2000))
        lines = self._stderr.read().decode("utf-8", "replace").splitlines()
        return [line for line in lines if line.strip()][-_NOTE_LINES:]


def _reported(body: bytes) -> RunecError:
    try:
        report = json.loads(body)
        code, message, hint = report["code"], report["message"], report["hint"]
        notes = [str(note) for note in report["notes"]]
        is_known = _CODE.fullmatch(code) is not None
        error = REPORTED[report["kind"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        return process_died("it sent no report", [])
    return error(code, str(message), hint=None if hint is None else str(hint), notes=notes)
