"""Validation of results of devices."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.container import Graph, GraphOutput
from runec.pipeline import OutputKind, Pin, TensorType
from runec.vm.device_output import (
    CutShortError,
    MixedTextError,
    OtherFormError,
    OtherRuneError,
    ResultError,
    check_result,
)


def graph(*outputs: GraphOutput, tensors: str = "i32[2] utf8[1] f32[1]") -> Graph:
    """Return as much of a graph as is looked at."""
    kinds = tuple(map(TensorType.parse, tensors.split()))
    named = {str(output.id): output for output in outputs}
    return cast("Graph", SimpleNamespace(outputs=named, tensors=kinds))


NUMBERS = graph(GraphOutput(2, OutputKind.SERIAL, (0,)))
SEVERAL = graph(
    GraphOutput(3, OutputKind.SERIAL, (1, 2)),
    GraphOutput(5, OutputKind.PIN, (2,), pin=Pin("LED", active_low=False)),
)
BINARY = graph(GraphOutput(2, OutputKind.TENSOR, (0, 2)))
LINE = b'{"2":[{"element-type":"i32","dimensions":[2],"elements":[1,2]}]}\n'
BOTH = (
    b'{"3":[{"element_type":"utf8","dimensions":[1],"elements":["{\\"}"]},'
    b'{"element-type":"f32","dimensions":[1],"elements":[null]}],"5":{"pin":"LED","level":1}}\n'
)


def tensor(kind: str, data: bytes) -> bytes:
    return struct.pack("<I", len(kind)) + kind.encode() + data


TENSORS = tensor("i32[2]", bytes(8)) + tensor("f32[1]", bytes(4))


@pytest.mark.parametrize(
    ("result", "rune"),
    [(LINE, NUMBERS), (BOTH, SEVERAL), (TENSORS, BINARY), (b"{}\n", graph()), (LINE, None)],
)
def test_the_output_of_a_rune(result: bytes, rune: Graph | None) -> None:
    check_result(result, rune)
    check_result(result)


WRONG: list[tuple[bytes, Graph, type[ResultError], str]] = [
    (TENSORS, NUMBERS, OtherFormError, "binary tensors (i32[2], f32[1]), where JSON is expected"),
    (b"\x00\x01\xff", NUMBERS, OtherFormError, "3 bytes of binary data, where JSON is expected"),
    (LINE, BINARY, OtherFormError, "JSON, where binary tensors are expected"),
    (b"hello\n", BINARY, ResultError, "text, where binary tensors are expected"),
    (TENSORS[:-1], BINARY, CutShortError, "31 bytes that are not binary tensors, or end within"),
    (b"", NUMBERS, CutShortError, "nothing, where JSON is expected"),
    (b"\n", NUMBERS, CutShortError, "nothing, where JSON is expected"),
    (LINE[:-1], NUMBERS, CutShortError, "JSON that is not one line ended by a newline"),
    (LINE[:20], NUMBERS, CutShortError, "JSON that ends after 20 bytes"),
    (LINE[:-3] + b"\n", NUMBERS, CutShortError, "JSON that ends after 63 bytes"),
    (b'{"2":["a}\n', NUMBERS, CutShortError, "JSON that ends after 10 bytes"),
    (b"boot ok\n" + LINE, NUMBERS, MixedTextError, "JSON with other text: 7 bytes before it"),
    (LINE + b"done\n", NUMBERS, MixedTextError, "JSON with other text: 4 bytes behind it"),
    (b"a" + LINE + b"bc", NUMBERS, MixedTextError, "1 bytes before it and 2 bytes behind it"),
    (LINE + LINE, NUMBERS, MixedTextError, "JSON with other text: 64 bytes behind it"),
    (LINE[:-1] + b"\r\n", NUMBERS, MixedTextError, "a line of JSON with a carriage return"),
    (b'{"\xff":1}\n', NUMBERS, MixedTextError, "JSON with bytes that are not text"),
    (b"hello world\n", NUMBERS, ResultError, "text that is not JSON"),
    (b"[1]\n", NUMBERS, ResultError, "JSON that is not an object"),
    (b'{"2":[NaN]}\n', NUMBERS, ResultError, "text that is not JSON"),
    (b'{"2":' + b"[" * 100_000 + b"}\n", NUMBERS, CutShortError, "JSON that ends after"),
    (b'{"x":[]}\n', NUMBERS, ResultError, "JSON with a member that is not the number of an output"),
    (b'{"2":1}\n', NUMBERS, ResultError, "JSON whose output 2 is neither tensors nor a pin"),
    (LINE.replace(b'"2"', b'"9"'), NUMBERS, OtherRuneError, "the output 9, which the rune does no"),
    (b"{}\n", NUMBERS, OtherRuneError, "no output 2, which the rune has"),
    (b'{"2":[]}\n', NUMBERS, OtherRuneError, "nothing for the output 2, where the rune has i32[2]"),
    (
        LINE.replace(b"i32", b"u16"),
        NUMBERS,
        OtherRuneError,
        "u16[2] for the output 2, where the rune has i32[2]",
    ),
    (
        LINE.replace(b"[2]", b"[1]").replace(b"[1,2]", b"[1]"),
        NUMBERS,
        OtherRuneError,
        "i32[1] for the output 2, where the rune has i32[2]",
    ),
    (
        b'{"2":{"pin":"LED","level":1}}\n',
        NUMBERS,
        OtherRuneError,
        "a pin for the output 2, where the rune has tensors",
    ),
    (
        BOTH.replace(b'{"pin":"LED","level":1}', b"[]"),
        SEVERAL,
        OtherRuneError,
        "tensors for the output 5, where the rune has a pin",
    ),
    (
        TENSORS[:18],
        BINARY,
        OtherRuneError,
        "i32[2], where the rune has i32[2], f32[1]",
    ),
    (
        tensor("u8[0]", b"") * 100_000,
        BINARY,
        OtherRuneError,
        "u8[0], u8[0], u8[0], u8[0] and 99996 more, where the rune has i32[2], f32[1]",
    ),
]


@pytest.mark.parametrize(("result", "rune", "kind", "fact"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(
    result: bytes, rune: Graph, kind: type[ResultError], fact: str
) -> None:
    with pytest.raises(ResultError) as caught:
        check_result(result, rune)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(fact) or str(caught.value).endswith(fact)
    assert "runec flash X.rune --board B" in caught.value.hint


def test_each_cause_has_a_hint_of_its_own() -> None:
    kinds: list[type[ResultError]] = [ResultError, *ResultError.__subclasses__()]
    assert len({kind.hint for kind in kinds}) == len(kinds) == 5


@given(at=st.integers(0, len(BOTH) - 1))
def test_every_beginning_of_a_result_is_cut_short(at: int) -> None:
    with pytest.raises(CutShortError):
        check_result(BOTH[:at], SEVERAL)


def reported(result: bytes, rune: Graph | None) -> str:
    """What is reported of a result, nothing where it is accepted."""
    try:
        check_result(result, rune)
    except ResultError as error:
        return str(error)
    return ""


@given(result=st.binary(max_size=60), is_known=st.booleans())
def test_any_bytes_are_accepted_or_named_without_their_words(result: bytes, is_known: bool) -> None:
    fact = reported(result, NUMBERS if is_known else None)
    assert fact.isascii()
    assert not fact or fact.isprintable()


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["2", "3", "pin"]), inner),
        max_leaves=8,
    )
)
def test_any_json_is_accepted_or_named(value: Any) -> None:
    for rune in (NUMBERS, SEVERAL, BINARY, None):
        assert reported(json.dumps(value).encode() + b"\n", rune).isascii()
