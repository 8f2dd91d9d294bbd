"""Values as C source."""

from __future__ import annotations

import re

from runec.values import as_f32

_PLAIN = re.compile(rb"[A-Za-z0-9 _.,:;!()\[\]{}<>=+*/&|^~@#$'-]")


def c_string(data: bytes) -> str:
    """A string literal of exactly these bytes; all but plain ones as three octal digits."""
    pieces = [
        char.decode() if _PLAIN.fullmatch(char) else f"\\{char[0]:03o}"
        for char in (data[i : i + 1] for i in range(len(data)))
    ]
    return '"' + "".join(pieces) + '"'


def c_int(value: int) -> str:
    """An int constant of 32 bits; the smallest one has no literal."""
    return "(-2147483647 - 1)" if value == -(2**31) else f"({value})" if value < 0 else str(value)


def c_float(value: float) -> str:
    """A float constant, exact: hexadecimal."""
    text = f"{as_f32(value).hex()}f"
    return f"({text})" if text.startswith("-") else text


def c_identifier(text: str) -> str:
    """A part of an identifier that reminds of a name."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def c_comment(text: str) -> list[str]:
    """Lines that can stand in a block comment: nothing in them opens, ends or escapes."""
    cleaned = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    cleaned = cleaned.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")
    lines = [line.rstrip().rstrip("\\").rstrip() for line in cleaned.split("\n")]
    return [line for line in lines if line.strip()]
