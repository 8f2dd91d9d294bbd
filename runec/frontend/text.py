"""Small things that both dialects share: limits, paths, suggestions."""

from __future__ import annotations

import re
from typing import NamedTuple

from runec.diagnostics import Span
from runec.frontend.ast import Path
from runec.values import ElementType

# Labels make Runefiles long: the longest public one has 99,424. Longer lists belong into resources.
MAX_RUNEFILE_BYTES = 4 * 1024 * 1024
MAX_STATEMENTS = 1000
MAX_YAML_EVENTS = 250_000
LONG_LISTS = (
    "put long lists into a file, one word a line, add resources: {WORDS: {path: words.txt}} and "
    "write $WORDS instead of the list; `runec convert` turns the legacy dialect into YAML"
)
"""What to do about a Runefile that is too long."""
MAX_DIMENSION = 2**31 - 1

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
# The original platform's last compiler accepted URIs as well, with a version or module as query.
PATH = re.compile(
    r"(?P<base>[\w:/.%&-]+|\w+:[\w:/.%&?=-]+)(?:@(?P<version>[\w./-]+))?(?:\#(?P<sub>[\w./%&-]+))?\Z",
    re.ASCII,
)


# Characters that look like a space, a quote or another ASCII sign, as word processors,
# web pages and other keyboards write them.
_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_QUOTES = "\u00ab\u00bb\u2018-\u201f\u2039\u203a\uff02\uff07"
_SIGNS = {
    **dict(zip("\uff1a\uff0c\uff3b\uff3d\uff5b\uff5d\uff1c\uff1e\uff1d", ":,[]{}<>=", strict=True)),
    **dict(zip("\u2010\u2011\u2012\u2013\u2212\uff0d", "------", strict=True)),
    "\u2014": "--",
}
# These are compiled where they are used, for a Runefile without mistakes needs none of them.
_LOOK_ALIKE = f"[{_SPACES}]|(?<!\\w)[{_QUOTES}]|[{_QUOTES}](?!\\w)|[{''.join(_SIGNS)}]"
_NAMES = {"\u00a0": "no-break space", "\u200b": "zero-width space", "\ufeff": "byte order mark"}
# Comments and quoted strings of YAML on one line.
_NOT_PLAIN = r"""(?:(?<=\s)|^)\#.*|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
# Where such a character changes what a line of YAML is: in front of a value, or behind one.
_BEFORE = f"(?:^|[-:,?\\[{{])[\\s{_SPACES}]*\\Z"
_BEHIND = f"[\\s{_SPACES}]*[:,\\]}}]"
_NEARBY_LINES = 3
# Spellings of other languages and libraries.
ELEMENT_TYPES = {
    "float32_t": "f32",
    "single": "f32",
    "half": "f32",
    "float16": "f32",
    "f16": "f32",
    "bfloat16": "f32",
    "float64_t": "f64",
    "int": "i32",
    "integer": "i32",
    "uint": "u32",
    "unsigned": "u32",
    "byte": "u8",
    "ubyte": "u8",
    "char": "i8",
    "uchar": "u8",
    "short": "i16",
    "ushort": "u16",
    "long": "i64",
    "ulong": "u64",
    "bool": "u8",
    "boolean": "u8",
    "str": "utf8",
    "string": "utf8",
    "text": "utf8",
    **{
        name: element.value
        for element in ElementType
        if element.size_bytes
        for name in (element.c_type, element.long_name)
    },
}

WITHOUT_EQUAL = frozenset({"half", "float16", "f16", "bfloat16", "bool", "boolean"})
"""Those whose type a rune does not have, only one that holds their values."""


class LookAlike(NamedTuple):
    """A character that stands for a space or a quote: where, what it is, what to do."""

    at: int
    what: str
    hint: str


def look_alike(text: str) -> LookAlike | None:
    """Return the first character that looks like an ASCII one."""
    match = re.search(_LOOK_ALIKE, text)
    return None if match is None else _look_alike(match)


def _look_alike(match: re.Match[str]) -> LookAlike:
    char = match[0]
    code = f"U+{ord(char):04X}"
    if char in _SIGNS:
        what = f'a character that looks like "{_SIGNS[char][:1]}" ({code})'
        return LookAlike(match.start(), what, f"write {_SIGNS[char]} instead")
    if re.match(f"[{_QUOTES}]", char):
        hint = 'write " instead'
        return LookAlike(match.start(), f"a typographic quote ({code})", hint)
    name = _NAMES.get(char, "Unicode space")
    hint = "write a space instead"
    return LookAlike(match.start(), f"a {name} ({code})", hint)


def plain_look_alike(text: str, end: int) -> LookAlike | None:
    """Find one in YAML that may be why it cannot be parsed at `end`: there or a little above.

    Comments, quoted strings, and what lies within words are passed over. In an indentation it is
    found wherever it is.
    """
    line_end = text.find("\n", end)
    at = 0
    nearby: list[tuple[int, str]] = []
    for line in text[: len(text) if line_end < 0 else line_end].split("\n"):
        if line.strip():
            nearby = [*nearby[1 - _NEARBY_LINES :], (at, line)]
        at += len(line) + 1
    for start, line in nearby:
        plain = re.sub(_NOT_PLAIN, lambda match: " " * len(match[0]), line)
        for match in re.finditer(_LOOK_ALIKE, plain):
            before, behind = plain[: match.start()], plain[match.end() :]
            is_between = re.search(_BEFORE, before) or re.match(_BEHIND, behind)
            if match[0] in _SIGNS or is_between:
                found = _look_alike(match)
                return found._replace(at=start + found.at)
    indented = re.compile(f"^[ \\t-]*(?=[{_SPACES}])", re.MULTILINE).search(text, 0, end)
    return None if indented is None else odd_space(text, indented.end())


def odd_space(text: str, at: int) -> LookAlike | None:
    """Return the character at a place if it looks like a space of the keyboard and is none."""
    match = re.compile(f"[{_SPACES}]").match(text, at)
    return None if match is None else _look_alike(match)


def beside(path: str) -> str | None:
    """Return what to do with a path of Windows, or None for any other."""
    if re.match(r"[A-Za-z]:[\\/]", path):
        return "copy the file beside the Runefile and write its path with /, as ./model.tflite"
    if "\\" in path:
        return f"write / instead of \\: {path.replace(chr(92), '/')[:200]}"
    return None


def parse_path(text: str, span: Span) -> Path | None:
    """Split `base[@version][#sub_path]`; None when it is not a path."""
    match = PATH.match(text)
    if match is None:
        return None
    return Path(text, match["base"], match["version"], match["sub"], span)


def parse_dimension(digits: str) -> int | None:
    """Return the number, or None when it is not a length of a tensor (1 to 2^31 - 1)."""
    if not re.fullmatch(r"[0-9]{1,10}", digits):
        return None
    value = int(digits)
    return value if 1 <= value <= MAX_DIMENSION else None
