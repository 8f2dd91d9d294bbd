"""Sounds: a WAV file to mono samples of 16 bits at the rate that a rune asks for.

Read by a reader of our own: the few encodings of a WAV are a few lines of NumPy, Python's `wave`
knows no floats, and libsndfile is a megabyte of C that would get the user's bytes first.

The rules, in this order:

1. samples become numbers of 16-bit scale: 8 bits (v - 128) * 256, 24 bits v / 256, 32 bits
   v / 65536, floats v * 32768
2. channels are averaged
3. another rate is resampled by soxr at its highest quality (band-limited, linear phase, double
   precision)
4. rounded to the nearest whole number, of two as near the even one, and held to -32768..32767

So a mono file of 16 bits at the wanted rate passes bit by bit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runec.files import read_file
from runec.vm.errors import bad_sound, too_few_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ_MIN = 1_000
RATE_HZ_MAX = 768_000
_CHANNELS_MAX = 256
_CHUNKS_MAX = 1_000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# The rest of a sub-format's GUID, which starts with the tag of the plain format.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_SIZE = 0xFFFF_FFFF  # what programs write that stream into a pipe
_ENCODINGS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}


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


def _chunks(path: Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a RIFF file: name and content."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise bad_sound(path, "it is no WAV file")
    at = 12
    for _ in range(_CHUNKS_MAX):
        if len(data) - at < 8:
            return
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data" and size == _UNKNOWN_SIZE:
            size = len(data) - at
        if size > len(data) - at:
            raise bad_sound(path, f"it ends {size - (len(data) - at)} bytes early")
        yield name, data[at : at + size]
        at += size + size % 2
    raise bad_sound(path, f"it has more than {_CHUNKS_MAX} parts")


def _format(path: Path, content: bytes) -> tuple[int, int, int, int]:
    if len(content) < 16:
        raise bad_sound(path, "its format is cut short")
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) >= 40 and content[26:40] == _GUID_TAIL:
        tag = int.from_bytes(content[24:26], "little")
    if (tag, bits) not in _ENCODINGS:
        raise bad_sound(path, f"its encoding has the number {tag} and {bits} bits")
    if not 1 <= channels <= _CHANNELS_MAX or frame_bytes != channels * bits // 8:
        raise bad_sound(path, f"it has {channels} channels in {frame_bytes} bytes")
    if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
        raise bad_sound(path, f"it has {rate_hz} samples a second")
    return tag, channels, rate_hz, bits


def read_wave(path: Path) -> Wave:
    """Read a WAV file.

    Raises:
        UserFileError: R0719, it is no WAV, damaged, or of another encoding than PCM of 8, 16, 24
            or 32 bits and floats of 32 or 64; R1003, no readable file.
    """
    form: tuple[int, int, int, int] | None = None
    for name, content in _chunks(path, read_file(path, "the sound")):
        if name == b"fmt ":
            form = _format(path, content)
        elif name == b"data":
            if form is None:
                raise bad_sound(path, "its samples stand before their format")
            wave = Wave(*form, content)
            if len(content) % wave.frame_bytes:
                raise bad_sound(path, "it ends in the middle of a sample")
            return wave
    raise bad_sound(path, "it has no samples")


def _mono(path: Path, wave: Wave, frames: int) -> NDArray[np.float64]:
    """Return the first frames as one channel of 16-bit scale."""
    import numpy as np  # noqa: PLC0415 - most runes need none

    data = wave.data[: frames * wave.frame_bytes]
    if wave.tag == _FLOAT:
        values = np.frombuffer(data, f"<f{wave.bits // 8}").astype(np.float64) * 32768.0
        if not np.isfinite(values).all():
            raise bad_sound(path, "one of its samples is no number")
        # Sums of the largest doubles would be infinite; what is held to 16 bits later may be now.
        values = np.clip(values, -(2.0**40), 2.0**40)
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


def read_sound(path: Path, rate_hz: int, count: int, least: int) -> bytes:
    """Return the first samples of a WAV file at `rate_hz`, packed little-endian i16.

    They are at least `least` and at most `count`. `rate_hz` lies between `RATE_HZ_MIN` and
    `RATE_HZ_MAX`.

    Raises:
        UserFileError: R0702, it has not as many as `least`; R0719, as `read_wave`; R1003, no
            readable file.
    """
    import numpy as np  # noqa: PLC0415 - most runes need none

    wave = read_wave(path)
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
