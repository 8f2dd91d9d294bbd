"""Verbs overwrite neither their inputs nor files of other origin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.cli.output_files import DOT, JSON, MERMAID, SCHEMA, is_stamped, refuse_other_file
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
        is_source = name == "Runefile.yml" and words != ("schema",)
        fact = "is an input of this command" if is_source else "already exists and is not a"
        assert f"error[R1107]: {target} {fact}" in done.stderr
        assert (project / name).read_bytes() == before
        assert (project / "link").is_symlink()


def test_the_default_name_is_not_written_over_either(
    project: Path, runec: Callable[..., Any]
) -> None:
    (project / "mine.rune").write_text("notes\n")
    assert runec("build", "--name", "mine").code == 1
    assert (project / "mine.rune").read_text() == "notes\n"


def test_an_input_that_the_verb_may_replace_is_not_written_over(here: Path) -> None:
    (here / "a.rune").write_bytes(b"\0asm\1\0\0\0")
    refuse_other_file(here / "a.rune", lambda _: True, "a .rune", inputs=[b"\0asm"])
    for force in (False, True):
        with pytest.raises(UserFileError) as caught:
            refuse_other_file(
                here / "a.rune",
                lambda _: True,
                "a .rune",
                inputs=[b"", b"\0asm\1\0\0\0"],
                force=force,
            )
        assert caught.value.code == "R1107"
        assert "an input of this command" in caught.value.message


WRITTEN = [
    (("build",), "x.rune"),
    (("graph", "Runefile.yml"), "x.mmd"),
    (("graph", "Runefile.yml"), "x.dot"),
    (("graph", "Runefile.yml"), "x.json"),
    (("schema",), "x.json"),
]


@pytest.mark.parametrize(("words", "target"), WRITTEN)
def test_what_a_verb_wrote_before_is_replaced(
    project: Path, runec: Callable[..., Any], words: tuple[str, ...], target: str
) -> None:
    path = project / target
    path.touch()
    written = set()
    for _ in range(2):
        assert runec(*words, "-o", target).code == 0
        written.add(path.read_bytes())
    assert len(written) == 1  # the stamp depends on the content alone
    # Another version of the input, or of runec, wrote it.
    if target != "x.rune":
        kind = {"x.mmd": MERMAID, "x.dot": DOT}.get(
            target, SCHEMA if words == ("schema",) else JSON
        )
        path.write_text(kind.stamp(f"older{kind.ending}") + "\n")
        assert runec(*words, "-o", target).code == 0
        # A checkout on Windows.
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert runec(*words, "-o", target).code == 0
    assert {path.read_bytes()} == written


@pytest.mark.parametrize(("words", "target"), WRITTEN)
def test_what_only_looks_like_it_is_replaced_with_force(
    project: Path, runec: Callable[..., Any], words: tuple[str, ...], target: str
) -> None:
    path = project / target
    assert runec(*words, "-o", target).code == 0
    written = path.read_bytes()
    others = (
        {
            b"%% runec graph\nflowchart TD\n",
            b"digraph x { a -> b }\n",
            b'{"name":"package","version":"1.0.0"}\n',
            b'{\n  "$schema": "http://json-schema.org/draft-07/schema#"\n}\n',
            b"\0asm\1\0\0\0",  # a module of another compiler
            written[: len(written) // 2],
            written.replace(b"label", b"LABEL"),  # edited
            written + b"\n\n",
        }
        - {written}
    )
    for other in others:
        path.write_bytes(other)
        done = runec(*words, "-o", target)
        assert (done.code, path.read_bytes()) == (1, other)
        assert "error[R1107]" in done.stderr
        assert "add --force" in done.stderr
        assert runec(*words, "-o", target, "--force").code == 0
        assert path.read_bytes() == written


def test_a_drawing_of_an_earlier_version_is_known_by_its_text(
    project: Path, runec: Callable[..., Any]
) -> None:
    """Without a stamp it is one of runec where it is what runec draws now."""
    for target in ("x.mmd", "x.dot", "x.json"):
        path = project / target
        assert runec("graph", "Runefile.yml", "-o", target).code == 0
        stamped = path.read_text()
        kind = {"x.mmd": MERMAID, "x.dot": DOT, "x.json": JSON}[target]
        head, _, _ = kind.stamped.partition("{}")
        plain = stamped[: stamped.rindex(head)] + kind.ending + "\n"
        for text, code in ((plain, 0), (plain.replace("RAW", "raw"), 1)):
            path.write_text(text)
            assert not is_stamped(text.encode())
            assert runec("graph", "Runefile.yml", "-o", target).code == code


@pytest.mark.parametrize("words", [("build",), ("graph", "Runefile.yml")])
def test_force_spares_what_the_output_is_made_from(
    project: Path, runec: Callable[..., Any], words: tuple[str, ...]
) -> None:
    (project / "link.dot").symlink_to("Runefile.yml")
    for target in ("Runefile.yml", "link.dot"):
        assert "error[R1107]" in runec(*words, "-o", target, "--force").stderr
    if words == ("build",):
        assert "error[R1107]" in runec(*words, "-o", "words.txt", "--force").stderr
    assert (project / "Runefile.yml").read_text() == RUNEFILE
    assert (project / "words.txt").read_text() == "one\ntwo\n"


def test_a_stamp_in_the_text_is_not_the_stamp() -> None:
    inner = DOT.stamp('digraph "x" {\n}')
    outer = DOT.stamp(inner)
    assert is_stamped(inner.encode())
    assert is_stamped(outer.encode())
    assert not is_stamped(outer.replace('"x"', '"y"').encode())
    for kind in (MERMAID, DOT, JSON, SCHEMA):
        assert is_stamped(kind.stamp(f"x{kind.ending}").encode())
        assert not is_stamped(kind.stamp(f"x{kind.ending}").replace("x", "y", 1).encode())
