from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import runec.cli
from runec import __version__
from runec.cli import execute
from runec.cli.console import Console, table
from runec.cli.root import root
from runec.diagnostics import Diagnostic

PROJECT = Path(__file__).resolve().parents[2]


def verbs(group: click.Group = root, *path: str) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += verbs(command, *path, name)
    return found


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_has_help_with_an_example_of_itself(
    runec: Callable[..., Any], verb: tuple[str, ...]
) -> None:
    done = runec(*verb, "--help")
    assert done.code == 0
    assert "Example:\n  " in done.stdout
    assert f"  runec {' '.join(verb)}" in done.stdout.split("Example:")[1]
    assert done.stderr == ""


def test_the_verbs_are_those_of_the_specification() -> None:
    assert {" ".join(verb) for verb in verbs()} >= {
        "build",
        "run",
        "inspect",
        "boards",
        "boards show",
        "firmware new",
        "firmware build",
        "flash",
        "doctor",
        "components list",
        "components fetch",
        "version",
    }


USAGE_MISTAKES = [
    ["nonsense"],
    ["run"],
    ["run", "x.rune", "--repeats", "0"],
    ["run", "x.rune", "--timeout", "0"],
    ["run", "x.rune", "--engine", "v8"],
    ["run", "x.rune", "--random", "many"],
    ["run", "x.rune", "--random", "1_0"],
    ["run", "x.rune", "--repeats", "\u0663"],
    ["run", "x.rune", "--timeout", "nan"],
    ["run", "x.rune", "--timeout", "1_0"],
    ["monitor", "--every", "infinity"],
    ["monitor", "--count", "1_0"],
    ["build", "a", "b"],
    ["boards", "show"],
    ["firmware", "build", "x.rune"],
    ["flash", "x.rune"],
    ["--nonsense"],
]


@pytest.mark.parametrize("arguments", USAGE_MISTAKES, ids=" ".join)
def test_mistakes_of_usage_end_with_2_and_the_way_to_the_help(
    runec: Callable[..., Any], arguments: list[str]
) -> None:
    done = runec(*arguments)
    assert done.code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error[R1101]: ")
    assert "--help" in done.stderr


def test_a_misspelt_verb_is_guessed(runec: Callable[..., Any]) -> None:
    assert 'did you mean "inspect"' in runec("inspct").stderr


def test_runec_alone_shows_its_help(runec: Callable[..., Any]) -> None:
    for command in ((), ("firmware",), ("components",)):
        done = runec(*command)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.startswith(" ".join(("Usage: runec", *command)))
        assert "R1101" not in done.stderr


def test_errors_are_json_lines_where_asked_for(runec: Callable[..., Any]) -> None:
    done = runec("boards", "show", "nope", "--format", "json")
    assert done.code == 2
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["code"] == "R0802"
    usage = json.loads(runec("run", "x.rune", "--repeats", "x", "--format", "json").stderr)
    assert (usage["code"], usage["severity"]) == ("R1101", "error")


def test_the_version_is_told(runec: Callable[..., Any]) -> None:
    assert runec("version").stdout == f"runec {__version__}\n"
    assert runec("--version").stdout == f"runec {__version__}\n"
    assert json.loads(runec("version", "--format", "json").stdout)["runec"] == __version__


@pytest.fixture
def break_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `runec version` raise."""
    from runec.cli import version

    def arrange(error: BaseException) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(version.command, "callback", fail)

    return arrange


def test_a_bug_shows_one_line_and_no_traceback(
    runec: Callable[..., Any], break_version: Callable[[BaseException], None]
) -> None:
    break_version(ZeroDivisionError("oops"))
    done = runec("version")
    assert done.code == 70
    assert "error[R1199]: this is a bug in runec: ZeroDivisionError: oops" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_shows_its_traceback_when_asked(
    runec: Callable[..., Any],
    break_version: Callable[[BaseException], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNEC_DEBUG", "1")
    break_version(ZeroDivisionError("oops"))
    assert "Traceback" in runec("version").stderr


def test_an_interrupt_is_one_line_and_130(
    runec: Callable[..., Any], break_version: Callable[[BaseException], None]
) -> None:
    break_version(KeyboardInterrupt())
    done = runec("version")
    assert done.code == 130
    assert done.stderr.strip() == "interrupted"


PRINTING = ["boards --format json", "--help", "--version", "boards show --help"]


@pytest.mark.parametrize("line", PRINTING)
def test_a_reader_that_went_away_is_no_error(line: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "runec", *line.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 141
    assert said == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("line", ["boards", *PRINTING[1:]])
def test_a_full_disk_behind_stdout_is_said(line: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "runec", *line.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.startswith("error[R1001]: no space left to write the output\n")


def _by_shell(line: str) -> subprocess.CompletedProcess[str]:
    script = f'"{sys.executable}" -m runec {line}'
    return subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("line", ["boards", "--help", "version --format json"])
def test_results_that_go_nowhere_are_no_bug(line: str) -> None:
    done = _by_shell(f"{line} >&-")
    assert done.returncode == 4
    assert "R1002" in done.stderr
    assert "cannot write the output" in done.stderr


def test_with_no_streams_at_all_the_exit_code_remains() -> None:
    assert _by_shell("version <&- 2>&-").stdout.startswith("runec ")
    assert _by_shell("version <&- >&- 2>&-").returncode == 4
    assert _by_shell("boards show nope <&- >&- 2>&-").returncode == 2


def _in_ascii(here: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runec", *line.split()],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(PROJECT)},
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_the_terminals_characters_lack_is_shown_otherwise(here: Path) -> None:
    (here / "noop").rename(here / "grün日")
    shown = _in_ascii(here, "build grün日 -o x.rune --format json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["name"] == "grün日"
    shown = _in_ascii(here, "inspect x.rune")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("name           gr?n?\n")
    told = _in_ascii(here, "graph grün日 --format json")
    assert json.loads(told.stdout)["name"] == "grün日"
    wrong = _in_ascii(here, "inspect grün日 --format json")
    assert "grün日" in json.loads(wrong.stderr)["message"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_errors_that_nobody_can_read_keep_their_exit_code() -> None:
    assert _by_shell("boards show nope 2>/dev/full").returncode == 2
    assert _by_shell("boards 2>/dev/full >/dev/full").returncode == 4
    assert _by_shell("2>/dev/full").returncode == 2


def test_a_reader_of_errors_that_went_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "runec", "boards", "show", "nope"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e300"])
@pytest.mark.parametrize(
    "line",
    [
        "run noop --raw x --timeout",
        "block test x --timeout",
        "monitor --every",
        "flash noop -b esp32c3 --time-budget",
    ],
)
def test_a_time_that_is_none_is_a_mistake_of_usage(
    runec: Callable[..., Any], here: Path, line: str, seconds: str
) -> None:
    done = runec(*line.split(), seconds)
    assert (done.code, done.stdout) == (2, "")
    assert "error[R1101]: Invalid value for" in done.stderr
    assert here.exists()


@pytest.mark.parametrize("verb", ["check", "build", "run", "fmt", "graph", "monitor"])
def test_a_folder_without_a_runefile_is_told_with_the_verb_itself(
    runec: Callable[..., Any], here: Path, verb: str
) -> None:
    (here / "none").mkdir()
    done = runec(verb, "none")
    assert done.code == 1
    assert f"  = help: name the Runefile: runec {verb} path/to/Runefile.yml" in done.stderr


def test_a_board_in_capitals_is_guessed(runec: Callable[..., Any]) -> None:
    assert 'did you mean "esp32c3"?' in runec("boards", "show", "ESP32C3").stderr


LONG = "a" * 300  # no file can be called so, and the system says so whatever is asked of it


@pytest.mark.parametrize(
    ("line", "code"),
    [
        *((f"{verb} {LONG}", "R1003") for verb in ("check", "build", "run", "fmt", "inspect")),
        *((f"{verb} {LONG}", "R1003") for verb in ("convert", "graph", "model-info", "monitor")),
        (f"new {LONG}", "R1002"),
        (f"block new x --dir {LONG}", "R1002"),
        (f"block test {LONG}", "R1003"),
        (f"block show {LONG}", "R1101"),
        (f"boards show {LONG}.toml", "R1003"),
        (f"firmware build {LONG} --board esp32c3", "R1003"),
        (f"size {LONG}", "R1101"),
        (f"schema -o {LONG}", "R1002"),
        (f"run {LONG}.rune", "R1003"),
    ],
)
def test_a_path_that_the_system_refuses_is_an_error_and_no_bug(
    runec: Callable[..., Any], here: Path, line: str, code: str
) -> None:
    done = runec(*line.split())
    assert done.code in (1, 2, 4)
    assert f"error[{code}]" in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["noop"]


@pytest.fixture
def no_entry(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be looked into: for root as well, who may look into every one."""
    folder = here / "secret"
    folder.mkdir()
    stat, access = os.stat, os.access

    def refuse(path: object, **options: Any) -> os.stat_result:
        if isinstance(path, str | Path) and "secret/" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(
        os, "access", lambda path, mode: "secret" not in str(path) and access(path, mode)
    )
    return folder


def test_a_folder_that_may_not_be_looked_into_is_an_error_and_no_bug(
    runec: Callable[..., Any], no_entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = runec("check", "secret")
    assert (done.code, done.stdout) == (1, "")
    assert "error[R1003]: cannot read the folder secret: permission denied" in done.stderr
    assert runec("check", "secret/Runefile").code == 1
    monkeypatch.setenv("RUNEC_BOARDS_DIR", "secret")
    assert runec("boards").code == 0
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(no_entry))
    assert "missing" in runec("doctor").stdout


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runec", "boards", "show", "nope"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "R0802" in done.stderr


def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console()
    monkeypatch.delenv("NO_COLOR", raising=False)
    console.report([Diagnostic("R0001", "x")])
    assert "\x1b[" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    console.report([Diagnostic("R0001", "x")])
    assert "\x1b[" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    console.report([Diagnostic("R0001", "x")])
    assert "\x1b[" not in capsys.readouterr().err


def test_a_table_is_aligned_with_numbers_to_the_right() -> None:
    assert table(("name", "bytes"), [("a", 5), ("long name", 12345), ("none", None)]) == (
        "name        bytes\na               5\nlong name  12 345\nnone            -"
    )


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_terminated_runec_leaves_through_its_cleanups(number: str, code: int) -> None:
    script = (
        "import os, signal, sys, runec.cli, runec.cli.version as v\n"
        "def callback(*_, **__):\n"
        "    try:\n"
        f"        os.kill(os.getpid(), signal.{number})\n"
        "        signal.pause()\n"
        "    finally:\n"
        f"        os.kill(os.getpid(), signal.{number})\n"
        "        print('cleaned')\n"
        "v.command.callback = callback\n"
        "sys.argv = ['runec', 'version']\n"
        "runec.cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "cleaned\n", "")


def test_execute_returns_instead_of_leaving() -> None:
    assert execute(["version"]) == 0
    assert callable(runec.cli.main)


@pytest.mark.parametrize(
    ("pretend", "platform"),
    [
        ("sys.platform = 'win32'", "win32"),
        ("sys.platform = 'darwin'", "darwin"),
        (
            "os.uname = lambda: os.uname_result(['Linux', '', '', '', 'aarch64'])",
            "Linux on aarch64",
        ),
    ],
)
def test_another_system_than_linux_on_x86_64_is_refused_in_one_sentence(
    pretend: str, platform: str
) -> None:
    script = f"import os, sys; {pretend}; from runec.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines() == [
        f"error[R1113]: runec runs on Linux on x86-64 only, not on {platform}",
        "  = help: use WSL 2 on Windows, a virtual machine or container for linux/amd64 elsewhere",
    ]
