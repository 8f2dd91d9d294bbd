"""`runec fmt`: the same meaning, every comment kept, and a second time changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import Diagnostics, RunefileError
from runec.explanations import all_pages
from runec.frontend import dialect_of, parse
from runec.frontend.formatting import format_runefile, meaning

PROJECT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(path for path in PROJECT.glob("examples/*/Runefile*") if path.is_file())
RIGHT = [
    page.right for page in all_pages() if page.right is not None and page.code.startswith("R0")
]
RUNEFILES = [text for text in RIGHT if text.startswith(("FROM", "version"))]


def read(text: str, path: str) -> Any:
    diagnostics = Diagnostics()
    document = parse(text, path, diagnostics)
    assert not diagnostics.has_errors, (text, list(diagnostics))
    return meaning(document)


def check(text: str, path: str, comments: int = 0) -> str:
    formatted = format_runefile(text, path)
    assert read(formatted, path) == read(text, path)
    assert format_runefile(formatted, path) == formatted
    for number in range(comments):
        assert formatted.count(f"# c{number}.") == 1, f"comment {number} is lost"
    assert all(line == line.rstrip() for line in formatted.split("\n"))
    return formatted


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_examples_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert check(text, path.name) == text


@pytest.mark.parametrize("text", RUNEFILES)
def test_formatting_changes_no_meaning(text: str) -> None:
    check(text, "Runefile")


def test_the_explanations_hold_both_dialects() -> None:
    assert {dialect_of(text, "Runefile") for text in RUNEFILES} == {"legacy", "yaml"}


LEGACY = r"""
# top
FROM   runicos/base # base


CAPABILITY < F32 [ 1 , 128,3 ] >  accel  \
   ACCEL   -n   128 --foo= a,b ,  c   # trailing
   # indented
PROC_BLOCK<F32[1,2],_>  x   a/b#c --a=1 --long-name-of-it "some words in quotes \" # no" --more=#f
OUT serial
\

RUN accel   x serial # end
#"""
LEGACY_FORMATTED = r"""# top
FROM runicos/base  # base

CAPABILITY<F32[1, 128, 3]> accel ACCEL -n 128 --foo=a,b,c  # trailing
# indented
PROC_BLOCK<F32[1, 2], _> x a/b#c --a=1 --long-name-of-it "some words in quotes \" # no" --more=#f
OUT serial

RUN accel x serial  # end
#
"""
YAML = """# top
version:   1   # one
image:    "runicos/base"
# about the pipeline
pipeline:
    input: {capability: RAW, outputs: [{type: f32,
         dimensions: [1,1]}]}   # flow


    half:  # half it
     proc-block:  modulo
     inputs:
     - input   # the input
     # after input
     outputs:
     - type: f32
       dimensions:
        - 1
        - 1
       # end of type
     args:
        modulus: 2
        words: |   # header
             a
               b
             c
        more: >-
             x
             y
     # end of half
    # end of pipeline
    serial: { out: serial,
       # why
       inputs: [ half ] }
resources:
  A:
  B: &x {inline: "a
     b"}
# end
"""
YAML_FORMATTED = """# top
version: 1  # one
image: "runicos/base"

# about the pipeline
pipeline:
  input: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}  # flow

  half:  # half it
    proc-block: modulo
    inputs:
      - input  # the input
      # after input
    outputs:
      - type: f32
        dimensions: [1, 1]
        # end of type
    args:
      modulus: 2
      words: |  # header
        a
          b
        c
      more: >-
        x
        y
    # end of half
  # end of pipeline
  serial:
    out: serial
    # why
    inputs: [half]

resources:
  A:
  B: {inline: "a b"}
# end
"""


@pytest.mark.parametrize(
    ("text", "formatted", "path"),
    [(LEGACY, LEGACY_FORMATTED, "Runefile"), (YAML, YAML_FORMATTED, "Runefile.yml")],
    ids=["legacy", "yaml"],
)
def test_the_spelling_is_the_documented_one(text: str, formatted: str, path: str) -> None:
    assert check(text, path) == formatted
    assert check(text.replace("\n", "\r\n"), path) == formatted


def test_a_long_instruction_is_broken_before_its_arguments() -> None:
    words = ",".join(f"word{number}" for number in range(12))
    block = f"PROC_BLOCK<u8, utf8> x label --wordlist={words} --fallback none # c0."
    text = f"FROM runicos/base\n{block}\n"
    assert check(text, "Runefile", 1).split("\n")[1:] == [
        "PROC_BLOCK<u8, utf8> x label \\",
        f"    --wordlist={words} \\",
        "    --fallback none  # c0.",
        "",
    ]


def test_a_long_run_is_broken_between_names() -> None:
    names = [f"stage_{number}" for number in range(40)]
    declared = "".join(f"CAPABILITY<u8> {name} RAW\n" for name in names)
    text = f"FROM runicos/base\n{declared}RUN {' '.join(names)}\n"
    diagnostics = Diagnostics()
    parse(text, "Runefile", diagnostics)
    assert diagnostics.has_errors, "capabilities take no inputs, so this one is never formatted"
    text = text.replace("CAPABILITY<u8>", "PROC_BLOCK<u8, u8>").replace(" RAW\n", " modulo\n")
    lines = check(text, "Runefile").splitlines()
    assert all(len(line) <= 120 for line in lines)
    assert lines[-1].startswith("    stage_")


@pytest.mark.parametrize("text", ["version: 2\n", "FROM a b\n", "version: 1\nimage: [\n"])
def test_what_has_syntax_errors_is_not_formatted(text: str) -> None:
    with pytest.raises(RunefileError):
        format_runefile(text, "Runefile")


class Comments:
    """Hands out numbered comments, here and there."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0

    def behind(self) -> str:
        if not self.draw(st.booleans()):
            return ""
        return f"{self.draw(SPACE)} {self.new()}"

    def lines(self, indent: str) -> str:
        kinds = self.draw(st.lists(st.sampled_from(["blank", "comment"]), max_size=3))
        made = ["" if kind == "blank" else indent + self.new() for kind in kinds]
        return "".join(f"{line}\n" for line in made)

    def new(self) -> str:
        self.count += 1
        return (
            f"# c{self.count - 1}. {self.draw(st.sampled_from(['', 'a: b', '[', chr(34), '- x']))}"
        )


SPACE = st.sampled_from(["", " ", "  ", "\t", " \\\n  "])
BLANKS = st.sampled_from([" ", "  ", " \t", " \\\n", " \\\n    "])
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
WORDS = st.sampled_from(["1", "-2.5", "a", "a/b", "@4*4", "x#y", "=z", "<", "[", "é"])
PATHS = ["a", '"a/b#c"']
TEXT = st.text(alphabet="ab #,:\\\"'\t-éλ\n", max_size=8)


def quoted(text: str) -> str:
    for plain, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escape)
    return f'"{text}"'


@st.composite
def legacy_texts(draw: Any) -> tuple[str, int]:
    comments = Comments(draw)

    def type_() -> str:
        if draw(st.booleans()):
            return "_"
        lengths = draw(st.lists(st.integers(1, 99), max_size=3))
        space = draw(SPACE)
        inside = f"{space},{space}".join(map(str, lengths))
        return f"f32{space}[{inside}{space}]" if lengths else "U8"

    def argument() -> str:
        name = draw(st.sampled_from(["-n", "--a-b", "--count", "--long_name_of_an_argument"]))
        kind = draw(st.sampled_from(["word", "string", "list"]))
        equals = draw(st.sampled_from(["=", "= ", " = ", " ", " \\\n "]))
        if kind == "list":
            items = draw(st.lists(WORDS, min_size=2, max_size=4))
            value = draw(st.sampled_from([",", ", ", " ,"])).join(items)
        elif kind == "word":
            value = draw(WORDS)
        else:
            value = quoted(draw(TEXT))
        return f"{name}{equals}{value}"

    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    lines = [comments.lines("") + f"FROM{draw(BLANKS)}runicos/base"]
    for name in names:
        parts = [f"PROC_BLOCK{draw(SPACE)}<{type_()},{draw(SPACE)}{type_()}>", name, "a/b@v1#c"]
        parts += [argument() for _ in range(draw(st.integers(0, 3)))]
        lines.append(comments.lines(draw(st.sampled_from(["", "  "]))) + draw(BLANKS).join(parts))
    lines.append("RUN " + draw(BLANKS).join(names))
    return "".join(line + comments.behind() + "\n" for line in lines), comments.count


@st.composite
def yaml_texts(draw: Any) -> tuple[str, int]:
    comments = Comments(draw)
    step = " " * draw(st.integers(1, 4))
    tight = draw(st.booleans())

    def scalar() -> str:
        kind = draw(st.sampled_from(["plain", "double", "single"]))
        if kind == "plain":
            return str(draw(st.sampled_from(["1", "0x10", "1.0", "a b", "a#b", "x:y", "-z"])))
        text: str = draw(TEXT)
        if kind == "double":
            return quoted(text)
        return "'" + text.replace("\n", " ").replace("\t", " ").replace("'", "''") + "'"

    def block_text(indent: str) -> str:
        style = draw(st.sampled_from(["|", "|-", ">", ">-", "|+", "|2"]))
        lines = draw(st.lists(st.sampled_from(["a", "b # no", "", "  deep", "- x"]), max_size=4))
        wide = "  " if style == "|2" else step
        text = "".join(f"{indent + wide + line if line else ''}\n" for line in ["first", *lines])
        return f"{style}{behind()}\n{text}"

    def flow() -> str:
        gap = draw(st.sampled_from(["", " ", "\n" + step * 4]))
        words = draw(st.lists(st.sampled_from(["a", "'b c'", '"d"', "1"]), max_size=4))
        return f"[{gap}" + f",{gap}".join(words) + f"{gap}]"

    def stage(name: str, indent: str) -> str:
        inner = indent + step
        if draw(st.booleans()):
            size = draw(st.integers(1, 9))
            gap = draw(st.sampled_from([" ", "  ", "\n" + inner]))
            return (
                f"{indent}{name}: {{capability: RAW,{gap}outputs:{gap}[{{type: f32, "
                f"dimensions: [1,{gap}{size}]}}]}}{behind()}\n"
            )
        text = f"{indent}{name}:{behind()}\n"
        text += (
            comments.lines(inner) + f"{inner}proc-block: {draw(st.sampled_from(PATHS))}{behind()}\n"
        )
        text += comments.lines(inner) + f"{inner}inputs:{behind()}\n"
        dash = inner if tight else inner + step
        for _ in range(draw(st.integers(1, 3))):
            text += comments.lines(dash) + f"{dash}- {name}{behind()}\n"
        if draw(st.booleans()):
            text += f"{inner}args:{behind()}\n"
            deep = inner + step
            for number in range(draw(st.integers(1, 3))):
                kind = draw(st.sampled_from(["scalar", "block", "flow"]))
                text += comments.lines(deep) + f"{deep}k{number}: "
                if kind == "block":
                    text += block_text(deep)
                elif kind == "flow":
                    text += f"{flow()}{behind()}\n"
                else:
                    text += f"{scalar()}{behind()}\n"
        return text + comments.lines(draw(st.sampled_from(["", indent, inner])))

    def behind() -> str:
        return comments.behind().replace("\\\n", "").replace("\t", " ")

    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    text = comments.lines("") + f"version: 1{behind()}\n"
    text += comments.lines("") + f"image: runicos/base{behind()}\n"
    text += comments.lines("") + f"pipeline:{behind()}\n"
    for name in names:
        text += comments.lines(step) + stage(name, step)
    return text, comments.count


@settings(max_examples=40, deadline=None)
@given(legacy_texts())
def test_any_legacy_runefile_keeps_its_meaning_and_its_comments(made: tuple[str, int]) -> None:
    check(made[0], "Runefile", made[1])


@settings(max_examples=40, deadline=None)
@given(yaml_texts())
def test_any_yaml_runefile_keeps_its_meaning_and_its_comments(made: tuple[str, int]) -> None:
    check(made[0], "Runefile.yml", made[1])
