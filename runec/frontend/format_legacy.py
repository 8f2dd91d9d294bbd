"""Canonical spelling of the Dockerfile-like dialect: one instruction a line, comments kept.

    FROM runicos/base

    CAPABILITY<F32[1, 128, 3, 1]> accelerometer ACCEL -n 128  # a comment

Spaces between words are single, types are written `f32[1, 2]`, lists without spaces. Lines over 120
characters are broken before their arguments. Of several blank lines one stays. Strings, numbers,
`=` or a space between an argument and its value stay as they were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runec.diagnostics import SourceFile
from runec.frontend.legacy import statements
from runec.frontend.legacy_parser import legacy_parser

if TYPE_CHECKING:
    from lark import Token

WIDTH = 120
_INDENT = "    "
_BLANK = " \t\f\r\n\\"
_TIGHT_BEFORE = frozenset({"LESSTHAN", "MORETHAN", "LSQB", "RSQB", "COMMA", "EQUAL"})
_TIGHT_AFTER = frozenset({"LESSTHAN", "LSQB", "EQUAL"})


def format_legacy(source: SourceFile) -> str:
    """Return the canonical spelling of a Runefile that has no syntax error."""
    lines: list[str] = []
    position = 0
    for offset, statement in statements(source, comments=True):
        if lines and source.text.count("\n", position, offset) > 1:
            lines.append("")
        lines += _statement(statement)
        position = offset + len(statement)
    return "\n".join(lines) + "\n" if lines else ""


def trailing_comment(statement: str) -> str:
    """Return the comment of a logical line, with its #, or an empty text."""
    if _is_comment(statement):
        return _stripped(statement)
    return _behind(statement, _tokens(statement))


def _is_comment(statement: str) -> bool:
    return statement.lstrip(_BLANK).startswith("#")


def _stripped(comment: str) -> str:
    return comment.lstrip(_BLANK).rstrip(" \t\f\r\n")


def _behind(statement: str, tokens: list[Token]) -> str:
    return _stripped(statement[tokens[-1].end_pos or 0 :])


def _tokens(statement: str) -> list[Token]:
    return list(legacy_parser().parse_interactive(statement).exhaust_lexer())


def _statement(statement: str) -> list[str]:
    if _is_comment(statement):
        return [_stripped(statement)]
    tokens = _tokens(statement)
    comment = _behind(statement, tokens)
    lines = _lines(_words(tokens))
    if comment:
        lines[-1] += f"  {comment}"
    return lines


def _words(tokens: list[Token]) -> list[str]:
    """What is never broken: a word, a type, an argument with its value."""
    words: list[list[str]] = []  # in pieces: a list of labels may have 100,000
    before = ""
    in_arguments = False
    for token in tokens:
        kind = token.type
        glued = kind in _TIGHT_BEFORE or before in _TIGHT_AFTER
        if kind == "FLAG":
            in_arguments = True
        if before == "COMMA":
            glued = in_arguments
            if not in_arguments:  # in a type
                words[-1].append(" ")
                glued = True
        if before == "FLAG" and kind != "EQUAL":
            words[-1].append(" ")
            glued = True
        if glued:
            words[-1].append(str(token))
        else:
            words.append([str(token)])
        before = kind
    return ["".join(word) for word in words]


def _lines(words: list[str]) -> list[str]:
    """One line, or several when one would be too long: broken before arguments, or before names."""
    whole = " ".join(words)
    if len(whole) <= WIDTH:
        return [whole]
    lines = [words[0]]
    breakable = words[0] == "RUN"
    for word in words[1:]:
        fits = len(lines[-1]) + len(word) + 3 <= WIDTH
        if word.startswith("-") or (breakable and not fits):
            lines[-1] += " \\"
            lines.append(_INDENT + word)
        else:
            lines[-1] += f" {word}"
    return lines
