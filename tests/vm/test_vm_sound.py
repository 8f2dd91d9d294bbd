from __future__ import annotations

import hashlib
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import Diagnostic, RunecError, RuneError, UserFileError
from runec.pipeline import CapabilityKind, ElementType
from runec.vm import InputReader, Inputs
from runec.vm.sound import read_wave
from tests.originals import EXAMPLES, HOTG, needing

SOUND = CapabilityKind.SOUND
PCM, FLOAT = 1, 3


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def form(tag: int, channels: int, rate: int, bits: int) -> bytes:
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def wav(
    data: bytes, *, tag: int = PCM, channels: int = 1, rate: int = 16000, bits: int = 16
) -> bytes:
    return riff((b"fmt ", form(tag, channels, rate, bits)), (b"data", data))


Read = Callable[..., np.ndarray]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """What a SOUND capability gets of a file's bytes."""

    def call(content: bytes, count: int, **parameters: float) -> np.ndarray:
        path = tmp_path / "sound.wav"
        path.write_bytes(content)
        feed = InputReader(Inputs(sound=(path,)))
        data = feed.provide(SOUND, {"hz": 16000, **parameters}, 2 * count, ElementType.I16)
        return np.frombuffer(data, "<i2")

    return call


def refused(read: Read, content: bytes, count: int = 1, **parameters: float) -> RunecError:
    with pytest.raises(RunecError) as caught:
        read(content, count, **parameters)
    assert caught.value.hint
    return caught.value


def test_a_file_that_is_already_right_passes_bit_by_bit(read: Read, tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, 1000).astype("<i2")
    path = tmp_path / "written.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(samples.tobytes())
    assert (read(path.read_bytes(), 1000) == samples).all()
    assert (read(path.read_bytes(), 600) == samples[:600]).all(), "the first of a longer one"


RECORDINGS = [
    *(EXAMPLES / "microspeech" / name for name in ("input.wav", "inputs/left.wav")),
    *(
        pytest.param(HOTG / name, marks=needing(name))
        for name in ("microspeech/up.wav", "microspeech/left.wav")
    ),
]


@pytest.mark.parametrize("path", RECORDINGS)
def test_recordings_pass_bit_by_bit(path: Path) -> None:
    with wave.open(str(path)) as reader:
        expected = reader.readframes(16000)
    data = InputReader(Inputs(sound=(path,))).provide(
        SOUND, {"hz": 16000, "sample_duration_ms": 1000}, 32000, ElementType.I16
    )
    assert data == expected


VALUES = (-32768, -256, 0, 256, 16384, 32512)
# 24-bit numbers are the upper three bytes of 32-bit ones.
ENCODINGS = {
    (PCM, 8): bytes(value // 256 + 128 for value in VALUES),
    (PCM, 16): struct.pack("<6h", *VALUES),
    (PCM, 24): b"".join(struct.pack("<i", value * 65536)[1:] for value in VALUES),
    (PCM, 32): struct.pack("<6i", *(value * 65536 for value in VALUES)),
    (FLOAT, 32): struct.pack("<6f", *(value / 32768 for value in VALUES)),
    (FLOAT, 64): struct.pack("<6d", *(value / 32768 for value in VALUES)),
}


@pytest.mark.parametrize(("tag", "bits"), ENCODINGS)
def test_every_width_means_the_same_samples(read: Read, tag: int, bits: int) -> None:
    content = wav(ENCODINGS[tag, bits], tag=tag, bits=bits)
    assert tuple(read(content, 6)) == VALUES


@pytest.mark.parametrize(("tag", "bits"), ENCODINGS)
def test_the_extensible_form_means_the_same(read: Read, tag: int, bits: int) -> None:
    guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
    head = form(0xFFFE, 1, 16000, bits) + struct.pack("<HHI", 22, bits, 4) + guid
    content = riff((b"fmt ", head), (b"fact", b"\6\0\0\0"), (b"data", ENCODINGS[tag, bits]))
    assert tuple(read(content, 6)) == VALUES


def test_samples_are_rounded_to_the_nearest_even_and_held_to_16_bits(read: Read) -> None:
    floats = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 40000, -40000], np.float32) / 32768
    expected = (0, 2, 2, 0, -2, 32767, -32768)
    assert tuple(read(wav(floats.tobytes(), tag=FLOAT, bits=32), 7)) == expected


def test_channels_are_averaged(read: Read) -> None:
    frames = struct.pack("<9h", 3, 6, 9, 32767, 32767, 32767, -1, 0, 0)
    assert tuple(read(wav(frames, channels=3), 3)) == (6, 32767, 0)


def test_other_parts_of_the_file_are_passed_over(read: Read) -> None:
    content = riff(
        (b"LIST", b"odd"),
        (b"fmt ", form(PCM, 1, 16000, 16)),
        (b"junk", b""),
        (b"data", b"\1\0\2\0"),
        (b"id3 ", b"x"),
    )
    assert tuple(read(content, 2)) == (1, 2)


def test_a_file_that_was_streamed_has_no_length(read: Read) -> None:
    content = wav(b"\1\0\2\0").replace(b"data\4\0\0\0", b"data\xff\xff\xff\xff")
    assert tuple(read(content, 2)) == (1, 2)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_a_tone_of_another_rate_stays_that_tone(read: Read, rate: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 20000
    samples = read(wav(np.rint(tone).astype("<i2").tobytes(), rate=rate), 16000)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) * 20000
    # Away from the ends, where the tone starts and stops at once.
    assert np.abs(samples - expected)[400:-400].max() <= 1.5


STATED = {
    "a stream of sox": 0x7FFFF000,
    "INT32_MAX": 0x7FFFFFFF,
    "a header counted in": 16 + 2000,
    "one byte more": 2001,
    "never filled in": 0,
}


@pytest.fixture
def warned(tmp_path: Path) -> Callable[[bytes, int], tuple[bytes, list[Diagnostic]]]:
    """What a SOUND capability gets of a file's bytes, and the warnings."""

    def call(content: bytes, count: int) -> tuple[bytes, list[Diagnostic]]:
        path = tmp_path / "sound.wav"
        path.write_bytes(content)
        found: list[Diagnostic] = []
        feed = InputReader(Inputs(sound=(path,), warn=found.append))
        return feed.provide(SOUND, {"hz": 16000}, 2 * count, ElementType.I16), found

    return call


Warned = Callable[[bytes, int], tuple[bytes, list[Diagnostic]]]


@pytest.mark.parametrize("what", STATED)
def test_samples_that_a_header_miscounts_are_those_that_are_there(
    warned: Warned, what: str
) -> None:
    samples = np.random.default_rng(9).integers(-32768, 32768, 1000).astype("<i2").tobytes()
    content = bytearray(wav(samples))
    content[40:44] = struct.pack("<I", STATED[what])
    data, warnings = warned(bytes(content), 1000)
    assert data == samples
    (warning,) = warnings
    assert warning.code == "R0748"
    assert f"states {STATED[what]} bytes of samples, the file has 2000" in warning.message
    assert "1000 samples" in warning.message


def test_a_last_sample_that_is_cut_is_left_out(warned: Warned) -> None:
    for content in (wav(b"\1\0\2\0\3"), wav(b"\1\0\2\0\3\0")[:-1]):
        data, (warning,) = warned(content, 2)
        assert data == b"\1\0\2\0"
        assert warning.code == "R0748"
        assert "2 samples a channel" in warning.message
    assert warned(wav(b"\1\0\2\0"), 2)[1] == []


def test_a_sound_without_samples_is_too_short_whatever_follows(read: Read) -> None:
    content = riff(
        (b"fmt ", form(PCM, 1, 16000, 16)), (b"data", b""), (b"LIST", b"abc"), (b"id3 ", b"x")
    )
    assert "only 0 were provided" in refused(read, content).message


LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"


@pytest.mark.parametrize("size", [0, 5, 1000, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("after", [LIST, b"id3 \3\0\0\0ID3\0" + LIST, LIST + b"bext\0\0\0\0"])
def test_a_part_after_samples_of_unknown_length_is_not_played(
    warned: Warned, size: int, after: bytes
) -> None:
    samples = b"LIST\2\0\0\0"  # the start of a part that ends nowhere
    content = wav(samples).replace(
        b"data" + struct.pack("<I", len(samples)), b"data" + struct.pack("<I", size)
    )
    if size == 5:  # it is not too large: the size is believed
        assert warned(content + after, 2)[0] == samples[:4]
        return
    data, (warning,) = warned(content + after, 4)
    assert data == samples
    assert warning.code == "R0748"
    assert f"the 4 samples a channel before the part {after[:4].decode().strip()!r}" in (
        warning.message
    )


def test_what_only_looks_like_a_part_is_played(warned: Warned) -> None:
    samples = b"LIST\2\0\0\0" + b"LIST\4\0\0\0INFO" + b"\1\0"
    content = wav(samples).replace(
        b"data" + struct.pack("<I", len(samples)), b"data\xff\xff\xff\xff"
    )
    assert warned(content, len(samples) // 2) == (samples, [])


def test_many_starts_of_parts_take_linear_time(read: Read) -> None:
    samples = b"LIST\0\0\0\0" * 200_000 + b"\1\0"
    content = wav(samples)[:40] + b"\xff\xff\xff\xff" + samples
    assert len(read(content, 800_001)) == 800_001


def test_a_part_of_odd_size_without_its_pad_byte_is_passed_over(read: Read) -> None:
    content = wav(b"\1\0\2\0").replace(b"data", b"LIST\3\0\0\0abcdata")
    assert tuple(read(content, 2)) == (1, 2)


# From the tables of ITU-T G.711: codes and samples of 14 bits (mu-law), 13 bits (A-law).
MU_LAW = {0x80: 8031, 0x8F: 4191, 0xCF: 231, 0xFF: 0, 0x7F: 0, 0x00: -8031, 0x0F: -4191}
A_LAW = {0xAA: 4032, 0x2A: -4032, 0xD5: 1, 0x55: -1, 0x80: 688, 0x00: -688}
# SHA-256 of all 256 codes as libsndfile 1.2.2 decodes them to i16.
LAWS = [
    (7, MU_LAW, 4, "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"),
    (6, A_LAW, 8, "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174"),
]


@pytest.mark.parametrize(("tag", "codes", "scale", "digest"), LAWS)
def test_mu_law_and_a_law_are_decoded(
    read: Read, tag: int, codes: dict[int, int], scale: int, digest: str
) -> None:
    content = wav(bytes(codes), tag=tag, bits=8)
    assert tuple(read(content, len(codes))) == tuple(value * scale for value in codes.values())
    every = read(wav(bytes(range(256)), tag=tag, bits=8), 256)
    assert hashlib.sha256(every.tobytes()).hexdigest() == digest


@pytest.mark.parametrize(("tag", "bits"), ENCODINGS)
def test_the_big_endian_form_means_the_same(read: Read, tag: int, bits: int) -> None:
    width = bits // 8
    little = ENCODINGS[tag, bits]
    big = b"".join(little[at : at + width][::-1] for at in range(0, len(little), width))
    head = struct.pack(">HHIIHH", tag, 1, 16000, 16000 * width, width, bits)
    body = b"fmt " + struct.pack(">I", 16) + head + b"data" + struct.pack(">I", len(big)) + big
    content = b"RIFX" + struct.pack(">I", len(body) + 4) + b"WAVE" + body
    assert tuple(read(content, 6)) == VALUES


def test_the_form_for_large_files_means_the_same(read: Read) -> None:
    sizes = struct.pack("<QQQI", 100, 4, 2, 0)
    content = riff(
        (b"ds64", sizes),
        (b"fmt ", form(PCM, 1, 16000, 16)),
        (b"data", b"\1\0\2\0"),
        (b"LIST", b"x"),
    )
    for name in (b"RF64", b"BW64"):
        large = name + content[4:].replace(b"data\4\0\0\0", b"data\xff\xff\xff\xff")
        assert tuple(read(large, 2)) == (1, 2)
        assert "only 2 were provided" in refused(read, large, 3).message


def test_what_the_rate_cannot_carry_is_filtered_out(read: Read) -> None:
    # Taking every third sample would turn 15 kHz into 1 kHz at the same loudness.
    tone = np.sin(2 * np.pi * 15000 * np.arange(48000) / 48000) * 20000
    samples = read(wav(np.rint(tone).astype("<i2").tobytes(), rate=48000), 16000)
    assert np.abs(samples[400:-400]).max() <= 1


def test_resampling_gives_the_same_bytes_every_time(read: Read) -> None:
    noise = np.random.default_rng(2).integers(-20000, 20000, 44100).astype("<i2")
    content = wav(noise.tobytes(), rate=44100)
    first = hashlib.sha256(read(content, 16000).tobytes()).hexdigest()
    assert hashlib.sha256(read(content, 16000).tobytes()).hexdigest() == first


def test_a_long_file_gives_what_its_beginning_gives(read: Read) -> None:
    noise = np.random.default_rng(3).integers(-20000, 20000, 5 * 44100).astype("<i2")
    long = read(wav(noise.tobytes(), rate=44100), 16000)
    short = read(wav(noise[: 3 * 44100].tobytes(), rate=44100), 16000)
    assert (long == short).all()


def test_old_runes_say_frequency_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(b"\1\0\2\0\3\0\4\0"))
    feed = InputReader(Inputs(sound=(path,)))
    assert feed.provide(SOUND, {}, 8, None) == b"\1\0\2\0\3\0\4\0"
    assert feed.provide(SOUND, {"frequency": 16000}, 8, None) == b"\1\0\2\0\3\0\4\0"
    with pytest.raises(UserFileError):
        feed.provide(SOUND, {"frequency": 8000}, 8, None)


@pytest.mark.parametrize("duration", [{"sample_duration_ms": 500}, {"sample_duration": 0.5}])
def test_a_buffer_longer_than_its_duration_ends_in_silence(
    read: Read, duration: dict[str, float]
) -> None:
    # The original microspeech of 2021: 24000 samples of memory for 1000 ms at 16000 Hz.
    samples = read(wav(b"\1\0" * 9000), 12000, **duration)
    assert (samples[:9000] == 1).all()
    assert (samples[9000:] == 0).all()
    assert len(samples) == 12000
    error = refused(read, wav(b"\1\0" * 7999), 12000, **duration)
    assert "At least 8000 samples are required" in error.message


def test_a_short_sound_is_refused_in_the_originals_words(read: Read) -> None:
    error = refused(read, wav(bytes(2 * 8000)), 16000)
    assert isinstance(error, UserFileError)
    assert error.code == "R0702"
    expected = (
        "At least 16000 samples are required to generate this input, but only 8000 were provided"
    )
    assert expected in error.message
    error = refused(read, wav(bytes(2 * 8000), rate=8000), 16001)
    assert "At least 16001 samples are required" in error.message
    assert "only 16000 were" in error.message


def test_a_missing_sound_names_the_flag() -> None:
    with pytest.raises(UserFileError) as caught:
        InputReader(Inputs()).provide(SOUND, {"hz": 16000}, 2, ElementType.I16)
    assert caught.value.code == "R0701"
    assert caught.value.hint == "add --sound FILE"


@pytest.mark.parametrize(
    ("length", "element", "hz"),
    [(3, None, 16000), (4, ElementType.F32, 16000), (2, None, 0), (2, None, 10**9)],
)
def test_a_request_that_makes_no_sense_is_refused(
    length: int, element: ElementType | None, hz: int, tmp_path: Path
) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(b"\1\0\2\0"))
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs(sound=(path,))).provide(SOUND, {"hz": hz}, length, element)
    assert caught.value.code == "R0705"


GOOD = wav(b"\1\0\2\0")
BROKEN = {
    "nothing": (b"", "not a WAV"),
    "text": (b"RIFF of a guitar, loud", "not a WAV"),
    "FLAC": (b"fLaC\0\0\0\x22", "a FLAC file, not a WAV file"),
    "MP3": (b"ID3\4\0\0", "an MP3 file, not a WAV file"),
    "MP4": (b"\0\0\0\x20ftypM4A ", "an MP4 file, not a WAV file"),
    "no samples": (riff((b"fmt ", form(PCM, 1, 16000, 16))), "no samples"),
    "no format": (riff((b"data", b"\1\0")), "precede their format"),
    "a short format": (riff((b"fmt ", b"\1\0\1\0")), "format is truncated"),
    "format is truncated": (GOOD[:30], "ends 6 bytes early, before its samples"),
    "no channels": (wav(b"", channels=0), "0 channels"),
    "odd frames": (GOOD.replace(b"\2\0\x10\0", b"\3\0\x10\0"), "in 3 bytes"),
    "compressed": (wav(b"\1\0", tag=2), "encoding 2 (Microsoft ADPCM)"),
    "an unknown encoding": (wav(b"\1\0", tag=0x1234), "encoding 4660, 16 bits"),
    "12 bits": (wav(b"\1\0", bits=12), "12 bits"),
    "rate 0": (wav(b"\1\0", rate=0), "0 samples a second"),
    "rate 2^32-1": (GOOD.replace(struct.pack("<I", 16000), b"\xff" * 4), "4294967295"),
    "NaN": (wav(struct.pack("<f", float("nan")), tag=FLOAT, bits=32), "not a number"),
    "infinity": (wav(struct.pack("<f", float("inf")), tag=FLOAT, bits=32), "not a number"),
    "many parts": (riff(*[(b"junk", b"")] * 2000), "more than 1000 parts"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_with_the_reason(read: Read, what: str) -> None:
    content, reason = BROKEN[what]
    error = refused(read, content)
    assert (error.code, error.exit_code) == ("R0719", 1)
    assert reason in error.message
    assert "sound.wav" in error.message


def test_the_largest_doubles_are_held_to_16_bits(read: Read) -> None:
    huge = struct.pack("<4d", 1e300, 1e300, -1e300, -1e300)
    assert tuple(read(wav(huge, tag=FLOAT, bits=64, channels=2), 2)) == (32767, -32768)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hostile_bytes_raise_nothing_but_our_errors(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = bytearray(
        data.draw(
            st.sampled_from(
                [
                    GOOD,
                    wav(bytes(48), bits=24, channels=2, rate=8000),
                    wav(bytes(64), tag=FLOAT, bits=64),
                ]
            )
        )
    )
    for _ in range(data.draw(st.integers(1, 6))):
        base[data.draw(st.integers(0, len(base) - 1))] = data.draw(st.integers(0, 255))
    del base[data.draw(st.integers(1, len(base))) :]
    path = tmp_path_factory.getbasetemp() / "hostile.wav"
    path.write_bytes(base)
    try:
        samples = InputReader(Inputs(sound=(path,))).provide(SOUND, {"hz": 16000}, 4, None)
    except RunecError:
        return
    assert len(samples) == 4
    assert read_wave(path, lambda _: None).frames >= 1
