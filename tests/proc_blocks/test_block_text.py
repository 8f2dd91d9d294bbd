"""utf8_decode, text_extractor: bytes and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import CompiledBlock, Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=150)


def test_utf8_decode_gives_the_originals_vector(use: Use) -> None:
    text = "Hi, use me to convert your u8 bytes to utf8."
    assert use("utf8_decode", f"u8[{len(text)}]").words(text.encode()) == [text]


def test_utf8_decode_stops_at_the_first_nul(use: Use) -> None:
    assert use("utf8_decode", "u8[8]").words(b"ab\0\xff\0xyz") == ["ab"]
    assert use("utf8_decode", "u8[8]").words(bytes(8)) == [""]


WELL_FORMED = [b"a", b"\xc2\x80", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xf0\x90\x80\x80"]
NEARLY = [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]
CUT_OFF = [b"\x80", b"\xff", b"\xf5", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"]
PIECES = st.sampled_from(WELL_FORMED + NEARLY + CUT_OFF)


@BRIEFLY
@given(raw=st.binary(min_size=16, max_size=16) | st.lists(PIECES, max_size=16).map(b"".join))
def test_utf8_decode_takes_what_python_takes_and_says_where_it_stops(use: Use, raw: bytes) -> None:
    data = raw[:16].ljust(16, b"\0")
    text = data.split(b"\0")[0]
    block = use("utf8_decode", "u8[16]")
    wrong_from = None
    try:
        wanted = text.decode()
    except UnicodeDecodeError as error:
        wrong_from = error.start
    if wrong_from is None:
        assert block.words(data) == [wanted]
    else:
        done = block.run(data)
        assert done.status == block.number
        assert done.messages == [f"the block: the bytes are not UTF-8 from byte {wrong_from} on"]


def extract(block: CompiledBlock, words: bytes, start: int, end: int) -> str | list[str]:
    size = block.types[0].size_bytes
    done = block.run(words.ljust(size, b"\0"), np.uint32(start).tobytes(), np.uint32(end).tobytes())
    if done.status != 0:
        return done.messages
    length = int.from_bytes(done.outputs[0][:4], "little")
    assert len(done.outputs[0]) == 4 + length
    return done.outputs[0][4:].decode()


def test_text_extractor_gives_the_originals_vector(use: Use) -> None:
    block = use("text_extractor", "u8[48]", "u32[1]", "u32[1]")
    words = b"[UNK]\n[UNK]\nuna\n##ffa\n##ble\nworld\n!"
    assert extract(block, words, 2, 4) == "unaffable"
    assert extract(block, words, 2, 5) == "unaffable world"
    assert extract(block, words, 3, 3) == "ffa"


@pytest.mark.parametrize(("start", "end"), [(3, 2), (0, 3), (4_000_000_000, 4_000_000_000)])
def test_text_extractor_refuses_indices_without_words(use: Use, start: int, end: int) -> None:
    block = use("text_extractor", "u8[48]", "u32[1]", "u32[1]")
    messages = extract(block, b"a\nb\nc", start, end)
    assert isinstance(messages, list)
    assert "indices" in messages[0]


def test_text_extractor_refuses_words_that_are_not_utf8(use: Use) -> None:
    block = use("text_extractor", "u8[48]", "u32[1]", "u32[1]")
    assert extract(block, b"a\n\xff", 0, 0) == ["the block: the words are not UTF-8"]


@BRIEFLY
@given(data=st.data())
def test_text_extractor_joins_pieces(use: Use, data: st.DataObject) -> None:
    piece = st.sampled_from(["a", "##b", "größe", "", "##", "#", "x y"])
    pieces = data.draw(st.lists(piece, min_size=1, max_size=6))
    # An empty last line is not a line, as everywhere else.
    lines = "\n".join([*pieces, "end"])
    start = data.draw(st.integers(0, len(pieces)))
    end = data.draw(st.integers(start, len(pieces)))
    wanted = ""
    for index, word in enumerate([*pieces, "end"][start : end + 1]):
        glued = word.startswith("##")
        wanted += word[2:] if glued else f" {word}" if index else word
    block = use("text_extractor", "u8[64]", "u32[1]", "u32[1]")
    assert extract(block, lines.encode(), start, end) == wanted
