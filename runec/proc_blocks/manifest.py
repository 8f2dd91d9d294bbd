"""`block.toml`: the description of a block.

    description  one sentence
    stack_bytes  the frames of all its functions together are no larger
    in_place     outn may share the memory of inn (if both have the same type)
    arguments    name, type, default, required, aliases, description, limits, from_model
    inputs       elements (types, or `integer`, `float`, `number`), shape, dimensions, repeat
    outputs      element, elements, shape, length, reshape, repeat, words, bytes_of

An argument with `from_model` that the Runefile does not give is read from the model beside the
block: `out0.scale` is the scale of the model's tensor that output 0 becomes, `in0.zero_point` the
zero point of the one that input 0 was.

The last input and the last output may `repeat`: any number of them, at least one. An input's
shape is `any`, or `vector`: at most one dimension other than 1. `dimensions` says more: as many as
it has, each a number, `_` (any) or `6+` (at least 6).

An output's element is a type, `input` (that of the input of the same number) or `declared` (the
Runefile's, one of `elements`). Its shape is `input`, `declared`, or a list of numbers, of names of
int arguments, and of parts of inputs: `in0` (all its dimensions), `in0.2` (that dimension),
`in0.count` (its elements). With `reshape` a declared shape with as many elements is taken too. Of a
list, `length` says what the Runefile may declare as the first size, where that many rows are the
most there can be: `exact` (this one), `declared` (any; the output has it, and the block fills or
cuts), `bound` (this one or more; the output has this one). The other sizes may then be left out. A
utf8 output says how long an element may be: `words` names the arguments whose words it writes,
`bytes_of` the input (by number, not utf8) whose bytes it writes.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from runec.values import ElementType

ArgumentType = Literal["int", "float", "string", "string-list"]

GROUPS = {
    "integer": frozenset(e for e in ElementType if e.is_integer),
    "float": frozenset(e for e in ElementType if e.is_float),
    "number": frozenset(e for e in ElementType if e is not ElementType.UTF8),
}
TYPES = {e.value: e for e in ElementType}


PART = re.compile(r"in(?P<input>[0-9])(?:\.(?P<part>[0-9]|count))?")
FROM_MODEL = re.compile(r"(?P<side>in|out)(?P<index>[0-9])\.(?P<value>scale|zero_point)")
SIZE = re.compile(r"_|(?P<least>[0-9]{1,9})\+")


def _element_types(names: tuple[str, ...]) -> frozenset[ElementType]:
    types: frozenset[ElementType] = frozenset()
    for name in names:
        types |= GROUPS[name] if name in GROUPS else {TYPES[name]}
    return types


class ArgumentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[arguments]]`. Limits hold for a number's value or a list's length.

    `below` and `below_half_of` name other number arguments, which have values.
    """

    name: str
    type: ArgumentType
    description: str
    default: int | float | str | None = None
    required: bool = False
    aliases: tuple[str, ...] = ()
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    at_least_elements_of: int | None = None
    at_most_elements_of: int | None = None
    below: str | None = None
    below_half_of: str | None = None
    from_model: str | None = None


class InputRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[inputs]]`."""

    elements: tuple[str, ...]
    shape: Literal["any", "vector"] = "any"
    dimensions: tuple[int | str, ...] = ()
    repeat: bool = False

    @property
    def element_types(self) -> frozenset[ElementType]:
        """The element types accepted."""
        return _element_types(self.elements)


class OutputRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[outputs]]`."""

    element: str
    shape: Literal["input", "declared"] | tuple[int | str, ...]
    elements: tuple[str, ...] = ()
    length: Literal["exact", "declared", "bound"] = "exact"
    reshape: bool = False
    repeat: bool = False
    words: tuple[str, ...] = ()
    bytes_of: int | None = None

    @property
    def element_types(self) -> frozenset[ElementType]:
        """The element types that the Runefile may declare."""
        return _element_types(self.elements)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole `block.toml`."""

    description: str
    stack_bytes: int
    in_place: bool
    inputs: tuple[InputRule, ...]
    outputs: tuple[OutputRule, ...]
    arguments: tuple[ArgumentRule, ...] = ()
