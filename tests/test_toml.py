"""Places in TOML files, and the messages for those that are wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.diagnostics import SourceFile, UserFileError
from runec.toml import TomlFile, TomlSort, read_toml

SORT = TomlSort("R0430", "list of things", "the guide", max_bytes=4096)

TEXT = '''\
a = 1 # one
"with dot." = "[t]"
text = """
b = 2
[t]
"""
[t] # table
b = [
  "a = 2", # not a key
  [1, { x = 3 }],
]
c = { d = 3, e.f = [4] }
dotted . "key" = 'x # y'
[[l]]
x = 1
[[l]]
x = 2
[[l.inner]]
y = { } # nothing
'''


def file_of(text: str) -> TomlFile:
    return TomlFile(SORT, SourceFile("x.toml", text), tomllib.loads(text))


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (("a",), "a = 1"),
        (("with dot.",), '"with dot." = "[t]"'),
        (("text",), 'text = """'),
        (("t",), "t"),
        (("t", "b"), "b = ["),
        (("t", "b", 0), '"a = 2"'),
        (("t", "b", 1, 0), "1"),
        (("t", "b", 1, 1, "x"), "x = 3"),
        (("t", "b", 7), "b = ["),
        (("t", "c", "d"), "d = 3"),
        (("t", "c", "e", "f", 0), "4"),
        (("t", "c", "g"), "c = { d = 3, e.f = [4] }"),
        (("t", "dotted", "key"), "dotted . \"key\" = 'x # y'"),
        (("l",), "l"),
        (("l", 0, "x"), "x = 1"),
        (("l", "1", "x"), "x = 2"),
        (("l", 1, "inner", 0, "y"), "y = { }"),
        (("nothing",), ""),
    ],
)
def test_a_value_is_found_by_its_place(place: tuple[str | int, ...], found: str) -> None:
    assert file_of(TEXT).span(place).text == found


def test_of_two_tables_each_has_its_line() -> None:
    file = file_of(TEXT)
    assert [file.span(("l", number)).line for number in (0, 1)] == [14, 16]
    assert file.span(("l", 1, "inner", 0)).line == 18


KEYS = st.text("abcxyz_-.", min_size=1, max_size=4)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers() | st.booleans() | st.text('ab"\\#[]{}=,\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{escaped(value)}"'
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {spelled(each)}' for key, each in value.items()) + "}"
    return str(value)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def places(value: Any, above: tuple[str | int, ...] = ()) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        yield (*above, key), each
        if isinstance(each, dict | list):
            yield from places(each, (*above, key))


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_each_value_of_any_file_is_at_its_place(tables: dict[str, Any]) -> None:
    text = "".join(f'"{key}" = {spelled(value)} # "x" = [\n' for key, value in tables.items())
    file = file_of(text)
    assert file.tables == tables
    for place, value in places(tables):
        found = file.span(place).text
        if isinstance(place[-1], int):
            assert found == spelled(value)
        else:
            assert found == f'"{place[-1]}" = {spelled(value)}'


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("z = 1\nx.y = 1\nx.w = 2\n", ("x",), "x.y = 1"),
        ("[z]\n[a.b]\nc = 1\n", ("a",), "a.b"),
        ("[z]\n[[a.b]]\nc = 1\n", ("a",), "a.b"),
        ("[z]\na.b.c = 1\n", ("z", "a", "b"), "a.b.c = 1"),
        ("[z]\nd = {a.b = 1}\n", ("z", "d", "a"), "a.b = 1"),
        ("z = 1\nx.y = 1\n", ("x", "missing"), "x.y = 1"),
    ],
)
def test_a_table_that_nothing_opens_is_at_its_first_key(
    text: str, place: tuple[str, ...], found: str
) -> None:
    assert file_of(text).span(place).text == found


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["one", "two"] = "one"
    sizes: tuple[int, ...] = ()


class Things(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    parts: tuple[Part, ...] = ()
    main: Part | None = None
    numbers: dict[str, int] = {}


def refused(folder: Path, text: str | bytes) -> UserFileError:
    path = folder / "things.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UserFileError) as caught:
        read_toml(path, SORT).decode(Things)
    return caught.value


@pytest.mark.parametrize(
    ("text", "problem", "place", "hint"),
    [
        ("nam = 1", "unknown key 'nam'", (1, 1), 'did you mean "name"?'),
        ("zzz = 1", "unknown key 'zzz'", (1, 1), "the keys are name, parts, main, numbers"),
        (
            "name = 'a'\n[zzz.y]\n",
            "unknown key 'zzz'",
            (2, 2),
            "the keys are name, parts, main, numbers",
        ),
        ("name = 'a'\nnam.y = 1\n", "unknown key 'nam'", (2, 1), 'did you mean "name"?'),
        ("parts = []", "missing key 'name'", (1, 1), "add name"),
        ("name = 1", "expected `str`, got `int` in name", (1, 1), "the guide lists the keys"),
        (
            'name = "x"\n[[parts]]\n[[parts]]\nsize = [1]',
            "unknown key 'size' in parts.1",
            (4, 1),
            'did you mean "sizes"?',
        ),
        (
            'name = "x"\n[main]\nsizes = [1,\n  "x"]',
            "expected `int`, got `str` in main.sizes.1",
            (4, 3),
            "the guide lists the keys",
        ),
        (
            'name = "x"\nmain = { kind = "onne" }',
            "invalid value 'onne' in main.kind",
            (2, 10),
            'did you mean "one"?',
        ),
        (
            'name = "x"\n[numbers]\na = 1\nb = "2"',
            "expected `int`, got `str` in numbers.b",
            (4, 1),
            "the guide lists the keys",
        ),
    ],
)
def test_a_mistake_has_its_place_and_a_hint(
    tmp_path: Path, text: str, problem: str, place: tuple[int, int], hint: str
) -> None:
    error = refused(tmp_path, text)
    assert error.code == SORT.code
    assert error.message == f"list of things {tmp_path / 'things.toml'}: {problem}"
    assert error.span is not None
    assert (error.span.line, error.span.column) == place
    assert error.hint == hint


@pytest.mark.parametrize(
    ("text", "place"),
    [("a = ", (1, 4)), ("\r\na = 1\r\nb", (3, 2)), ("a = [\n1\n", (2, 2))],
)
def test_what_is_not_toml_has_its_place(tmp_path: Path, text: str, place: tuple[int, int]) -> None:
    error = refused(tmp_path, text)
    assert "it is not TOML" in error.message
    assert error.span is not None
    assert (error.span.line, error.span.column) == place


@pytest.mark.parametrize("text", [b"a = \xff", b"a = " + b"[" * 4000, b"#" * 4097])
def test_what_is_no_file_of_the_sort_is_refused(tmp_path: Path, text: bytes) -> None:
    error = refused(tmp_path, text)
    assert error.code in {SORT.code, "R1003"}
    assert error.hint
