"""Values as C: exact, and nothing breaks out of a literal or a comment."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.codegen.csyntax import c_comment, c_float, c_identifier, c_int, c_string


@given(st.binary())
def test_a_string_literal_holds_exactly_the_bytes(data: bytes) -> None:
    literal = c_string(data)
    assert literal.startswith('"')
    assert literal.endswith('"')
    pieces = re.findall(r"\\([0-7]{3})|([^\\\"?])", literal[1:-1])
    assert b"".join(bytes([int(o, 8)]) if o else c.encode() for o, c in pieces) == data
    assert sum(4 if o else 1 for o, _ in pieces) == len(literal) - 2


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_literal_reads_back_to_the_same_bits(value: float) -> None:
    text = c_float(value).strip("()").removesuffix("f")
    assert struct.pack("<f", float.fromhex(text)) == struct.pack("<f", value)


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_int_literal_is_an_int(value: int) -> None:
    numbers = [int(n) for n in re.findall(r"\d+", c_int(value))]
    assert all(number <= 2**31 - 1 for number in numbers)
    assert eval(c_int(value)) == value  # noqa: S307 - C's arithmetic is Python's here


@given(st.text() | st.sampled_from(["*/", "/*", "a\\", "??/", "/**/", "*//*", "\x00", "x\r\ny"]))
def test_nothing_ends_a_comment_early(text: str) -> None:
    for line in c_comment(text):
        assert not re.search(r"\*/|/\*|\n|\r|\?\?/|\\$", line)


@pytest.mark.parametrize(
    ("name", "wanted"), [("mod-360", "mod_360"), ("größe", "gr__e"), ("a.b c", "a_b_c")]
)
def test_an_identifier_reminds_of_the_name(name: str, wanted: str) -> None:
    assert c_identifier(name) == wanted
