"""docs/guides/tutorial.md: every command works, and prints the lines that the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "guides" / "tutorial.md"
FENCE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# These compile firmware or run it in an emulator.
SLOW = re.compile(r"emulator:|runec (?:size|firmware) ")


def steps() -> Iterator[tuple[str, list[str]]]:
    """Yield each command with the lines that follow it."""
    for text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            while lines and lines[0].startswith("> "):  # what a shell prompts for
                command += "\n" + lines.pop(0).removeprefix("> ")
            yield command, lines


def shown(lines: list[str], *streams: str) -> list[str]:
    """Return the lines that no stream has in this order; `...` is any text."""
    printed = [stream.splitlines() for stream in streams]
    missing = []
    for line in lines:
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        for rest in printed:
            found = [number for number, text in enumerate(rest) if pattern.fullmatch(text)]
            if found:
                del rest[: found[0] + 1]
                break
        else:
            missing.append(line)
    return missing


def follow(folder: Path, *, with_slow: bool) -> int:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    count = 0
    for command, lines in steps():
        if SLOW.search(command) and not with_slow:
            continue
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shown(lines, done.stdout, done.stderr) == [], (command, done.stdout, done.stderr)
        fails = any(line.startswith("error[") for line in lines)
        assert done.returncode == int(fails), (command, done.stderr)
        count += 1
    return count


def test_the_commands_for_the_host_print_what_the_page_shows(tmp_path: Path) -> None:
    assert follow(tmp_path, with_slow=False) >= 12


@pytest.mark.emulated
def test_the_whole_tutorial_works(tmp_path: Path) -> None:
    assert follow(tmp_path, with_slow=True) == len(list(steps()))


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert shown(["a ... c", "d"], "a b c\nd\n") == []
    assert shown(["d", "a"], "a\nd\n") == ["a"]
    assert shown(["a", "e"], "a\n", "e\n") == []
    assert shown(["a.c"], "abc\n") == ["a.c"]
