"""kill -9 of runec leaves no process behind: each child dies with it, however early that comes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runec.tools import EMULATOR_LIMITS, MODEL_LIMITS, TOOL_LIMITS, Limits
from tests.common import children, is_running, soon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the signal is Linux's")

RUN = """
import sys
from pathlib import Path
from runec.container import load_rune
from runec.vm import Inputs, run_rune
rune = load_rune(Path(sys.argv[1]))
list(run_rune(rune, Inputs(), timeout_s=60, log=lambda text: print(text, flush=True)))
"""
START = """
import subprocess, sys, time
from runec.tools import EMULATOR_LIMITS
command = EMULATOR_LIMITS.apply_to([sys.executable, "-c", sys.argv[1]])
child = subprocess.Popen(command, start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
CHILD = "import time; time.sleep(60)"


def test_the_process_that_executes_a_rune_dies_with_its_parent(endless_rune: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(endless_rune)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "start\n"
        (child,) = children(parent.pid)
        parent.kill()
    assert soon(lambda: not is_running(child))


@pytest.mark.parametrize("wait_s", [0.0, 0.002, 0.01, 0.05])
def test_a_child_dies_with_its_parent_however_early(wait_s: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START, CHILD], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(wait_s)
        parent.kill()
    assert soon(lambda: not is_running(child))


def test_a_child_whose_parent_ended_before_it_could_ask_does_not_start(tmp_path: Path) -> None:
    # The command of a parent that is gone, as a child sees it that was started too late.
    script = (
        "from runec.tools import Limits; import sys;"
        "print(chr(0).join(Limits().apply_to(['touch', sys.argv[1]])))"
    )
    mark = tmp_path / "mark"
    told = subprocess.run(
        [sys.executable, "-c", script, mark], capture_output=True, text=True, check=True
    )
    late = subprocess.run(told.stdout.rstrip("\n").split("\0"), check=False)
    assert late.returncode == 125
    assert not mark.exists()
    assert subprocess.run(Limits().apply_to(["touch", mark]), check=False).returncode == 0
    assert mark.exists()


def test_a_signal_of_the_child_is_still_its_own() -> None:
    command = TOOL_LIMITS.apply_to([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


READ = "import resource as r; print([r.getrlimit(k)[1] for k in (r.RLIMIT_AS, r.RLIMIT_FSIZE)])"


@pytest.mark.parametrize("limits", [TOOL_LIMITS, EMULATOR_LIMITS, MODEL_LIMITS])
def test_every_kind_of_child_has_limits_that_it_cannot_raise(limits: Limits) -> None:
    done = subprocess.run(
        limits.apply_to([sys.executable, "-c", READ]), capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{[limits.memory_bytes, limits.file_bytes]}\n"
    assert limits.memory_bytes is not None
    assert limits.memory_bytes <= 4 << 30
