"""Blocks whose output length depends on the data: declared lengths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runec.diagnostics import Diagnostic
from runec.frontend import Analysis

Analyse = Callable[..., Analysis]
Diagnose = Callable[..., tuple[Diagnostic, ...]]

YAML = """
version: 1
image: runicos/base
pipeline:
  scores:
    capability: RAW
    outputs: [{{type: {given[0]}, dimensions: {given[1]}}}]
  block:
    proc-block: hotg-ai/proc-blocks@v0.11.3#{name}
    inputs: [scores]
    outputs: [{{type: {declared[0]}, dimensions: {declared[1]}}}]
  serial: {{out: SERIAL, inputs: [block]}}
"""
LEGACY = """
FROM runicos/base
CAPABILITY<{given[0]}{given[1]}> scores RAW
PROC_BLOCK<{given[0]}{given[1]}, {declared[0]}{declared[1]}> block hotg-ai/proc-blocks@v1#{name}
OUT serial
RUN scores block serial
"""
Use = tuple[str, tuple[str, str], tuple[str, str], str]
USES: list[Use] = [
    ("object_filter", ("F32", "[1, 63, 7]"), ("F32", "[10]"), "f32[10, 6]"),
    ("object_filter", ("F32", "[1, 63, 7]"), ("F32", "[1, 99, 6]"), "f32[1, 99, 6]"),
    ("utf8_decode", ("U8", "[40]"), ("UTF8", "[10]"), "utf8[1]"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("text", "file"), [(YAML, "Runefile.yml"), (LEGACY, "Runefile")])
def test_a_declared_length_is_taken_in_both_dialects(
    analyse_in: Analyse, use: Use, text: str, file: str
) -> None:
    name, given, declared, wanted = use
    pipeline = analyse_in(text.format(name=name, given=given, declared=declared), file).pipeline
    (block,) = pipeline.proc_blocks
    assert [str(tensor.type) for tensor in block.outputs] == [wanted]


def test_what_reads_it_may_declare_the_same_in_the_legacy_dialect(
    analyse_in: Analyse, diagnose: Diagnose
) -> None:
    lines = LEGACY.format(
        name="object_filter", given=("F32", "[1, 63, 7]"), declared=("F32", "[10]")
    )
    after = "PROC_BLOCK<F32[{}], F32[10, 6]> next modulo --modulus=2\nOUT"
    text = lines.replace("OUT", after).replace("block serial", "block next serial")
    assert len(analyse_in(text.format(10), "Runefile").pipeline.proc_blocks) == 2
    codes = {diagnostic.code for diagnostic in diagnose(text.format(11), "Runefile")}
    assert "R0202" in codes


@pytest.mark.parametrize(
    ("name", "given", "declared", "hint"),
    [
        (
            "object_filter",
            ("f32", "[1, 63, 7]"),
            ("f32", "[10, 5]"),
            "declare f32[63, 6], or another length as the first dimension",
        ),
        ("utf8_decode", ("u8", "[40]"), ("utf8", "[10, 5]"), "declare utf8[1]"),
    ],
)
def test_a_shape_that_is_no_length_is_still_refused(
    diagnose: Diagnose, name: str, given: tuple[str, str], declared: tuple[str, str], hint: str
) -> None:
    (diagnostic,) = diagnose(YAML.format(name=name, given=given, declared=declared))
    assert (diagnostic.code, diagnostic.hint) == ("R0415", hint)
