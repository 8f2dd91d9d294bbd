"""Spelling values in C."""

from __future__ import annotations

import re

from runec.pipeline import ElementType
from runec.proc_blocks import as_f32

_C_TYPES = {
    ElementType.U8: "uint8_t",
    ElementType.I8: "int8_t",
    ElementType.U16: "uint16_t",
    ElementType.I16: "int16_t",
    ElementType.U32: "uint32_t",
    ElementType.I32: "int32_t",
    ElementType.U64: "uint64_t",
    ElementType.I64: "int64_t",
    ElementType.F32: "float",
    ElementType.F64: "double",
    ElementType.UTF8: "uint8_t",
}
_PLAIN = re.compile(rb"[A-Za-z0-9 _.,:;!()\[\]{}<>=+*/&|^~@#$'-]")


def c_type(element: ElementType) -> str:
    """The C type of an element; a utf8 tensor is bytes."""
    return _C_TYPES[element]


def c_string(data: bytes) -> str:
    """A string literal of exactly these bytes; all but plain ones as three octal digits."""
    pieces = [
        char.decode() if _PLAIN.fullmatch(char) else f"\\{char[0]:03o}"
        for char in (data[i : i + 1] for i in range(len(data)))
    ]
    return '"' + "".join(pieces) + '"'


def c_int(value: int) -> str:
    """An int constant of 32 bits; the smallest has no literal of its own."""
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
