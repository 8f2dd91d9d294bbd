"""What stands about where people are, drawn at random: trees, signs, boxes, animals, furniture.

A *jumble* has the parts of a person in wrong places, so that no part alone gives a person away.
"""

import numpy as np
from shapes import Figure, Generator, Shape, Tone, ellipse, limb, line, polygon, rectangle


def jumble(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw the parts of a person in wrong places."""
    tones = [tone() for _ in range(4)]
    shapes = []
    for _ in range(rng.integers(4, 9)):
        start = (rng.uniform(-0.2, 0.2), rng.uniform(0.15, 0.95))
        lengths = (rng.uniform(0.12, 0.27), rng.uniform(0.12, 0.27))
        first = rng.uniform(0, 360)
        angles = np.array([first, first + rng.uniform(-50, 50)])
        shapes.append(limb(rng.choice(tones), rng.uniform(0.04, 0.1), start, lengths, angles))
    x, y = rng.uniform(-0.2, 0.2), rng.uniform(0.1, 0.6)
    radius = rng.uniform(0.06, 0.09)
    width, height = rng.uniform(0.08, 0.14), rng.uniform(0.12, 0.2)
    at = rng.uniform(0.2, 0.8)
    shapes += [
        ellipse(rng.choice(tones), x, y, radius, radius),
        rectangle(rng.choice(tones), -width, at - height, width, at + height),
    ]
    order = rng.permutation(len(shapes))
    return [shapes[index] for index in order]


def tree(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a tree with a round crown."""
    leaves, crown = tone(), rng.uniform(0.15, 0.3)
    shapes = [line(tone(), rng.uniform(0.05, 0.13), (0.0, 0.0), (0.0, 0.75))]
    for _ in range(rng.integers(1, 6)):
        x, y = rng.uniform(-0.12, 0.12), 1.0 - crown + rng.uniform(-0.15, 0.0)
        shapes.append(ellipse(leaves, x, y, crown * rng.uniform(0.6, 1.1), crown))
    return shapes


def conifer(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a tree of triangles."""
    needles, count = tone(), int(rng.integers(1, 5))
    shapes = [line(tone(), rng.uniform(0.04, 0.09), (0.0, 0.0), (0.0, 0.4))]
    for level in range(count):
        bottom, width = 0.15 + 0.6 * level / count, rng.uniform(0.18, 0.35) * (1 - 0.15 * level)
        shapes.append(polygon(needles, (-width, bottom), (width, bottom), (0.0, bottom + 0.4)))
    return shapes


def pole(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a pole, a lamp post or a sign."""
    metal, radius = tone(), rng.uniform(0.04, 0.14)
    shapes = [line(metal, rng.uniform(0.02, 0.08), (0.0, 0.0), (0.0, 0.95))]
    kind = rng.integers(5)
    if kind == 0:
        shapes.append(ellipse(tone(), 0.0, 1.0 - radius, radius, radius))
    elif kind == 1:
        shapes.append(rectangle(tone(), -2 * radius, 0.98 - 2 * radius, 2 * radius, 0.98))
    elif kind == 2:
        shapes.append(
            polygon(tone(), (-radius, 1.0 - 2 * radius), (radius, 1 - 2 * radius), (0, 1))
        )
    elif kind == 3:
        y = rng.uniform(0.6, 0.9)
        shapes.append(line(metal, 0.05, (-0.25, y), (0.25, y)))
    return shapes


def box(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw stacked boxes."""
    shapes, bottom = [], 0.0
    for _ in range(rng.integers(1, 4)):
        half, height = rng.uniform(0.12, 0.4), rng.uniform(0.2, 0.5)
        shift = rng.uniform(-0.08, 0.08)
        shapes.append(rectangle(tone(), shift - half, bottom, shift + half, bottom + height))
        bottom += height
    return shapes


def shelf(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a cupboard with doors, drawers or books."""
    half, wood = rng.uniform(0.15, 0.35), tone()
    shapes = [rectangle(wood, -half, 0.0, half, 1.0)]
    for y in np.linspace(0.0, 1.0, rng.integers(3, 7)):
        shapes.append(line(tone(), 0.015, (-half, y), (half, y)))
        if rng.random() < 0.6:
            books = np.arange(-half + 0.03, half - 0.05, rng.uniform(0.05, 0.15))
            shapes += [
                rectangle(tone(), x, y, x + 0.04, y + rng.uniform(0.05, 0.14)) for x in books
            ]
    return shapes


def animal(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw something on four legs."""
    fur, back = tone(), rng.uniform(0.45, 0.7)
    length, girth = rng.uniform(0.28, 0.45), rng.uniform(0.1, 0.18)
    leg = rng.uniform(0.04, 0.08)
    shapes = []
    for x in (-0.85, -0.6, 0.6, 0.85):
        foot = (x * length + rng.uniform(-0.08, 0.08), 0.0)
        shapes.append(line(fur, leg, (x * length, back), foot))
    head = (length + rng.uniform(0.0, 0.2), back + rng.uniform(0.05, 0.35))
    radius = rng.uniform(0.07, 0.12)
    shapes += [
        ellipse(fur, 0.0, back, length, girth),
        line(fur, girth * 0.9, (0.8 * length, back), head),
        ellipse(fur, head[0] + 0.4 * radius, head[1], 1.4 * radius, radius),
        line(fur, 0.03, (-length, back), (-length - 0.15, back + rng.uniform(-0.25, 0.25))),
    ]
    return shapes


def chair(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a chair, a stool or a table."""
    wood, half = tone(), rng.uniform(0.15, 0.45)
    seat, thick = rng.uniform(0.35, 0.7), rng.uniform(0.03, 0.07)
    shapes = [
        line(wood, thick, (-half, 0.0), (-half, seat)),
        line(wood, thick, (half, 0.0), (half, seat)),
        rectangle(tone(), -half - 0.03, seat - 0.05, half + 0.03, seat + 0.05),
    ]
    if rng.random() < 0.6:
        shapes.append(line(wood, thick, (-half, seat), (-half, 1.0)))
        shapes.append(line(wood, 2 * thick, (-half, 0.9), (half * rng.choice([-0.9, 1.0]), 0.9)))
    return shapes


def lamp(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a floor lamp."""
    half, top = rng.uniform(0.1, 0.25), rng.uniform(0.03, 0.15)
    bottom = rng.uniform(0.65, 0.8)
    return [
        line(tone(), rng.uniform(0.02, 0.05), (0.0, 0.0), (0.0, 0.8)),
        line(tone(), 0.05, (-0.15, 0.02), (0.15, 0.02)),
        polygon(tone(), (-half, bottom), (half, bottom), (top, 1.0), (-top, 1.0)),
    ]


def vase(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a vase with a plant."""
    clay, leaf, radius = tone(), tone(), rng.uniform(0.1, 0.22)
    shapes = []
    for _ in range(rng.integers(3, 9)):
        end = (rng.uniform(-0.35, 0.35), rng.uniform(0.6, 1.0))
        shapes += [line(leaf, 0.025, (0.0, 0.35), end), ellipse(leaf, *end, 0.06, 0.06)]
    return [*shapes, ellipse(clay, 0.0, radius, radius, 1.3 * radius)]


# What training never shows, for the held-out pictures.


def car(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a car."""
    body, tyre = tone(), tone()
    return [
        polygon(body, (-0.5, 0.35), (-0.3, 0.65), (0.25, 0.65), (0.5, 0.35)),
        rectangle(body, -0.8, 0.12, 0.8, 0.38),
        polygon(tone(), (-0.4, 0.38), (-0.27, 0.6), (0.2, 0.6), (0.36, 0.38)),
        ellipse(tyre, -0.5, 0.13, 0.14, 0.14),
        ellipse(tyre, rng.uniform(0.45, 0.55), 0.13, 0.14, 0.14),
    ]


def bird(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a bird on two legs."""
    plumage, legs = tone(), tone()
    body = rng.uniform(0.45, 0.6)
    return [
        line(legs, 0.025, (-0.05, 0.0), (-0.05, body)),
        line(legs, 0.025, (0.08, 0.0), (0.05, body)),
        ellipse(plumage, 0.0, body, 0.32, 0.2),
        polygon(plumage, (-0.25, body), (-0.6, body + 0.1), (-0.6, body - 0.1)),
        line(plumage, 0.12, (0.22, body), (0.3, 0.85)),
        ellipse(plumage, 0.32, 0.88, 0.1, 0.1),
        polygon(legs, (0.4, 0.9), (0.4, 0.84), (0.55, 0.86)),
    ]


def bottle(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a bottle."""
    glass, half = tone(), rng.uniform(0.1, 0.18)
    return [
        rectangle(glass, -half, 0.0, half, 0.6),
        polygon(glass, (-half, 0.6), (half, 0.6), (0.05, 0.78), (-0.05, 0.78)),
        rectangle(glass, -0.05, 0.75, 0.05, 0.95),
        rectangle(tone(), -0.06, 0.93, 0.06, 1.0),
        rectangle(tone(), -half, 0.15, half, rng.uniform(0.3, 0.5)),
    ]


def clock(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a grandfather clock."""
    wood, half = tone(), rng.uniform(0.1, 0.16)
    return [
        rectangle(wood, -1.3 * half, 0.0, 1.3 * half, 0.15),
        rectangle(wood, -half, 0.1, half, 0.75),
        rectangle(wood, -1.4 * half, 0.7, 1.4 * half, 1.0),
        ellipse(tone(), 0.0, 0.85, half, half),
        line(tone(), 0.03, (0.0, 0.65), (rng.uniform(-0.05, 0.05), 0.3)),
    ]


def ladder(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a ladder, upright or as an A."""
    wood, bottom, top = tone(), rng.uniform(0.1, 0.25), rng.uniform(0.02, 0.15)
    shapes = [
        line(wood, 0.035, (-bottom, 0.0), (-top, 1.0)),
        line(wood, 0.035, (bottom, 0.0), (top, 1.0)),
    ]
    for y in np.arange(0.1, 1.0, 0.13):
        half = bottom + (top - bottom) * y
        shapes.append(line(wood, 0.03, (-half, y), (half, y)))
    return shapes


def snowman(rng: Generator, tone: Tone) -> list[Shape]:
    """Draw a snowman."""
    snow, stick = tone(), tone()
    lowest, middle = rng.uniform(0.22, 0.28), rng.uniform(0.15, 0.2)
    return [
        line(stick, 0.02, (-0.4, 0.7), (0.4, 0.7)),
        ellipse(snow, 0.0, lowest, lowest, lowest),
        ellipse(snow, 0.0, 0.6, middle, middle),
        ellipse(snow, 0.0, 0.87, 0.12, 0.12),
        polygon(stick, (0.0, 0.89), (0.0, 0.85), (0.15, 0.86)),
    ]


THINGS: tuple[Figure, ...] = (
    *(jumble, tree, conifer, pole, box),
    *(shelf, animal, chair, lamp, vase),
)
OTHER_THINGS: tuple[Figure, ...] = (car, bird, bottle, clock, ladder, snowman)
