from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete

from runec.cli import completion_values
from runec.cli.completion_scripts import QUICK, quick_offer
from runec.cli.root import root
from runec.proc_blocks import Catalogue


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(runec: Callable[..., Any], shell: str) -> None:
    done = runec("completion", shell)
    assert (done.code, done.stderr) == (0, "")
    assert "_RUNEC_COMPLETE" in done.stdout
    assert done.stdout.count("2>/dev/null") == 1
    if program := shutil.which(shell):
        arguments = ["--no-execute"] if shell == "fish" else ["-n"]
        subprocess.run([program, *arguments], input=done.stdout, text=True, check=True)


# Bash and fish ask with the number of the word, from 0; each item is "type,value" or with its help.
def completed(words: str, count: int) -> str:
    environment = {
        **os.environ,
        "_RUNEC_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    command = [sys.executable, "-m", "runec"]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False
    ).stdout


def test_verbs_are_completed() -> None:
    lines = completed("runec co", 1).splitlines()
    assert {"plain,convert", "plain,completion", "plain,components"} <= set(lines)


def test_options_and_choices_of_a_verb_are_completed() -> None:
    assert "plain,--check" in completed("runec fmt --", 2).splitlines()
    assert completed("runec new --template g", 3).splitlines() == ["plain,gesture"]
    assert completed("runec check ", 2).startswith("file,")


def test_an_unknown_shell_is_a_mistake_of_usage(runec: Callable[..., Any]) -> None:
    assert runec("completion", "cmd").code == 2


class Asked(ShellComplete):
    """What the verbs themselves answer, without a shell."""

    name = "asked"
    source_template = ""


def answers(*words: str) -> list[CompletionItem]:
    return Asked(root, {}, "runec", "").get_completions(list(words[:-1]), words[-1])


def values(*words: str) -> list[str]:
    return [item.value for item in answers(*words)]


@pytest.fixture
def two_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [("/dev/ttyACM0", "nRF52 probe"), ("/dev/ttyUSB0", None)]
    monkeypatch.setattr(completion_values, "_serial_ports", lambda: ports)


@pytest.mark.parametrize(
    "words",
    [
        ("flash", "x.rune", "--board"),
        ("flash", "x.rune", "-b"),
        ("size", "x.rune", "--board"),
        ("monitor", "--board"),
        ("firmware", "new", "x.rune", "--board"),
        ("firmware", "build", "x.rune", "--board"),
        ("boards", "show"),
    ],
)
def test_boards_are_offered(words: tuple[str, ...]) -> None:
    assert values(*words, "esp32") == ["esp32", "esp32c3"]


def test_all_is_offered_where_several_boards_are_taken() -> None:
    assert "all" in values("firmware", "build", "x.rune", "-b", "a")
    assert "all" not in values("flash", "x.rune", "-b", "a")


def test_boards_of_the_users_own_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_node.toml").write_text("")
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    assert values("boards", "show", "my") == ["my_node"]
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path / "absent"))
    assert values("boards", "show", "my") == []
    (item,) = answers("flash", "x.rune", "-b", "./my")
    assert (item.type, item.suffixes) == ("file", (".toml",))


@pytest.mark.usefixtures("two_ports")
def test_targets_and_ports_are_offered() -> None:
    assert values("run", "x.rune", "--on", "h") == ["host"]
    assert values("run", "x.rune", "--on", "emulator:esp") == ["emulator:esp32", "emulator:esp32c3"]
    assert values("run", "x.rune", "--on", "emulator:b") == ["emulator:bluepill_f103c8"]
    assert values("boards", "show", "blue") == ["bluepill_f103c8"]
    assert values("run", "x.rune", "--on", "serial:") == [
        "serial:/dev/ttyACM0",
        "serial:/dev/ttyUSB0",
    ]
    assert {"host", "all", "serial:/dev/ttyUSB0"} < set(values("run", "x.rune", "--on", ""))
    assert "host" not in values("monitor", "--on", "")
    assert values("monitor", "--port", "/dev/ttyU") == ["/dev/ttyUSB0"]
    items = answers("flash", "x.rune", "-p", "")
    assert [item.help for item in items] == ["nRF52 probe", None]


def test_codes_blocks_templates_and_components_are_offered() -> None:
    assert values("explain", "R0113") == ["R0113"]
    assert values("explain", "r01") == [item.value for item in answers("explain", "R01")]
    assert all(item.help for item in answers("explain", ""))
    assert values("block", "show", "") == list(Catalogue.builtin().names())
    assert values("new", "-t", "") == ["sine", "gesture", "keyword", "vision", "empty"]
    assert "wasm3" in values("components", "fetch", "w")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-b", "nrf52_dk"), {"jlink", "openocd", "pyocd"}),
        (("-b", "esp32"), {"esptool"}),
        (("-b", "esp32", "--framework", "arduino"), {"esptool", "esp-prog"}),
        (("-b", "absent"), set()),
    ],
)
def test_protocols_of_the_board_are_offered(words: tuple[str, ...], expected: set[str]) -> None:
    assert set(values("flash", "x.rune", *words, "--protocol", "")) == expected


def test_protocols_of_all_boards_are_offered_before_one_is_named() -> None:
    assert {"esptool", "dfu", "jlink"} <= set(values("flash", "x.rune", "--protocol", ""))


@pytest.mark.parametrize(
    ("words", "suffixes"),
    [
        (("run",), {".rune", ".yml", ".yaml", "Runefile"}),
        (("inspect",), {".rune"}),
        (("check",), {".yml", ".yaml", "Runefile"}),
        (("model-info",), {".tflite"}),
        (("run", "x.rune", "--sound"), {".wav"}),
        (("run", "x.rune", "--accelerometer"), {".csv", ".tsv", ".txt"}),
        (("run", "x.rune", "--raw"), set()),
    ],
)
def test_files_are_offered_by_suffix(words: tuple[str, ...], suffixes: set[str]) -> None:
    (item,) = answers(*words, "")
    assert item.type == "file"
    assert set(item.suffixes) == suffixes


def test_folders_are_offered() -> None:
    for words in (("new",), ("block", "test"), ("firmware", "new", "x.rune", "-d")):
        assert [item.type for item in answers(*words, "")] == ["dir"]


def quick_lines() -> Iterator[tuple[str, ...]]:
    for verb, offers in QUICK.items():
        for option in offers:
            yield (*verb, option) if option else verb


@pytest.mark.usefixtures("two_ports")
@pytest.mark.parametrize("line", list(quick_lines()))
def test_the_quick_table_is_what_the_verbs_answer(line: tuple[str, ...]) -> None:
    def shown(items: list[CompletionItem]) -> list[tuple[object, ...]]:
        return [(item.type, item.value, item.help, item.suffixes) for item in items]

    for word in ("", "e", "n"):
        found = quick_offer(list(line), word)
        assert found is not None
        assert shown(found) == shown(answers(*line, word))


def test_the_quick_table_leaves_other_lines_to_the_verbs() -> None:
    assert quick_offer(["run", "x.rune"], "--o") is None
    assert quick_offer(["run", "--", "--on"], "e") is None
    assert quick_offer(["run", "x.rune", "--timeout"], "") is None
    assert quick_offer(["explain"], "") is None
    joined = quick_offer(["run", "x.rune"], "--on=emulator:esp32c")
    assert joined is not None
    assert [item.value for item in joined] == ["emulator:esp32c3"]


def test_every_option_that_takes_a_board_or_a_target_completes_it() -> None:
    def commands(group: click.Group) -> Iterator[click.Command]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command)
            if command is not None:
                yield command

    for command in commands(root):
        for parameter in command.params:
            if {"--board", "--on", "--port", "--protocol"} & set(parameter.opts):
                context = click.Context(command, resilient_parsing=True)
                assert parameter.shell_complete(context, ""), (command.name, parameter.opts)


# A shell in a terminal: how it starts, and what makes it complete.
SESSIONS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "bind 'set enable-bracketed-paste off'; source <(runec completion bash)",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        """bindkey -e; autoload -U compinit; compinit -u -D; unset zle_bracketed_paste; PS1='% '
        eval "$(runec completion zsh)\"""",
    ),
    "fish": (["fish", "--no-config", "-i"], "runec completion fish | source"),
}
TYPED = {
    "runec run x.rune --on emulator:esp32c": ["run", "x.rune", "--on", "emulator:esp32c3"],
    "runec run x.rune --on=emulator:esp32c": ["run", "x.rune", "--on=emulator:esp32c3"],
    "runec flash x.rune --board=nucl": ["flash", "x.rune", "--board=nucleo_f401re"],
    "runec run x": ["run", "x.rune"],
    "runec run sub/d": ["run", "sub/deep.rune"],
    "runec run x.rune --image PH": ["run", "x.rune", "--image", "PHOTO.PNG"],
    "runec new --template ge": ["new", "--template", "gesture"],
    "runec explain R070": ["explain", "R070"],  # there are several
}


@pytest.mark.parametrize("shell", SESSIONS)
def test_a_real_shell_completes(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for name in ("x.rune", "x.txt", "PHOTO.PNG", "PHX.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    for name in ("deep.rune", "deep.txt"):
        (tmp_path / "sub" / name).touch()
    command, setup = SESSIONS[shell]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TERM": "dumb",
        "HOME": str(tmp_path),
        "COLUMNS": "300",
    }
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execvpe(command[0], command, environment)  # noqa: S606 - a shell is what is tested
    try:
        _answer(terminal, f"{setup}\necho SET''UP\n", "SETUP")
        for typed, expected in TYPED.items():
            # Ctrl-A, Ctrl-E: what is on the line becomes the arguments of printf.
            said = _answer(terminal, f"{typed}\t\x01printf '<%s>' \x05 END''ED\n", "<ENDED>")
            words = re.findall(r"<([^<>%]*)>", said)
            assert words == ["runec", *expected, "ENDED"], said
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _answer(terminal: int, typed: str, mark: str) -> str:
    """Type and return what the terminal shows up to the mark."""
    os.write(terminal, typed.encode())
    said = b""
    end = time.monotonic() + 60
    while mark.encode() not in said:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 65536)
    return said.decode(errors="replace")
