"""runec after a signal: exit code, messages, leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.common import soon

PROJECT = Path(__file__).resolve().parents[2]
MARK = "RUNEC_TEST_MARK"


def marked(mark: str) -> list[str]:
    """The programs that were started with a mark in their environment, and still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found += [arguments] if arguments else []
        except OSError:
            continue
    return found


def end(
    arguments: list[str | Path],
    number: signal.Signals,
    ready: Callable[[list[str]], bool],
    folder: Path,
) -> tuple[int, str]:
    """Start runec, send it a signal once `ready` for what runs; return its code and stderr."""
    mark = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-m", "runec", *arguments],
        env={**os.environ, MARK: mark, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        try:
            assert soon(lambda: ready(marked(mark)))
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert soon(lambda: not marked(mark)), marked(mark)
    return process.returncode, said


SIGNALS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, ""),
    signal.SIGKILL: (-9, ""),
}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_ends_with_its_process(noop_rune: Path, here: Path, number: signal.Signals) -> None:
    code, said = end(
        ["run", noop_rune, "--raw", here / "noop" / "input.bin", "-r", "100000000", "-q"],
        number,
        lambda running: any("runec.vm.child" in words for words in running),
        here,
    )
    assert code == SIGNALS[number][0]
    assert "Traceback" not in said


@pytest.mark.parametrize("number", SIGNALS)
def test_a_firmware_build_ends_with_its_builders_and_can_go_on(
    noop_rune: Path, tmp_path: Path, number: signal.Signals
) -> None:
    code, said = end(
        ["firmware", "build", noop_rune, "--board", "netduinoplus2", "-d", "project", "-q"],
        number,
        lambda running: any("scons" in words for words in running),
        tmp_path,
    )
    assert code == SIGNALS[number][0]
    assert "Traceback" not in said
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_build_that_is_told_to_end_leaves_nothing(here: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    compiler = tmp_path / "bin" / "clang"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\nsleep 600\n")
    compiler.chmod(0o755)
    (tmp_path / "bin" / "wasm-ld").symlink_to(compiler)
    before = {"PATH": os.environ["PATH"], "TMPDIR": tempfile.gettempdir()}
    os.environ.update(PATH=f"{compiler.parent}:{before['PATH']}", TMPDIR=str(scratch))
    try:
        code, said = end(
            ["build", PROJECT / "examples" / "gesture", "-o", "x.rune"],
            signal.SIGINT,
            lambda running: any("sleep 600" in words for words in running),
            here,
        )
    finally:
        os.environ.update(before)
    assert (code, said.strip()) == (130, "interrupted")
    assert list(scratch.iterdir()) == []
    assert not (here / "x.rune").exists()


def test_an_interrupt_before_the_command_line_is_there_shows_no_traceback() -> None:
    script = (
        "import os, runpy, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "sys.argv = ['runec', 'version']\n"
        "runpy.run_module('runec', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
