"""Lists of words that blocks read from a resource when they run (rune_words.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.pipeline import ResourceWords
from runec.proc_blocks import split_words

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import CompiledBlock, Use

WORDS = ResourceWords("WORDS")
# A list that no buffer of the reader holds whole.
MANY = tuple(f"label number {number}" for number in range(1001))


def label(use: Use, text: str, count: int) -> CompiledBlock:
    block = use("label", f"u32[{count}]", wordlist=WORDS)
    block.resources = {"WORDS": text.encode()}
    return block


def indices(*values: int) -> bytes:
    return np.array(values, "<u4").tobytes()


def test_a_label_is_found_anywhere_in_a_long_list(use: Use) -> None:
    for end in ("", "\n", "\n\n \n"):
        block = label(use, "\n".join(MANY) + end, 4)
        assert block.words(indices(1000, 0, 17, 999)) == [
            "label number 1000",
            "label number 0",
            "label number 17",
            "label number 999",
        ]


def test_an_index_behind_a_long_list_fails_and_says_how_long_it_is(use: Use) -> None:
    done = label(use, "\n".join(MANY), 4).run(indices(0, 0, 0, 1001))
    assert done.messages == [
        "the block: index out of bounds: there are 1001 labels but label 1001 was requested"
    ]
    assert done.status == 2


@settings(deadline=None, max_examples=150)
@given(
    text=st.text(alphabet=" \t\r\v\f\n\n\nab\u00e9\u00a0", max_size=30)
    | st.lists(st.sampled_from(["", "x" * 63, "y" * 64, " z\r"]), max_size=5).map("\n".join)
)
def test_the_words_are_those_that_the_compiler_splits_a_text_into(use: Use, text: str) -> None:
    words = split_words(text)
    block = label(use, text, 1)
    for index, word in enumerate(words):
        assert block.words(indices(index)) == [word]
    done = block.run(indices(len(words)))
    assert done.status == 2
    assert f"there are {len(words)} labels" in done.messages[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        (" \n\t\n", ()),
        ("\n\n a b \r\n\n c\n\n", ("a b", "", "c")),
        ("one", ("one",)),
    ],
)
def test_how_a_text_is_split(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words


def test_a_word_longer_than_the_room_fails_the_stage(use: Use) -> None:
    fits = label(use, "x" * 128, 1)
    assert fits.words(indices(0)) == ["x" * 128]
    done = label(use, "x" * 129, 1).run(indices(0))
    assert done.status == 2
    (said,) = done.messages
    assert said.startswith("the block: word 0 of the resource WORDS is longer than the words that")


@pytest.mark.parametrize("block", ["ohv_label", "debounce", "gesture_agg"])
def test_blocks_that_need_a_word_for_each_probability_say_which_is_missing(
    use: Use, block: str
) -> None:
    compiled = use(block, "f32[3]", wordlist=WORDS).restart()
    compiled.resources = {"WORDS": b"low\nhigh\n"}
    low, top = np.array([3, 1, 2], "<f4"), np.array([0, 0, 9], "<f4")
    assert compiled.words(low.tobytes()) == ["low"]
    done = compiled.restart().run(top.tobytes())
    assert done.status == 2
    assert done.messages == ["the block: word 2 of the resource WORDS does not exist"]


def test_a_resource_that_is_not_there_has_no_words(use: Use) -> None:
    block = use("ohv_label", "f32[3]", wordlist=WORDS)
    block.resources = {}
    done = block.run(np.ones(3, "<f4").tobytes())
    assert done.messages == ["the block: word 0 of the resource WORDS does not exist"]
