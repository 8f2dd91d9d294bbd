"""Resolution of one use of a block: types, shapes, arguments, rejected uses."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.pipeline import TensorType
from runec.proc_blocks import Block, BlockMismatch, Catalogue, Resolved

LABELS = {"wordlist": "a\nbb\nccc\n"}


def find(name: str) -> Block:
    block = Catalogue.builtin().find(name)
    assert block is not None
    return block


def resolve(
    name: str, inputs: list[str], declared: list[str | None], arguments: Mapping[str, Any]
) -> Resolved:
    return find(name).resolve(
        [TensorType.parse(t) for t in inputs],
        [None if t is None else TensorType.parse(t) for t in declared],
        arguments,
    )


@pytest.mark.parametrize(
    ("name", "inputs", "declared", "arguments", "outputs"),
    [
        ("modulo", ["i16[2, 3]"], [None], {}, ["i16[2, 3]"]),
        ("modulo", ["f32[1, 1]"], ["f32[1]"], {}, ["f32[1]"]),
        ("normalize", ["u8[4]"], [], {}, ["f32[4]"]),
        ("normalize", ["f32[128, 3]"], ["f32[1, 128, 3, 1]"], {}, ["f32[1, 128, 3, 1]"]),
        ("identity", ["u8[1]", "f64[2]"], [None, "f64[2]"], {}, ["u8[1]", "f64[2]"]),
        ("argmax", ["f32[1, 4]"], [None], {}, ["u32[1]"]),
        ("argmax", ["i8[2, 3]"], ["u32[1, 1]"], {}, ["u32[1, 1]"]),
        ("most_confident_indices", ["u8[1, 1, 1, 3]"], [None], {"count": 2}, ["u32[2]"]),
        ("label", ["u32[2]"], ["utf8[2]"], LABELS, ["utf8[2]"]),
        ("ohv_label", ["f32[1, 3]"], [None], LABELS, ["utf8[1]"]),
        ("parse", ["utf8[1]"], ["i16[2, 3]"], {}, ["i16[2, 3]"]),
        ("quantize", ["f32[4]"], ["i8[1, 4]"], {"scale": 1}, ["i8[1, 4]"]),
        ("moving_window", ["f32[1, 3]"], [], {"window": 5}, ["f32[5, 1, 3]"]),
        ("segment_output", ["f32[1, 2, 3, 4]"], [], {}, ["u32[2, 3]", "u32[4]"]),
        ("object_filter", ["f32[1, 10, 85]"], ["f32[1, 10, 6]"], {}, ["f32[1, 10, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[10, 6]"], {}, ["f32[10, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[1, 10, 6]"], {}, ["f32[1, 10, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[10]"], {}, ["f32[10, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[5]"], {}, ["f32[5, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[6]"], {}, ["f32[6, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[7]"], {}, ["f32[7, 6]"]),
        ("object_filter", ["f32[1, 1, 85]"], ["f32[6]"], {}, ["f32[6, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[1, 6]"], {}, ["f32[1, 6]"]),
        ("object_filter", ["f32[1, 6300, 85]"], ["f32[1]"], {}, ["f32[1, 6]"]),
        ("object_filter", ["f32[1, 3, 85]"], ["f32[20, 6]"], {}, ["f32[20, 6]"]),
        (
            "segment_output",
            ["f32[1, 2, 3, 21]"],
            ["u32[2, 3]", "u32[20]"],
            {},
            ["u32[2, 3]", "u32[20]"],
        ),
        (
            "segment_output",
            ["f32[1, 2, 3, 4]"],
            [None, "u32[1, 30]"],
            {},
            ["u32[2, 3]", "u32[1, 30]"],
        ),
        ("segment_output", ["f32[1, 2, 3, 4]"], [None, "u32[1]"], {}, ["u32[2, 3]", "u32[1]"]),
        ("utf8_decode", ["u8[128]"], ["utf8[10]"], {}, ["utf8[1]"]),
        ("utf8_decode", ["u8[128]"], ["utf8[1, 1]"], {}, ["utf8[1, 1]"]),
        ("text_extractor", ["u8[9]", "u32[1]", "u32[1]"], ["utf8[1, 384]"], {}, ["utf8[1]"]),
    ],
)
def test_gives_the_outputs_of_a_use(
    name: str,
    inputs: list[str],
    declared: list[str | None],
    arguments: Mapping[str, Any],
    outputs: list[str],
) -> None:
    resolved = resolve(name, inputs, declared, arguments)
    assert [str(output.type) for output in resolved.outputs] == outputs


def test_the_room_for_text_is_that_of_the_longest_word_for_each_element() -> None:
    assert resolve("label", ["u32[2]"], [], LABELS).outputs[0].capacity_bytes == 2 * (4 + 3)
    long = {**LABELS, "fallback": "größer"}
    assert resolve("label", ["u32[2]"], [], long).outputs[0].capacity_bytes == 2 * (4 + 8)
    one_hot = resolve("ohv_label", ["f32[3]"], [], LABELS)
    assert one_hot.outputs[0].capacity_bytes == 4 + len("<MISSING>")
    assert resolve("utf8_decode", ["u8[7, 3]"], [], {}).outputs[0].capacity_bytes == 4 + 21


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("modulo", {}, {"modulus": 1.0}),
        ("modulo", {"modulus": 360}, {"modulus": 360.0}),
        ("modulo", {"modulus": " 3.6e2 "}, {"modulus": 360.0}),
        ("most_confident_indices", {}, {"count": 1}),
        ("most_confident_indices", {"count": "2"}, {"count": 2}),
        ("most_confident_indices", {"count": 2.0}, {"count": 2}),
        ("label", {"wordlist": "a\n b \n\nc\n"}, {"wordlist": ("a", "b", "", "c")}),
        ("label", {"wordlist": "a\r\nb\r\n"}, {"wordlist": ("a", "b")}),
        ("label", {"labels": ("a ", "b")}, {"wordlist": ("a", "b")}),
        ("label", {"labels": ["a", "b"]}, {"wordlist": ("a", "b")}),
        ("label", {"labels": "a", "fallback": 5}, {"wordlist": ("a",), "fallback": "5"}),
        (
            "ohv_label",
            {"labels": "a\nb\nc\nd", "unknown-label": " x "},
            {"wordlist": ("a", "b", "c", "d"), "fallback": "x"},
        ),
    ],
)
def test_arguments_come_out_typed_under_their_own_names(
    name: str, given: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    arguments = resolve(name, ["f32[4]"], [], given).arguments
    assert arguments == wanted
    assert [type(v) for v in arguments.values()] == [type(v) for v in wanted.values()]


@dataclasses.dataclass
class Wrong:
    code: str
    block: str
    inputs: list[str]
    arguments: Mapping[str, Any]
    message: str
    hint: str
    declared: list[str | None] = dataclasses.field(default_factory=list)
    about: str = "arguments"
    index: int | None = None
    argument: str | None = None


WRONG = [
    Wrong("R0410", "modulo", [], {}, "needs 1 input, but the stage has 0", "1 input",
          about="inputs"),
    Wrong("R0410", "modulo", ["f32[1]"] * 2, {}, "the stage has 2", "1 input",
          about="inputs", index=1),
    Wrong("R0410", "identity", [], {}, "needs at least 1 input", "at least 1", about="inputs"),
    Wrong("R0411", "modulo", ["utf8[1]"], {}, "does not accept utf8[1]", "u8, i8, u16",
          about="inputs", index=0),
    Wrong("R0411", "ohv_label", ["i8[4]"], LABELS, "does not accept i8[4]", "type f32, f64",
          about="inputs", index=0),
    Wrong("R0411", "identity", ["f32[1]", "utf8[1]"], {}, "utf8[1]", "f64",
          about="inputs", index=1),
    Wrong("R0412", "most_confident_indices", ["f32[2, 3]"], {}, "one row", "must be 1",
          about="inputs", index=0),
    Wrong("R0412", "argmax", ["f32[4, 0]"], {}, "at least one element", "0",
          about="inputs", index=0),
    Wrong("R0413", "modulo", ["f32[1]"], {}, "has 1 output, but the stage declares 2",
          "declare 1 output", ["f32[1]", None], about="outputs", index=1),
    Wrong("R0413", "identity", ["f32[1]"] * 3, {}, "has 3 outputs", "declare 3 outputs",
          ["f32[1]"], about="outputs", index=0),
    Wrong("R0414", "normalize", ["u8[4]"], {}, "outputs f32[4] here, but the stage declares u8[4]",
          "declare f32[4]", ["u8[4]"], about="outputs", index=0),
    Wrong("R0412", "text_extractor", ["u8[9]", "u32[2]", "u32[1]"], {}, "rank 1 tensor [1]", "[1]",
          about="inputs", index=1),
    Wrong("R0414", "parse", ["utf8[1]"], {}, "needs the type of its output", "declare",
          about="outputs", index=0),
    Wrong("R0414", "quantize", ["f32[2]"], {"scale": 1}, "cannot output u64[2]", "u8, i8, u16",
          ["u64[2]"], about="outputs", index=0),
    Wrong("R0415", "modulo", ["f32[2, 3]"], {}, "the stage declares f32[3, 2]", "declare f32[2, 3]",
          ["f32[3, 2]"], about="outputs", index=0),
    Wrong("R0415", "most_confident_indices", ["f32[8]"], {"count": 3}, "outputs u32[3]", "u32[3]",
          ["u32[1]"], about="outputs", index=0),
    Wrong("R0416", "modulo", ["f32[1]"], {"modulos": 1}, "no argument 'modulos'", '"modulus"?',
          argument="modulos"),
    Wrong("R0416", "modulo", ["f32[1]"], {"zzz": 1}, "no argument 'zzz'", "it has modulus",
          argument="zzz"),
    Wrong("R0416", "argmax", ["f32[1]"], {"zzz": 1}, "'argmax' has no argument", "remove it",
          argument="zzz"),
    Wrong("R0417", "label", ["u32[1]"], {}, "needs the argument 'wordlist'", "one per line",
          argument="wordlist"),
    Wrong("R0418", "modulo", ["f32[1]"], {"modulus": "many"}, "must be a number", "The divisor",
          argument="modulus"),
    Wrong("R0418", "modulo", ["f32[1]"], {"modulus": 1e39}, "range of f32", "", argument="modulus"),
    Wrong("R0418", "modulo", ["f32[1]"], {"modulus": float("nan")}, "nan", "", argument="modulus"),
    Wrong("R0418", "modulo", ["f32[1]"], {"modulus": ("1", "2")}, "('1', '2')", "",
          argument="modulus"),
    Wrong("R0418", "most_confident_indices", ["f32[4]"], {"count": 1.5}, "integer", "",
          argument="count"),
    Wrong("R0418", "most_confident_indices", ["f32[4]"], {"count": 2**31}, "32 bits", "",
          argument="count"),
    Wrong("R0418", "label", ["u32[1]"], {"labels": 5}, "'labels' must be a text with one word", "",
          argument="labels"),
    Wrong("R0418", "label", ["u32[1]"], {"labels": "\ud800"}, "text", "", argument="labels"),
    Wrong("R0419", "modulo", ["f32[1]"], {"modulus": 0}, "is 0.0 but must be greater than 0",
          "set a number that is greater than 0; 'modulus': ", argument="modulus"),
    Wrong("R0419", "modulo", ["f32[1]"], {"modulus": 1e-50}, "greater than 0", "",
          argument="modulus"),
    Wrong("R0419", "most_confident_indices", ["f32[4]"], {"count": 0}, "at least 1", "",
          argument="count"),
    Wrong("R0419", "most_confident_indices", ["f32[4]"], {"count": 5},
          "'count' is 5 but must be at most 4, the elements of the input",
          "a number that is at least 1 and at most 4; 'count': Number", argument="count"),
    Wrong("R0419", "label", ["u32[1]"], {"labels": "\n \n"}, "number of words", "at least 1",
          argument="labels"),
    Wrong("R0419", "ohv_label", ["f32[4]"], {"labels": "a\nb\nc"},
          "words in 'labels' is 3 but must be at least 4",
          "set at least 4 words, one per line; 'labels': ", argument="labels"),
    Wrong("R0419", "audio_frontend", ["i16[480]"], {"upper-hz": 8000},
          "'upper_hz' is 8000.0 but must be less than half of 'sample_rate', which is 16000",
          "below 8000", ["i8[49, 40]"], argument="upper-hz"),
    Wrong("R0419", "audio_frontend", ["i16[480]"], {"sample_rate": 8000},
          "'upper_hz' is 7500.0", "below 4000", ["i8[49, 40]"], argument="sample_rate"),
    Wrong("R0419", "audio_frontend", ["i16[480]"], {"lower_hz": 5000, "upper_hz": 5000},
          "'lower_hz' is 5000.0 but must be less than 'upper_hz'", "below 5000", ["i8[49, 40]"],
          argument="lower_hz"),
    Wrong("R0420", "label", ["u32[1]"], {"labels": "a", "wordlist": "b"}, "the same argument",
          "remove one", argument="wordlist"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.code}-{wrong.block}")
def test_refuses_a_use_and_says_where_and_why(wrong: Wrong) -> None:
    with pytest.raises(BlockMismatch) as caught:
        resolve(wrong.block, wrong.inputs, wrong.declared, wrong.arguments)
    error = caught.value
    assert (error.code, error.about, error.index, error.argument) == (
        wrong.code,
        wrong.about,
        wrong.index,
        wrong.argument,
    )
    assert wrong.message in error.message
    assert wrong.hint in (error.hint or "")
    assert error.hint


@given(
    name=st.sampled_from(Catalogue.builtin().names()),
    arguments=st.dictionaries(
        st.sampled_from(["modulus", "count", "wordlist", "labels", "fallback"]) | st.text(),
        st.integers() | st.floats() | st.text() | st.lists(st.text()).map(tuple),
        max_size=3,
    ),
)
def test_no_argument_raises_anything_but_a_mismatch(name: str, arguments: dict[str, Any]) -> None:
    with contextlib.suppress(BlockMismatch):
        resolved = find(name).resolve([TensorType.parse("f32[4]")], [], arguments)
        assert set(resolved.arguments) <= {a.name for a in find(name).arguments}
