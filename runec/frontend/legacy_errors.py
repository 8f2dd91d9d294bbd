"""Syntax errors of the Dockerfile-like dialect, in words: lark knows where, this knows why."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from runec.diagnostics import Diagnostics, Span
from runec.frontend.text import beside, look_alike
from runec.suggestions import did_you_mean

if TYPE_CHECKING:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

_KEYWORDS = ("FROM", "CAPABILITY", "PROC_BLOCK", "MODEL", "RUN", "OUT")

# What the parser accepts there, in words.
_EXPECTED = {
    "FROM": "FROM",
    "CAPABILITY": "CAPABILITY",
    "PROC_BLOCK": "PROC_BLOCK",
    "MODEL": "MODEL",
    "RUN": "RUN",
    "OUT": "OUT",
    "NAME": "a name",
    "INFER": '"_"',
    "DIGITS": "a number",
    "PATH": "a path",
    "FILE": "a file",
    "FLAG": "an argument (--name=value)",
    "STRING": "a string",
    "WORD": "a value",
    "EQUAL": '"="',
    "LESSTHAN": '"<"',
    "MORETHAN": '">"',
    "LSQB": '"["',
    "RSQB": '"]"',
    "COMMA": '","',
    "$END": "the end of the line",
}

# What the user most likely meant, by example: an error gets the hint of the example that fails in
# the same state of the parser. (lark's own match_examples also compares the stack below that state,
# so it would need each example in each kind of statement.)
_HINTS: dict[str, list[str]] = {
    "write the type in angle brackets: CAPABILITY<f32[128, 3]> accelerometer ACCEL": [
        "CAPABILITY rand RAND"
    ],
    "write both types: PROC_BLOCK<f32[3], u32[1]> name path": ["PROC_BLOCK mod360 a/b#modulo"],
    "write both types: MODEL<f32[1], f32[1]> name ./model.tflite": ["MODEL sine ./sine.tflite"],
    "a processing block and a model have two types, input and output: <f32[4], u32[1]>": [
        "PROC_BLOCK<f32> a b/c",
        "MODEL<f32> a ./b",
    ],
    "write one type, that of the output: CAPABILITY<f32[128, 3]> accelerometer ACCEL": [
        "CAPABILITY<f32, f32> a RAND",
    ],
    'write all dimensions in one pair of brackets, then ">": f32[150, 1]>': [
        "CAPABILITY<f32[150][1]> a RAND",
        "MODEL<f32[150][1], f32> a ./b",
        "MODEL<f32, f32[150][1]> a ./b",
    ],
    'close the type with ">"': ["CAPABILITY<f32 a RAND", "MODEL<f32, f32 a ./b"],
    "write a type as f32[128, 3]: the element type, then the dimensions": [
        "CAPABILITY<[f32; 5]> a RAND",
        "CAPABILITY<f32[]> a RAND",
        "CAPABILITY<f32[128;]> a RAND",
        "CAPABILITY<f32[128,]> a RAND",
        "MODEL<> a ./b",
        "PROC_BLOCK<> a ./b",
        "PROC_BLOCK<f32, > a ./b",
        "MODEL<f32, > a ./b",
    ],
    "every argument needs a value: --count=1 or --count 1": [
        "CAPABILITY<f32> a ACCEL --count",
        "CAPABILITY<f32> a ACCEL --count=",
    ],
    "write a list as a,b,c, without quotes": [
        "CAPABILITY<f32> a ACCEL --labels=a,",
        'CAPABILITY<f32> a ACCEL --labels=a,"b"',
    ],
    "arguments are written --name=value, --name value or -n value, lists without quotes: a,b,c": [
        "CAPABILITY<f32> a ACCEL 5",
        "PROC_BLOCK<f32, f32> a b/c 5",
        "MODEL<f32, f32> a ./b 5",
        "CAPABILITY<f32> a ACCEL --count 5 6",
        "CAPABILITY<f32> a ACCEL --count 5 --more 5 6",
        "PROC_BLOCK<f32, f32> a b/c --count 5 6",
        "MODEL<f32, f32> a ./b --count 5 6",
        "CAPABILITY<f32> a ACCEL --labels=a,b c",
        'CAPABILITY<f32> a ACCEL --labels="a" b',
        'CAPABILITY<f32> a ACCEL --labels="a",b',
    ],
    'a name has letters, digits and "_"; then RAND, ACCEL, SOUND, IMAGE or RAW': [
        "CAPABILITY<f32> a",
        "CAPABILITY<f32> a-b RAND",
    ],
    "write a path as base@version#block, for example hotg-ai/proc-blocks@v0.11.3#modulo": [
        "PROC_BLOCK<f32, f32> a",
    ],
    "add the base image: FROM runicos/base": ["FROM"],
    "add the model file after the name: ./model.tflite": ["MODEL<f32, f32> a"],
    "add the kind of output: OUT serial": ["OUT"],
    "remove this character from the path; a version follows an @": ["FROM runicos:latest"],
    'a name has letters, digits and "_", and does not start with a digit': [
        "CAPABILITY<f32> 1 RAND",
        "PROC_BLOCK<f32, f32> 1 a/b",
        "MODEL<f32, f32> 1 ./a",
        "RUN 1",
        "RUN a-b",
        "RUN a b-c",
    ],
    "an OUT has a kind, then arguments: OUT pin --pin=LED": ["OUT serial serial"],
}


def report_syntax_error(
    error: UnexpectedInput,
    parser: Lark,
    statement: Span,
    diagnostics: Diagnostics,
) -> None:
    """Report why lark could not read a statement."""
    text = statement.text
    start, end, expected = _place(error, text)
    span = Span(statement.source, statement.start + start, statement.start + end)
    found = text[start:end].strip(" \t\r\n")
    if found.startswith('"') and ("STRING" in expected or not expected):
        _report_string(text, start, span, diagnostics)
        return
    if "CAPABILITY" in expected and look_alike(found[:1]) is None:
        _report_keyword(found, span, diagnostics)
        return
    odd = look_alike(found) if found else None
    where = _whole_word(statement, start)
    words = [_EXPECTED[name] for name in _EXPECTED if name in expected] or [_EXPECTED["$END"]]
    wanted = f"expected {', '.join(words[:-1])}{' or ' if words[:-1] else ''}{words[-1]}"
    met = f"found {found[:40]!r}" if found else "the line ends here"
    hint = _hints(parser).get(_state(error), "write one instruction a line")
    if odd is not None:
        met, hint = f"found {odd.what}", odd.hint
    elif "\\" in where.text:
        span, met = where, f'found "{where.text[:40]}"'
        hint = beside(where.text) or hint
    elif "FILE" in expected and found.startswith(("/", "~")):
        met = f"found {found[:40]!r}, which is absolute"
        hint = (
            f"copy the file beside the Runefile and write ./{found.rpartition('/')[2][:100]}; "
            "only the YAML dialect has absolute paths"
        )
    diagnostics.error("R0001", f"{wanted}, but {met}", span, hint=hint)


def _whole_word(statement: Span, start: int) -> Span:
    """The word in which an error lies, from its first character on."""
    before = re.search(r"[^\s<>,=\"]*\Z", statement.text[:start])
    behind = re.compile(r"[^\s<>,=\"]*").match(statement.text, start)
    begin = before.start() if before else start
    return Span(
        statement.source,
        statement.start + begin,
        statement.start + (behind.end() if behind else start),
    )


def _state(error: UnexpectedInput) -> object:
    state: object = error.state
    return getattr(state, "position", state)


@functools.cache
def _hints(parser: Lark) -> dict[object, str]:
    """The hint for each state of the parser in which an example fails; the first example wins."""
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - loaded with the parser

    hints: dict[object, str] = {}
    for hint, examples in _HINTS.items():
        for example in examples:
            try:
                parser.parse(example)
            except UnexpectedInput as error:
                hints.setdefault(_state(error), hint)
    return hints


def _place(error: UnexpectedInput, statement: str) -> tuple[int, int, set[str]]:
    """Where in the statement the error lies, and which terminals were possible there."""
    token = getattr(error, "token", None)
    expected: set[str] = set(
        getattr(error, "accepts", None)
        or getattr(error, "expected", None)
        or getattr(error, "allowed", None)
        or ()
    )
    if token is not None and token.type == "$END":
        end = token.end_pos or 0
        return end, end + 1, expected
    start = error.pos_in_stream or 0
    if token is not None:
        return start, start + max(1, len(token)), expected
    word = re.compile(r'"|[^\s"<>,\[\]=]+|.').match(statement, start)
    return start, word.end() if word else start + 1, expected


def _report_keyword(found: str, span: Span, diagnostics: Diagnostics) -> None:
    word = (re.match(r"\w+", found) or [found])[0]
    span = Span(span.source, span.start, span.start + max(1, len(word)))
    close = did_you_mean(word, _KEYWORDS)
    if word.upper() in _KEYWORDS:
        hint = f"instructions are upper case: {word.upper()}"
    else:
        hint = close or f"a line begins with one of {', '.join(_KEYWORDS)}, or with #"
    diagnostics.error("R0001", f"expected an instruction, but found {word[:40]!r}", span, hint=hint)


def _report_string(statement: str, start: int, span: Span, diagnostics: Diagnostics) -> None:
    whole = re.compile(r'"(?:[^"\\\n]|\\\n|\\.)*"?').match(statement, start)
    text = whole[0] if whole else '"'
    place = Span(span.source, span.start, span.start + len(text))
    if len(text) > 1 and text.endswith('"') and not re.search(r'(?<!\\)(?:\\\\)*\\"\Z', text):
        diagnostics.error(
            "R0010",
            "invalid escape in this string",
            place,
            hint=r"use one of \b \t \n \f \r \" \\ \uXXXX \UXXXXXXXX",
        )
    else:
        diagnostics.error(
            "R0010", "unterminated string", place, hint='close it with " on the same line'
        )
