"""The legacy dialect: grammar, by unit tests of the original platform and generated files."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import Diagnostics, RunefileError, SourceFile
from runec.frontend.ast import (
    Argument,
    CapabilityNode,
    Document,
    ModelNode,
    OutNode,
    ProcBlockNode,
    StageNode,
    Text,
    Type,
)
from runec.frontend.legacy import parse_legacy


def parsed(text: str) -> Document:
    diagnostics = Diagnostics()
    document = parse_legacy(SourceFile("Runefile", text), diagnostics)
    diagnostics.raise_if_errors()
    return document


def codes(text: str) -> list[str]:
    diagnostics = Diagnostics()
    parse_legacy(SourceFile("Runefile", text), diagnostics)
    return [item.code for item in diagnostics]


def only_stage(line: str) -> StageNode:
    (stage,) = parsed(f"FROM runicos/base\n{line}\n").stages
    return stage


def argument_texts(stage: StageNode) -> list[tuple[str, str | tuple[str, ...]]]:
    return [(item.key.text, value_text(item)) for item in stage.arguments]


def value_text(argument: Argument) -> str | tuple[str, ...]:
    if isinstance(argument.value, tuple):
        return tuple(word.text for word in argument.value)
    assert isinstance(argument.value, Text)
    return argument.value.text


def type_text(type_: Type) -> str:
    if type_.element is None:
        return "_"
    sizes = [str(dimension.value) for dimension in type_.dimensions]
    return type_.element.text + (f"[{','.join(sizes)}]" if sizes else "")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("-n 128", [("n", "128")]),
        ("-n=128", [("n", "128")]),
        ("--n 128", [("n", "128")]),
        ("--n=128", [("n", "128")]),
        ("--n = 128", [("n", "128")]),
        ("--n 128 -m 1", [("n", "128"), ("m", "1")]),
        ("--modulus 360.0", [("modulus", "360.0")]),
        ("--modulus -1.5e3", [("modulus", "-1.5e3")]),
        ("--modulus 1e3", [("modulus", "1e3")]),
        ("--modulus 5.", [("modulus", "5.")]),
        ("--zero -0", [("zero", "-0")]),
        ("--labels=Wing,Ring,Slope,Unknown", [("labels", ("Wing", "Ring", "Slope", "Unknown"))]),
        ("--labels=1,2", [("labels", ("1", "2"))]),
        ("--labels Wing, Ring", [("labels", ("Wing", "Ring"))]),
        ("--label=Wing", [("label", "Wing")]),
        ("--label Wing # a comment", [("label", "Wing")]),
        ("--colour=#fff", [("colour", "#fff")]),
        ("--colours=#fff,#000 # white, black", [("colours", ("#fff", "#000"))]),
        ("--words 'single'", [("words", "'single'")]),
        (r'--s "a\tb\n\"\\\u0041\U0001F600"', [("s", 'a\tb\n"\\A\U0001f600')]),
        ('--s "with # and, in it"', [("s", "with # and, in it")]),
        ('--s "two \\\nlines"', [("s", "two lines")]),
        ("--format @PixelFormat::GrayScale", [("format", "@PixelFormat::GrayScale")]),
        ("\\\n  --a 1 \\\n  --b 2", [("a", "1"), ("b", "2")]),
        ("--a \\\n 1", [("a", "1")]),
        ("--a 1\\\n", [("a", "1")]),
        ("--a -n", [("a", "-n")]),
    ],
)
def test_arguments(written: str, expected: list[tuple[str, str | tuple[str, ...]]]) -> None:
    assert argument_texts(only_stage(f"CAPABILITY<f32> x RAW {written}")) == expected


@pytest.mark.parametrize(
    "path",
    [
        "hotg-ai/rune@v1.2#proc_blocks/normalize",
        "https://github.com/hotg-ai/rune@2",
        "hotg-ai/rune#proc_blocks/modulo",
        "./relative/block",
        "../block",
        "modulo",
    ],
)
def test_paths_of_the_original_unit_tests(path: str) -> None:
    stage = only_stage(f"PROC_BLOCK<f32, f32> x {path}")
    assert isinstance(stage, ProcBlockNode)
    assert stage.path.text == path
    joined = stage.path.base
    joined += f"@{stage.path.version}" if stage.path.version else ""
    joined += f"#{stage.path.sub_path}" if stage.path.sub_path else ""
    assert joined == path


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("CAPABILITY<f32> x RAW --n .5", "R0011"),
        ("CAPABILITY<f32> x RAW --n 1e", "R0011"),
        ("CAPABILITY<f32> x RAW --n 1.2.3", "R0011"),
        ("CAPABILITY<f32> x RAW --n 96x96", "R0011"),
        ("CAPABILITY<f32[150][1]> x RAW", "R0001"),
        ("CAPABILITY<[f32;5]> x RAW", "R0001"),
        ("CAPABILITY<f32> a-b RAW", "R0001"),
        ("capability<f32> x RAW", "R0001"),
        ("CAPABILITY<f32> x RAW --n", "R0001"),
        ("CAPABILITY<f32> x RAW --n=1 2", "R0001"),
        ('CAPABILITY<f32> x RAW --n "a",b', "R0001"),
        ("CAPABILITY<f32> x RAW --n=a,", "R0001"),
        ("CAPABILITY<f32[]> x RAW", "R0001"),
        ("CAPABILITY<_[1]> x RAW", "R0001"),
        ("PROC_BLOCK<f32, f32> x a//b", "R0001"),
        ("PROC_BLOCK<f32, f32> x a:b", "R0001"),
        ("MODEL<f32, f32> x /absolute.tflite", "R0001"),
        ("MODEL<f32, f32> x ./model.tflite@v1", "R0001"),
        ('CAPABILITY<f32> x RAW --s "open', "R0010"),
        ('CAPABILITY<f32> x RAW --s "bad \\x41"', "R0010"),
        ('CAPABILITY<f32> x RAW --s "half \\uD800"', "R0010"),
        ('CAPABILITY<f32> x RAW --s "beyond \\U00110000"', "R0010"),
    ],
)
def test_what_the_grammar_does_not_hold_is_refused(line: str, code: str) -> None:
    assert codes(f"FROM runicos/base\n{line}\n") == [code]


def test_a_comment_ends_at_its_line_even_behind_a_backslash() -> None:
    document = parsed("FROM runicos/base\nCAPABILITY<f32> x RAW # not \\\nOUT serial\n")
    assert [stage.name.text for stage in document.stages] == ["x", "serial"]


def test_every_run_adds_edges_and_the_same_edge_counts_once() -> None:
    text = "FROM runicos/base\nCAPABILITY<f32> a RAW\nCAPABILITY<f32> b RAW\nOUT serial\n"
    document = parsed(text + "RUN a serial\nRUN b serial\nRUN a serial\n")
    (out,) = (stage for stage in document.stages if isinstance(stage, OutNode))
    assert [item.name for item in out.inputs] == ["a", "b"]


def test_an_out_is_called_like_its_kind_in_lower_case() -> None:
    stage = only_stage("OUT SERIAL")
    assert isinstance(stage, OutNode)
    assert (stage.name.text, stage.kind.text) == ("serial", "SERIAL")


def test_every_syntax_error_of_a_file_is_reported() -> None:
    lines = ["FROM runicos/base", "CAPABILITY x RAW", "OUT serial", "RUNN a", "MODEL<f32> m ./x"]
    with pytest.raises(RunefileError) as caught:
        parsed("\n".join(lines))
    places = [item.span.line for item in caught.value.diagnostics if item.span is not None]
    assert places == [2, 4, 5]


# Generated files.

KEYWORDS = {"FROM", "CAPABILITY", "PROC_BLOCK", "MODEL", "RUN", "OUT"}
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}|_[A-Za-z0-9_]{1,8}", fullmatch=True).filter(
    lambda name: name not in KEYWORDS and name.lower() != "serial"
)
elements = st.sampled_from(["f32", "F32", "i8", "U8", "utf8", "UTF8"])
sizes = st.lists(st.integers(1, 2000), max_size=4)
plain_types = st.builds(
    lambda element, size: element + (f"[{','.join(map(str, size))}]" if size else ""),
    elements,
    sizes,
)
types = st.one_of(plain_types, st.just("_"))
segments = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)
paths = st.builds(
    lambda parts, version, sub: (
        "/".join(parts) + (f"@{version}" if version else "") + (f"#{'/'.join(sub)}" if sub else "")
    ),
    st.lists(segments, min_size=1, max_size=3),
    st.from_regex(r"(v?[0-9]+(\.[0-9]+){0,2})?", fullmatch=True),
    st.lists(segments, max_size=2),
)
words = st.from_regex(r"[A-Za-z@<][A-Za-z0-9:@<>._/#=-]{0,8}", fullmatch=True)
numbers = st.one_of(
    st.integers(-999, 999).map(str),
    st.from_regex(r"[0-9]{1,3}\.[0-9]{0,3}(e[1-9])?", fullmatch=True),
)
strings = st.text(st.characters(codec="utf-8", exclude_characters='"\\\n'), max_size=8)
values = st.one_of(
    st.tuples(words | numbers).map(lambda one: (one[0], one[0])),
    st.lists(words, min_size=2, max_size=4).map(lambda items: (",".join(items), tuple(items))),
    strings.map(lambda text: (f'"{text}"', text)),
)
keys = st.from_regex(r"[a-z][a-z0-9_-]{1,8}", fullmatch=True)
gaps = st.sampled_from([" ", "  ", "\t", " \\\n  ", " \\\r\n\t"])


@dataclass(frozen=True)
class Line:
    """What one generated statement says."""

    kind: str
    name: str
    types: list[str]
    target: str
    arguments: list[tuple[str, str | tuple[str, ...]]]


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, Line]:
    kind = draw(st.sampled_from(["CAPABILITY", "PROC_BLOCK", "MODEL"]))
    name = draw(names)
    gap = draw(gaps)
    count = 1 if kind == "CAPABILITY" else 2
    spelled = [draw(types) for _ in range(count)]
    if kind == "CAPABILITY":
        target = draw(names)
    elif kind == "MODEL":
        target = "./" + "/".join(draw(st.lists(segments, min_size=1, max_size=3)))
    else:
        target = draw(paths)
    arguments = []
    text = f"{kind}<{(',' + gap).join(spelled)}>{gap}{name}{gap}{target}"
    for key in draw(st.lists(keys, max_size=3, unique=True)):
        written, meant = draw(values)
        text += f"{gap}--{key}{draw(st.sampled_from(['=', ' ', gap]))}{written}"
        arguments.append((key, meant))
    text += draw(st.sampled_from(["", " ", "  # comment", " # with \\"]))
    return text, Line(kind, name, spelled, target, arguments)


def line_of(stage: StageNode) -> Line:
    assert not isinstance(stage, OutNode)
    outputs = [type_text(type_) for type_ in stage.outputs or ()]
    if isinstance(stage, CapabilityNode):
        kind, target, inputs = "CAPABILITY", stage.kind.text, []
    else:
        assert stage.input_type is not None
        inputs = [type_text(stage.input_type)]
        if isinstance(stage, ModelNode):
            assert isinstance(stage.model, Text)
            kind, target = "MODEL", stage.model.text
        else:
            kind, target = "PROC_BLOCK", stage.path.text
    return Line(kind, stage.name.text, inputs + outputs, target, argument_texts(stage))


@settings(max_examples=60, deadline=None)
@given(st.lists(statements(), max_size=4), st.sampled_from(["\n", "\r\n", "\n\n# note\n"]))
def test_generated_files_come_back_as_they_were_meant(
    items: list[tuple[str, Line]], newline: str
) -> None:
    text = newline.join(["FROM runicos/base", *(text for text, _ in items), "OUT serial"])
    *stages, out = parsed(text).stages
    assert isinstance(out, OutNode)
    assert [line_of(stage) for stage in stages] == [line for _, line in items]


@settings(max_examples=25, deadline=None)
@given(statements())
def test_spans_point_at_the_words_they_stand_for(item: tuple[str, Line]) -> None:
    text, line = item
    stage = only_stage(text)
    assert stage.name.span.text == line.name
    for argument, (key, _) in zip(stage.arguments, line.arguments, strict=True):
        assert argument.key.span.text == key
