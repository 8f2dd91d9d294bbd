"""Contradictions between keys of a `block.toml`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from runec.proc_blocks.arguments import convert
from runec.proc_blocks.manifest import (
    FROM_MODEL,
    GROUPS,
    PART,
    SIZE,
    TYPES,
    ArgumentRule,
    InputRule,
    Manifest,
    OutputRule,
)
from runec.toml import Place
from runec.values import ElementType

# More than the memory of most microcontrollers that we know.
MAX_STACK_BYTES = 64 * 1024
MAX_LENGTH = 2**31 - 1

# An argument's name becomes part of names in C.
_ARGUMENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}")

# Error and location.
Contradiction = tuple[str, Place]


def find_contradiction(manifest: Manifest) -> Contradiction | None:
    """Return the first thing that does not go together, or None."""
    return next(_contradictions(manifest), None)


def _contradictions(manifest: Manifest) -> Iterator[Contradiction]:
    if not 0 <= manifest.stack_bytes <= MAX_STACK_BYTES:
        sign = "negative" if manifest.stack_bytes < 0 else f"larger than {MAX_STACK_BYTES}"
        yield f"stack_bytes is {sign}", ("stack_bytes",)
    if not manifest.inputs or not manifest.outputs:
        missing = "outputs" if manifest.inputs else "inputs"
        yield "a block has at least one input and one output", (missing,)
        return
    yield from _of_names(manifest)
    for number, argument in enumerate(manifest.arguments):
        yield from _of_argument(manifest, ("arguments", number), argument)
    for number, rule in enumerate(manifest.inputs):
        yield from _of_input(manifest, ("inputs", number), rule)
    for number, output in enumerate(manifest.outputs):
        yield from _of_output(manifest, number, output)


def _of_names(manifest: Manifest) -> Iterator[Contradiction]:
    seen: set[str] = set()
    for number, rule in enumerate(manifest.arguments):
        if _ARGUMENT_NAME.fullmatch(rule.name) is None:
            yield (
                f"an argument's name is made of a-z, 0-9 and _: {rule.name[:48]!r}",
                ("arguments", number, "name"),
            )
        for alias in rule.aliases:
            if _ALIAS.fullmatch(alias) is None:
                yield (
                    f"an alias is made of letters, 0-9 and _: {alias[:48]!r}",
                    ("arguments", number, "aliases"),
                )
        for name in (rule.name, *rule.aliases):
            if name in seen:
                key = "name" if name == rule.name and name not in rule.aliases else "aliases"
                yield (
                    f"duplicate name or alias of an argument: {name}",
                    ("arguments", number, key),
                )
            seen.add(name)


def _of_argument(manifest: Manifest, at: Place, rule: ArgumentRule) -> Iterator[Contradiction]:
    if rule.default is not None:
        if rule.required:
            yield f"{rule.name!r} is required and has a default", (*at, "required")
        if convert(rule.type, rule.default) is None:
            yield f"the default of {rule.name!r} is not of the type {rule.type}", (*at, "default")
    for key in ("above", "at_least", "at_most"):
        limit = getattr(rule, key)
        if limit is not None and not math.isfinite(limit):
            yield f"{key} is not a finite number", (*at, key)
    for key in ("at_least_elements_of", "at_most_elements_of"):
        number = getattr(rule, key)
        if number is not None and not 0 <= number < len(manifest.inputs):
            yield f"{key} is not the number of an input", (*at, key)

    numbers = {item.name for item in manifest.arguments if item.type in ("int", "float")}
    for key in ("below", "below_half_of"):
        other = getattr(rule, key)
        if other is not None and not (rule.name in numbers and other in numbers):
            yield f"{key} compares numbers: {other!r}", (*at, key)

    if rule.from_model is not None and not _is_of_model(manifest, rule):
        yield f"unknown from_model of an argument: {rule.from_model!r}", (*at, "from_model")


def _is_of_model(manifest: Manifest, rule: ArgumentRule) -> bool:
    match = FROM_MODEL.fullmatch(rule.from_model or "")
    if match is None:
        return False
    sides = manifest.inputs if match["side"] == "in" else manifest.outputs
    wanted = "float" if match["value"] == "scale" else "int"
    return int(match["index"]) < len(sides) and rule.type == wanted


def _of_input(manifest: Manifest, at: Place, rule: InputRule) -> Iterator[Contradiction]:
    if (problem := _unknown_types(rule.elements)) is not None:
        yield f"an input's {problem}", (*at, "elements")
    for size in rule.dimensions:
        if isinstance(size, str) and SIZE.fullmatch(size) is None:
            yield (
                f"a dimension of an input is not a number, '_' or '6+': {size!r}",
                (*at, "dimensions"),
            )
        if isinstance(size, int) and not 1 <= size <= MAX_LENGTH:
            yield f"an input's dimension is not from 1 to {MAX_LENGTH}", (*at, "dimensions")
    if rule.repeat and rule is not manifest.inputs[-1]:
        yield "only the last input and the last output can repeat", (*at, "repeat")


def _unknown_types(names: tuple[str, ...]) -> str | None:
    unknown = sorted(set(names) - GROUPS.keys() - TYPES.keys())
    if unknown or not names:
        return f"elements are not types: {', '.join(unknown) or 'none'}"
    return None


def _of_output(manifest: Manifest, index: int, output: OutputRule) -> Iterator[Contradiction]:
    at: Place = ("outputs", index)
    types = {rule.name: rule.type for rule in manifest.arguments}
    if output.repeat and output is not manifest.outputs[-1]:
        yield "only the last input and the last output can repeat", (*at, "repeat")
    if output.element not in {"input", "declared", *TYPES}:
        yield f"an output's element is not a type: {output.element}", (*at, "element")
        return
    yield from _of_elements(manifest, index, output)
    for size in () if isinstance(output.shape, str) else output.shape:
        if isinstance(size, str) and not _is_size(manifest, size, types):
            yield (
                f"an output's shape needs an int argument or a part of an input: {size!r}",
                (*at, "shape"),
            )
        if isinstance(size, int) and not 1 <= size <= MAX_LENGTH:
            yield f"a length in an output's shape is not from 1 to {MAX_LENGTH}", (*at, "shape")
    if output.length != "exact" and (isinstance(output.shape, str) or not output.shape):
        yield "an output has a length only where its shape is a list", (*at, "length")
    bounded = (output.bytes_of is not None) + bool(output.words)
    if bounded != (output.element == "utf8"):
        key = "bytes_of" if output.bytes_of is not None else "words" if output.words else "element"
        yield "an output has words or bytes_of when, and only when, it is utf8", (*at, key)
    if any(types.get(name) not in ("string", "string-list") for name in output.words):
        yield "an output's words are not string arguments", (*at, "words")
    if output.bytes_of is not None and (
        not 0 <= output.bytes_of < len(manifest.inputs)
        or ElementType.UTF8 in manifest.inputs[output.bytes_of].element_types
    ):
        yield "an output's bytes_of is not the number of an input with bytes", (*at, "bytes_of")


def _of_elements(manifest: Manifest, index: int, output: OutputRule) -> Iterator[Contradiction]:
    at: Place = ("outputs", index)
    if (output.element == "declared") != bool(output.elements):
        key = "elements" if output.elements else "element"
        yield "an output has elements when, and only when, its element is declared", (*at, key)
    if output.elements and (problem := _unknown_types(output.elements)) is not None:
        yield f"an output's {problem}", (*at, "elements")
    elif ElementType.UTF8 in output.element_types:
        yield "a declared output cannot be utf8", (*at, "elements")
    if "input" in {output.element, output.shape} and index >= len(manifest.inputs):
        yield f"output {index} follows an input that does not exist", at
    elif output.element == "input" and (ElementType.UTF8 in manifest.inputs[index].element_types):
        yield "an output cannot take its element from a utf8 input", (*at, "element")


def _is_size(manifest: Manifest, size: str, types: Mapping[str, str]) -> bool:
    """Whether a name in a shape is an int argument, or a part that its input is sure to have."""
    match = PART.fullmatch(size)
    if match is None:
        return types.get(size) == "int"
    number, part = int(match["input"]), match["part"]
    if number >= len(manifest.inputs):
        return False
    return part in (None, "count") or int(part) < len(manifest.inputs[number].dimensions)
