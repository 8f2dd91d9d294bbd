"""Output: terminals, pipes, colours, progress, untrusted text."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli.console import PROGRESS_DELAY_S, Console, printable_json, table
from runec.diagnostics import Diagnostic, printable

EVIL = "a\x1b[31mb\x9b2Jc\u202ed\x07e\rf\ud800g"


def terminal(script: str, **environment: str) -> str:
    """What a Python script says on a terminal that is its stdout and stderr."""
    ours, theirs = pty.openpty()
    said = bytearray()

    def read() -> None:
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                return
            if not part:
                return
            said.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    base = {key: os.environ[key] for key in os.environ if key not in ("NO_COLOR", "FORCE_COLOR")}
    try:
        subprocess.run(
            [sys.executable, "-c", script],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**base, "TERM": "xterm", "COLUMNS": "60", **environment},
            timeout=60,
            check=True,
        )
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    return said.decode()


LONG = (
    "import time\n"
    "from runec.cli.console import Console\n"
    "console = Console()\n"
    "%s\n"
    "with console.progress('compiling ' + 90 * 'x'):\n"
    "    time.sleep(%f)\n"
    "    console.say('a remark')\n"
    "    console.result('a result')\n"
    "    time.sleep(0.3)\n"
)


def without_control(said: str) -> str:
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", said)


def test_progress_comes_up_after_a_while_and_goes_away_again() -> None:
    said = terminal(LONG % ("", PROGRESS_DELAY_S + 0.5))
    frames = re.findall(r"[|/\\-] compiling x+ +0:00:0\d", without_control(said))
    assert frames
    assert all(len(frame) <= 60 for frame in frames), "a line that the terminal would break"
    # Lines of others stand alone, and nothing is left at the end.
    assert "\x1b[1A\x1b[2Ka remark\r\n" in said
    assert "\x1b[1A\x1b[2Ka result\r\n" in said
    assert said.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")


@pytest.mark.parametrize(
    ("setting", "environment"),
    [
        ("console.quiet = True", {}),
        ("console.format = 'json'", {}),
        ("", {"TERM": "dumb"}),
    ],
    ids=["quiet", "json", "dumb"],
)
def test_progress_is_not_shown_to_who_wants_none(setting: str, environment: dict[str, str]) -> None:
    said = terminal(LONG % (setting, PROGRESS_DELAY_S + 0.3), **environment)
    assert "compiling" not in said
    assert "a result" in said


def test_progress_has_no_colours_with_no_color() -> None:
    coloured = r"\x1b\[\d*[1-9]m"
    script = LONG % ("", PROGRESS_DELAY_S + 0.3)
    assert re.search(coloured, terminal(script))
    said = terminal(script, NO_COLOR="1")
    assert "compiling" in said
    assert not re.search(coloured, said)


def test_what_ends_soon_shows_no_progress() -> None:
    assert "compiling" not in terminal((LONG % ("", 0)).replace("0.3", "0"))


def test_progress_is_not_shown_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().progress("compiling"):
        time.sleep(PROGRESS_DELAY_S + 0.2)
    assert capsys.readouterr() == ("", "")


def test_progress_is_cleared_when_an_error_ends_it() -> None:
    script = (
        "import time\n"
        "from runec.cli.console import Console\n"
        "try:\n"
        "    with Console().progress('compiling'):\n"
        f"        time.sleep({PROGRESS_DELAY_S + 0.5})\n"
        "        raise KeyboardInterrupt\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    said = terminal(script)
    assert "compiling" in said
    assert said.endswith("\x1b[?25h\r\x1b[1A\x1b[2Kinterrupted\r\n")


def test_verbose_tells_commands_and_times_and_quiet_nothing(
    runec: Callable[..., Any], here: Path
) -> None:
    assert here == Path.cwd()
    told = runec("build", "noop", "-v").stderr
    assert re.search(r"^\$ \S*clang.* glue.c .*\(\d+\.\d\d s\)$", told, re.MULTILINE)
    assert re.search(r"^compiling: \d+\.\d\d s$", told, re.MULTILINE)
    assert "$ " not in runec("build", "noop").stderr
    assert runec("build", "noop", "-q").stderr == ""
    assert runec("build", "noop", "-v", "--format", "json").stderr == ""


UNUSED = """version: 1
image: runicos/base
pipeline:
  first: {capability: RAW, outputs: [{type: u8, dimensions: [1]}]}
  second: {capability: RAW, outputs: [{type: u8, dimensions: [1]}]}
  serial: {out: serial, inputs: [first]}
"""


def test_quiet_leaves_warnings_out_and_errors_in(runec: Callable[..., Any], here: Path) -> None:
    (here / "Runefile.yml").write_text(UNUSED)
    assert "warning" in runec("build", "-o", "x.rune").stderr
    assert runec("build", "-o", "x.rune", "-q").stderr == ""
    assert runec("graph", "-q").stderr == ""
    (here / "Runefile.yml").write_text(UNUSED.replace("RAW", "RAVV"))
    assert "error[" in runec("build", "-o", "x.rune", "-q").stderr


def test_a_table_is_as_wide_as_its_cells_and_on_a_terminal_no_wider_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = [("a", "x" * 70), ("[b]世界\n", "y")]
    wide = "name      text\na         " + "x" * 70 + "\n[b]世界\ufffd  y"
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.setenv(name, "20")
        assert table(("name", "text"), cells) == wide
    script = f"from runec.cli.console import table; print(table(('name', 'text'), {cells!r}))"
    lines = terminal(script, FORCE_COLOR="1").splitlines()
    assert "".join(line[10:] for line in lines[1:-1]) == "x" * 70
    assert max(map(len, lines)) == 60


ERROR = "import sys; from runec.cli import execute; execute(%r)"
COLORS: dict[str, tuple[list[str], dict[str, str], bool]] = {
    "a terminal": ([], {}, True),
    "a dumb terminal": ([], {"TERM": "dumb"}, False),
    "NO_COLOR": ([], {"NO_COLOR": "1"}, False),
    "NO_COLOR is stronger than FORCE_COLOR": ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    "--color is stronger than NO_COLOR": (["--color", "always"], {"NO_COLOR": "1"}, True),
    "--colour never": (["--colour=never"], {"FORCE_COLOR": "1"}, False),
}


@pytest.mark.parametrize("case", COLORS)
def test_who_decides_about_colours(case: str) -> None:
    options, environment, painted = COLORS[case]
    said = terminal(ERROR % ["boards", "show", "nope", *options], **environment)
    assert ("\x1b[31m" in said) is painted
    assert "error" in said


def test_colours_can_be_forced_into_a_pipe(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = runec("boards", "show", "nope").stderr
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in runec("boards", "show", "nope").stderr
    monkeypatch.setenv("FORCE_COLOR", "0")
    assert runec("boards", "show", "nope").stderr == plain
    before = runec("--color=always", "boards", "show", "nope").stderr
    assert before == runec("boards", "show", "nope", "--color", "always").stderr != plain
    assert runec("--color=sometimes", "version").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "x.rune", "--nonsense", "--format", "json"],
        ["run", "--format=json", "--repeats"],
        ["nonsense", "--format", "json"],
        ["build", "nowhere", "--format", "json"],
        ["graph", "nowhere", "--format", "json"],
        ["explain", "R9999", "--format", "json"],
        ["fmt", "nowhere", "--format", "json"],
    ],
    ids=" ".join,
)
def test_every_error_is_json_for_programs(runec: Callable[..., Any], arguments: list[str]) -> None:
    done = runec(*arguments)
    assert done.code in (1, 2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert json.loads(line).keys() >= {"code", "severity", "message", "hint", "notes"}


def test_what_a_terminal_would_obey_becomes_a_sign() -> None:
    assert printable(EVIL) == "a\ufffd[31mb\ufffd2Jc\ufffdd\ufffde\ufffdf\ufffdg"
    assert printable("a\tb\nc") == "a\tb\ufffdc"
    assert printable("a\tb\nc", lines=True) == "a\tb\nc"
    kept = "Grüße, 世界 🙂\u00a0\u3000"
    assert printable(kept) == kept
    assert printable("\u2028") == "\ufffd"


def test_json_keeps_its_meaning_when_it_is_made_printable() -> None:
    value = {EVIL.replace("\ud800", "\U000e0001"): [1, "\x7f"]}
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(printable_json(text)) == value
    assert all(char.isprintable() for char in printable_json(text))


def test_everything_that_the_console_prints_is_made_printable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    console.verbose = True
    console.result(EVIL)
    console.say(EVIL)
    console.trace([EVIL], {})
    assert console.log is not None
    console.log(f"{EVIL}\nforged")
    console.report([Diagnostic("R0001", EVIL, hint=EVIL, notes=(EVIL,))])
    console.format = "json"
    console.result_json({EVIL: EVIL})
    console.report([Diagnostic("R0001", EVIL, hint=EVIL, notes=(EVIL,))])
    said = "".join(capsys.readouterr())
    assert all(char.isprintable() or char == "\n" for char in said)
    assert "\nforged" not in said


def test_results_are_bytes_in_a_pipe_and_harmless_on_a_terminal() -> None:
    script = (
        "from runec.cli.console import Console\n"
        'Console().result_bytes(\'{"3":["\\u009b\\x1b[2J"]}\\n\'.encode())\n'
        "Console().result_document('a\\x1b[2Jb')\n"
    )
    piped = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, timeout=60
    ).stdout
    assert piped == '{"3":["\u009b\x1b[2J"]}\na\x1b[2Jb\n'.encode()
    assert terminal(script) == '{"3":["\\u009b\\u001b[2J"]}\r\na\ufffd[2Jb\r\n'
