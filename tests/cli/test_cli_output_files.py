"""No verb writes over one of its own inputs, or any file that it would not have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli.output_files import RUNE, refuse_other_file
from runec.diagnostics import UserFileError

RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  raw: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}
  label:
    proc-block: hotg-ai/proc-blocks#label
    inputs: [raw]
    outputs: [{type: utf8, dimensions: [1]}]
    args: {wordlist: $words}
  serial: {out: SERIAL, inputs: [label]}
resources:
  words: {type: string, path: words.txt}
"""


@pytest.fixture
def project(here: Path) -> Path:
    (here / "Runefile.yml").write_text(RUNEFILE)
    (here / "words.txt").write_text("one\ntwo\n")
    return here


@pytest.mark.parametrize("name", ["Runefile.yml", "words.txt", "other.c"])
@pytest.mark.parametrize("words", [("build",), ("graph", "Runefile.yml"), ("schema",)])
def test_no_verb_writes_over_a_file_of_the_user(
    project: Path, runec: Callable[..., Any], words: tuple[str, ...], name: str
) -> None:
    (project / "other.c").write_text("int x;\n")
    (project / "link").symlink_to(name)
    before = (project / name).read_bytes()
    for target in (name, "link"):
        done = runec(*words, "-o", target)
        assert done.code == 1
        assert f"error[R1107]: {target} is there already, and is not a" in done.stderr
        assert (project / name).read_bytes() == before
        assert (project / "link").is_symlink()


def test_the_default_name_is_not_written_over_either(
    project: Path, runec: Callable[..., Any]
) -> None:
    (project / "mine.rune").write_text("notes\n")
    assert runec("build", "--name", "mine").code == 1
    assert (project / "mine.rune").read_text() == "notes\n"


def test_an_input_that_begins_as_a_rune_is_not_written_over(here: Path) -> None:
    (here / "a.rune").write_bytes(b"\0asm\1\0\0\0")
    refuse_other_file(here / "a.rune", RUNE, "a .rune", [b"\0asm"])
    with pytest.raises(UserFileError) as caught:
        refuse_other_file(here / "a.rune", RUNE, "a .rune", [b"", b"\0asm\1\0\0\0"])
    assert caught.value.code == "R1107"
    assert "one of the files that the rune is built from" in caught.value.message


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (("build",), "x.rune"),
        (("graph", "Runefile.yml"), "x.svg"),
        (("graph", "Runefile.yml"), "x.dot"),
        (("graph", "Runefile.yml"), "x.json"),
        (("schema",), "x.json"),
    ],
)
def test_what_a_verb_wrote_before_is_replaced(
    project: Path, runec: Callable[..., Any], words: tuple[str, ...], target: str
) -> None:
    (project / target).touch()
    for _ in range(2):
        assert runec(*words, "-o", target).code == 0
