"""Sounds: converts a WAV file to mono samples of 16 bits at the requested rate.

The reader is our own: the encodings of a WAV are a few lines of NumPy each, Python's `wave` knows
no floats, and libsndfile (4 MB with its Python part) is C that would get the user's bytes first,
where this reports what is odd about a file.

The rules, in this order:

1. samples become numbers of 16-bit scale: 8 bits (v - 128) * 256, 24 bits v / 256, 32 bits
   v / 65536, floats v * 32768; mu-law and A-law by the tables of ITU-T G.711
2. channels are averaged
3. another rate is resampled by soxr at its highest quality (band-limited, linear phase, double
   precision)
4. rounded to the nearest whole number, of two as near the even one, and held to -32768..32767

So a mono file of 16 bits at the wanted rate passes bit by bit.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runec.diagnostics import Diagnostic
from runec.files import read_file
from runec.vm.errors import bad_sound, cut_sound, odd_sound, too_few_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ_MIN = 1_000
RATE_HZ_MAX = 768_000
_CHANNELS_MAX = 256
_CHUNKS_MAX = 1_000
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# The rest of a sub-format's GUID, which starts with the tag of the plain format.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_SIZE = 0xFFFF_FFFF  # what programs write that stream into a pipe
# Chunks that programs write behind the samples.
_AFTER = re.compile(
    rb"LIST|id3 |ID3 |bext|iXML|axml|chna|cue |plst|smpl|inst|acid|fact|PEAK|_PMX|JUNK|junk|PAD "
    rb"|FLLR|DISP|strc|afsp|levl|cart|note|labl|ltxt|SAUR|LGWV|umid|minf|elm1|regn"
)
_PCM_ENCODINGS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32)}
_ENCODINGS = _PCM_ENCODINGS | {(_FLOAT, 32), (_FLOAT, 64), (_A_LAW, 8), (_MU_LAW, 8)}
_ENCODING_NAMES = {
    0x02: "Microsoft ADPCM",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
    0x50: "MPEG",
    0x55: "MP3",
    0xFF: "AAC",
    0x161: "Windows Media Audio",
    0x2000: "AC-3",
    0xF1AC: "FLAC",
}
# How other files of sounds start.
_OTHER_KINDS = (
    (b"fLaC", "a FLAC file"),
    (b"OggS", "an Ogg file"),
    (b"ID3", "an MP3 file"),
    (b"\xff\xfb", "an MP3 file"),
    (b"FORM", "an AIFF file"),
    (b"caff", "a CAF file"),
    (b".snd", "an AU file"),
    (b"riff", "a Wave64 file"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM file"),
)


@dataclass(frozen=True, slots=True)
class Wave:
    """A WAV file: whole frames of interleaved samples, as they stand in the file."""

    tag: int
    channels: int
    rate_hz: int
    bits: int
    data: bytes

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8

    @property
    def frames(self) -> int:
        """How many samples each channel has."""
        return len(self.data) // self.frame_bytes


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A part of a RIFF file: its content, and how long the header says that it is.

    `next_name` is that of the part after samples whose end the header does not state.
    """

    name: bytes
    content: bytes
    stated_bytes: int
    next_name: str = ""

    @property
    def is_cut(self) -> bool:
        return len(self.content) < self.stated_bytes


def _byte_order(path: Path, data: bytes) -> Literal["little", "big"]:
    """Return the byte order of a RIFF, RF64, BW64 or RIFX file."""
    if len(data) >= 12 and data[8:12] == b"WAVE":
        if data[:4] in (b"RIFF", b"RF64", b"BW64"):
            return "little"
        if data[:4] == b"RIFX":
            return "big"
    kind = next((name for start, name in _OTHER_KINDS if data.startswith(start)), "")
    if data[4:8] == b"ftyp":
        kind = "an MP4 file"
    raise bad_sound(path, f"it is {kind}, not a WAV file" if kind else "it is not a WAV file")


def _chunks(path: Path, data: bytes, order: Literal["little", "big"]) -> Iterator[_Chunk]:
    """Yield the chunks of a RIFF file; what the file does not have of the last one is left out."""
    at = 12
    long_size = None  # of RF64, where a size does not fit 32 bits
    for _ in range(_CHUNKS_MAX):
        if len(data) - at < 8:
            return
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], order)
        at += 8
        if name == b"ds64" and size >= 16:
            long_size = int.from_bytes(data[at + 8 : at + 16], order)
        if name == b"data":
            is_unknown = size == _UNKNOWN_SIZE and long_size is None
            if size == _UNKNOWN_SIZE and long_size is not None:
                size = long_size
            # Its writer did not come back to fill the size in.
            is_open = is_unknown or (size == 0 and not _is_chain(data, at, order))
            if is_open or size > len(data) - at:
                end = _end_of_samples(data, at, order)
                if is_unknown and end == len(data):
                    size = end - at
                after = data[end : end + 4].decode("ascii").strip()
                yield _Chunk(name, data[at:end], size, after)
                return
        yield _Chunk(name, data[at : at + size], size)
        at = _next_chunk(data, at + size, size)
    raise bad_sound(path, f"it has more than {_CHUNKS_MAX} parts")


def _next_chunk(data: bytes, end: int, size: int) -> int:
    """Return where the next chunk starts: a byte later after an odd size, but not all writers."""
    if size % 2 and not _is_name(data[end + 1 : end + 5]) and _is_name(data[end : end + 4]):
        return end
    return end + size % 2


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _is_chain(data: bytes, at: int, order: Literal["little", "big"]) -> bool:
    """Return whether nothing but whole chunks follow."""
    while len(data) - at >= 8:
        size = int.from_bytes(data[at + 4 : at + 8], order)
        if not _is_name(data[at : at + 4]) or size > len(data) - at - 8:
            return False
        at = _next_chunk(data, at + 8 + size, size)
    return at >= len(data)


def _end_of_samples(data: bytes, at: int, order: Literal["little", "big"]) -> int:
    """Return where samples of unknown length end: at known chunks up to the exact end of the file.

    Without any it is the end of the file.
    """
    failed = bytearray(len(data))
    for match in _AFTER.finditer(data, at):
        place = match.start()
        while len(data) - place >= 8 and not failed[place] and _AFTER.match(data, place):
            failed[place] = True
            size = int.from_bytes(data[place + 4 : place + 8], order)
            if place + 8 + size > len(data):
                break
            place = _next_chunk(data, place + 8 + size, size)
        if place >= len(data):
            return match.start()
    return len(data)


def _format(
    path: Path, content: bytes, order: Literal["little", "big"]
) -> tuple[int, int, int, int]:
    """Return tag, channels, rate [Hz] and bits."""
    if len(content) < 16:
        raise bad_sound(path, "its format is truncated")
    sign = "<" if order == "little" else ">"
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from(f"{sign}HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) >= 40 and content[26:40] == _GUID_TAIL:
        tag = int.from_bytes(content[24:26], "little")
    if (tag, bits) not in _ENCODINGS:
        name = f" ({_ENCODING_NAMES[tag]})" if tag in _ENCODING_NAMES else ""
        raise bad_sound(path, f"encoding {tag}{name}, {bits} bits, is not supported")
    if not 1 <= channels <= _CHANNELS_MAX or frame_bytes != channels * bits // 8:
        raise bad_sound(path, f"it has {channels} channels in {frame_bytes} bytes")
    if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
        raise bad_sound(path, f"it has {rate_hz} samples a second")
    return tag, channels, rate_hz, bits


def read_wave(path: Path, warn: Callable[[Diagnostic], None]) -> Wave:
    """Read a WAV file: RIFF, RF64, or RIFX, whose bytes are put in little-endian order.

    `warn` takes R0748: the file has another number of bytes than its header states, or ends within
    a sample. The whole samples that are there are used.

    Raises:
        UserFileError: R0719, it is not a WAV file, damaged, or not encoded as PCM of 8, 16, 24
            or 32 bits, floats of 32 or 64, mu-law and A-law; R1003, no readable file.
    """
    form: tuple[int, int, int, int] | None = None
    data = read_file(path, "the sound")
    order = _byte_order(path, data)
    for chunk in _chunks(path, data, order):
        if chunk.name == b"data":
            if form is None:
                raise bad_sound(path, "its samples precede their format")
            return _whole(path, Wave(*form, chunk.content), chunk, order, warn)
        if chunk.is_cut:
            missing = chunk.stated_bytes - len(chunk.content)
            raise bad_sound(path, f"it ends {missing} bytes early, before its samples")
        if chunk.name == b"fmt ":
            form = _format(path, chunk.content, order)
    raise bad_sound(path, "it has no samples")


def _whole(
    path: Path,
    wave: Wave,
    chunk: _Chunk,
    order: Literal["little", "big"],
    warn: Callable[[Diagnostic], None],
) -> Wave:
    """Return a sound with whole frames, in little-endian order."""
    data = wave.data[: wave.frames * wave.frame_bytes]
    if len(wave.data) != chunk.stated_bytes:
        warn(odd_sound(path, chunk.stated_bytes, len(wave.data), wave.frames, chunk.next_name))
    elif len(data) != len(wave.data):
        warn(cut_sound(path, len(wave.data) - len(data), wave.frames))
    if order == "big" and wave.bits > 8:
        import numpy as np  # noqa: PLC0415 - most runes need none

        data = np.frombuffer(data, np.uint8).reshape(-1, wave.bits // 8)[:, ::-1].tobytes()
    return replace(wave, data=data)


def _law_table(tag: int) -> NDArray[np.float64]:
    """Return what each byte of mu-law or A-law means at 16-bit scale (ITU-T G.711)."""
    import numpy as np  # noqa: PLC0415 - most runes need none

    code = np.arange(256) ^ (0xFF if tag == _MU_LAW else 0x55)
    segment, step = code >> 4 & 7, code & 0xF
    if tag == _MU_LAW:
        size, is_negative = ((step * 8 + 0x84) << segment) - 0x84, code >= 0x80
    else:
        size = (step * 16 + np.where(segment > 0, 0x108, 8)) << np.maximum(segment - 1, 0)
        is_negative = code < 0x80
    table: NDArray[np.float64] = np.where(is_negative, -size, size).astype(np.float64)
    return table


def _mono(path: Path, wave: Wave, frames: int) -> NDArray[np.float64]:
    """Return the first frames as one channel of 16-bit scale."""
    import numpy as np  # noqa: PLC0415 - most runes need none

    data = wave.data[: frames * wave.frame_bytes]
    if wave.tag == _FLOAT:
        values = np.frombuffer(data, f"<f{wave.bits // 8}").astype(np.float64) * 32768.0
        if not np.isfinite(values).all():
            raise bad_sound(path, "one of its samples is not a number")
        # Sums of the largest doubles would be infinite; what is held to 16 bits later may be now.
        values = np.clip(values, -(2.0**40), 2.0**40)
    elif wave.tag in (_MU_LAW, _A_LAW):
        values = _law_table(wave.tag)[np.frombuffer(data, np.uint8)]
    elif wave.bits == 8:
        values = (np.frombuffer(data, "u1").astype(np.float64) - 128.0) * 256.0
    elif wave.bits == 24:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        values = padded.view("<i4").reshape(-1) / 65536.0
    else:
        values = np.frombuffer(data, f"<i{wave.bits // 8}") / 2.0 ** (wave.bits - 16)
    mono: NDArray[np.float64] = values.reshape(-1, wave.channels).mean(axis=1)
    return mono


def read_sound(
    path: Path, rate_hz: int, count: int, least: int, warn: Callable[[Diagnostic], None]
) -> bytes:
    """Return the first samples of a WAV file at `rate_hz`, packed little-endian i16.

    They are at least `least` and at most `count`. `rate_hz` lies between `RATE_HZ_MIN` and
    `RATE_HZ_MAX`. `warn` takes what `read_wave` warns of.

    Raises:
        UserFileError: R0702, it has not as many as `least`; R0719, as `read_wave`; R1003, no
            readable file.
    """
    import numpy as np  # noqa: PLC0415 - most runes need none

    wave = read_wave(path, warn)
    found = wave.frames * rate_hz // wave.rate_hz
    if found < least:
        raise too_few_samples(str(path), least, found, rate_hz)
    count = min(count, found)
    # What is heard a second later does not reach back; so a long file costs what is needed of it.
    needed = count * wave.rate_hz // rate_hz + wave.rate_hz
    samples = _mono(path, wave, min(needed, wave.frames))
    if wave.rate_hz != rate_hz and count:
        import soxr  # noqa: PLC0415 - as NumPy

        samples = soxr.resample(samples, wave.rate_hz, rate_hz, quality="VHQ")
        if len(samples) < count:  # it rounds half a sample down
            samples = np.pad(samples, (0, count - len(samples)), mode="edge")
    rounded = np.clip(np.rint(samples[:count]), -32768, 32767)
    return rounded.astype("<i2").tobytes()
