"""Each file of invalid/ violates one rule; its .expected has the exact messages.

The first word of a file's name is the code of the rule, but for those about several at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import runec.frontend
from runec.diagnostics import Diagnostic, render

INVALID = Path(__file__).parent / "invalid"
CASES = sorted(path for path in INVALID.iterdir() if path.suffix != ".expected")
CODES_IN_NAMES = re.compile(r"R\d{4}(?=-)")
# Reached only through files: too large or not text (test_frontend_limits.py), a model
# (test_model_shapes.py, tests/cli/test_cli_check.py).
ELSEWHERE = {"R0002", "R0325"}


def described(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    assert span is not None, "every diagnostic of a Runefile has a place"
    place = f"{diagnostic.severity.value} {diagnostic.code} {span.line}:{span.column}"
    return f"{place} {diagnostic.message}\n  help: {diagnostic.hint}\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_wrong_file_gets_its_message_at_its_place(
    path: Path, diagnose: Callable[..., tuple[Diagnostic, ...]]
) -> None:
    said = diagnose(path.read_text(encoding="utf-8"), path.name)
    expected = path.with_name(f"{path.name}.expected").read_text(encoding="utf-8")
    assert "".join(map(described, said)) == expected
    assert said
    assert all(diagnostic.hint for diagnostic in said)
    if (code := CODES_IN_NAMES.match(path.name)) is not None:
        assert {diagnostic.code for diagnostic in said} == {code[0]}


def test_every_code_of_the_room_has_a_wrong_file() -> None:
    documented = set(re.findall(r"R0[0-4]\d\d(?=  )", runec.frontend.__doc__ or ""))
    with_files = {name for path in CASES for name in CODES_IN_NAMES.findall(path.name)}
    assert documented - with_files == ELSEWHERE


def test_no_message_is_without_a_file_and_no_file_without_a_message() -> None:
    expected = {path.name.removesuffix(".expected") for path in INVALID.glob("*.expected")}
    assert expected == {path.name for path in CASES}


def test_a_message_shows_the_line_the_caret_and_what_to_try(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    path = INVALID / "R0202-shapes-differ.Runefile"
    (diagnostic,) = diagnose(path.read_text(encoding="utf-8"), path.name)
    drawn = render(diagnostic).splitlines()
    assert drawn[0].startswith("error[R0202]: ")
    assert " --> R0202-shapes-differ.Runefile:5:5" in drawn
    assert "5 | RUN input half serial" in drawn
    assert "  |     ^^^^^" in drawn
    # Both places and both types are shown.
    assert any("this is f32[1, 4]" in line for line in drawn)
    assert any("this expects f32[5]" in line for line in drawn)
    assert drawn[-1].startswith("  = help: ")


def test_what_a_runefile_says_does_not_drive_the_terminal(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    said = diagnose("FROM runicos/base\n\x1b[2JOUT \x9b31mserial\a\n", "Run\x1bfile")
    drawn = "\n".join(map(render, said))
    assert "\ufffd[2JOUT \ufffd31mserial\ufffd" in drawn
    assert not set(drawn) & {"\x1b", "\x9b", "\a"}


def test_of_a_very_long_line_the_part_with_the_mistake_is_shown(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    words = ",".join(["aaaaaaaaa"] * 500)
    text = (
        "FROM runicos/base\nCAPABILITY<u32> x RAW\n"
        f"PROC_BLOCK<u32, utf8> y label --wordlist {words} --fallbak b --words {words}\n"
        "OUT serial\nRUN x y serial\n"
    )
    said = [item for item in diagnose(text, "Runefile") if "fallbak" in item.message]
    drawn = render(said[0]).splitlines()
    line, carets = drawn[3], drawn[4]
    assert len(line) < 260
    assert line.startswith("3 | ... aaa")
    assert line.endswith(" ...")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "--fallbak b"[2:9]
