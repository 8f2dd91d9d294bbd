"""Element types, tensor types, and values of arguments.

The element types are one table. Every package takes its spelling of a type from here: the sizes,
the letters of `struct`, the names of NumPy and of TensorFlow Lite, the types of C.
"""

from __future__ import annotations

import math
import re
import struct
from enum import Enum
from typing import NamedTuple

import msgspec

_TYPE_PATTERN = re.compile(r"^([a-z0-9]+)\[([0-9]+(?:, ?[0-9]+)*)\]$")


class ElementType(Enum):
    """The element types of a tensor; the value is the spelling in every file format."""

    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    UTF8 = "utf8"

    @property
    def size_bytes(self) -> int:
        """Bytes of one element in linear memory; 0 for UTF8, whose elements vary."""
        return _TABLE[self].size_bytes

    @property
    def struct_code(self) -> str:
        """The letter of `struct`; empty for UTF8."""
        return _TABLE[self].struct_code

    @property
    def c_type(self) -> str:
        """The type in C; a UTF8 tensor is bytes."""
        return _TABLE[self].c_type

    @property
    def long_name(self) -> str:
        """The name in NumPy and in TensorFlow; empty for UTF8."""
        return _TABLE[self].long_name

    @property
    def title(self) -> str:
        """The name that the original platform prints."""
        return _TABLE[self].title

    @property
    def tflite_code(self) -> int:
        """The number in the schema of TensorFlow Lite; -1 for UTF8, which no model has."""
        return _TABLE[self].tflite_code

    @property
    def is_float(self) -> bool:
        """True for f32 and f64."""
        return self.value[0] == "f"

    @property
    def is_integer(self) -> bool:
        """True for the eight integer types."""
        return not self.is_float and self is not ElementType.UTF8

    @property
    def dtype(self) -> str:
        """NumPy's spelling of packed elements, little-endian: `<f4`. Not for UTF8."""
        return f"<{self.value[0]}{self.size_bytes}"

    @property
    def ends(self) -> tuple[int, int]:
        """The least and the most that an integer type holds."""
        bits = 8 * self.size_bytes
        return (0, 2**bits - 1) if self.value[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)


class _Row(NamedTuple):
    size_bytes: int
    struct_code: str
    c_type: str
    long_name: str
    title: str
    tflite_code: int


_TABLE = {
    ElementType.U8: _Row(1, "B", "uint8_t", "uint8", "UInt8", 3),
    ElementType.I8: _Row(1, "b", "int8_t", "int8", "Int8", 9),
    ElementType.U16: _Row(2, "H", "uint16_t", "uint16", "UInt16", 16),
    ElementType.I16: _Row(2, "h", "int16_t", "int16", "Int16", 7),
    ElementType.U32: _Row(4, "I", "uint32_t", "uint32", "UInt32", 15),
    ElementType.I32: _Row(4, "i", "int32_t", "int32", "Int32", 2),
    ElementType.U64: _Row(8, "Q", "uint64_t", "uint64", "UInt64", 12),
    ElementType.I64: _Row(8, "q", "int64_t", "int64", "Int64", 4),
    ElementType.F32: _Row(4, "f", "float", "float32", "Float32", 0),
    ElementType.F64: _Row(8, "d", "double", "float64", "Float64", 10),
    ElementType.UTF8: _Row(0, "", "uint8_t", "", "String", -1),
}

ELEMENT_OF_TFLITE = {row.tflite_code: element for element, row in _TABLE.items() if row.size_bytes}
"""The element type of each number in TensorFlow Lite's schema that a rune has."""


class TensorType(msgspec.Struct, frozen=True):
    """An element type and a shape. Spelled `f32[1, 128, 3, 1]` everywhere."""

    element: ElementType
    dimensions: tuple[int, ...]

    @property
    def element_count(self) -> int:
        """The product of the dimensions."""
        return math.prod(self.dimensions)

    @property
    def size_bytes(self) -> int:
        """Bytes of the packed little-endian elements; 0 for utf8."""
        return self.element_count * self.element.size_bytes

    def __str__(self) -> str:
        return f"{self.element.value}[{', '.join(map(str, self.dimensions))}]"

    @classmethod
    def parse(cls, text: str) -> TensorType:
        """Read the spelling that `str()` writes. Raises ValueError."""
        match = _TYPE_PATTERN.match(text)
        if match is None:
            raise ValueError(f"not a tensor type: {text!r}")
        dimensions = tuple(int(number) for number in match[2].split(","))
        return cls(ElementType(match[1]), dimensions)


class ResourceWords(msgspec.Struct, frozen=True):
    """A list of words, one per line of a resource, that a block reads at run time.

    They stay in flash, and may be given at run time only.
    """

    resource: str

    def __str__(self) -> str:
        return f"${self.resource}"


ParameterValue = int | float
ArgumentValue = int | float | str | tuple[str, ...] | ResourceWords


def as_f32(value: float) -> float:
    """Return the f32 nearest to a number; infinite where it is too large for one."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)
