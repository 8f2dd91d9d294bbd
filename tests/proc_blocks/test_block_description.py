"""A mistake in a block.toml is reported with its line, its column and what to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.diagnostics import UserFileError
from runec.pipeline import TensorType
from runec.proc_blocks import BlockMismatch, load_block

GOOD = """\
description = "A block."
stack_bytes = 0 # bytes
in_place = false

[[arguments]]
name = "gain"
type = "int"
default = 1
description = "A number."

[[inputs]]
elements = ["f32"]

[[outputs]]
element = "input"
shape = ["gain"]
"""


def write(folder: Path, text: str | bytes) -> Path:
    folder = folder / "mine"
    folder.mkdir()
    (folder / "block.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


@pytest.mark.parametrize(
    ("wrong", "place", "part", "hint"),
    [
        (
            ("stack_bytes", "stack_byte"),
            (2, 1),
            "unknown key 'stack_byte'",
            'did you mean "stack_bytes',
        ),
        (("default", "defualt"), (8, 1), "unknown key 'defualt'", 'did you mean "default"?'),
        (("elements =", "element ="), (12, 1), "unknown key 'element'", 'did you mean "elements"?'),
        (("[[outputs]]", "[[output]]"), (14, 3), "unknown key 'output'", 'did you mean "outputs"?'),
        (
            ("in_place = false", "zzz = 1"),
            (3, 1),
            "unknown key 'zzz'",
            "the keys are description, ",
        ),
        (("in_place = false", ""), (1, 1), "missing key 'in_place'", "add in_place"),
        (('type = "int"', ""), (5, 3), "missing key 'type'", "add type"),
        (("= 0", '= "0"'), (2, 1), "expected `int`, got `str`", ""),
        (('["f32"]', '"f32"'), (12, 1), "expected `array`, got `str`", ""),
        (('["f32"]', "[32]"), (12, 13), "expected `str`, got `int`", ""),
        (('"int"', '"number"'), (7, 1), "invalid value 'number'", ""),
        (('["f32"]', '["f32"'), (14, 1), "it is not TOML", ""),
        (("default = 1", "default = "), (8, 11), "it is not TOML: Invalid value", ""),
        (("= 0", "= 65537"), (2, 1), "larger than 65536", ""),
        (("= 0", "= -1"), (2, 1), "negative", ""),
        (('"gain"\n', '"Gain"\n'), (6, 1), "made of a-z", ""),
        (('name = "gain"', 'name = "gain"\naliases = ["a b"]'), (7, 1), "an alias", ""),
        (("default = 1", 'default = "x"'), (8, 1), "not of the type int", ""),
        (("default = 1", "default = 1\nrequired = true"), (9, 1), "required and has", ""),
        (("default = 1", "at_most_elements_of = 1"), (8, 1), "number of an input", ""),
        (("default = 1", "at_least = nan"), (8, 1), "at_least is not a finite number", ""),
        (("default = 1", "at_most = inf"), (8, 1), "at_most is not a finite number", ""),
        (("default = 1", 'below = "gian"'), (8, 1), "below compares numbers: 'gian'", ""),
        (('["f32"]', '["utf8"]'), (15, 1), "from a utf8 input", ""),
        (('["f32"]', '["f32"]\ndimensions = [0]'), (13, 1), "not from 1 to", ""),
        (('["gain"]', "[0]"), (16, 1), "not from 1 to", ""),
        (('["gain"]', '["gian"]'), (16, 1), "'gian'", ""),
        (('"input"', '"f31"'), (15, 1), "f31", ""),
    ],
)
def test_a_mistake_has_its_place(
    tmp_path: Path, wrong: tuple[str, str], place: tuple[int, int], part: str, hint: str
) -> None:
    folder = write(tmp_path, GOOD.replace(*wrong, 1))
    with pytest.raises(UserFileError) as caught:
        load_block(folder)
    error = caught.value
    assert error.code == "R0430"
    assert part in error.message
    assert error.span is not None
    assert (error.span.line, error.span.column) == place
    assert error.span.source.path == str(folder / "block.toml")
    assert hint in str(error.hint)


def test_what_is_marked_is_the_line_without_its_comment(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        load_block(write(tmp_path, GOOD.replace("= 0", "= 0.5")))
    assert caught.value.span is not None
    assert caught.value.span.text == "stack_bytes = 0.5"


@pytest.mark.parametrize("text", [b"\xff", b"a = " + b"[" * 60_000, b"[" * 60_000, b"#" * 65_537])
def test_what_is_no_description_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(UserFileError) as caught:
        load_block(write(tmp_path, text))
    assert caught.value.code in {"R0430", "R1003"}
    assert caught.value.hint


@pytest.mark.parametrize(("gain", "code"), [(0, "R0419"), (-3, "R0419"), (1, None)])
def test_an_argument_that_is_a_length_is_at_least_1(
    tmp_path: Path, gain: int, code: str | None
) -> None:
    block = load_block(write(tmp_path, GOOD))
    given = [TensorType.parse("f32[2]")]
    if code is None:
        assert block.resolve(given, [], {"gain": gain}).outputs[0].type.dimensions == (gain,)
        return
    with pytest.raises(BlockMismatch) as caught:
        block.resolve(given, [], {"gain": gain})
    assert caught.value.code == code


def test_a_length_without_a_value_is_asked_for(tmp_path: Path) -> None:
    block = load_block(write(tmp_path, GOOD.replace("default = 1\n", "")))
    with pytest.raises(BlockMismatch) as caught:
        block.resolve([TensorType.parse("f32[2]")], [], {})
    assert caught.value.code == "R0417"


def test_an_output_has_no_more_dimensions_than_a_tensor_can(tmp_path: Path) -> None:
    block = load_block(write(tmp_path, GOOD.replace('["gain"]', '["in0", "in0"]')))
    with pytest.raises(BlockMismatch) as caught:
        block.resolve([TensorType.parse("f32[1, 1, 1, 1, 1]")], [], {})
    assert caught.value.code == "R0415"
