"""What tests of several packages share: processes, folders, the runes of the examples."""

from __future__ import annotations

import fcntl
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.backends import engines
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.frontend import analyse
from tests.originals import EXAMPLES

IDENTITY_MANIFEST = """\
description = "A block."
stack_bytes = 0
in_place = false
[[inputs]]
elements = ["f32"]
[[outputs]]
element = "input"
shape = "input"
"""
"""The block.toml of a block that takes and gives a tensor of f32 of any one shape."""


def children(pid: int | None = None) -> set[int]:
    """Return the processes that one has started and not waited for; by default those of this."""
    number = os.getpid() if pid is None else pid
    return set(map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split()))


def state_of(pid: int) -> str | None:
    """Return the letter of a process's state, None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return None


def is_running(pid: int) -> bool:
    """True unless the process is gone or only waits to be collected."""
    return state_of(pid) not in {None, "Z", "X"}


def soon(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; False when it does not within a minute."""
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def contents(folder: Path) -> dict[str, bytes]:
    """Return each file below a folder by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@functools.cache
def rune_of_example(name: str) -> Rune:
    """Build the .rune of an example, once in a process."""
    pipeline = analyse(EXAMPLES / name / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Return a folder that `make` has filled once for all workers of this test run."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, whole = root / f"once-{name}", root / f"once-{name}.whole"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            whole.touch()
    return folder


def without_engine_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let projects have no sources of the engine: nothing third-party is fetched."""
    bare = msgspec.structs.replace(engines.DEFAULT, source_groups=tuple)
    others = {**engines.ENGINES, bare.name: bare}
    monkeypatch.setattr("runec.firmware.memory_plan.ENGINES", others)
