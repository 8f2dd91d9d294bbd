"""`runec convert`: the same pipeline in YAML, every comment kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runec.diagnostics import RunefileError, UserFileError
from runec.explanations import all_pages
from runec.frontend import analyse_text, dialect_of
from runec.frontend.convert import convert
from runec.frontend.formatting import format_runefile
from runec.pipeline import Pin

PROJECT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(PROJECT.glob("examples/*/Runefile"))
RIGHT = [
    text
    for page in all_pages()
    for text in (page.right, page.legacy_right)
    if text is not None and page.code < "R0500" and dialect_of(text, "Runefile") == "legacy"
]


def check(text: str, folder: Path) -> str:
    converted = convert(text, "Runefile", folder)
    original = analyse_text(text, "Runefile", folder, "name").pipeline
    assert analyse_text(converted, "Runefile.yml", folder, "name").pipeline == original
    assert format_runefile(converted, "Runefile.yml") == converted
    return converted


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_keep_their_pipelines(path: Path) -> None:
    check(path.read_text(encoding="utf-8"), path.parent)


@pytest.mark.parametrize("text", RIGHT)
def test_the_explained_runefiles_keep_their_pipelines(text: str, folder: Path) -> None:
    check(text, folder)


def test_comments_and_types_come_along(folder: Path) -> None:
    text = """# Title

# about the image
FROM runicos/base # base
# the input
CAPABILITY<_> x RAW --length 16 # four floats
PROC_BLOCK<f32[4],_> y hotg-ai/rune#proc_blocks/modulo --modulus 360.0

PROC_BLOCK<_, UTF8> z hotg-ai/rune#proc_blocks/label --labels=Wing,Ring --fallback "a \\"b\\": c"
# the out
OUT serial
# the run
RUN x y # first
RUN x y serial
# last
"""
    text = text.replace("RUN x y # first\n", "").replace("PROC_BLOCK<_, UTF8> z", "# PROC_BLOCK z")
    assert check(text, folder) == (
        """# Title
# about the image
version: 1
image: runicos/base  # base

pipeline:
  # the input
  x:  # four floats
    capability: RAW
    outputs:
      - type: f32
        dimensions: [4]
    args:
      length: 16

  y:
    proc-block: "hotg-ai/rune#proc_blocks/modulo"
    inputs:
      - x
    args:
      modulus: 360.0

  # PROC_BLOCK z hotg-ai/rune#proc_blocks/label --labels=Wing,Ring --fallback "a \\"b\\": c"
  # the out
  serial:
    out: serial
    inputs:
      - y
  # the run
  # last
"""
    )


def test_a_pin_keeps_its_arguments(folder: Path) -> None:
    text = (
        "FROM runicos/base\nCAPABILITY<u8> x RAW\n"
        'OUT pin --pin="P0.13" --active-low true\nRUN x pin\n'
    )
    assert "out: pin\n" in check(text, folder)
    (output,) = analyse_text(text, "Runefile", folder, "name").pipeline.outputs
    assert output.pin == Pin("P0.13", active_low=True)


def test_types_that_were_inferred_from_the_next_input_are_written(folder: Path) -> None:
    text = (
        "FROM runicos/base\nCAPABILITY<f32[128, 3]> x ACCEL -n 128\n"
        "PROC_BLOCK<_, _> y normalize\nMODEL<_, _> z ./model.tflite\n"
        "OUT serial\nRUN x y z serial\n"
    )
    assert "dimensions: [1, 128, 3, 1]" in check(text, folder)


def test_long_and_many_texts_are_readable(folder: Path) -> None:
    words = ",".join(f"word_number_{number}" for number in range(9))
    text = (
        "FROM runicos/base\nCAPABILITY<u32> x RAW\n"
        f"PROC_BLOCK<u32, utf8> y label --labels={words}\n"
        'PROC_BLOCK<u32, utf8> z label --wordlist "one\\ntwo\\nthree"\n'
        "OUT serial\nRUN x y serial\nRUN x z serial\n"
    )
    converted = check(text, folder)
    assert "    args:\n      labels:\n        - word_number_0\n" in converted
    assert "      wordlist: |-\n        one\n        two\n        three\n" in converted


TEXTS = st.text(
    alphabet=st.sampled_from("ab1.-#:,'\"\\{}[]&*!|>%@`~ é\u2028\x85\U0001f600\t"), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
@example("true")
@example("1.0")
@example("0x10")
@example("null")
@example("- a")
@example("1e3")
def test_any_text_of_an_argument_stays_the_same_or_is_refused(text: str) -> None:
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    runefile = (
        "FROM runicos/base\nCAPABILITY<u32> x RAW\n"
        f'PROC_BLOCK<u32, utf8> y label --wordlist a --fallback "{escaped}"\n'
        "OUT serial\nRUN x y serial\n"
    )
    try:
        wanted = analyse_text(runefile, "Runefile", Path(), "name").pipeline
    except RunefileError:
        return
    try:
        converted: str | None = convert(runefile, "Runefile", Path())
    except UserFileError:
        converted = None
    if converted is None:
        assert text != text.strip() or text.startswith(("$", "@"))
        return
    assert analyse_text(converted, "Runefile.yml", Path(), "name").pipeline == wanted


def test_what_yaml_would_change_is_refused(folder: Path) -> None:
    text = (
        "FROM runicos/base\nCAPABILITY<u32> x RAW\n"
        "PROC_BLOCK<u32, utf8> y label --wordlist a --fallback $NAME\nOUT serial\nRUN x y serial\n"
    )
    with pytest.raises(UserFileError) as caught:
        convert(text, "Runefile", folder)
    assert caught.value.code == "R0022"


def test_yaml_is_not_converted_again(folder: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        convert("version: 1\nimage: runicos/base\npipeline: {}\n", "Runefile.yml", folder)
    assert caught.value.code == "R0022"


@pytest.mark.parametrize("text", ["FROM a b\n", "FROM runicos/base\nCAPABILITY<u8> x BAROMETER\n"])
def test_a_wrong_runefile_is_reported_not_converted(
    text: str, folder: Path, diagnose: Callable[..., object]
) -> None:
    assert diagnose(text, "Runefile")
    with pytest.raises(RunefileError):
        convert(text, "Runefile", folder)
