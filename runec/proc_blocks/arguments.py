"""Arguments of blocks: from text of a Runefile to typed values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from runec.numbers import parse_integer, parse_number
from runec.proc_blocks.manifest import ArgumentRule, ArgumentType
from runec.proc_blocks.mismatch import BlockMismatch, MissingArgument
from runec.suggestions import did_you_mean
from runec.values import ArgumentValue, ResourceWords, TensorType, as_f32

WHITESPACE = " \t\n\v\f\r"
_WHAT: dict[ArgumentType, str] = {
    "int": "an integer of 32 bits",
    "float": "a number in the range of f32",
    "string": "a text",
    "string-list": "a text with one word a line, or a list of words",
}


class BlockArgument(msgspec.Struct, frozen=True):
    """An argument that a block takes."""

    name: str
    type: ArgumentType
    default: ArgumentValue | None
    required: bool
    aliases: tuple[str, ...]
    description: str


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a text, one a line, as `rune_words.h` of the SDK finds them.

    ASCII white space around a word goes; empty lines before the first word and after the last one
    do not count.
    """
    lines = text.strip(WHITESPACE).split("\n")
    return tuple(line.strip(WHITESPACE) for line in lines) if lines != [""] else ()


def _to_int(value: ArgumentValue) -> int | None:
    if isinstance(value, str):
        return _to_int(parsed) if (parsed := parse_integer(value)) is not None else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        return None
    return value


def _to_float(value: ArgumentValue) -> float | None:
    if isinstance(value, str):
        return _to_float(parsed) if (parsed := parse_number(value)) is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) >= 2**128:
        return None
    return float(value) if math.isfinite(as_f32(value)) else None


def _to_string(value: ArgumentValue) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | tuple | ResourceWords) or (
        isinstance(value, int) and abs(value) >= 2**64
    ):
        return None
    text = str(value).strip()
    return None if _has_surrogates(text) else text


def _to_words(value: ArgumentValue) -> tuple[str, ...] | ResourceWords | None:
    if isinstance(value, ResourceWords):
        return value
    if isinstance(value, str):
        value = split_words(value)
    if not isinstance(value, tuple | list):
        return None
    if not all(isinstance(word, str) and not _has_surrogates(word) for word in value):
        return None
    return tuple(word.strip(WHITESPACE) for word in value)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def convert(kind: ArgumentType, value: ArgumentValue) -> ArgumentValue | None:
    """Return the value in the type of its argument, or None if it is invalid.

    Texts are trimmed. A number may be a text, as in the original platform. A list of words may be
    a text with one word per line, whose last line may be empty.
    """
    if kind == "int":
        return _to_int(value)
    if kind == "float":
        return _to_float(value)
    if kind == "string":
        return _to_string(value)
    return _to_words(value)


def _check_limits(
    rule: ArgumentRule, spelling: str, value: ArgumentValue, inputs: Sequence[TensorType]
) -> None:
    """Hold a number, or the length of a list, against the limits of its argument.

    Raises:
        BlockMismatch: R0419, it is outside them.
    """
    if isinstance(value, str | ResourceWords):
        return
    is_list = isinstance(value, tuple)
    size = float(len(value)) if isinstance(value, tuple) else as_f32(value)
    limits = _limits(rule, size, inputs)
    for holds, limit, why in limits:
        if holds:
            continue
        allowed = " and ".join(text for _, text, _ in limits)
        wanted = f"{allowed} words, one per line" if is_list else f"a number that is {allowed}"
        raise BlockMismatch(
            "R0419",
            f"{f'the number of words in {spelling!r}' if is_list else repr(spelling)}"
            f" is {len(value) if isinstance(value, tuple) else value} but must be {limit}{why}",
            about="arguments",
            argument=spelling,
            hint=f"set {wanted}; {spelling!r}: {rule.description}",
        )


def _limits(
    rule: ArgumentRule, size: float, inputs: Sequence[TensorType]
) -> list[tuple[bool, str, str]]:
    """Whether each limit holds for a size, the limit in words, and where it comes from."""
    limits: list[tuple[bool, str, str]] = []
    if rule.above is not None:
        limits.append((size > rule.above, f"greater than {rule.above:g}", ""))
    if rule.at_least is not None:
        limits.append((size >= rule.at_least, f"at least {rule.at_least:g}", ""))
    if rule.at_most is not None:
        limits.append((size <= rule.at_most, f"at most {rule.at_most:g}", ""))
    why = ", the elements of the input"
    if rule.at_least_elements_of is not None:
        elements = inputs[rule.at_least_elements_of].element_count
        limits.append((size >= elements, f"at least {elements}", why))
    if rule.at_most_elements_of is not None:
        elements = inputs[rule.at_most_elements_of].element_count
        limits.append((size <= elements, f"at most {elements}", why))
    return limits


def _unknown(block: str, given: str, rules: Sequence[ArgumentRule]) -> BlockMismatch:
    known = [name for rule in rules for name in (rule.name, *rule.aliases)]
    hint = did_you_mean(given.replace("-", "_"), known)
    if hint is None and known:
        hint = f"it has {', '.join(rule.name for rule in rules)}"
    elif hint is None:
        hint = "remove it: the block has no arguments"
    return BlockMismatch(
        "R0416",
        f"the block {block!r} has no argument {given!r}",
        about="arguments",
        argument=given,
        hint=hint,
    )


def resolve_arguments(
    block: str,
    rules: Sequence[ArgumentRule],
    inputs: Sequence[TensorType],
    given: Mapping[str, ArgumentValue],
) -> dict[str, ArgumentValue]:
    """Return every argument that has a value, under its own name, typed, in the block's order.

    Raises:
        BlockMismatch: R0416 to R0420.
    """
    by_name = {name: rule for rule in rules for name in (rule.name, *rule.aliases)}
    values: dict[str, tuple[str, ArgumentValue]] = {}
    for spelling, raw in given.items():
        rule = by_name.get(spelling.replace("-", "_"))
        if rule is None:
            raise _unknown(block, spelling, rules)
        if rule.name in values:
            raise BlockMismatch(
                "R0420",
                f"{spelling!r} and {values[rule.name][0]!r} are the same argument",
                about="arguments",
                argument=spelling,
                hint="remove one of them",
            )
        values[rule.name] = (spelling, raw)

    resolved: dict[str, ArgumentValue] = {}
    for rule in rules:
        if rule.name in values:
            spelling, raw = values[rule.name]
        elif rule.default is not None:
            spelling, raw = rule.name, rule.default
        elif rule.required:
            message = f"the block {block!r} needs the argument {rule.name!r}"
            hint = f"add {rule.name!r}: {rule.description}"
            raise MissingArgument(message, rule.name, hint=hint)
        else:
            continue
        value = convert(rule.type, raw)
        if value is None:
            raise BlockMismatch(
                "R0418",
                f"the argument {spelling!r} must be {_WHAT[rule.type]}, but is {_show(raw)}",
                about="arguments",
                argument=spelling,
                hint=f"{rule.name!r}: {rule.description}",
            )
        _check_limits(rule, spelling, value, inputs)
        resolved[rule.name] = value
    spellings = {name: spelling for name, (spelling, _) in values.items()}
    for rule in rules:
        _check_order(rule, resolved, spellings)
    return resolved


def _check_order(
    rule: ArgumentRule, resolved: Mapping[str, ArgumentValue], spellings: Mapping[str, str]
) -> None:
    """Compare an argument with others, in f32, as blocks do.

    Raises:
        BlockMismatch: R0419, it is too large for another's value.
    """
    value = resolved.get(rule.name)
    for other, factor, half in ((rule.below, 1.0, ""), (rule.below_half_of, 0.5, "half of ")):
        limit = None if other is None else resolved.get(other)
        if (
            other is None
            or not isinstance(value, int | float)
            or not isinstance(limit, int | float)
            or as_f32(value) < as_f32(limit * factor)
        ):
            continue
        raise BlockMismatch(
            "R0419",
            f"{rule.name!r} is {value} but must be less than {half}{other!r}, which is {limit}",
            about="arguments",
            argument=spellings.get(rule.name) or spellings.get(other, rule.name),
            hint=f"set {rule.name!r} to a value below {limit * factor:g}, or change {other!r}",
        )


def _show(value: ArgumentValue) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:36]} ..."
