"""Writes `data/audio_frontend.npz`: what TensorFlow's own micro frontend makes of some sounds.

    python audio_frontend_vectors.py    # needs NumPy and tensorflow-cpu 2.21.0

The sounds are made of whole numbers, so that they are the same on every machine; the recordings of
the example microspeech take part as they are. The file holds the op's `u16[frames, channels]` for
each name of `cases()`.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.int16]
Arguments = dict[str, int | float]

VECTORS = Path(__file__).resolve().parent / "data" / "audio_frontend.npz"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "microspeech"
# The block's names of arguments, and the op's.
OP_NAMES = {
    "sample_rate": "sample_rate",
    "window_ms": "window_size",
    "stride_ms": "window_step",
    "channels": "num_channels",
    "lower_hz": "lower_band_limit",
    "upper_hz": "upper_band_limit",
    "smoothing_bits": "smoothing_bits",
    "even_smoothing": "even_smoothing",
    "odd_smoothing": "odd_smoothing",
    "min_signal_remaining": "min_signal_remaining",
    "strength": "pcan_strength",
    "offset": "pcan_offset",
    "gain_bits": "gain_bits",
    "scale_shift": "scale_shift",
}
MICRO_SPEECH: Arguments = {"window_ms": 30, "stride_ms": 20, "channels": 40}


class Case(NamedTuple):
    """A sound, and the arguments that differ from the block's defaults."""

    name: str
    sound: Sound
    arguments: Arguments


def noise(count: int, magnitude: int, seed: int = 1) -> Sound:
    """Samples between -magnitude and magnitude; the generator of Numerical Recipes, upper bits."""
    samples = np.empty(count, np.int64)
    state = seed
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        samples[i] = (state >> 16) * (2 * magnitude + 1) // 65536 - magnitude
    return samples.astype(np.int16)


def sweep(count: int, magnitude: int) -> Sound:
    """A triangle whose pitch rises from silence to a quarter of the rate."""
    n = np.arange(count)
    phase = (n * n * 65536 // (4 * count)) % 65536
    samples: Sound = ((np.abs(phase - 32768) - 16384) * magnitude // 16384).astype(np.int16)
    return samples


def recording(path: Path) -> Sound:
    """The samples of a mono WAV file of 16 bits."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def recordings() -> Iterator[Case]:
    """The recordings of the example."""
    for path in sorted([*EXAMPLE.glob("input.wav"), *EXAMPLE.glob("inputs/*.wav")]):
        yield Case(path.name, recording(path), {})


def sounds() -> Iterator[Case]:
    """A second of everything that a microphone may give, and of what it cannot."""
    n = np.arange(16000)
    clicks = np.zeros(16000, np.int16)
    # The first one lies where the window is 1: a lone -32768 whose absolute value has no 16 bits.
    clicks[[240 + 320 * 3, 6000, 9000, 12345]] = [-32768, 1, 32767, -20]
    step = np.where(n < 8000, 0, 12000).astype(np.int16)
    whisper_to_shout = (noise(16000, 32767) * (n // 160) // 99).astype(np.int16)
    for name, sound in {
        "silence": np.zeros(16000, np.int16),
        "largest": np.full(16000, 32767, np.int16),
        "smallest": np.full(16000, -32768, np.int16),
        "highest pitch": np.where(n % 2, 32767, -32768).astype(np.int16),
        "square": np.where(n % 40 < 20, 32767, -32768).astype(np.int16),
        "clicks": clicks,
        "step": step,
        "last bit": noise(16000, 1),
        "quiet noise": noise(16000, 300, 2),
        "loud noise": noise(16000, 32767, 3),
        "sweep": sweep(16000, 9000),
        "loud sweep": sweep(16000, 32767),
        "whisper to shout": whisper_to_shout,
    }.items():
        yield Case(name, sound, {})


def settings() -> Iterator[Case]:
    """Every size of the transform, and each other argument, on a short sound."""
    sound = (sweep(6000, 20000) // 2 + noise(6000, 3000)).astype(np.int16)
    telephone: Arguments = {"sample_rate": 8000, "upper_hz": 3800}
    variations: dict[str, Arguments] = {
        "64": telephone | {"window_ms": 5, "stride_ms": 5, "channels": 8},
        "128": telephone | {"window_ms": 10, "stride_ms": 10, "channels": 20},
        "256": telephone | {"window_ms": 25, "stride_ms": 10, "channels": 32},
        "512, all of it": telephone | {"window_ms": 40, "stride_ms": 40, "channels": 24},
        "1024": {"sample_rate": 32000, "window_ms": 25, "stride_ms": 10, "upper_hz": 15000},
        "2048": {"sample_rate": 44100, "window_ms": 40, "stride_ms": 10, "channels": 64},
        "empty channels": {"channels": 128, "lower_hz": 0, "upper_hz": 7960},
        "one channel": {"channels": 1},
        "smoothing": {"smoothing_bits": 6, "even_smoothing": 1, "odd_smoothing": 0},
        "remaining": {"min_signal_remaining": 1, "even_smoothing": 0.5},
        "gain": {"strength": 0.2, "offset": 2.5, "gain_bits": 17},
        "largest gain": {"strength": 1, "offset": 0.001, "gain_bits": 30},
        "no gain": {"strength": 0},
        "scale": {"scale_shift": 10},
        "no scale": {"scale_shift": 0},
    }
    for name, arguments in variations.items():
        yield Case(name, sound, arguments)


def cases() -> list[Case]:
    """All of them; the names differ."""
    return [*recordings(), *sounds(), *settings()]


def main() -> None:
    """Ask TensorFlow and write the file."""
    import tensorflow as tf
    from tensorflow.lite.experimental.microfrontend.ops import gen_audio_microfrontend_op

    vectors = {}
    for name, sound, arguments in cases():
        given = {OP_NAMES[key]: value for key, value in (MICRO_SPEECH | arguments).items()}
        vectors[name] = gen_audio_microfrontend_op.audio_microfrontend(
            tf.constant(sound), enable_pcan=True, out_type=tf.uint16, **given
        ).numpy()
    VECTORS.parent.mkdir(exist_ok=True)
    np.savez_compressed(VECTORS, **vectors)


if __name__ == "__main__":
    main()
