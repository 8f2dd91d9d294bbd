"""`tests.toml`: keys, and errors with their location."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runec.diagnostics import UserFileError
from runec.proc_blocks import Catalogue, load_block, template_dir
from runec.proc_blocks.vectors import load_vectors
from runec.vm.block_tests import Outcome, run_block_tests


def copy(folder: Path, name: str, tests: str) -> Path:
    """A block of the catalogue as one of the user's own, with tests."""
    known = Catalogue.builtin().find(name)
    assert known is not None
    shutil.copytree(known.directory, folder / name)
    (folder / name / "tests.toml").write_text(tests)
    return folder / name


def outcomes(folder: Path) -> list[Outcome]:
    block = load_block(folder)
    return list(run_block_tests(block, load_vectors(block)))


STATE = """
[[tests]]
name = "the mean of all runs so far"
inputs = ["f32[1]"]
[[tests.runs]]
inputs = [[5.0]]
outputs = [[5.0]]
[[tests.runs]]
inputs = [[1.0]]
outputs = [[3.0]]
[[tests]]
name = "begins anew"
inputs = ["f32[1]"]
[[tests.runs]]
inputs = [[1.0]]
outputs = [[3.0]]
"""


def test_a_block_keeps_its_state_within_a_test_and_not_beyond(tmp_path: Path) -> None:
    first, second = outcomes(copy(tmp_path, "rolling_average", STATE))
    assert first.is_ok
    (difference,) = second.differences
    assert (difference.expected, difference.got) == ("3.0", "1.0")
    assert second.as_json()["status"] == "failed"
    assert second.as_json()["differences"] == [
        {
            "run": 0,
            "output": 0,
            "type": "f32[1]",
            "element": 0,
            "expected": "3.0",
            "got": "1.0",
        }
    ]


TEXTS = """
[[tests]]
name = "reads numbers in texts of any kind"
inputs = ["utf8[3]"]
outputs = ["i32[4]"]
[[tests.runs]]
inputs = [["5 ", "-6\\n7", "8"]]
outputs = [[5, -6, 7, 8]]
[[tests.runs]]
inputs = [["8", "8", "1 2"]]
outputs = [[8, 8, 1, 3]]
[[tests.runs]]
inputs = [["a", "8", "1 2"]]
fails = "a"
"""


def test_texts_go_in_as_they_are_and_a_failure_can_be_expected(tmp_path: Path) -> None:
    (outcome,) = outcomes(copy(tmp_path, "parse", TEXTS))
    assert outcome.problem is None
    assert [(d.run, d.element, d.expected, d.got) for d in outcome.differences] == [
        (1, 3, "3", "2")
    ]


LABELS = """
[[tests]]
name = "words"
inputs = ["u32[2]"]
arguments = { wordlist = ["zero", "ä"] }
[[tests.runs]]
inputs = [[1, 0]]
outputs = [["ä", "one"]]
[[tests.runs]]
inputs = [[1, 1]]
fails = "out of bounds"
[[tests]]
name = "another failure"
inputs = ["u32[1]"]
arguments = { wordlist = ["zero", "ä"] }
[[tests.runs]]
inputs = [[2]]
fails = "something else"
[[tests]]
name = "an unexpected failure"
inputs = ["u32[1]"]
arguments = { wordlist = ["zero", "ä"] }
[[tests.runs]]
inputs = [[2]]
outputs = [["zero"]]
"""


def test_what_does_not_happen_as_said_is_told(tmp_path: Path) -> None:
    words, other, unexpected = outcomes(copy(tmp_path, "label", LABELS))
    assert [(d.expected, d.got) for d in words.differences] == [("'one'", "'zero'")]
    assert "does not fail" in str(words.problem)
    assert "should fail with 'something else'" in str(other.problem)
    assert "index out of bounds" in str(other.problem)
    assert "(R0709)" in str(unexpected.problem)
    assert not any(outcome.is_ok for outcome in (words, other, unexpected))


TOLERANCE = """
[[tests]]
name = "%s"
inputs = ["f32[4]"]
tolerance = %s
[[tests.runs]]
inputs = [[0.0, nan, inf, 1.0]]
outputs = [[-0.0, nan, inf, 1.25]]
"""


@pytest.mark.parametrize(("tolerance", "wrong"), [("0.25", []), ("0.125", [3]), ("0", [0, 3])])
def test_a_tolerance_is_how_far_a_float_may_be_off(
    tmp_path: Path, tolerance: str, wrong: list[int]
) -> None:
    folder = copy(tmp_path, "identity", TOLERANCE % ("x", tolerance))
    (outcome,) = outcomes(folder)
    assert [difference.element for difference in outcome.differences] == wrong


GOOD = (template_dir() / "tests.toml").read_text()
FIRST = "outputs = [[[2.5, -5.0], [1.25, 0.0]]]"


@pytest.mark.parametrize(
    ("wrong", "line", "part"),
    [
        (("inputs = [", "input = ["), 5, "unknown key 'input'"),
        (("[[tests.runs]]", "[[tests.run]]"), 8, "unknown key 'run'"),
        (('"f32[2, 2]"', '"f32(2)"'), 5, "'f32(2)' is not a type"),
        (('"f32[2, 2]"', '"i8[2, 2]"'), 5, "does not accept i8[2, 2]"),
        (("{ factor = 2.5 }", '{ factor = "x" }'), 6, "must be a number"),
        (("{ factor = 2.5 }", "{ gain = 2.5 }"), 6, "no argument 'gain'"),
        ((FIRST, "outputs = [[[2.5, -5.0], [1.25]]]"), 10, "has 4 elements, not 3"),
        ((FIRST, "outputs = [[[2.5, -5.0], [1.25, true]]]"), 10, "True is not of the type f32"),
        ((FIRST, "outputs = [[[2.5, -5.0], [1.25, 1e300]]]"), 10, "1e+300 is not of the type f32"),
        ((FIRST, "outputs = []"), 10, "0 tensors, but the block has 1 outputs"),
        ((FIRST, ""), 8, "either outputs or fails"),
        ((FIRST, f'{FIRST}\nfails = "x"'), 8, "either outputs or fails"),
        ((FIRST, 'fails = "x"\n[[tests.runs]]\ninputs = []\nfails = "x"'), 12, "0 tensors"),
        (("arguments", "tolerance = -1.0\narguments"), 6, "tolerance"),
        (
            ("hands numbers on as they are unless told otherwise", "multiplies every element"),
            13,
            "two",
        ),
        ((FIRST, "outputs = ["), 12, "not TOML"),
    ],
)
def test_a_mistake_in_the_tests_has_its_place(
    tmp_path: Path, wrong: tuple[str, str], line: int, part: str
) -> None:
    shutil.copytree(template_dir(), tmp_path / "mine")
    assert wrong[0] in GOOD
    (tmp_path / "mine" / "tests.toml").write_text(GOOD.replace(*wrong, 1))
    with pytest.raises(UserFileError) as caught:
        load_vectors(load_block(tmp_path / "mine"))
    assert caught.value.code == "R0432"
    assert part in caught.value.message
    assert caught.value.span is not None
    assert caught.value.span.line == line


def test_only_the_last_run_can_fail(tmp_path: Path) -> None:
    shutil.copytree(template_dir(), tmp_path / "mine")
    run = "[[tests.runs]]\ninputs = [[0, 0, 0, 0]]\nfails = 'x'\n"
    (tmp_path / "mine" / "tests.toml").write_text(
        f"[[tests]]\nname = 'x'\ninputs = ['f32[4]']\n{run}{run}"
    )
    with pytest.raises(UserFileError) as caught:
        load_vectors(load_block(tmp_path / "mine"))
    assert "only the last run" in caught.value.message
    assert caught.value.span is not None
    assert caught.value.span.line == 6


@pytest.mark.parametrize("text", ["tests = []", ""])
def test_tests_without_a_test_are_none(tmp_path: Path, text: str) -> None:
    shutil.copytree(template_dir(), tmp_path / "mine")
    (tmp_path / "mine" / "tests.toml").write_text(text)
    with pytest.raises(UserFileError) as caught:
        load_vectors(load_block(tmp_path / "mine"))
    assert caught.value.code == "R0432"


WRITES = """
[[tests]]
name = "writes"
inputs = ["f32[5]"]
[[tests.runs]]
inputs = [[1.0, 2.0, 3.0, 4.0, 5.0]]
outputs = [[1.0, 2.0, 3.0, 4.0, 5.0]]
"""
RUN = """#include "rune_block.h"
RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))
{
    for (uint32_t i = 0; i < 5; i++) { out0[i] = in0[i]; }
    %s
    return RUNE_OK;
}
"""


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", None),
        (
            "((uint8_t *)out0)[20] = 1;",
            "up to 1 bytes outside of the end of output 0 of identity, f32[5]",
        ),
        (
            "for (uint32_t i = 5; i < 35; i++) { out0[i] = 7.0f; }",
            "up to 120 bytes outside of the end of output 0 of identity, f32[5]",
        ),
        (
            "volatile int32_t before = -3; out0[before] = 7.0f;",
            "up to 12 bytes outside of the start of output 0 of identity, f32[5]",
        ),
        ("((float *)in0)[5] = 7.0f;", "up to 4 bytes outside of the end of input 0, f32[5]"),
    ],
)
def test_what_is_written_beside_a_tensor_is_reported(
    tmp_path: Path, line: str, problem: str | None
) -> None:
    folder = copy(tmp_path, "identity", WRITES)
    (folder / "block.c").write_text(RUN % line)
    manifest = (folder / "block.toml").read_text().replace("in_place = true", "in_place = false")
    manifest = manifest.replace("stack_bytes = 0", "stack_bytes = 16")
    (folder / "block.toml").write_text(manifest)
    (outcome,) = outcomes(folder)
    assert outcome.is_ok == (problem is None), outcome
    if problem is not None:
        assert f"the block identity wrote {problem}" in str(outcome.problem)
