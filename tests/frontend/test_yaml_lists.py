"""Long lists read without the scanner: the same nodes and spans."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import Diagnostics, SourceFile
from runec.frontend import yaml_nodes
from runec.frontend.yaml_lists import Shortened, find_runs
from runec.frontend.yaml_nodes import Node, Scalar, Sequence, parse_yaml

WORDS = [f"label {number:03} of (a) list, it's" for number in range(40)]


def _listed(indent: str, words: list[str], newline: str = "\n") -> str:
    return "".join(f"{indent}- {word}{newline}" for word in words)


def _whole(text: str) -> Node | None:
    return yaml_nodes._read(SourceFile("x.yml", text), ())


def _short(text: str, items_min: int = 32) -> Node | None:
    return yaml_nodes._read(SourceFile("x.yml", text), find_runs(text, items_min))


LISTS = {
    "below a key": f"a: 1\nwords:\n{_listed('  ', WORDS)}b: 2\n",
    "as far in as its key": f"words:\n{_listed('', WORDS)}b: 2\n",
    "alone": _listed("", WORDS),
    "without a last newline": _listed("", WORDS).rstrip("\n"),
    "in quotes": "words:\n" + _listed("  ", [f'"{word} # : x"' for word in WORDS]),
    "in mixed quotes": "words:\n" + _listed("  ", [WORDS[0], '""', *WORDS, '" x "']),
    "with CRLF": f"words:\r\n{_listed('  ', WORDS, chr(13) + chr(10))}b: 2\r\n",
    "in other scripts": _listed("", [f"mot fran\u00e7ais \u03b1\u4e2d {word}" for word in WORDS]),
    "two of them": f"a:\n{_listed('  ', WORDS)}b:\n{_listed('    ', WORDS)}c: [x]\n",
    "a list in a list": f"- \n{_listed('  ', WORDS)}- - x\n{_listed('  ', WORDS)}",
    "a word that goes on": f"a:\n{_listed('  ', WORDS)}    and on\nb: 1\n",
    "broken by a comment": f"a:\n{_listed('  ', WORDS)}  # here\n{_listed('  ', WORDS)}",
    "broken by a key": f"a:\n{_listed('  ', WORDS)}  - b: c\n{_listed('  ', WORDS)}",
}


@pytest.mark.parametrize("what", LISTS)
def test_a_long_list_is_read_from_its_two_ends(what: str) -> None:
    text = LISTS[what]
    runs = find_runs(text)
    assert runs
    assert len(Shortened(text, runs).text) < len(text) / 4
    assert _short(text) == _whole(text)


def test_the_words_have_their_places() -> None:
    text = "words:\n" + _listed("  ", ["first", '"second"', *WORDS])
    (key, words), *_ = _short(text).entries  # type: ignore[union-attr]
    assert key.span.text == "words"
    assert isinstance(words, Sequence)
    assert words.items[:3] == (
        Scalar("first", True, words.items[0].span),
        Scalar("second", False, words.items[1].span),
        Scalar(WORDS[0], True, words.items[2].span),
    )
    assert [item.span.text for item in words.items] == ["first", '"second"', *WORDS]
    assert words.items[2].span.line == 4


OTHERS = {
    "a block of text": f"a: |\n{_listed('  ', WORDS)}b: 1\n",
    "a folded text": f"a: >-\n{_listed('  ', WORDS)}b: 1\n",
    "a text in quotes": f'a: "\n{_listed("  ", WORDS)}"\nb: 1\n',
    "a text in single quotes": f"a: '\n{_listed('  ', ['word'] * 40)}'\nb: 1\n",
    "a text over lines": f"a: b\n{_listed('  ', WORDS)}c: 1\n",
    "a list in brackets": f"a: [\n{_listed('  ', WORDS)}]\n",
    "too far out": f"a:\n    - x\n{_listed('  ', WORDS)}",
    "an error below": f"a:\n{_listed('  ', WORDS)}b: [\n",
    "an alias below": f"a:\n{_listed('  ', WORDS)}b: *x\n",
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_list_or_has_errors_is_read_whole(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = OTHERS[what]
    assert find_runs(text)
    found = []
    read = yaml_nodes._read
    for is_whole in (False, True):
        if is_whole:
            monkeypatch.setattr(yaml_nodes, "_read", lambda source, _: read(source, ()))
        yaml_nodes._tree.cache_clear()
        diagnostics = Diagnostics()
        found.append((parse_yaml(SourceFile("x.yml", text), diagnostics), tuple(diagnostics)))
    assert found[0] == found[1]


def test_words_that_are_cut_out_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_YAML_EVENTS", 50)
    monkeypatch.setattr(yaml_nodes, "_refuse_long_lists", id)
    text = f"a:\n{_listed('  ', WORDS)}b:\n{_listed('  ', WORDS)}"
    diagnostics = Diagnostics()
    assert parse_yaml(SourceFile("x.yml", text), diagnostics) is None
    assert [each.code for each in diagnostics] == ["R0019"]


# fmt: off
_LINES = (
    "- a", "- b c", '- "d: #"', "- e", "- f: g", "- - h", "k:", "k: l", "k: >", "k: |", 'k: "', '"',
    "'", "]", "k: [", "# m", "- n # o", "- ", "", "p", "- q:", "- *r", "---", "...", "? s", ": t",
)
# fmt: on


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "  ", "    "]),
            st.sampled_from(_LINES),
            st.sampled_from([1, 1, 1, 4, 6]),
        ),
        max_size=12,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_is_read_as_the_whole_or_not_at_all(
    lines: list[tuple[str, str, int]], newline: str
) -> None:
    text = "".join(f"{indent}{line}{newline}" * times for indent, line, times in lines)
    try:
        short = _short(text, 3)
    except Exception:  # noqa: BLE001 - then the whole text is read
        return
    assert short == _whole(text)
