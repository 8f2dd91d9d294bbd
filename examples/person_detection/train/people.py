"""People, drawn at random.

Seen from the front or the side, standing, walking or with arms anywhere, in trousers, skirts or
coats, with hair, hats and bags.
"""

from dataclasses import dataclass

import numpy as np
from shapes import (
    Array,
    Generator,
    Shape,
    Tone,
    as_part,
    ellipse,
    limb,
    line,
    polygon,
    rectangle,
)


def arm_angles(rng: Generator, kind: str) -> Array:
    """Angles of the upper and the lower arm, outwards positive."""
    if kind == "hanging":
        return np.array([rng.uniform(2, 18), rng.uniform(-6, 16)])
    if kind == "raised":
        upper = rng.uniform(95, 170)
        return np.array([upper, upper + rng.uniform(-10, 60)])
    if kind == "akimbo":
        return np.array([rng.uniform(30, 55), rng.uniform(-65, -35)])
    upper = rng.uniform(55, 100)  # stretched out
    return np.array([upper, upper + rng.uniform(-15, 50)])


@dataclass(frozen=True)
class Body:
    """A person's measures and colours."""

    shirt: float
    trousers: float
    skin: float
    hair: float
    shoes: float
    head: float  # radius
    head_y: float
    shoulder_y: float
    hip_y: float
    sideways: bool
    shoulder: float  # half of the width
    hip: float
    arm: float  # thickness
    leg: float
    arm_lengths: tuple[float, float]
    sleeve: float


def body(rng: Generator, tone: Tone) -> Body:
    """Choose a body."""
    shirt, trousers, skin, hair, shoes = (tone() for _ in range(5))
    if rng.random() < 0.2:
        trousers = shirt
    head = rng.uniform(0.06, 0.088)
    head_y = 1.0 - 1.15 * head
    shoulder_y = head_y - head - rng.uniform(0.015, 0.04)
    hip_y = rng.uniform(0.45, 0.54)
    sideways = bool(rng.random() < 0.4)
    shoulder = rng.uniform(0.055, 0.085) if sideways else rng.uniform(0.09, 0.14)
    hip = rng.uniform(0.05, 0.08) if sideways else rng.uniform(0.065, 0.105)
    arm, leg = rng.uniform(0.04, 0.062), rng.uniform(0.065, 0.1)
    arm_lengths = (rng.uniform(0.15, 0.18), rng.uniform(0.14, 0.18))
    sleeve = shirt if rng.random() < 0.7 else skin
    colours = (shirt, trousers, skin, hair, shoes)
    heights = (head, head_y, shoulder_y, hip_y)
    return Body(*colours, *heights, sideways, shoulder, hip, arm, leg, arm_lengths, sleeve)


def draw_legs(rng: Generator, of: Body) -> list[Shape]:
    """Draw legs and shoes."""
    half = of.hip_y / 2
    stride = rng.uniform(8, 32) if of.sideways and rng.random() < 0.75 else rng.uniform(0, 10)
    bend = rng.uniform(0, 35) if of.sideways and stride > 12 else rng.uniform(0, 6)
    shapes = []
    for side in (-1, 1):
        start = (0.25 * of.hip * side if of.sideways else 0.6 * of.hip * side, of.hip_y)
        lower = stride * side - (bend if of.sideways and side < 0 else 0.0)
        angles = np.array([stride * side, lower])
        bones = limb(of.trousers, of.leg, start, (half, half - 0.03), angles)
        ankle_x, ankle_y = bones.points[-1]
        toe = 0.06 if of.sideways else 0.03 * side
        shoe = line(of.shoes, 0.045, (ankle_x, ankle_y), (ankle_x + toe, ankle_y - 0.01))
        shapes += [bones, shoe]
    return shapes


def draw_arms(rng: Generator, of: Body) -> list[Shape]:
    """Draw arms and hands: the left arm, its hand, the right arm, its hand."""
    kinds = ["hanging", "raised", "akimbo", "stretched"]
    kind = str(rng.choice(kinds, p=[0.6, 0.12, 0.13, 0.15]))
    shapes = []
    swing = rng.uniform(5, 45)
    for side in (-1, 1):
        if of.sideways:
            start = (0.0, of.shoulder_y - 0.03)
            angles = np.array([-swing * side, -swing * side + rng.uniform(0, 45)])
            if kind in ("raised", "stretched") and side > 0:
                angles = arm_angles(rng, kind)
        else:
            each = kind if rng.random() < 0.7 else "hanging"
            start = (0.93 * of.shoulder * side, of.shoulder_y - 0.025)
            angles = arm_angles(rng, each) * side
        bones = limb(of.sleeve, of.arm, start, of.arm_lengths, angles)
        x, y = bones.points[-1]
        shapes += [bones, ellipse(of.skin, x, y, 0.028, 0.028)]
    return shapes


def draw_torso(rng: Generator, tone: Tone, of: Body) -> list[Shape]:
    """Draw what is worn between shoulders and legs."""
    shoulder, shoulder_y, hip, hip_y = of.shoulder, of.shoulder_y, of.hip, of.hip_y
    shapes = [
        polygon(
            of.shirt,
            *((-shoulder, shoulder_y), (shoulder, shoulder_y)),
            *((hip, hip_y - 0.03), (-hip, hip_y - 0.03)),
        ),
        ellipse(of.shirt, 0.0, shoulder_y, shoulder, 0.03),
    ]
    dress = rng.random()
    if dress < 0.2:  # a skirt
        hem_y, hem = rng.uniform(0.15, 0.32), hip * rng.uniform(1.2, 1.9)
        skirt = of.trousers if rng.random() < 0.5 else of.shirt
        shapes.append(polygon(skirt, (-hip, hip_y), (hip, hip_y), (hem, hem_y), (-hem, hem_y)))
    elif dress < 0.35:  # a coat
        hem_y, hem = rng.uniform(0.22, 0.38), hip * rng.uniform(1.0, 1.35)
        shapes.append(polygon(of.shirt, (-hip, hip_y), (hip, hip_y), (hem, hem_y), (-hem, hem_y)))
    if rng.random() < 0.2:  # stripes
        stripe = tone()
        heights = np.arange(hip_y + 0.04, shoulder_y - 0.02, 0.07)
        shapes += [line(stripe, 0.02, (-0.8 * hip, y), (0.8 * hip, y)) for y in heights]
    return shapes


def draw_head(rng: Generator, of: Body) -> list[Shape]:
    """Draw neck, head, and what is on it."""
    head, head_y = of.head, of.head_y
    shapes = [
        line(of.skin, 0.06, (0.0, of.shoulder_y - 0.01), (0.0, head_y)),
        ellipse(of.hair, 0.0, head_y + 0.15 * head, 1.05 * head, 1.1 * head),
        ellipse(of.skin, 0.25 * head * of.sideways, head_y - 0.15 * head, 0.85 * head, 0.95 * head),
    ]
    worn = rng.random()
    if worn < 0.12:  # a hat
        brim = head_y + 0.55 * head
        shapes += [
            line(of.hair, 0.02, (-1.6 * head, brim), (1.6 * head, brim)),
            rectangle(of.hair, -0.9 * head, brim, 0.9 * head, brim + 0.9 * head),
        ]
    elif worn < 0.3:  # long hair
        x, y = -0.2 * head * of.sideways, head_y - 0.8 * head
        shapes.insert(0, ellipse(of.hair, x, y, head, 1.6 * head))
    return shapes


def person(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a person."""
    of = body(rng, tone)
    legs, arms = as_part(4, draw_legs(rng, of)), as_part(3, draw_arms(rng, of))
    torso, head = as_part(2, draw_torso(rng, tone, of)), as_part(1, draw_head(rng, of))
    bag = []
    if rng.random() < 0.15:
        x, y = arms[0].points[-1]
        bag = [rectangle(tone(), x - 0.07, y - 0.14, x + 0.07, y)]
    if of.sideways:  # one arm behind the body
        return [*arms[:2], *bag, *legs, *torso, *head, *arms[2:]]
    return [*legs, *torso, *head, *arms, *bag]
