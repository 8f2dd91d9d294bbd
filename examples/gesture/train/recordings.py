"""Makes recordings of gestures: what an accelerometer in a moving hand would have measured.

A recording is `f32[128, 3]`: 2.56 s at 50 Hz, acceleration in m/s^2 along x (to the right), y
(away from the user) and z (up) of a device that is held about flat. At rest it measures gravity.

The hand draws in the upright plane x, z: a *wing* is a W, a *ring* a circle, a *slope* an angle
(down to the left, then to the right). Its path is a sum of strokes that start and end at rest with
the least jerk (Flash and Hogan, "The Coordination of Arm Movements", 1985), one beginning before
the last has ended, as hands round their corners. The path differentiated twice, plus gravity, seen
from a device that is tilted and sways, plus offset and noise of the sensor, is the recording.
Size, speed, proportions, start and tilt are drawn at random.

*Unknown* is everything else that a device measures: rest, being turned over, shaking along one
line, a knock, aimless strokes in all directions.
"""

import math

import numpy as np
from numpy.typing import NDArray

LABELS = ("Wing", "Ring", "Slope", "Unknown")  # in the order of the model's outputs
SAMPLES = 128
RATE_HZ = 50.0
GRAVITY = 9.81

Array = NDArray[np.float64]
Generator = np.random.Generator

# One sample more at both ends, so that two differentiations leave 128.
TIMES = np.arange(-1, SAMPLES + 1) / RATE_HZ
DURATION_S = SAMPLES / RATE_HZ


def progress(times: Array) -> Array:
    """The way from 0 to 1 of the movement from rest to rest with the least jerk, in unit time."""
    t = np.clip(times, 0.0, 1.0)
    return t**3 * (10.0 + t * (-15.0 + 6.0 * t))


def strokes(displacements: Array, durations: Array, overlap: float, start: float) -> Array:
    """Positions [m] of a hand that makes strokes; each starts `overlap` of the last one early."""
    path = np.zeros((len(TIMES), 3))
    for displacement, duration in zip(displacements, durations, strict=True):
        path += progress((TIMES - start) / duration)[:, None] * displacement
        start += duration * (1.0 - overlap)
    return path


def start_of(rng: Generator, duration: float) -> float:
    """A start [s] that lets a gesture of `duration` end within the recording."""
    return rng.uniform(0.02, max(0.03, DURATION_S - duration))


def planned_strokes(rng: Generator, shape: list[tuple[float, float]], seconds: float) -> Array:
    """Strokes in the plane x, z along `shape` [m], each off by up to a fifth, in `seconds` all."""
    displacements = np.array([[x, 0.0, z] for x, z in shape])
    lengths = np.linalg.norm(displacements, axis=1)
    error = rng.uniform(-0.2, 0.2, displacements.shape) * lengths[:, None]
    error[:, 1] *= 0.5
    overlap = rng.uniform(0.0, 0.35)
    durations = rng.uniform(0.85, 1.15, len(shape)) * np.sqrt(lengths)
    # The last stroke ends at the sum of the others' shares and its own whole duration.
    durations *= seconds / (durations[:-1].sum() * (1.0 - overlap) + durations[-1])
    return strokes(displacements + error, durations, overlap, start_of(rng, seconds))


def wing(rng: Generator) -> Array:
    """The path of a W: down, up, down, up, moving to the right."""
    height = rng.uniform(0.18, 0.45)
    width = height * rng.uniform(0.25, 0.6)
    shape = [(width, -height), (width, height), (width, -height), (width, height)]
    return planned_strokes(rng, shape, rng.uniform(1.2, 2.4))


def slope(rng: Generator) -> Array:
    """The path of an angle: down to the left, then to the right."""
    size = rng.uniform(0.2, 0.5)
    angle = math.radians(rng.uniform(35.0, 65.0))
    shape = [
        (-size * math.cos(angle), -size * math.sin(angle)),
        (size * rng.uniform(0.7, 1.2), 0.0),
    ]
    return planned_strokes(rng, shape, rng.uniform(0.6, 1.6))


def ring(rng: Generator) -> Array:
    """The path of a circle: once around, in either direction, from about the top."""
    radius = rng.uniform(0.1, 0.25)
    duration = rng.uniform(1.0, 2.3)
    start = start_of(rng, duration)
    direction = rng.choice([-1.0, 1.0])
    # Hands draw circles faster at their start and end than least jerk would: mix both.
    share = rng.uniform(0.0, 1.0)
    unit = (TIMES - start) / duration
    ramp = 0.2
    even = (progress_integral(unit / ramp) - progress_integral((unit - 1.0 + ramp) / ramp)) * (
        ramp / (1.0 - ramp)
    )
    way = share * progress(unit) + (1.0 - share) * even
    angle = math.radians(rng.uniform(50.0, 130.0))
    angles = angle + direction * 2.0 * math.pi * rng.uniform(0.9, 1.15) * way
    path = np.zeros((len(TIMES), 3))
    path[:, 0] = radius * np.cos(angles) * rng.uniform(0.8, 1.25)
    path[:, 2] = radius * np.sin(angles)
    path[:, 1] = radius * rng.uniform(-0.3, 0.3) * np.sin(angles + rng.uniform(0.0, math.tau))
    return path


def progress_integral(times: Array) -> Array:
    """The integral of `progress` from 0: a speed that rises from 0 to 1 within unit time."""
    t = np.clip(times, 0.0, 1.0)
    return t**4 * (2.5 + t * (-3.0 + t)) + np.maximum(times - 1.0, 0.0)


def unit_vector(rng: Generator) -> Array:
    """A direction, all equally likely."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def rest(rng: Generator) -> Array:
    """No gesture: a hand that trembles by a millimetre at most."""
    phases = rng.uniform(0.0, math.tau, 3)
    amplitudes = rng.uniform(0.0, 0.001, 3)
    return amplitudes * np.sin(TIMES[:, None] * math.tau * rng.uniform(1.0, 8.0) + phases)


def shake(rng: Generator) -> Array:
    """To and fro along one line, three to nine times."""
    cycles = rng.uniform(3.0, 9.0)
    duration = rng.uniform(1.2, 2.5)
    unit = np.clip((TIMES - start_of(rng, duration)) / duration, 0.0, 1.0)
    envelope = progress(unit * 5.0) * progress((1.0 - unit) * 5.0)
    frequency = cycles / duration
    amplitude = rng.uniform(1.0, 14.0) / (math.tau * frequency) ** 2
    return (amplitude * envelope * np.sin(math.tau * cycles * unit))[:, None] * unit_vector(rng)


def knock(rng: Generator) -> Array:
    """One short push and back."""
    duration = rng.uniform(0.08, 0.3)
    there = unit_vector(rng) * rng.uniform(2.0, 15.0) * duration**2 / 6.0
    return strokes(np.array([there, -there]), np.full(2, duration), 0.2, rng.uniform(0.0, 2.0))


def wander(rng: Generator) -> Array:
    """Three to nine aimless strokes in all directions of space."""
    count = rng.integers(3, 10)
    displacements = rng.normal(0.0, rng.uniform(0.05, 0.25), (count, 3))
    durations = rng.uniform(0.25, 0.9, count)
    return strokes(displacements, durations, rng.uniform(0.0, 0.5), rng.uniform(-0.5, 0.8))


PATHS = {"Wing": wing, "Ring": ring, "Slope": slope}
OTHER_PATHS = (rest, rest, shake, shake, knock, wander, wander, wander)


def rotations(angles: Array) -> Array:
    """Rotation matrices [n, 3, 3] from angles [n, 3] about x, then y, then z, in radians."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles).T, np.cos(angles).T
    return np.array(
        [
            [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
            [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
            [-sy, cy * sx, cy * cx],
        ]
    ).transpose(2, 0, 1)


def attitude(rng: Generator, *, gesture: bool) -> Array:
    """Angles [128, 3] of the device: tilted, swaying, and if not in a gesture perhaps turned."""
    limit = np.radians([35.0, 25.0, 20.0] if gesture else [180.0, 90.0, 180.0])
    if not gesture and rng.random() < 0.5:
        limit = np.radians([35.0, 25.0, 20.0])
    tilt = rng.uniform(-limit, limit)
    times = TIMES[1:-1, None]
    sway = np.radians(rng.uniform(0.0, 8.0, 3)) * np.sin(
        math.tau * rng.uniform(0.1, 0.6) * times + rng.uniform(0.0, math.tau, 3)
    )
    angles = tilt + sway
    if not gesture and rng.random() < 0.3:
        duration = rng.uniform(0.4, 2.0)
        turn = np.radians(rng.uniform(-120.0, 120.0, 3))
        angles = angles + progress((times - start_of(rng, duration)) / duration) * turn
    return angles


def record(rng: Generator, label: str) -> NDArray[np.float32]:
    """Make one recording f32[128, 3] of the gesture `label`."""
    gesture = label in PATHS
    path = PATHS[label](rng) if gesture else OTHER_PATHS[rng.integers(len(OTHER_PATHS))](rng)
    acceleration = np.diff(path, 2, axis=0) * RATE_HZ**2
    acceleration[:, 2] += GRAVITY
    frames = rotations(attitude(rng, gesture=gesture))
    measured = np.einsum("nij,ni->nj", frames, acceleration)
    measured += rng.uniform(-0.15, 0.15, 3)
    measured += rng.normal(0.0, rng.uniform(0.01, 0.25), measured.shape)
    return measured.astype(np.float32)


def normalize(recording: NDArray[np.float32]) -> NDArray[np.float32]:
    """The `normalize` block: (x - min) / (max - min) over all elements, in f32.

    All elements equal: zeros.
    """
    low, high = recording.min(), recording.max()
    return np.zeros_like(recording) if low == high else (recording - low) / (high - low)


def data_set(seed: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Recordings as the model sees them, f32[4 count, 128, 3, 1], and their labels, grouped."""
    rng = np.random.default_rng(seed)
    recordings = [normalize(record(rng, label)) for label in LABELS for _ in range(count)]
    return np.stack(recordings)[..., None], np.repeat(np.arange(len(LABELS)), count)
