"""Shapes that figures are made of.

A figure stands in coordinates of its own: x to the right, y up, the ground at 0, about 1 high. A
shape is a polygon or a line with round ends, and has a tone from 0 (black) to 255 (white).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Generator = np.random.Generator
Tone = Callable[[], float]  # gives another tone each time


@dataclass(frozen=True)
class Shape:
    """A filled polygon, or with a width a line."""

    points: Array  # [n, 2]
    tone: float
    width: float | None = None
    part: int = 0  # of a person, from 1: head, trunk, arms, legs


def polygon(tone: float, *points: tuple[float, float]) -> Shape:
    """Make a polygon."""
    return Shape(np.array(points, np.float64), tone)


def line(tone: float, width: float, *points: tuple[float, float]) -> Shape:
    """Make a line."""
    return Shape(np.array(points, np.float64), tone, width)


def rectangle(tone: float, left: float, bottom: float, right: float, top: float) -> Shape:
    """Make an upright rectangle."""
    return polygon(tone, (left, bottom), (right, bottom), (right, top), (left, top))


def ellipse(tone: float, x: float, y: float, x_radius: float, y_radius: float) -> Shape:
    """Make an upright ellipse."""
    angles = np.linspace(0.0, math.tau, 20, endpoint=False)
    points = np.stack([x + x_radius * np.cos(angles), y + y_radius * np.sin(angles)], axis=1)
    return Shape(points, tone)


def limb(
    tone: float,
    width: float,
    start: tuple[float, float],
    lengths: tuple[float, float],
    angles: Array,
) -> Shape:
    """Make two bones from a joint; angles in degrees from straight down, to the right positive."""
    points = [start]
    for length, angle in zip(lengths, np.radians(angles), strict=True):
        x, y = points[-1]
        points.append((x + length * math.sin(angle), y - length * math.cos(angle)))
    return line(tone, width, *points)


def as_part(part: int, shapes: list[Shape]) -> list[Shape]:
    """Mark shapes as a part of a person."""
    return [replace(shape, part=part) for shape in shapes]


Figure = Callable[[Generator, Tone], list[Shape]]
