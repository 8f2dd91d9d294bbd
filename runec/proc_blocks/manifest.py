"""`block.toml`: what a block says of itself.

    description  one sentence
    stack_bytes  the frames of all its functions together are no larger
    in_place     outn may lie where inn lay (when both have the same type)
    arguments    name, type, default, required, aliases, description, limits
    inputs       elements (types, or `integer`, `float`, `number`), shape, dimensions, repeat
    outputs      element, elements, shape, reshape, repeat, words, bytes_of

The last input and the last output may `repeat`: any number of them, at least one. An input's
shape is `any`, or `vector`: at most one dimension other than 1. `dimensions` says more: as many as
it has, each a number, `_` (any) or `6+` (at least 6).

An output's element is a type, `input` (that of the input of the same number) or `declared` (the
Runefile's, one of `elements`). Its shape is `input`, `declared`, or a list of numbers, of names of
int arguments, and of parts of inputs: `in0` (all its dimensions), `in0.2` (that dimension),
`in0.count` (its elements). With `reshape` a declared shape with as many elements is taken too. A
utf8 output says how long an element may be: `words` names the arguments whose words it writes,
`bytes_of` the input (by number, not utf8) whose bytes it writes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from runec.diagnostics import UserFileError
from runec.files import read_file
from runec.pipeline import ElementType

ArgumentType = Literal["int", "float", "string", "string-list"]

_GROUPS = {
    "integer": frozenset(e for e in ElementType if e.is_integer),
    "float": frozenset(e for e in ElementType if e.is_float),
    "number": frozenset(e for e in ElementType if e is not ElementType.UTF8),
}
_TYPES = {e.value: e for e in ElementType}


PART = re.compile(r"in(?P<input>[0-9])(?:\.(?P<part>[0-9]|count))?")
SIZE = re.compile(r"_|(?P<least>[0-9]{1,9})\+")


def _element_types(names: tuple[str, ...]) -> frozenset[ElementType]:
    types: frozenset[ElementType] = frozenset()
    for name in names:
        types |= _GROUPS[name] if name in _GROUPS else {_TYPES[name]}
    return types


class ArgumentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[arguments]]`. Limits hold for a number's value or a list's length."""

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


def _contradiction(manifest: Manifest) -> str | None:
    """Return what the keys say against one another, or None."""
    names = [name for rule in manifest.arguments for name in (rule.name, *rule.aliases)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return f"an argument's name or alias stands twice: {', '.join(twice)}"
    if manifest.stack_bytes < 0:
        return "stack_bytes is negative"
    if not manifest.inputs or not manifest.outputs:
        return "a block has at least one input and one output"
    for rule in manifest.inputs:
        if (problem := _unknown_types(rule.elements)) is not None:
            return f"an input's {problem}"
        for size in rule.dimensions:
            if isinstance(size, str) and SIZE.fullmatch(size) is None:
                return f"an input's dimension is no number, '_' or '6+': {size!r}"
    early = [r.repeat for r in manifest.inputs[:-1]] + [r.repeat for r in manifest.outputs[:-1]]
    if any(early):
        return "only the last input and the last output can repeat"
    for index, output in enumerate(manifest.outputs):
        if (problem := _output_contradiction(manifest, index, output)) is not None:
            return problem
    return None


def _unknown_types(names: tuple[str, ...]) -> str | None:
    unknown = sorted(set(names) - _GROUPS.keys() - _TYPES.keys())
    if unknown or not names:
        return f"elements are not types: {', '.join(unknown) or 'none given'}"
    return None


def _output_contradiction(manifest: Manifest, index: int, output: OutputRule) -> str | None:
    types = {rule.name: rule.type for rule in manifest.arguments}
    if output.element not in {"input", "declared", *_TYPES}:
        return f"an output's element is no type: {output.element}"
    if (output.element == "declared") != bool(output.elements):
        return "an output has elements when, and only when, its element is declared"
    if output.elements and (problem := _unknown_types(output.elements)) is not None:
        return f"an output's {problem}"
    if ElementType.UTF8 in output.element_types:
        return "a declared output cannot be utf8"
    if "input" in {output.element, output.shape} and index >= len(manifest.inputs):
        return f"output {index} follows an input that does not exist"
    for size in () if isinstance(output.shape, str) else output.shape:
        if isinstance(size, str) and not _is_size(manifest, size, types):
            return f"an output's shape needs an int argument or a part of an input: {size!r}"
    bounded = (output.bytes_of is not None) + bool(output.words)
    if bounded != (output.element == "utf8"):
        return "an output has words or bytes_of when, and only when, it is utf8"
    if any(types.get(name) not in ("string", "string-list") for name in output.words):
        return "an output's words are not string arguments"
    if output.bytes_of is not None and (
        not 0 <= output.bytes_of < len(manifest.inputs)
        or ElementType.UTF8 in manifest.inputs[output.bytes_of].element_types
    ):
        return "an output's bytes_of is not the number of an input with bytes"
    return None


def _is_size(manifest: Manifest, size: str, types: dict[str, ArgumentType]) -> bool:
    """Whether a name in a shape is an int argument, or a part that its input is sure to have."""
    match = PART.fullmatch(size)
    if match is None:
        return types.get(size) == "int"
    number, part = int(match["input"]), match["part"]
    if number >= len(manifest.inputs):
        return False
    return part in (None, "count") or int(part) < len(manifest.inputs[number].dimensions)


def load_manifest(path: Path) -> Manifest:
    """Read a `block.toml`.

    Raises:
        UserFileError: R0430, it is not TOML, has an unknown key or contradicts itself.
    """
    try:
        manifest = msgspec.toml.decode(read_file(path, "the block description"), type=Manifest)
        problem = _contradiction(manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        problem = str(error)
    if problem is not None:
        raise UserFileError(
            "R0430",
            f"the description of block {path.parent.name!r} is wrong: {problem}",
            hint=f"correct {path.name}, or reinstall runec if you did not change it",
        )
    return manifest
