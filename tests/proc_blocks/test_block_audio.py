"""fft and noise_filtering, and the two in front of the original platform's microspeech model."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.originals import EXAMPLES, HOTG, needing

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=40)

RECORDINGS = [
    *(EXAMPLES / "microspeech" / name for name in ("input.wav", "inputs/right.wav")),
    *(
        pytest.param(HOTG / name, marks=needing(name))
        for name in ("microspeech/up.wav", "microspeech/left.wav")
    ),
]
LABELS = ["silence", "unknown", "up", "down", "left", "right"]
SOUND = "i16[1, 16000]"
SPECTRUM = "u32[1, 1960]"


def recording(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")[:16000]


def spectrogram(sound: np.ndarray, rate: int = 16000, bins: int = 480) -> np.ndarray:
    """Section 5.4 of the reference in f64: 40 x 49 values before they are scaled."""
    hop = int(np.float32(bins) * (np.float32(1) - np.float32(0.6666667)))
    steps = max(0, -(-(len(sound) - bins) // hop))
    padded = np.zeros(steps * hop + bins)
    padded[: len(sound)] = sound
    ratio = np.float32(steps + 1) / np.float32(49)
    hann = 0.5 * (1 - np.cos(2 * np.pi * np.arange(512) / 511))
    power = np.empty((241, 49))
    for column in range(49):
        start = int(np.float32(column) * ratio) * hop
        frame = np.zeros(512)
        frame[:bins] = padded[start : start + bins]
        spectrum = np.abs(np.fft.rfft(frame * hann)) ** 2
        power[:, column] = spectrum[np.arange(241) * 256 // 241]

    def mel(h: Any) -> Any:
        return 2595 * np.log10(1 + h / 700)

    top = rate / 2
    points = 700 * (10 ** (np.linspace(mel(rate / 480), mel(top), 42) / 2595) - 1)
    edges = np.floor(points / top * 241 + 1e-9).astype(int)
    matrix = np.zeros((40, 241))
    for row in range(40):
        start, end = edges[row], edges[row + 2]
        length = max(end - start, 1)
        for k in range(length):
            weight = (1 - abs((k - (length - 1) / 2) / (length / 2))) / length
            if start + k < 241:
                matrix[row, start + k] = weight
    values: np.ndarray = np.sqrt(matrix @ power)
    return values


def scaled(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    if low == high:
        return np.zeros(1960)
    steps: np.ndarray = np.trunc(65536 * (values - low) / (high - low))
    return steps.T.ravel()


def compare(got: np.ndarray, sound: np.ndarray, **arguments: int) -> None:
    """f32 against f64: a value may lie on the other side of an integer, no more."""
    wanted = scaled(spectrogram(sound, **arguments))
    difference = np.abs(got.astype(float) - wanted)
    assert difference.max() <= 1
    assert (difference != 0).mean() < 0.02


@pytest.mark.parametrize("path", RECORDINGS)
def test_fft_of_a_recording_is_numpys(use: Use, path: Path) -> None:
    sound = recording(path)
    compare(use("fft", SOUND).array(sound), sound)


def chirp(count: int, rate: float = 16000) -> np.ndarray:
    time = np.arange(count) / rate
    tone = 9000 * np.sin(2 * np.pi * (200 + 1500 * time) * time)
    noise = np.random.default_rng(4).normal(0, 500, count)
    return (tone + noise).astype("<i2")


@pytest.mark.parametrize("count", [1, 480, 481, 5000, 16000, 24000])
def test_fft_takes_any_length(use: Use, count: int) -> None:
    sound = chirp(count)
    compare(use("fft", f"i16[{count}]").array(sound), sound)


@pytest.mark.parametrize(("rate", "bins"), [(8000, 480), (44100, 400), (16000, 512), (1000, 257)])
def test_fft_uses_its_arguments(use: Use, rate: int, bins: int) -> None:
    sound = chirp(4000, rate)
    block = use("fft", "i16[4000]", sample_rate=rate, bins=bins)
    compare(block.array(sound), sound, rate=rate, bins=bins)


@pytest.mark.parametrize("value", [-32768, 32767])
def test_fft_of_the_extremes_is_numpys(use: Use, value: int) -> None:
    sound = np.full(16000, value, "<i2")
    compare(use("fft", SOUND).array(sound), sound)


def test_fft_of_silence_is_zero(use: Use) -> None:
    assert not use("fft", SOUND).array(np.zeros(16000)).any()


def test_fft_keeps_nothing_from_one_run_to_the_next(use: Use) -> None:
    block = use("fft", SOUND)
    first = block.array(chirp(16000)).tolist()
    block.array(np.full(16000, 123))
    assert block.array(chirp(16000)).tolist() == first


class Filter:
    """Section 5.5 of the reference, in integers of any size."""

    def __init__(self, count: int) -> None:
        self.estimates = [0] * count
        self.lut = [0] * 125
        self.lut[0], self.lut[1] = self.gain(0), self.gain(1)
        for i in range(2, 33):
            x0 = 2 ** (i - 1)
            x2 = 2 * x0 if i < 32 else 2**32 - 1
            y0, y1, y2 = self.gain(x0), self.gain(x0 * 3 // 2), self.gain(x2)
            a1 = 4 * (y1 - y0) - (y2 - y0)
            self.lut[4 * i - 6 : 4 * i - 3] = [y0, a1, (y2 - y0) - a1]

    @staticmethod
    def gain(noise: int) -> int:
        x = np.float32(noise) / np.float32(2048) + np.float32(80)
        power = np.float32(float(x) ** -float(np.float32(0.95)))
        return int(min(np.float32(2**21) * power, np.float32(32767)) + np.float32(0.5))

    def look_up(self, v: int) -> int:
        if v <= 2:
            return self.lut[v]
        i = v.bit_length()
        fraction = ((v << 11) >> i) & 0x3FF
        y0, a1, a2 = self.lut[4 * i - 6 : 4 * i - 3]
        result = ((a2 * fraction) >> 5) + (a1 << 5)
        return y0 + ((result * fraction + 2**14) >> 15)

    def reduce(self, index: int, x: int) -> int:
        smoothing = 409 if index % 2 == 0 else 983
        scaled_x = x << 10
        self.estimates[index] = (scaled_x * smoothing + self.estimates[index] * 16384) >> 14
        noise = min(self.estimates[index], scaled_x)
        return max(x * 819 >> 14, (scaled_x - noise) >> 10)

    def control(self, x: int, estimate: int) -> int:
        snr = (x * self.look_up(estimate)) >> 10
        return snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64

    def run(self, values: list[int]) -> list[int]:
        cleaned = [self.control(self.reduce(i, x), self.estimates[i]) for i, x in enumerate(values)]
        logs = np.log2(np.array(cleaned, float) + 1)
        low, high = logs.min(), logs.max()
        if low == high:
            return [0] * len(values)
        return [int(x) for x in np.trunc(255 * (logs - low) / (high - low) - 128)]


def test_the_independent_filter_gives_the_originals_vectors() -> None:
    independent = Filter(2)
    assert independent.lut[:11] == [32636, 32636, 32635, 0, 0, 0, 32635, 1, -2, 0, 32634]
    reduced = [independent.reduce(0, 247311), independent.reduce(1, 508620)]
    assert reduced == [241137, 478104]
    assert independent.estimates == [6321887, 31248341]
    assert [independent.look_up(e) for e in independent.estimates] == [990, 219]
    assert [independent.control(*p) for p in zip(reduced, independent.estimates, strict=True)] == [
        3578,
        1533,
    ]


def test_noise_filtering_of_the_originals_vector_shows_its_gain_control(use: Use) -> None:
    # Between a 0 and a 3578, which become -128 and 127, a 1533 lies where its logarithm does.
    got = use("noise-filtering", "u32[1, 3]").restart().array([247311, 508620, 0])
    place = 255 * np.log2(1534) / np.log2(3579) - 128
    assert got.tolist() == [127, int(np.trunc(place)), -128]


@pytest.mark.parametrize("path", RECORDINGS)
def test_noise_filtering_of_a_recording_is_the_independent_filters(use: Use, path: Path) -> None:
    spectrum = use("fft", SOUND).array(recording(path))
    block = use("noise-filtering", SPECTRUM).restart()
    assert block.array(spectrum).tolist() == Filter(1960).run(spectrum.tolist())


@BRIEFLY
@given(data=st.data())
def test_noise_filtering_learns_from_run_to_run(use: Use, data: st.DataObject) -> None:
    block = use("noise-filtering", "u32[6]").restart()
    independent = Filter(6)
    for _ in range(3):
        values = data.draw(st.lists(st.integers(0, 65536), min_size=6, max_size=6))
        assert block.array(values).tolist() == independent.run(values)


@BRIEFLY
@given(values=st.lists(st.integers(0, 2**32 - 1), min_size=5, max_size=5))
def test_noise_filtering_of_any_numbers_spans_the_whole_range(use: Use, values: list[int]) -> None:
    got = use("noise-filtering", "u32[5]").restart().array(values)
    assert got.min() == -128 or not got.any()
    # 255 * range / range may fall just short of 255.
    assert got.max() >= 126 or not got.any()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=needing("microspeech/model.tflite", f"microspeech/{name}.wav"))
        for name in ("up", "left")
    ],
)
def test_the_originals_model_understands_the_originals_recordings(use: Use, name: str) -> None:
    sound = recording(HOTG / "microspeech" / f"{name}.wav")
    spectrum = use("fft", SOUND).array(sound)
    cleaned = use("noise-filtering", SPECTRUM).restart().array(spectrum)
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(HOTG / "microspeech" / "model.tflite"))
    interpreter.set_input(cleaned.reshape(1, 1960), 0)
    interpreter.invoke()
    scores = interpreter.get_output(0).ravel()
    assert LABELS[int(scores.argmax())] == name
