"""Names outside ASCII where the locale has no such characters: escaped, and never a bug."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1:strict"}
UTF8 = {"LC_ALL": "C.UTF-8"}
RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  i: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}
  label:
    proc-block: label
    inputs: [i]
    outputs: [{type: utf8, dimensions: [1]}]
    args: {wordlist: [Gr\u00fcn, "\u2603", "\u0436"]}
  serial: {out: SERIAL, inputs: [label]}
"""


def start(
    folder: Path, locale: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "runec", *arguments],
        cwd=folder,
        env={**os.environ, **locale},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    assert "R1199" not in done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "caf\u00e9 \u2603"
    made.mkdir()
    (made / "Runefile.yml").write_text(RUNEFILE, encoding="utf-8")
    (made / "\u00fc.bin").write_bytes(b"\x01\0\0\0")
    return made


def test_characters_that_a_locale_lacks_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("version: 1\nimage: a\npipeline:\n  a\0b\u2603:\n")
    done = start(tmp_path, ASCII, "check", "x.yml")
    assert done.returncode == 1
    assert "a\\ufffdb\\u2603:" in done.stdout
    done = start(tmp_path, ASCII, "check", "\u00fc.yml")
    assert done.returncode == 1
    assert "R1003" in done.stderr


@pytest.mark.parametrize("locale", [ASCII, LATIN], ids=["ascii", "latin-1"])
def test_verbs_print_names_in_any_locale(folder: Path, locale: dict[str, str]) -> None:
    rune = "\u00fc.rune"
    lines = {
        ("build", "Runefile.yml", "-o", rune): 0,
        ("run", rune, "--raw", "\u00fc.bin"): 0,
        ("inspect", rune): 0,
        ("graph", rune): 0,
        ("check", "."): 0,
        ("run", rune, "--raw", "\u0436"): 1,
        ("run", "--\u0436"): 2,
    }
    assert {line: start(folder, locale, *line).returncode for line in lines} == lines


def test_a_build_does_not_depend_on_the_locale(folder: Path) -> None:
    files = []
    for number, locale in enumerate((ASCII, UTF8)):
        assert start(folder, locale, "build", ".", "-o", f"{number}.rune").returncode == 0
        files.append((folder / f"{number}.rune").read_bytes())
    assert files[0] == files[1]
    assert "caf\u00e9 \u2603".encode() in files[0]


def test_results_are_the_same_bytes_in_any_locale(folder: Path) -> None:
    run = ("run", ".", "--raw", "\u00fc.bin")
    results = [start(folder, locale, *run).stdout for locale in (ASCII, LATIN, UTF8)]
    assert len(set(results)) == 1
    assert "\u2603" in results[0]
