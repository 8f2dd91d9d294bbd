"""The micro frontend of TensorFlow's micro_speech in NumPy, written apart from the block in C.

`MicroFrontend.process` takes sound piece by piece, as a rune does run by run. Every number is what
TensorFlow's op `audio_microfrontend` gives: tests/proc_blocks compares this and the block with it.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

U32 = 0xFFFFFFFF


def _wrap16(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return (values + 0x8000 & 0xFFFF) - 0x8000


def _q15(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return (values + 0x4000) >> 15


def _quantised(values: NDArray[np.float64], one: int) -> NDArray[np.int64]:
    return np.floor(values * one + 0.5).astype(np.int64)


def _mel(frequency: np.float32) -> np.float32:
    return np.float32(1127.0 * math.log1p(float(frequency) / 700.0))


Complex = tuple[NDArray[np.int64], NDArray[np.int64]]  # real and imaginary parts


def _product(a: Complex, b: Complex) -> Complex:
    return _q15(a[0] * b[0] - a[1] * b[1]), _q15(a[0] * b[1] + a[1] * b[0])


def _divided(a: Complex, divisor: int) -> Complex:
    return _q15(a[0] * (32767 // divisor)), _q15(a[1] * (32767 // divisor))


def _turns(fractions: NDArray[np.float64]) -> Complex:
    """e^(-2 pi i fraction) in Q15."""
    angles = -2 * np.pi * fractions
    return _quantised(np.cos(angles), 32767), _quantised(np.sin(angles), 32767)


def _fft(values: Complex) -> Complex:
    """Of each row, by recursion: a quarter of the numbers each while their count has a 4 in it."""
    count = values[0].shape[-1]
    if count == 1:
        return values
    base = 4 if count % 4 == 0 else 2
    parts = [_fft((values[0][:, i::base], values[1][:, i::base])) for i in range(base)]
    parts = [_divided(part, base) for part in parts]
    steps = np.arange(count // base) / count
    first, *rest = [
        part if i == 0 else _product(part, _turns(i * steps)) for i, part in enumerate(parts)
    ]
    blocks = []
    for k in range(base):
        real, imaginary = first
        for i, (re, im) in enumerate(rest, 1):
            # Times (-i)^(i k) or, in the only stage of 2, (-1)^k: no multiplication.
            quarter = i * k * (4 // base) % 4
            add = ((re, im), (im, -re), (-re, -im), (-im, re))[quarter]
            real, imaginary = real + add[0], imaginary + add[1]
        blocks.append((_wrap16(real), _wrap16(imaginary)))
    return np.hstack([block[0] for block in blocks]), np.hstack([block[1] for block in blocks])


def _power(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """|X|^2 of each row of real samples at the bins 0 to half their count; both ends are 0."""
    half = samples.shape[1] // 2
    real, imaginary = _fft((samples[:, ::2], samples[:, 1::2]))
    n = np.arange(1, half // 2 + 1)
    a = _divided((real[:, n], imaginary[:, n]), 2)
    b = _divided((real[:, half - n], _wrap16(-imaginary[:, half - n])), 2)
    even = a[0] + b[0], a[1] + b[1]
    odd = _product((a[0] - b[0], a[1] - b[1]), _turns(n / (2 * half) + 0.25))
    odd = _wrap16(odd[0]), _wrap16(odd[1])
    power = np.zeros((len(samples), half + 1), np.int64)
    power[:, n] = ((even[0] + odd[0]) >> 1) ** 2 + ((even[1] + odd[1]) >> 1) ** 2
    power[:, half - n] = ((even[0] - odd[0]) >> 1) ** 2 + ((odd[1] - even[1]) >> 1) ** 2
    return power


def _root(number: int) -> int:
    whole = math.isqrt(number)
    limit = 0xFFFF if number <= U32 else U32
    return whole + (number - whole * whole > whole and whole != limit)


@dataclass
class MicroFrontend:
    """One stream of sound; the arguments are the block's."""

    sample_rate: int = 16000
    window_ms: int = 30
    stride_ms: int = 20
    channels: int = 40
    lower_hz: float = 125.0
    upper_hz: float = 7500.0
    smoothing_bits: int = 10
    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_signal_remaining: float = 0.05
    strength: float = 0.95
    offset: float = 80.0
    gain_bits: int = 21
    scale_shift: int = 6
    _samples: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    _to_skip: int = 0  # samples still to come between windows that do not touch

    def __post_init__(self) -> None:
        self._window_size = self.sample_rate * self.window_ms // 1000
        self._stride = self.sample_rate * self.stride_ms // 1000
        self._size = max(64, 1 << (self._window_size - 1).bit_length())
        self._lost_bits = self._size.bit_length() - 7
        turn = np.float64(np.float32(2 * math.pi / self._window_size))
        hann = 0.5 - 0.5 * np.cos(turn * (np.arange(self._window_size) + 0.5))
        self._window = _quantised(hann.astype(np.float32).astype(np.float64), 4096)
        steps = np.arange(128) / 128
        self._curve = [*_quantised(np.log2(1 + steps) - steps, 65536).tolist(), 0]
        self._estimate = [0] * self.channels
        self._make_bands()
        self._make_gains()

    def _make_bands(self) -> None:
        """The weights of each bin in the channel that its band ends and in the one it begins."""
        half = self._size // 2
        low = _mel(np.float32(self.lower_hz))
        span = _mel(np.float32(self.upper_hz)) - low
        distance = span / np.float32(self.channels + 1)
        bin_hz = np.float32(0.5 * self.sample_rate / half)
        mels = [_mel(np.float32(i) * bin_hz) for i in range(half + 1)]
        at = int(1.5 + float(np.float32(self.lower_hz) / bin_hz))
        begin = low
        self._bands: list[tuple[slice, NDArray[np.int64], NDArray[np.int64]]] = []
        for channel in range(self.channels + 1):
            end = np.float32(low + distance * np.float32(channel + 1))
            start = at
            while mels[at] <= end:
                at += 1
            weights = np.array(
                [np.float32(end - m) / np.float32(end - begin) for m in mels[start:at]], np.float64
            )
            rising, falling = _quantised(weights, 4096), _quantised(1.0 - weights, 4096)
            self._bands.append((slice(start, at), rising, falling))
            begin = end

    def _gain_exactly(self, noise: int) -> int:
        scale = np.float32(1 << (self.smoothing_bits - self._lost_bits))
        x = np.float32(noise) / scale + np.float32(self.offset)
        power = np.float32(float(x) ** -float(np.float32(self.strength)))
        gain = np.float32(1 << self.gain_bits) * power
        return 32767 if gain > 32767 else int(gain + np.float32(0.5))

    def _make_gains(self) -> None:
        self._first_gains = [self._gain_exactly(0), self._gain_exactly(1)]
        self._gains = []
        for bits in range(2, 33):
            x0 = 1 << (bits - 1)
            y0, y1, y2 = map(self._gain_exactly, (x0, x0 + x0 // 2, min(2 * x0, U32)))
            a1 = 4 * (y1 - y0) - (y2 - y0)
            a2 = (y2 - y0) - a1
            self._gains.append((y0, *_wrap16(np.array([a1, a2])).tolist()))

    def _gain(self, noise: int) -> int:
        if noise < 2:
            return self._first_gains[noise]
        if noise == 2:
            return int(self._gains[0][0])
        bits = noise.bit_length()
        y0, a1, a2 = self._gains[bits - 2]
        fraction = ((noise << 11) >> bits) & 0x3FF
        return int(y0 + ((((a2 * fraction >> 5) + (a1 << 5)) * fraction + 0x4000) >> 15))

    def _clean(self, channel: int, signal: int) -> int:
        smoothing = self.odd_smoothing if channel % 2 else self.even_smoothing
        weight = int(np.float32(smoothing) * np.float32(16384))
        scaled = signal << self.smoothing_bits & U32
        estimate = (scaled * weight + self._estimate[channel] * (16384 - weight)) >> 14
        self._estimate[channel] = estimate
        least = signal * int(np.float32(self.min_signal_remaining) * np.float32(16384)) >> 14
        rest = max((scaled - min(estimate, scaled)) >> self.smoothing_bits, least)
        snr = rest * (self._gain(estimate) & U32) >> (self.gain_bits - self._lost_bits - 12)
        snr &= U32
        return snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64

    def _logarithm(self, value: int) -> int:
        value = value << self._lost_bits & U32
        if value <= 1:
            return 0
        whole = value.bit_length() - 1
        fraction = ((value << 16) >> whole) & 0xFFFF
        point, rest = divmod(fraction, 512)
        slope = self._curve[point + 1] - self._curve[point]
        log2 = (whole << 16) + fraction + self._curve[point] + (slope * rest >> 16)
        natural = (log2 * 45426 + 0x8000) >> 16
        return min(((natural << self.scale_shift) + 0x8000) >> 16, 0xFFFF)

    def _sums(self, samples: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The power in each channel of each row of samples, and how far those were shifted."""
        windowed = samples * self._window >> 12
        # The absolute value of -32768 does not fit 16 bits and is smaller than all others.
        most = np.maximum(_wrap16(np.abs(windowed)).max(axis=1), 0)
        shifts = np.array([15 - int(value).bit_length() for value in most])
        padded = np.zeros((len(samples), self._size), np.int64)
        padded[:, : self._window_size] = _wrap16(windowed << shifts[:, None])
        power = _power(padded)
        sums = np.zeros((len(samples), self.channels + 2), np.int64)
        for channel, (bins, rising, falling) in enumerate(self._bands):
            sums[:, channel] += power[:, bins] @ rising
            sums[:, channel + 1] += power[:, bins] @ falling
        return sums[:, 1:-1], shifts

    def process(self, samples: NDArray[np.int16]) -> NDArray[np.uint16]:
        """The frames that these samples complete: `u16[any, channels]`."""
        kept = samples[self._to_skip :]
        self._to_skip -= len(samples) - len(kept)
        self._samples = np.concatenate([self._samples, kept])
        starts = range(0, len(self._samples) - self._window_size + 1, self._stride)
        rows = np.zeros((len(starts), self.channels), np.uint16)
        if starts:
            windows = [self._samples[at : at + self._window_size] for at in starts]
            sums, shifts = self._sums(np.stack(windows).astype(np.int64))
            for row, powers, shift in zip(rows, sums.tolist(), shifts.tolist(), strict=True):
                signals = [_root(power) >> shift for power in powers]
                row[:] = [self._logarithm(self._clean(*each)) for each in enumerate(signals)]
        rest = self._samples[len(starts) * self._stride :]
        self._to_skip += max(0, len(starts) * self._stride - len(self._samples))
        self._samples = rest
        return rows


def as_i8(values: NDArray[np.uint16]) -> NDArray[np.int8]:
    """As micro_speech feeds its models."""
    return np.clip((values.astype(int) * 256 + 333) // 666 - 128, -128, 127).astype(np.int8)
