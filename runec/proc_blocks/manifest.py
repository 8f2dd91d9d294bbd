"""`block.toml`: what a block says of itself.

    description  one sentence
    stack_bytes  the frames of all its functions together are no larger
    in_place     outn may lie where inn lay (when both have the same type)
    arguments    name, type, default, required, aliases, description, limits
    inputs       elements (types, or `integer`, `float`, `number`), shape, repeat
    outputs      element, shape, repeat, words

The last input and the last output may `repeat`: any number of them, at least one. An input's
shape is `any`, or `vector`: at most one dimension other than 1. An output's element is a type,
`input` (that of the input of the same number) or `declared` (the Runefile's); its shape is `input`
or a list of numbers and names of int arguments. A utf8 output names in `words` the arguments whose
words it writes: the longest of them bounds an element.
"""

from __future__ import annotations

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
    repeat: bool = False

    @property
    def element_types(self) -> frozenset[ElementType]:
        """The element types accepted."""
        types: frozenset[ElementType] = frozenset()
        for name in self.elements:
            types |= _GROUPS[name] if name in _GROUPS else {_TYPES[name]}
        return types


class OutputRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[outputs]]`."""

    element: str
    shape: Literal["input"] | tuple[int | str, ...]
    repeat: bool = False
    words: tuple[str, ...] = ()


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
    types = {rule.name: rule.type for rule in manifest.arguments}
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return f"an argument's name or alias stands twice: {', '.join(twice)}"
    if manifest.stack_bytes < 0:
        return "stack_bytes is negative"
    if not manifest.inputs or not manifest.outputs:
        return "a block has at least one input and one output"
    for rule in manifest.inputs:
        unknown = sorted(set(rule.elements) - _GROUPS.keys() - _TYPES.keys())
        if unknown or not rule.elements:
            return f"an input's elements are not types: {', '.join(unknown) or 'none given'}"
    early = [r.repeat for r in manifest.inputs[:-1]] + [r.repeat for r in manifest.outputs[:-1]]
    if any(early):
        return "only the last input and the last output can repeat"
    for index, output in enumerate(manifest.outputs):
        if output.element not in {"input", "declared", *_TYPES}:
            return f"an output's element is no type: {output.element}"
        if "input" in {output.element, output.shape} and index >= len(manifest.inputs):
            return f"output {index} follows an input that does not exist"
        for size in () if output.shape == "input" else output.shape:
            if isinstance(size, str) and types.get(size) != "int":
                return f"an output's shape needs an int argument {size!r}"
        if (output.element == "utf8") != bool(output.words):
            return "an output has words when, and only when, it is utf8"
        if any(types.get(name) not in ("string", "string-list") for name in output.words):
            return "an output's words are not string arguments"
    return None


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
