"""Models as C source: what `xxd -i`, Arduino sketches and TensorFlow Lite Micro's examples hold.

    alignas(16) const unsigned char g_model[] = {0x1c, 0x00, 0x00, 0x00, 0x54, 0x46, 0x4c, 0x33, ...

The text is read, never compiled: an array of integers, or a string with escapes, whose first bytes
are those of a model. One pass over the text, so that its size bounds the work.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec

from runec.diagnostics import UserFileError

IDENTIFIER_AT = slice(4, 8)
_IDENTIFIER = b"TFL3"
MAX_ARRAYS = 4096
"""Arrays that are looked at; a model's is seldom behind more than a few."""
# What stands between the end of another declaration and the "=" of an array.
_DECLARATION_CHARACTERS = 400
# Where the first elements end, whatever stands between them.
_HEAD_CHARACTERS = 400

# Comments, strings and characters, each to its end or to the end of the text.
_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?""", re.DOTALL
)
_BEGINS = re.compile(r"(?:=|\])\s*(?:\{\s*\{?|(?=\"))")
_NAME = re.compile(r"(?<!\w)([A-Za-z_]\w*)\s*\[([^\[\]]*)\]")
_STD_ARRAY = re.compile(r"array\s*<[^<>]*,\s*([^<>,]*)>\s*([A-Za-z_]\w*)\s*=?\s*\Z")
_TOKEN = re.compile(r"[^\s,]+")
_CAST = re.compile(r"^(?:\(\w+\)|\w+(?=\())")
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]{1,16})|0[bB](?P<bin>[01]{1,64})|"
    r"(?P<oct>0[0-7]{0,22})|(?P<dec>[1-9][0-9]{0,19}))(?:[uU]?[lL]{0,2}|[lL]{1,2}[uU])\Z"
)
_STRING = re.compile(r'\s*"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(\n)|(.))", re.DOTALL)
_ESCAPE_CHARACTERS = 8  # more than an escape that `_HEAD_CHARACTERS` may cut has
_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_WIDTHS = (
    (re.compile(r"\bu?int64_t\b|\blong\s+long\b"), 8),
    (re.compile(r"\bu?int32_t\b"), 4),
    (re.compile(r"\bu?int16_t\b|\bshort\b"), 2),
    (re.compile(r"\b(?:u?int8_t|u?char|byte|u8|BYTE)\b"), 1),
    (re.compile(r"\b(?:int|unsigned|long)\b"), 4),
)


class ModelArray(msgspec.Struct, frozen=True):
    """An array of C source with a model. `line` is the 1-based line of its first element."""

    name: str
    line: int
    data: bytes


class _Found(msgspec.Struct, frozen=True):
    """An array that starts like a model. `start`: of its elements; `length`: as declared."""

    name: str
    start: int
    width: int
    length: int | None
    is_text: bool


def model_names(data: bytes) -> tuple[str, ...]:
    """Return the names of the arrays that start like a model, without reading them completely."""
    text = _text(data)
    return () if text is None else tuple(dict.fromkeys(item.name for item in _found(text)))


def extract_model(data: bytes, name: str | None = None) -> ModelArray:
    """Return the array of C source that holds a model; `name` chooses among several.

    Raises:
        UserFileError: R0315, no array holds a model; R0316, several do and none is chosen, or none
            has the name; R0317, the array is malformed or truncated.
    """
    text = _text(data)
    found = [] if text is None else list(_found(text))
    if text is None or not found:
        raise UserFileError(
            "R0315",
            "no array in it holds a model",
            hint="a model's array begins with bytes such as 0x1c, 0x00, 0x00, 0x00, 0x54, 0x46, "
            "0x4c, 0x33 ('TFL3')",
        )
    names = tuple(dict.fromkeys(item.name for item in found))
    chosen = [item for item in found if name in (None, item.name)]
    if not chosen or (name is None and len(names) > 1):
        problem = (
            f"no array {name!r} in it holds a model"
            if name is not None
            else f"{len(names)} arrays in it hold models"
        )
        raise UserFileError("R0316", problem, hint=f"use --array with one of {', '.join(names)}")
    # The branches of an #ifdef may declare one array twice.
    arrays = [_read(text, item) for item in chosen]
    if any(item.data != arrays[0].data for item in arrays):
        lines = " and ".join(str(item.line) for item in arrays[:2])
        raise UserFileError(
            "R0316",
            f"the array {arrays[0].name!r} is declared with different elements, on lines {lines}",
            hint="remove one of them",
        )
    return arrays[0]


def _text(data: bytes) -> str | None:
    """Return the text with its comments blanked, or None for what is not C source."""
    if b"\0" in data[:4096] or not (b"{" in data or b'"' in data):
        return None
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    return _NOT_CODE.sub(_blank_comment, text)


def _blank_comment(match: re.Match[str]) -> str:
    text = match[0]
    if text[0] != "/":
        return text
    return re.sub(r"[^\n]", " ", text)


def _found(text: str) -> Iterator[_Found]:
    for match in itertools.islice(_BEGINS.finditer(text), MAX_ARRAYS):
        window = text[max(0, match.start() - _DECLARATION_CHARACTERS) : match.start() + 1]
        declaration = re.split(r"[;{}]|\n\s*#[^\n]*", window)[-1]
        declared = _declared(declaration)
        if declared is None:
            continue
        name, length = declared
        is_text = text.startswith('"', match.end())
        width = 1 if is_text else _width(declaration)
        found = _Found(name, match.end(), width, length, is_text)
        try:
            head = _first_bytes(text, found)
        except UserFileError:
            continue
        if head[IDENTIFIER_AT] == _IDENTIFIER:
            yield found


def _declared(declaration: str) -> tuple[str, int | None] | None:
    """Return an array's name and length, where the text in front of "=" declares one."""
    array = _STD_ARRAY.search(declaration)
    if array is not None:
        return array[2], _value(array[1].strip())
    names = list(_NAME.finditer(declaration))
    if not names:
        return None
    return names[-1][1], _value(names[-1][2].strip())


def _width(declaration: str) -> int:
    return next((width for pattern, width in _WIDTHS if pattern.search(declaration)), 1)


def _value(token: str) -> int | None:
    """Return the number of a token, or None."""
    if len(token) == 3 and token[0] == token[-1] == "'":
        return ord(token[1])
    token = token.replace("'", "")
    match = _NUMBER.match(token)
    if match is None:
        return None
    digits = match["hex"] or match["bin"] or match["oct"] or match["dec"]
    base = 16 if match["hex"] else 2 if match["bin"] else 8 if match["oct"] else 10
    value = int(digits, base)
    return -value if match["sign"] == "-" else value


def _first_bytes(text: str, found: _Found) -> bytes:
    if found.is_text:
        return _string(text, found, found.start + _HEAD_CHARACTERS)
    content = bytearray()
    head_end = found.start + _HEAD_CHARACTERS
    end = text.find("}", found.start, head_end)
    for match in _TOKEN.finditer(text, found.start, head_end if end < 0 else end):
        content += _element(text, found, match)
        if len(content) >= IDENTIFIER_AT.stop:
            break
    return bytes(content)


def _read(text: str, found: _Found) -> ModelArray:
    line = text.count("\n", 0, found.start) + 1
    if found.is_text:
        return ModelArray(found.name, line, _string(text, found, len(text)))
    end = text.find("}", found.start)
    if end < 0:
        raise _malformed(text, found, len(text), "has no end: the file is cut short")
    content = bytearray()
    known: dict[str, bytes] = {}
    for match in _TOKEN.finditer(text, found.start, end):
        element = known.get(match[0])
        if element is None:
            element = known[match[0]] = _element(text, found, match)
        content += element
    count = len(content) // found.width
    if found.length not in (None, count):
        problem = f"has {count} elements, but is declared with {found.length}"
        raise _malformed(text, found, end, problem)
    stated = _stated_bytes(text, found.name)
    if stated is not None and len(content) < stated:
        problem = f"has {len(content)} bytes of {stated}: the file is cut short"
        raise _malformed(text, found, end, problem)
    return ModelArray(found.name, line, bytes(content))


def _stated_bytes(text: str, name: str) -> int | None:
    """Return the bytes that `NAME_len` or `NAME_size` states beside an array, if one does."""
    match = re.search(rf"(?<!\w){re.escape(name)}_(?:len|length|size)\s*=\s*(\w+)\s*;", text)
    return _value(match[1]) if match is not None else None


def _element(text: str, found: _Found, match: re.Match[str]) -> bytes:
    token = match[0]
    value = _value(token)
    if value is None:
        value = _value(_CAST.sub("", token).strip("()"))
    bits = 8 * found.width
    if value is None or not -(1 << (bits - 1)) <= value < 1 << bits:
        problem = f"has the element {token[:24]!r}, which is not a number of its type"
        raise _malformed(text, found, match.start(), problem)
    return (value % (1 << bits)).to_bytes(found.width, "little")


def _string(text: str, found: _Found, end: int) -> bytes:
    """Return the bytes of adjacent strings, up to a place in the text."""
    content = bytearray()
    at = found.start
    while (match := _STRING.match(text, at, end)) is not None:
        _append_escaped(content, match[1])
        at = match.end()
    rest = text[at:end].lstrip()
    if rest.startswith('"'):
        if end == len(text):
            raise _malformed(text, found, at, "has no end: the file is cut short")
        _append_escaped(content, rest[1:-_ESCAPE_CHARACTERS])
    return bytes(content)


def _append_escaped(content: bytearray, piece: str) -> None:
    at = 0
    for match in _ESCAPE.finditer(piece):
        content += piece[at : match.start()].encode()
        digits_hex, digits_oct, line_end, other = match.groups()
        if digits_hex:
            content.append(int(digits_hex[-2:], 16))
        elif digits_oct:
            content.append(int(digits_oct, 8) & 0xFF)
        elif not line_end:
            content += bytes((_ESCAPES[other],)) if other in _ESCAPES else other.encode()
        at = match.end()
    content += piece[at:].encode()


def _malformed(text: str, found: _Found, at: int, problem: str) -> UserFileError:
    line = text.count("\n", 0, at) + 1
    return UserFileError(
        "R0317",
        f"line {line}: the array {found.name!r} {problem}",
        hint="copy the file again, or export it again",
    )
