"""SHA-256, CRC-32 and frames against hashlib, zlib and the cobs package."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

from cobs import cobs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

LENGTHS = [*range(1, 140), 255, 256, 1000, 4096, 65536 + 3]


def samples() -> list[bytes]:
    chance = made.dice(7)
    return [chance.randbytes(length) for length in LENGTHS] + [bytes(500), b"\xff" * 500]


def test_sha256_is_that_of_hashlib(probe: Probe) -> None:
    data = [b"", *samples()]
    assert probe("sha256", data) == [hashlib.sha256(item).hexdigest() for item in data]


def test_crc32_is_that_of_zlib_in_pieces_too(probe: Probe) -> None:
    data = [b"", *samples()]
    assert probe("crc32", data) == [str(zlib.crc32(item)) for item in data]


def bodies() -> list[bytes]:
    chance = made.dice(8)
    out = [chance.randbytes(length) for length in range(241)]
    out += [bytes(length) for length in (1, 2, 239, 240)] + [b"\x01" * 240]
    return out


def test_frames_are_cobs_with_a_crc(probe: Probe) -> None:
    inputs = [
        bytes((number % 256, 255 - number % 7)) + body for number, body in enumerate(bodies())
    ]
    expected = [made.frame(item[0], item[1], item[2:]) for item in inputs]
    assert max(map(len, expected)) == 249
    assert probe("frame", inputs) == [item.hex() for item in expected]


def test_good_frames_are_read_back(probe: Probe) -> None:
    frames = [made.frame(3, 200, body)[1:-1] for body in bodies()]
    expected = [(b"\x03\xc8" + body).hex() for body in bodies()]
    assert probe("unframe", frames) == expected


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=260), min_size=50, max_size=200))
def test_whatever_is_read_as_a_frame_is_one(probe: Probe, data: list[bytes]) -> None:
    for item, line in zip(data, probe("unframe", data), strict=True):
        try:
            decoded = cobs.decode(item)
        except cobs.DecodeError:
            decoded = b""
        good = len(decoded) >= 6 and zlib.crc32(decoded[:-4]).to_bytes(4, "little") == decoded[-4:]
        assert line == (decoded[:-4].hex() if good else "none")


def test_every_flipped_bit_of_a_frame_is_noticed(probe: Probe) -> None:
    good = made.frame(0x83, 17, bytes(range(100)))[1:-1]
    flipped = []
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(changed))
    assert set(probe("unframe", flipped)) == {"none"}
