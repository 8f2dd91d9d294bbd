"""Makes pictures with a person in them, or without.

Both kinds are made the same way: a background, things in front of it, one figure that is large,
writing, something in the way of it, light, blur and noise. The large figure is a person or one more
thing, and that is the only difference.

`TRAINING` is what a network learns from. `ELSEWHERE` has other backgrounds, other things, other
sizes and worse light, none of which training shows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from people import person
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from shapes import Figure, Generator, Shape
from things import OTHER_THINGS, THINGS

LABELS = ("no_person", "person")  # in the order of the model's outputs
SIZE = 64  # pixels, both ways
CELLS, PARTS = 8, 4  # squares both ways in which parts of people are found; how many parts
_FINER = 2  # drawn so many times larger, for smooth edges

Bytes = NDArray[np.uint8]
Background = Callable[[Generator, ImageDraw.ImageDraw, int], None]


def _tone(rng: Generator) -> int:
    return int(rng.integers(0, 256))


def ground(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """A sky that changes downwards over a ground, perhaps with hills between."""
    horizon = int(side * rng.uniform(0.3, 0.85))
    top, low, soil = _tone(rng), _tone(rng), _tone(rng)
    for y in range(horizon):
        draw.line((0, y, side, y), int(top + (low - top) * y / horizon))
    draw.rectangle((0, horizon, side, side), soil)
    for _ in range(rng.integers(0, 4)):
        x, radius = rng.uniform(0, side), rng.uniform(0.1, 0.4) * side
        hill = (x - radius, horizon - radius / 2, x + radius, horizon + radius / 2)
        draw.pieslice(hill, 180, 360, _tone(rng))


def room(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """A wall with stripes, windows, pictures or doors, and a floor."""
    floor = int(side * rng.uniform(0.6, 0.95))
    draw.rectangle((0, 0, side, side), _tone(rng))
    if rng.random() < 0.4:
        step, paint = side * rng.uniform(0.06, 0.2), _tone(rng)
        for x in np.arange(0, side, step):
            draw.rectangle((x, 0, x + step / 2, floor), paint)
    for _ in range(rng.integers(0, 4)):
        x, y = rng.uniform(-0.1, 0.9, 2) * side
        width, height = rng.uniform(0.1, 0.45, 2) * side
        draw.rectangle((x, y, x + width, y + height), _tone(rng), _tone(rng), 3)
    draw.rectangle((0, floor, side, side), _tone(rng))


def town(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """Houses with windows in front of a sky, and a street."""
    street = int(side * rng.uniform(0.65, 0.95))
    draw.rectangle((0, 0, side, side), _tone(rng))
    x = -rng.uniform(0, 0.2) * side
    while x < side:
        width, top = rng.uniform(0.15, 0.5) * side, street - rng.uniform(0.2, 0.9) * side
        draw.rectangle((x, top, x + width, street), _tone(rng))
        step, pane = rng.uniform(0.06, 0.12) * side, _tone(rng)
        for left in np.arange(x + step / 2, x + width - step / 2, step):
            for upper in np.arange(top + step / 2, street - step, step):
                draw.rectangle((left, upper, left + step / 2, upper + step / 2), pane)
        x += width
    draw.rectangle((0, street, side, side), _tone(rng))


def patches(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """Nothing but patches and lines."""
    draw.rectangle((0, 0, side, side), _tone(rng))
    for _ in range(rng.integers(5, 30)):
        x, y = rng.uniform(-0.2, 1.0, 2) * side
        width, height = rng.uniform(0.03, 0.4, 2) * side
        kind = rng.integers(3)
        if kind == 0:
            draw.rectangle((x, y, x + width, y + height), _tone(rng))
        elif kind == 1:
            draw.ellipse((x, y, x + width, y + height), _tone(rng))
        else:
            draw.line((x, y, x + width, y + height), _tone(rng), int(rng.integers(1, 9)))


def tiles(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """A chequered wall over a floor of planks (training does not show it)."""
    step, light, dark = side * rng.uniform(0.08, 0.25), _tone(rng), _tone(rng)
    draw.rectangle((0, 0, side, side), light)
    for row, y in enumerate(np.arange(0, side, step)):
        for x in np.arange((row % 2) * step, side, 2 * step):
            draw.rectangle((x, y, x + step, y + step), dark)
    floor = rng.uniform(0.6, 0.95) * side
    draw.rectangle((0, floor, side, side), _tone(rng))
    for x in np.arange(-side, 2 * side, step):
        draw.line((x, side, side / 2 + (x - side / 2) / 2, floor), dark, 2)


def wood(rng: Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """Trunks and branches everywhere (training does not show it)."""
    draw.rectangle((0, 0, side, side), _tone(rng))
    draw.rectangle((0, int(rng.uniform(0.6, 0.95) * side), side, side), _tone(rng))
    for _ in range(rng.integers(5, 16)):
        x, bark, width = rng.uniform(0, side), _tone(rng), int(rng.integers(2, side // 20))
        foot = rng.uniform(0.6, 1.0) * side
        draw.line((x, foot, x + rng.uniform(-0.1, 0.1) * side, 0), bark, width)
        for _ in range(rng.integers(0, 4)):
            y, out = rng.uniform(0, 0.6) * side, rng.uniform(-0.2, 0.2) * side
            draw.line((x, y, x + out, y - abs(out)), bark, max(1, width // 2))


@dataclass(frozen=True)
class Place:
    """Where pictures are taken: ranges are uniform, of the picture's side unless said."""

    backgrounds: tuple[Background, ...]
    things: tuple[Figure, ...]
    height: tuple[float, float]  # of the large figure
    hidden: float  # how often something stands in the way
    lean: float  # degrees, at most
    blur: float  # pixels, at most
    noise: float  # tones, standard deviation, at most


TRAINING = Place((ground, room, town, patches), THINGS, (0.5, 1.0), 0.2, 6.0, 0.7, 10.0)
ELSEWHERE = Place((tiles, wood), OTHER_THINGS, (0.48, 1.1), 0.25, 9.0, 0.9, 13.0)


class Canvas:
    """A grey picture that is being drawn."""

    def __init__(self, rng: Generator, side: int, background: Background) -> None:
        self.image = Image.new("L", (side, side))
        self.parts = Image.new("L", (side, side))  # `Shape.part` of what is seen there
        self.side = side
        self.draw = ImageDraw.Draw(self.image)
        self._draw_parts = ImageDraw.Draw(self.parts)
        self._rng = rng
        background(rng, self.draw, side)

    def tone_at(self, x: float, y: float) -> float:
        """The mean tone of the part where a figure of medium size would stand."""
        reach = self.side // 8
        left, upper = int(x) - reach, int(y) - reach
        part = self.image.crop((left, upper, left + 2 * reach, upper + 2 * reach)).resize((1, 1))
        return float(np.asarray(part)[0, 0])

    def place(self, figure: Figure, foot: tuple[float, float], height: float, lean: float) -> None:
        """Draw a figure whose foot stands at a point, pixels from the top left."""
        rng = self._rng
        behind = self.tone_at(foot[0], foot[1] - height / 2)

        def tone() -> float:
            """A tone that can be told from what is behind."""
            while True:
                found = rng.uniform(0, 255)
                if abs(found - behind) >= 45:
                    return float(found)

        angle = np.radians(rng.uniform(-lean, lean))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        mirror = rng.choice([-1.0, 1.0]) * rng.uniform(0.75, 1.15)
        for shape in figure(rng, tone):
            points = (shape.points * [mirror, 1.0]) @ turn * height
            self._paint(shape, points * [1.0, -1.0] + foot, height)

    def _paint(self, shape: Shape, points: NDArray[np.float64], height: float) -> None:
        corners = [(float(x), float(y)) for x, y in points]
        width = None if shape.width is None else max(1, round(shape.width * height))
        for draw, fill in ((self.draw, int(shape.tone)), (self._draw_parts, shape.part)):
            if width is None:
                draw.polygon(corners, fill)
                continue
            draw.line(corners, fill, width, joint="curve")
            for x, y in corners:
                radius = width / 2
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)

    def hide(self, left: float, top: float, right: float, bottom: float) -> None:
        """Put a rectangle in front of everything."""
        self.draw.rectangle((left, top, right, bottom), _tone(self._rng))
        self._draw_parts.rectangle((left, top, right, bottom), 0)

    def write(self) -> None:
        """Write something somewhere."""
        rng = self._rng
        letters = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUWXZ123"), rng.integers(1, 8)))
        x, y = rng.uniform(-0.1, 0.9, 2) * self.side
        font = ImageFont.load_default(rng.uniform(0.06, 0.4) * self.side)
        self.draw.text((x, y), letters, _tone(rng), font)


def scene(rng: Generator, place: Place, *, has_person: bool, side: int) -> Canvas:
    """Draw one picture, `side` pixels high and wide, as a perfect camera would see it."""
    canvas = Canvas(rng, side, place.backgrounds[rng.integers(len(place.backgrounds))])

    def spot(height: float, spread: float) -> tuple[float, float]:
        """Where the foot of a figure of a height stands."""
        x = 0.5 + rng.uniform(-spread, spread)
        foot = rng.uniform(min(height, 0.96), 1.04 + max(0.0, height - 0.96))
        return x * side, foot * side

    def thing() -> Figure:
        return place.things[rng.integers(len(place.things))]

    for _ in range(rng.integers(0, 3)):
        height = rng.uniform(0.15, 0.6)
        canvas.place(thing(), spot(height, 0.5), height * side, place.lean)
    if rng.random() < 0.25:
        canvas.write()
    height = rng.uniform(*place.height)
    foot = spot(height, 0.28)
    canvas.place(person if has_person else thing(), foot, height * side, place.lean)
    if rng.random() < place.hidden:
        # In the way: up to 40 hundredths of its height, from below, or a post.
        x, y = foot
        if rng.random() < 0.6:
            top, half = y - rng.uniform(0.1, 0.4) * height * side, rng.uniform(0.15, 0.5) * side
            canvas.hide(x - half, min(top, side), x + half, side)
        else:
            post, half = x + rng.uniform(-0.15, 0.15) * side, rng.uniform(0.01, 0.035) * side
            canvas.hide(post - half, 0, post + half, side)
    if rng.random() < 0.15:
        canvas.write()
    return canvas


def develop(rng: Generator, image: Image.Image, place: Place) -> Bytes:
    """See a perfect picture as a cheap camera does: uneven light, blur, noise; u8 as the image."""
    blurred = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.0, place.blur)))
    tones = np.asarray(blurred, np.float64)
    across, down = np.linspace(-1, 1, tones.shape[1]), np.linspace(-1, 1, tones.shape[0])
    light = 1.0 + rng.uniform(-0.25, 0.25) * across + rng.uniform(-0.25, 0.25) * down[:, None]
    low = rng.uniform(0.0, 50.0)
    high = rng.uniform(low + 130.0, 255.0)
    tones = low + (high - low) * (tones / 255.0) ** rng.uniform(0.7, 1.4) * light
    tones += rng.normal(0.0, rng.uniform(1.0, place.noise), tones.shape)
    return np.clip(np.rint(tones), 0, 255).astype(np.uint8)


def picture(rng: Generator, place: Place, label: str, size: int = SIZE) -> Bytes:
    """Make one picture u8[size, size] of a label."""
    return picture_and_parts(rng, place, label, size)[0]


def picture_and_parts(
    rng: Generator, place: Place, label: str, size: int = SIZE
) -> tuple[Bytes, Bytes]:
    """Make one picture u8[size, size] of a label, and where head, trunk, arms and legs are.

    The parts are u8[8, 8, 4]: how much of a square of the picture each covers, 255 is all of it.
    """
    canvas = scene(rng, place, has_person=label == "person", side=_FINER * size)
    taken = develop(rng, canvas.image.reduce(_FINER), place)
    here = np.asarray(canvas.parts)[::_FINER, ::_FINER, None] == np.arange(1, PARTS + 1)
    cell = size // CELLS
    parts = here.reshape(CELLS, cell, CELLS, cell, PARTS).mean(axis=(1, 3))
    return taken, np.rint(255.0 * parts).astype(np.uint8)


def data_set(seed: int, count: int, place: Place) -> tuple[Bytes, NDArray[np.int64], Bytes]:
    """Pictures u8[2 count, 64, 64, 1], their labels, alternating, and their parts."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(len(LABELS)), count)
    made = [picture_and_parts(rng, place, LABELS[label]) for label in labels]
    pictures, parts = (np.stack(each) for each in zip(*made, strict=True))
    return pictures[..., None], labels, parts
