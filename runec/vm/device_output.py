"""Validation of the result that a device sent for a run.

The link's checksum finds damage. A firmware that is not runec's, or is wrong, can send anything:
without these checks its bytes would reach a terminal, a pipe or a JSON parser of the user's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from runec.container import Graph
from runec.pipeline import ElementType, OutputKind, TensorType
from runec.vm.output import parse_output_bytes

_TYPES = {each.value for each in ElementType}
# Of 64 bits, as the widest element.
_INTEGER_MIN, _INTEGER_MAX = -(1 << 63), (1 << 64) - 1
_SHOWN_KINDS, _SHOWN_CHARS = 4, 80
_TENSOR_KEYS = (
    {"element-type", "dimensions", "elements"},
    {"element_type", "dimensions", "elements"},
)


class ResultError(ValueError):
    """A result that is not the output of a rune: a fact about it, and what to do."""

    hint = "the firmware is not runec's or is damaged: runec flash X.rune --board B"


class OtherFormError(ResultError):
    """Binary data where JSON is expected, or the other way round."""

    hint = (
        "the firmware writes another kind of output than its rune: put the rune on the board "
        "again: runec flash X.rune --board B"
    )


class CutShortError(ResultError):
    """A result that ends too early."""

    hint = (
        "the firmware truncated the result: flash it again: "
        "runec flash X.rune --board B; in custom firmware, check the code that writes the output"
    )


class MixedTextError(ResultError):
    """A result with other text in it."""

    hint = (
        "the firmware prints text into the result: runec flash X.rune --board B; in a "
        "firmware of your own, write such text to the log"
    )


class OtherRuneError(ResultError):
    """A result with other outputs, types or sizes than those of the rune."""

    hint = (
        "the firmware is for another rune, or another version of it: runec flash X.rune --board B"
    )


def check_result(data: bytes, graph: Graph | None = None) -> None:
    """Compare a result with docs/spec/rune.md, section 4; `graph` is that of the rune, where known.

    Raises:
        ResultError: it is not a valid output, or not one of this rune.
    """
    if graph is not None:
        wanted = {
            output.id: None if output.pin else [graph.tensors[each] for each in output.inputs]
            for output in graph.outputs.values()
        }
        # PIN counts as SERIAL.
        is_binary = any(each.kind is OutputKind.TENSOR for each in graph.outputs.values())
    else:
        wanted, is_binary = None, not data.startswith(b"{")
    if is_binary:
        _check_binary(data, wanted)
    else:
        _check_document(_read_line(data), wanted)


_Wanted = Mapping[int, list[TensorType] | None]


def _check_binary(data: bytes, wanted: _Wanted | None) -> None:
    try:
        found = [kind for kind, _ in parse_output_bytes(data)]
    except ValueError:
        if _parse(data) is not None:
            raise OtherFormError("JSON, where binary tensors are expected") from None
        if _is_text(data):
            raise ResultError("text, where binary tensors are expected") from None
        fact = f"{len(data)} bytes that are not binary tensors, or end within one"
        raise CutShortError(fact) from None
    if wanted is None:
        if not found:
            raise ResultError("nothing")
        return
    _compare(found, [kind for kinds in wanted.values() for kind in kinds or ()], "")


def _read_line(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a result of text; its causes in the order of their likelihood."""
    value = _parse(data)
    if isinstance(value, dict) and data.endswith(b"\n") and data.count(b"\n") == 1:
        if b"\r" in data:
            raise MixedTextError("a line of JSON with a carriage return")
        return value
    if not data.strip():
        raise CutShortError("nothing, where JSON is expected")
    if not _is_text(data):
        raise _binary(data)
    text = data.decode()
    start = text.find("{")
    if start < 0:
        what = "JSON that is not an object" if value is not None else "text that is not JSON"
        raise ResultError(what)
    end = _end_of_object(text, start)
    if end is None:
        raise CutShortError(f"JSON that ends after {len(data)} bytes")
    before, after = text[:start].strip(), text[end:].strip()
    is_object = _parse(text[start:end].encode()) is not None
    if is_object and (before or after):
        where = " and ".join(
            f"{len(part.encode())} bytes {place}"
            for part, place in ((before, "before it"), (after, "behind it"))
            if part
        )
        raise MixedTextError(f"JSON with other text: {where}")
    if is_object:
        raise CutShortError("JSON that is not one line ended by a newline")
    raise ResultError("text that is not JSON")


def _binary(data: bytes) -> ResultError:
    try:
        kinds = _shown([kind for kind, _ in parse_output_bytes(data)])
    except ValueError:
        if data.startswith(b"{"):
            return MixedTextError("JSON with bytes that are not text")
        return OtherFormError(f"{len(data)} bytes of binary data, where JSON is expected")
    return OtherFormError(f"binary tensors ({kinds}), where JSON is expected")


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n" for char in text)


def _parse(data: bytes) -> Any:
    """Return the JSON value that bytes are, None where they are not."""
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and infinities are null")


def _end_of_object(text: str, start: int) -> int | None:
    """Return where the brackets that open at `start` are all closed, None where they are not."""
    depth, is_string, is_escaped = 0, False, False
    for at in range(start, len(text)):
        char = text[at]
        if is_string:
            is_string = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            is_string = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
    return None


def _check_document(value: dict[str, Any], wanted: _Wanted | None) -> None:
    found: dict[int, Any] = {}
    for name, member in value.items():
        known = name.isascii() and name.isdecimal() and len(name) < 10
        if not known:
            raise ResultError("JSON with a member that is not the number of an output")
        if wanted is not None and int(name) not in wanted:
            raise OtherRuneError(f"the output {int(name)}, which the rune does not have")
        if not (_is_pin(member) or (isinstance(member, list) and all(map(_is_tensor, member)))):
            raise ResultError(f"JSON whose output {int(name)} is neither tensors nor a pin")
        found[int(name)] = member
    for number, kinds in (wanted or {}).items():
        if number not in found:
            raise OtherRuneError(f"no output {number}, which the rune has")
        if (kinds is None) != isinstance(found[number], dict):
            right, wrong = ("a pin", "tensors") if kinds is None else ("tensors", "a pin")
            raise OtherRuneError(f"{wrong} for the output {number}, where the rune has {right}")
        if kinds is not None:
            _compare(list(map(_kind, found[number])), kinds, f" for the output {number}")


def _compare(found: list[TensorType], wanted: list[TensorType], of: str) -> None:
    if found != wanted:
        raise OtherRuneError(f"{_shown(found)}{of}, where the rune has {_shown(wanted)}")


def _shown(kinds: list[TensorType]) -> str:
    shown = ", ".join(str(kind)[:_SHOWN_CHARS] for kind in kinds[:_SHOWN_KINDS])
    more = len(kinds) - _SHOWN_KINDS
    return f"{shown or 'nothing'}{f' and {more} more' if more > 0 else ''}"


def _kind(tensor: Mapping[str, Any]) -> TensorType:
    element = tensor.get("element-type", tensor.get("element_type"))
    return TensorType(ElementType(element), tuple(tensor["dimensions"]))


def _is_pin(member: Any) -> bool:
    return (
        isinstance(member, dict)
        and member.keys() == {"pin", "level"}
        and isinstance(member["pin"], str)
        and member["level"] in (0, 1)
    )


def _is_tensor(member: Any) -> bool:
    if not isinstance(member, dict) or member.keys() not in _TENSOR_KEYS:
        return False
    element = member.get("element-type", member.get("element_type"))
    dimensions, elements = member["dimensions"], member["elements"]
    if not isinstance(element, str) or element not in _TYPES:
        return False
    if not isinstance(dimensions, list) or not isinstance(elements, list):
        return False
    if not all(type(size) is int and 0 <= size < 1 << 32 for size in dimensions):
        return False
    if math.prod(dimensions) != len(elements):
        return False
    if element == ElementType.UTF8.value:
        return all(isinstance(each, str) for each in elements)
    return all(map(_is_number, elements))


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return _INTEGER_MIN <= value <= _INTEGER_MAX
    return value is None or (type(value) is float and math.isfinite(value))
