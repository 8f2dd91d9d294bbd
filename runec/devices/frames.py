"""Frames of the link: `00`, COBS(payload, CRC-32), `00`, with plain text allowed between them.

Follows docs/spec/link.md, section 1. COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte
Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999. CRC-32: zlib's.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from cobs import cobs

MAX_BODY_BYTES = 240
MAX_FRAME_BYTES = 249
_HEADER_BYTES = 2
_CRC_BYTES = 4
_MAX_ENCODED_BYTES = MAX_FRAME_BYTES - 2  # without the zeros around it
_MAX_TEXT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: kind, sequence number, body."""

    kind: int
    seq: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text that stood between two zeros: a log line from before the link is up."""

    text: str


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame, zeros included.

    Raises:
        ValueError: the body is longer than `MAX_BODY_BYTES`.
    """
    if len(frame.body) > MAX_BODY_BYTES:
        raise ValueError(f"a body of {len(frame.body)} bytes; {MAX_BODY_BYTES} fit in a frame")
    payload = bytes((frame.kind, frame.seq)) + frame.body
    checked = payload + zlib.crc32(payload).to_bytes(_CRC_BYTES, "little")
    return b"\x00" + bytes(cobs.encode(checked)) + b"\x00"


def decode_segment(segment: bytes) -> Frame | None:
    """Return the frame between two zeros, or None if the bytes are invalid."""
    if not segment or len(segment) > _MAX_ENCODED_BYTES:
        return None
    try:
        checked = bytes(cobs.decode(segment))
    except cobs.DecodeError:
        return None
    if len(checked) < _HEADER_BYTES + _CRC_BYTES:
        return None
    payload, crc = checked[:-_CRC_BYTES], checked[-_CRC_BYTES:]
    if zlib.crc32(payload) != int.from_bytes(crc, "little"):
        return None
    return Frame(payload[0], payload[1], payload[_HEADER_BYTES:])


# The kind of a frame is not printable, so no broken frame begins with a line.
_LINES = re.compile(rb"[\t\r\n\x20-\x7e]*\n")


def _as_text(segment: bytes) -> Text | None:
    """Return a segment as text, or None when it is a broken frame rather than words.

    Of lines that are followed by noise the lines are returned: the last words of a chip whose boot
    ROM then speaks at another speed.
    """
    try:
        text = segment.decode()
    except UnicodeDecodeError:
        lines = _LINES.match(segment)
        text = "" if lines is None else lines[0].decode()
    if all(char.isprintable() or char in "\t\r\n" for char in text) and text.strip():
        return Text(text)
    return None


class FrameReader:
    """Splits a stream of bytes, in pieces of any size, into frames and text.

    Buffers at most `_MAX_TEXT_BYTES` bytes.
    """

    def __init__(self) -> None:
        self._segment = bytearray()

    def feed(self, data: bytes) -> list[Frame | Text]:
        """Take the next bytes and return what they complete, in order."""
        found: list[Frame | Text] = []
        parts = data.split(b"\x00")
        for number, part in enumerate(parts):
            if number > 0:
                self._close(found)
            # Cut where the limit is, not where a piece ends, so that pieces make no difference.
            at = 0
            while len(self._segment) + len(part) - at > _MAX_TEXT_BYTES:
                room = _MAX_TEXT_BYTES - len(self._segment)
                self._segment += part[at : at + room]
                at += room
                self._close(found)
            self._segment += part[at:]
        return found

    def flush(self) -> list[Frame | Text]:
        """Return the bytes so far as text if nothing follows."""
        found: list[Frame | Text] = []
        self._close(found)
        return found

    def take_text(self) -> list[Text]:
        """Return the words so far when nothing follows them; the beginning of a frame stays."""
        text = _as_text(bytes(self._segment))
        if text is None:
            return []
        self._segment.clear()
        return [text]

    def _close(self, found: list[Frame | Text]) -> None:
        segment = bytes(self._segment)
        self._segment.clear()
        item = decode_segment(segment) or _as_text(segment)
        if item is not None:
            found.append(item)
