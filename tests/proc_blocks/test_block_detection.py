"""segment_output and object_filter: what a vision model saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.pipeline import TensorType
from runec.proc_blocks import BlockMismatch, Catalogue

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=60)
NOT_SEEN = 2**32 - 1


@BRIEFLY
@given(
    scores=st.lists(
        st.sampled_from([0.0, 1.0, -1.0, 0.5, float("nan"), float("-inf"), float("inf")]),
        min_size=24,
        max_size=24,
    )
)
def test_segment_output_is_the_class_of_each_pixel_and_their_set(
    use: Use, scores: list[float]
) -> None:
    values = np.array(scores, "<f4").reshape(1, 2, 3, 4)
    block = use("segment_output", "f32[1, 2, 3, 4]")
    assert [str(o.type) for o in block.outputs] == ["u32[2, 3]", "u32[4]"]
    done = block.run(values.tobytes())
    # A NaN is smaller than -infinity; among NaNs alone the first counts.
    known = np.where(np.isnan(values), -np.finfo(np.float64).max, values.astype(float))
    known = np.where(np.isneginf(values), -1e300, known)
    classes = known.argmax(axis=-1).astype("<u4").ravel()
    seen = np.unique(classes)
    padded = np.concatenate([seen, np.full(4 - len(seen), NOT_SEEN)]).astype("<u4")
    assert done.outputs == [classes.tobytes(), padded.tobytes()]


@pytest.mark.parametrize("length", [1, 2, 3, 9])
@BRIEFLY
@given(data=st.data())
def test_segment_output_fills_or_cuts_the_set_to_the_declared_length(
    use: Use, length: int, data: st.DataObject
) -> None:
    classes = np.array(data.draw(st.lists(st.integers(0, 10), min_size=6, max_size=6)))
    scores = np.eye(11, dtype="<f4")[classes].reshape(1, 2, 3, 11)
    declared = ("u32[2, 3]", f"u32[{length}]")
    done = use("segment_output", "f32[1, 2, 3, 11]", declared=declared).run(scores.tobytes())
    seen = np.unique(classes)[:length]
    padded = np.concatenate([seen, np.full(length - len(seen), NOT_SEEN)])
    assert done.outputs == [classes.astype("<u4").tobytes(), padded.astype("<u4").tobytes()]


@pytest.mark.parametrize(
    ("block", "given_", "part"),
    [
        ("segment_output", "f32[2, 3, 4]", "a rank 4 tensor [1, _, _, _], but got f32[2, 3, 4]"),
        ("segment_output", "f32[2, 3, 4, 5]", "[1, _, _, _]"),
        ("object_filter", "f32[1, 3, 5]", "[1, _, 6+]"),
    ],
)
def test_a_wrong_shape_is_refused_before_anything_is_built(
    block: str, given_: str, part: str
) -> None:
    found = Catalogue.builtin().find(block)
    assert found is not None
    with pytest.raises(BlockMismatch) as caught:
        found.resolve([TensorType.parse(given_)], [], {})
    assert caught.value.code == "R0412"
    assert part in caught.value.message


def test_object_filter_gives_the_originals_object(use: Use) -> None:
    box = [0.27335986, 0.43181776, 0.40072349, 0.33026114]
    block = use("object_filter", "f32[1, 1, 8]")
    got = block.array([*box, 0.75, 0.1849257, 0.8824799, 0.26666544])
    assert got.tolist() == np.array([*box, 0.8824799, 1.0], np.float32).tolist()
    assert block.array([*box, 0.7, 0.1, 0.8, 0.2]).tolist() == [0] * 6


def filtered(rows: np.ndarray, threshold: float, room: int) -> np.ndarray:
    """What the original does, in its order: as long as there are two alike, one of them goes.

    Of what is left, the `room` most confident ones, in the order of the input.
    """
    objects = [
        [*row[:4], row[5:].max(), np.float32(row[5:].argmax())]
        for row in rows
        if row[4] > np.float32(threshold)
    ]

    def alike() -> tuple[int, int] | None:
        near = np.float32(0.01)
        for i, a in enumerate(objects):
            for j in range(i + 1, len(objects)):
                b = objects[j]
                if abs(a[0] - b[0]) <= near and abs(a[1] - b[1]) <= near:
                    return i, j
        return None

    while (pair := alike()) is not None:
        first, second = pair
        del objects[second if objects[first][4] > objects[second][4] else first]
    confidences = -np.array([item[4] for item in objects])
    kept = sorted(np.argsort(confidences, kind="stable")[:room])
    objects = [objects[index] for index in kept]
    objects += [[np.float32(0)] * 6] * (room - len(objects))
    return np.array(objects, "<f4")


@BRIEFLY
@given(data=st.data())
def test_object_filter_keeps_what_the_originals_algorithm_keeps(
    use: Use, data: st.DataObject
) -> None:
    place = st.sampled_from([0.1, 0.105, 0.11, 0.115, 0.12, 0.5])
    number = st.sampled_from([0.0, 0.2, 0.69, 0.7, 0.71, 0.9, 1.0])
    row = st.tuples(place, place, number, number, number, number, number)
    rows = np.array(data.draw(st.lists(row, min_size=9, max_size=9)), "<f4")
    got = use("object_filter", "f32[1, 9, 7]").array(rows)
    assert got.tobytes() == filtered(rows, 0.7, 9).tobytes()
    for room in (1, 2, 20):
        block = use("object_filter", "f32[1, 9, 7]", declared=(f"f32[{room}]",))
        assert block.array(rows).tobytes() == filtered(rows, 0.7, room).tobytes()
