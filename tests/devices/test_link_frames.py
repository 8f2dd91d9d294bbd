from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.devices.frames import (
    MAX_BODY_BYTES,
    MAX_FRAME_BYTES,
    Frame,
    FrameReader,
    Text,
    encode_frame,
)

VECTORS = tomllib.loads((Path(__file__).parent / "vectors" / "frames.toml").read_text())["frame"]


def read_all(data: bytes) -> list[Frame | Text]:
    reader = FrameReader()
    return reader.feed(data) + reader.flush()


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_vector_is_written_and_read(vector: dict[str, str]) -> None:
    frame = Frame(int(vector["kind"]), int(vector["seq"]), bytes.fromhex(vector["body"]))
    wire = bytes.fromhex(vector["wire"])
    assert encode_frame(frame) == wire
    assert read_all(wire) == [frame]


@given(body=st.binary(max_size=MAX_BODY_BYTES), kind=st.integers(0, 255), seq=st.integers(0, 255))
def test_every_body_fits_and_comes_back(body: bytes, kind: int, seq: int) -> None:
    frame = Frame(kind, seq, body)
    wire = encode_frame(frame)
    assert len(wire) <= MAX_FRAME_BYTES
    assert 0 not in wire[1:-1]
    assert read_all(wire) == [frame]


def test_a_body_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="241 bytes"):
        encode_frame(Frame(3, 0, bytes(241)))


@given(data=st.data(), cut=st.lists(st.integers(0, 60), max_size=8))
def test_pieces_of_any_size_give_the_same(data: st.DataObject, cut: list[int]) -> None:
    bodies = data.draw(st.lists(st.binary(max_size=20), min_size=1, max_size=3))
    frames = [Frame(0x83, seq, body) for seq, body in enumerate(bodies)]
    wire = b"".join(encode_frame(frame) for frame in frames)
    reader = FrameReader()
    found: list[Frame | Text] = []
    edges = [0, *sorted(min(edge, len(wire)) for edge in cut), len(wire)]
    for start, end in itertools.pairwise(edges):
        found += reader.feed(wire[start:end])
    assert found == frames


def test_two_frames_may_share_a_zero() -> None:
    wire = encode_frame(Frame(1, 1)) + encode_frame(Frame(2, 2))[1:]
    assert read_all(wire) == [Frame(1, 1), Frame(2, 2)]


def test_text_between_frames_is_given_as_text() -> None:
    wire = b"boot: 168 MHz\r\n" + encode_frame(Frame(1, 1)) + b"bye\n"
    assert read_all(wire) == [Text("boot: 168 MHz\r\n"), Frame(1, 1), Text("bye\n")]


@given(position=st.integers(1, 30), flip=st.integers(1, 255))
def test_a_frame_with_a_flipped_byte_is_never_taken(position: int, flip: int) -> None:
    frame = Frame(0x83, 7, b"\x00\x00\x00\x00the result, in words")
    wire = bytearray(encode_frame(frame))
    wire[position] ^= flip
    assert not [item for item in read_all(bytes(wire)) if isinstance(item, Frame)]


@given(st.binary(max_size=600))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    for item in read_all(data):
        assert isinstance(item, Frame | Text)


def test_endless_text_is_not_kept() -> None:
    reader = FrameReader()
    found = [item for _ in range(100) for item in reader.feed(b"x" * 1000)]
    assert sum(len(item.text) for item in found if isinstance(item, Text)) >= 95_000
    assert len(reader._segment) <= 4096


def test_the_tests_own_device_spells_frames_as_the_vectors_do(
    make_frame: Callable[..., bytes],
) -> None:
    for vector in VECTORS:
        wire = make_frame(int(vector["kind"]), int(vector["seq"]), bytes.fromhex(vector["body"]))
        assert wire == bytes.fromhex(vector["wire"])


@pytest.mark.parametrize("pieces", [1, 7, 4095, 4096, 4097])
def test_text_longer_than_the_reader_holds_is_cut_at_the_same_place_however_it_comes(
    pieces: int,
) -> None:
    data = b"x" * 10000 + b"\0" + encode_frame(Frame(1, 2, b"body"))
    reader = FrameReader()
    found = [
        item for at in range(0, len(data), pieces) for item in reader.feed(data[at : at + pieces])
    ]
    lengths = [len(item.text) for item in found if isinstance(item, Text)]
    assert lengths == [4096, 4096, 1808]
    assert found[-1] == Frame(1, 2, b"body")
    assert reader.flush() == []


def test_lines_before_the_noise_of_another_speed_are_words() -> None:
    reader = FrameReader()
    words = b"\r\nrunec: fault, restarting\r\n"
    noise = b"\xe0\x1c\x9f#\xfc\n\x80"
    assert reader.feed(words + noise + b"\0") == [Text(words.decode())]
    assert reader.feed(noise + words + b"\0") == []
    assert reader.feed(b"\n" + noise + b"\0") == []
