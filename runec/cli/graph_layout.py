"""Where the boxes, lines and labels of a drawn pipeline lie.

In layers, as Sugiyama, Tagawa and Toda have it (Methods for Visual Understanding of Hierarchical
System Structures, 1981): each box below all that it takes from; a label and, where a line passes
other rows, a bend have places in the order of their rows as boxes have, so that nothing lies upon
anything else; each row is ordered by the means of its neighbours, and then drawn towards them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

NODE_HEIGHT = 44
LABEL_HEIGHT = 60
MARGIN = 20
_GAP = 24
_BEND = 6
_LABEL_GAP = 6
_TEXT_HEIGHT = 18
_BASELINE = 13
_ORDER_SWEEPS = 12
_PLACE_SWEEPS = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A box to be placed, by its width."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line from the box `source` down to the box `target`, with a label of some width."""

    source: str
    target: str
    label_width: int


@dataclass(frozen=True, slots=True)
class Route:
    """A line's points, from box to box, and where its label begins."""

    points: tuple[tuple[int, int], ...]
    label: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box's upper side, the lines in the order given, and the whole size."""

    boxes: Mapping[str, tuple[int, int]]
    routes: Sequence[Route]
    width: int
    height: int


@dataclass(slots=True)
class _Item:
    """A box, a label or a bend: what it takes up left and right of its place, its neighbours."""

    left: float
    right: float
    above: list[_Item] = field(default_factory=list)
    below: list[_Item] = field(default_factory=list)
    x: float = 0.0
    index: int = 0


def _rows(boxes: Sequence[Box], lines: Sequence[Line]) -> dict[str, int]:
    """Each box below all it takes from; one that takes nothing stands just above its first user."""
    rows: dict[str, int] = {}
    for box in boxes:
        before = [rows[line.source] for line in lines if line.target == box.name]
        rows[box.name] = max(before, default=-1) + 1
    for box in boxes:
        after = [rows[line.target] for line in lines if line.source == box.name]
        if after and not any(line.target == box.name for line in lines):
            rows[box.name] = min(after) - 1
    return rows


class _Layers:
    """Rows of boxes (even) and of what is between them (odd)."""

    def __init__(self, boxes: Sequence[Box], lines: Sequence[Line]) -> None:
        self.rows = _rows(boxes, lines)
        self.layers: list[list[_Item]] = [
            [] for _ in range(2 * max(self.rows.values(), default=0) + 1)
        ]
        self.boxes: dict[str, _Item] = {}
        for box in boxes:
            item = _Item(box.width / 2, box.width / 2)
            self.boxes[box.name] = item
            self.layers[2 * self.rows[box.name]].append(item)
        self.chains = [self._chain(line) for line in lines]

    def _chain(self, line: Line) -> list[_Item]:
        """What a line passes: its source, its label, bends, its target."""
        first, last = 2 * self.rows[line.source], 2 * self.rows[line.target]
        chain = [self.boxes[line.source]]
        for layer in range(first + 1, last):
            is_label = layer == first + 1
            right = _LABEL_GAP + line.label_width if is_label else _BEND
            item = _Item(_BEND, right)
            self.layers[layer].append(item)
            chain.append(item)
        chain.append(self.boxes[line.target])
        for upper, lower in pairwise(chain):
            upper.below.append(lower)
            lower.above.append(upper)
        return chain

    def number(self) -> None:
        """Tell each item its place in its row."""
        for layer in self.layers:
            for index, item in enumerate(layer):
                item.index = index

    def crossings(self) -> int:
        """Count the crossings between each row and the next."""
        count = 0
        for layer in self.layers:
            ends = [below.index for item in layer for below in _from_left(item.below)]
            count += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
        return count

    def order(self) -> None:
        """Sort each row by the mean of its neighbours, up and down; keep the best of all."""
        self.number()
        best, fewest = [list(layer) for layer in self.layers], self.crossings()
        for sweep in range(_ORDER_SWEEPS):
            downward = sweep % 2 == 0
            for layer in self.layers if downward else reversed(self.layers):
                layer.sort(key=_mean_index(downward))
                for index, item in enumerate(layer):
                    item.index = index
            found = self.crossings()
            if found < fewest:
                best, fewest = [list(layer) for layer in self.layers], found
        self.layers = best
        self.number()

    def place(self) -> None:
        """Draw each item towards its neighbours as far as those beside it let it."""
        for layer in self.layers:
            _settle(layer, [0.0] * len(layer))
        for sweep in range(_PLACE_SWEEPS):
            last = sweep >= _PLACE_SWEEPS - 2
            for layer in self.layers if sweep % 2 == 0 else reversed(self.layers):
                wanted = []
                for item in layer:
                    near = item.above if sweep % 2 == 0 else item.below
                    near = [*item.above, *item.below] if last or not near else near
                    mean = sum(other.x for other in near) / len(near) if near else item.x
                    wanted.append(mean)
                _settle(layer, wanted)


def _from_left(items: Sequence[_Item]) -> list[_Item]:
    return sorted(items, key=lambda item: item.index)


def _mean_index(downward: bool) -> Callable[[_Item], float]:
    def key(item: _Item) -> float:
        near = item.above if downward else item.below
        if not near:
            return float(item.index)
        return sum(other.index for other in near) / len(near)

    return key


def _settle(layer: Sequence[_Item], wanted: Sequence[float]) -> None:
    """Place a row as near as can be to where it wants to be: least squares, gaps kept.

    With the widths taken off this is isotonic regression, solved by pooling neighbours that want
    to pass one another.
    """
    offsets = [0.0]
    for item, after in pairwise(layer):
        offsets.append(offsets[-1] + item.right + _GAP + after.left)
    pools: list[tuple[float, int]] = []  # mean and count
    for want, offset in zip(wanted, offsets, strict=False):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, number = pools.pop()
            mean = (mean * count + other * number) / (count + number)
            count += number
        pools.append((mean, count))
    spread = [mean for mean, count in pools for _ in range(count)]
    for item, mean, offset in zip(layer, spread, offsets, strict=False):
        item.x = mean + offset


def lay_out(boxes: Sequence[Box], lines: Sequence[Line]) -> Layout:
    """Place boxes, which come in execution order, and the lines between them."""
    layers = _Layers(boxes, lines)
    layers.order()
    layers.place()
    items = [item for layer in layers.layers for item in layer]
    left = min((item.x - item.left for item in items), default=0.0)
    right = max((item.x + item.right for item in items), default=0.0)
    step = NODE_HEIGHT + LABEL_HEIGHT

    def across(x: float) -> int:
        return round(x - left) + MARGIN

    tops = {name: MARGIN + row * step for name, row in layers.rows.items()}
    routes = []
    for line, chain in zip(lines, layers.chains, strict=True):
        points = [(across(_port(chain[0], chain[1], chain[0].below)), tops[line.source])]
        layer = 2 * layers.rows[line.source]
        for item in chain[1:-1]:
            layer += 1
            # Straight down beside the boxes of a row and beside the labels between two rows.
            top = MARGIN + layer // 2 * step
            height = NODE_HEIGHT
            if layer % 2:
                top += NODE_HEIGHT + (LABEL_HEIGHT - _TEXT_HEIGHT) // 2
                height = _TEXT_HEIGHT
            points += [(across(item.x), top), (across(item.x), top + height)]
        points.append((across(_port(chain[-1], chain[-2], chain[-1].above)), tops[line.target]))
        points[0] = (points[0][0], points[0][1] + NODE_HEIGHT)
        label = (points[1][0] + _LABEL_GAP, points[1][1] + _BASELINE)
        routes.append(Route(tuple(points), label))
    return Layout(
        {name: (across(item.x), tops[name]) for name, item in layers.boxes.items()},
        routes,
        round(right - left) + 2 * MARGIN,
        max(tops.values(), default=MARGIN) + NODE_HEIGHT + MARGIN,
    )


def _port(box: _Item, toward: _Item, all_of_them: Sequence[_Item]) -> float:
    """Where a line meets its box: lines of one side are spread over it in their order."""
    order = sorted(all_of_them, key=lambda item: (item.x, item.index))
    place = next(index for index, item in enumerate(order) if item is toward)
    room = box.right * 1.4
    return box.x + room * ((place + 0.5) / len(order) - 0.5)
