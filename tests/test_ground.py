"""Files and child processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runec import tools
from runec.diagnostics import MachineError, UserFileError
from runec.files import disk_error, file_name, read_file, write_file, write_folder
from runec.tools import Limits, run_tool, watch_tools
from tests.common import is_running, soon

# Starts a child that outlives it, says the child's number in a file, and waits.
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".part").write_text(str(child.pid))
path.with_suffix(".part").rename(path)
time.sleep(600)
"""


def test_a_program_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as caught:
        run_tool([sys.executable, "-c", PARENT, tmp_path / "child"], timeout_s=5)
    assert caught.value.code == "R1005"
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    assert soon(lambda: not is_running(child))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_runec_that_is_told_to_end_takes_its_builders_along(
    tmp_path: Path, number: signal.Signals
) -> None:
    script = (
        "import sys\nimport runec.cli\nimport runec.cli.version as v\n"
        "from runec.tools import run_tool\n"
        "path = sys.argv.pop()\n"
        "sys.argv = ['runec', 'version']\n"
        f"v.command.callback = lambda: run_tool([sys.executable, '-c', {PARENT!r}, path])\n"
        "runec.cli.main()\n"
    )
    path = tmp_path / "child"
    with subprocess.Popen([sys.executable, "-c", script, path]) as process:
        try:
            assert soon(path.exists)
            process.send_signal(number)
            code = -number if number is signal.SIGKILL else 128 + number
            assert process.wait(timeout=60) == code
        finally:
            process.kill()
    child = int(path.read_text(encoding="utf-8"))
    assert soon(lambda: not is_running(child))


@pytest.mark.parametrize("started", [1, 2])
def test_an_interrupt_while_programs_are_being_started_ends_them(
    monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    class Interrupting(subprocess.Popen[bytes]):
        # The first one is the program itself, the second its guard.
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            processes.append(self)
            if len(processes) == started:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupting)
    begun_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tool([sys.executable, "-c", "import time; time.sleep(600)"])
    assert time.monotonic() - begun_s < 60
    assert not is_running(processes[0].pid)
    for process in processes:
        process.kill()
        process.communicate()


def test_an_interrupt_where_exceptions_are_dropped_ends_the_program_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Dropping:
        def __del__(self) -> None:  # as in the callbacks of an import
            os.kill(os.getpid(), signal.SIGINT)

    wait = tools._said

    def interrupting(*words: Any) -> tuple[str, str]:
        Dropping()
        return wait(*words)

    monkeypatch.setattr(tools, "_said", interrupting)
    begun_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tool([sys.executable, "-c", "import time; time.sleep(20)"])
    assert time.monotonic() - begun_s < 15


@pytest.mark.parametrize("where", ["start", "wait"])
def test_an_interrupt_that_comes_with_a_failure_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    class Failing(subprocess.Popen[bytes]):
        def __init__(self, *_words: Any, **_options: Any) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            raise OSError(errno.ENOENT, "words")

    def failing(*_words: Any) -> tuple[str, str]:
        os.kill(os.getpid(), signal.SIGINT)
        raise TimeoutError

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    if where == "start":
        monkeypatch.setattr(subprocess, "Popen", Failing)
    else:
        monkeypatch.setattr(tools, "_said", failing)
    with pytest.raises(KeyboardInterrupt):
        run_tool([sys.executable, "-c", "import time; time.sleep(20)"], timeout_s=0.05)
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()).isdisjoint(numbers)


def test_a_handler_that_lets_the_program_run_on_is_called_meanwhile() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(1)"
    try:
        done = run_tool([sys.executable, "-c", script + "; print('done')"])
        assert (done.returncode, done.stdout) == (0, "done\n")
        assert came == [signal.SIGINT]
        os.kill(os.getpid(), signal.SIGINT)
        assert came == [signal.SIGINT] * 2
    finally:
        signal.signal(signal.SIGINT, before)


WRITING = """
import signal, tempfile
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
file = tempfile.TemporaryFile(buffering=0)
file.write(bytes(1 << 20))
file.write(b"more")
"""


def test_a_program_is_ended_by_its_limits_and_the_result_names_the_limit() -> None:
    limits = Limits(memory_bytes=1 << 30, cpu_s=1, file_bytes=1 << 20)
    for script, exceeded in (
        ("bytearray(2 << 30)", "1024 MiB of memory"),
        ("while True: pass", "1 s of processor time"),
        (
            WRITING,
            "1 MiB of output",
        ),
        ("import sys; sys.exit('x.c:1:2: error: out of memory')", None),
        ("print(1)", None),
    ):
        done = run_tool([sys.executable, "-c", script], limits=limits)
        assert (done.exceeded(limits), done.returncode == 0) == (exceeded, script == "print(1)")
    # What it starts has them as well.
    script = (
        "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"
    )
    done = run_tool([sys.executable, "-c", script, "bytearray(2 << 30)"], limits=limits)
    assert done.exceeded(limits) == "1024 MiB of memory"


def test_a_program_with_limits_keeps_its_arguments_and_starts_as_without(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=1 << 30)
    words = ["a b", "$HOME", "", "'\"", "*"]
    done = run_tool(
        [sys.executable, "-c", "import sys; print(sys.argv[1:])", *words], limits=limits
    )
    assert done.stdout == f"{words}\n"
    with pytest.raises(MachineError) as caught:
        run_tool([tmp_path / "none"], limits=limits)
    assert caught.value.message == f"cannot start {tmp_path / 'none'}: No such file or directory"


def test_what_a_limited_program_prints_without_end_is_cut() -> None:
    script = "import sys; [sys.stderr.write('x' * 65536) for _ in range(320)]"
    done = run_tool([sys.executable, "-c", script], limits=Limits())
    assert done.returncode == 0
    assert 1 << 20 <= len(done.stderr) < 2 << 20
    assert len(run_tool([sys.executable, "-c", script]).stderr) == 320 * 65536


def test_a_watcher_is_told_of_each_program_with_its_time() -> None:
    told: list[tuple[str, float]] = []
    watch_tools(lambda command, seconds: told.append((command, seconds)))
    try:
        run_tool([sys.executable, "-c", "print(' ')"])
    finally:
        watch_tools(None)
    run_tool([sys.executable, "-c", ""])
    ((command, seconds),) = told
    assert command == f"{sys.executable} -c 'print('\"'\"' '\"'\"')'"
    assert 0 < seconds < 30


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sine", "sine"),
        ("größe_2.b-c", "größe_2.b-c"),
        ("../../etc", "_.._etc"),
        ("/abs", "_abs"),
        ("-x", "x"),
        ("..", "else"),
        ("", "else"),
        ("a\nb c$d", "a_b_c_d"),
    ],
)
def test_a_name_becomes_one_part_of_a_path(name: str, expected: str) -> None:
    assert file_name(name, "else") == expected


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "R1001"), (errno.EDQUOT, "R1001"), (errno.EROFS, "R1002")]
)
def test_a_full_disk_and_another_fault_of_it_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fail)
    (tmp_path / "x").write_bytes(b"before")
    with pytest.raises(MachineError) as caught:
        write_file(tmp_path / "x", b"after")
    assert caught.value.code == code
    assert disk_error(OSError(number, "words"), "do it").code == code
    assert (tmp_path / "x").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_a_file_that_cannot_be_written_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    make = os.mkdir

    def fail(place: object, *mode: int) -> None:
        if place == tmp_path / "a":  # there is room for the outer folder, not for the inner one
            make(tmp_path / "a", *mode)
        elif isinstance(place, Path) and not place.parent.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        else:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(MachineError, match="no space left"):
        write_file(tmp_path / "a" / "b" / "x", b"")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MachineError, match="no space left"):
        write_folder(tmp_path / "a" / "b", {"x": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert write_file(pipe, b"some bytes")
        assert os.read(reader, 100) == b"some bytes"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_name_of_a_stream_stays_one_where_that_goes_to_a_file(tmp_path: Path) -> None:
    name = tmp_path / "stdout"
    with (tmp_path / "file").open("wb") as stream:
        name.symlink_to(f"/proc/self/fd/{stream.fileno()}")
        write_file(name, b"some bytes")
    assert name.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"some bytes"


def test_a_variable_can_be_set_for_a_program_or_kept_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNEC_TEST_KEPT", "a")
    monkeypatch.setenv("RUNEC_TEST_GONE", "b")
    script = "import os; print(*(os.environ.get(f'RUNEC_TEST_{n}') for n in ('KEPT','GONE','NEW')))"
    done = run_tool(
        [sys.executable, "-c", script],
        environment={"RUNEC_TEST_GONE": None, "RUNEC_TEST_NEW": "c"},
    )
    assert done.stdout.split() == ["a", "None", "c"]


def test_a_name_that_is_too_long_is_reported_in_short(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(UserFileError) as unread:
        read_file(path, "the model")
    with pytest.raises(MachineError) as unwritten:
        write_file(path, b"")
    for error, code in ((unread.value, "R1003"), (unwritten.value, "R1002")):
        assert error.code == code
        assert "name is too long" in error.message
        assert len(error.message) < 150
        assert "at most 255 bytes" in str(error.hint)
