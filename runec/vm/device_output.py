"""Whether what a device sent as the result of a run is the output of a rune.

The link's checksum finds damage. A firmware that is not runec's, or is wrong, can send anything:
without these checks its bytes would reach a terminal, a pipe or a JSON parser of the user's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any, NoReturn

from runec.pipeline import ElementType, OutputKind
from runec.vm.output import parse_output_bytes

_TYPES = {each.value for each in ElementType}
# Of 64 bits, as the widest element.
_INTEGER_MIN, _INTEGER_MAX = -(1 << 63), (1 << 64) - 1
_TENSOR_KEYS = (
    {"element-type", "dimensions", "elements"},
    {"element_type", "dimensions", "elements"},
)


def check_result(
    data: bytes, *, kind: OutputKind | None = None, outputs: Collection[int] | None = None
) -> None:
    """Compare a result with docs/spec/rune.md, section 4.

    `kind` is that of the rune's outputs (PIN counts as SERIAL), `outputs` are their ids; None where
    the rune is not known.

    Raises:
        ValueError: it is not what a rune writes, or not what this rune writes.
    """
    is_text = data.startswith(b"{") if kind is None else kind is not OutputKind.TENSOR
    if not is_text:
        if not parse_output_bytes(data) and kind is None:
            raise ValueError("the result of the run is empty")
        return
    if not data.endswith(b"\n") or data.count(b"\n") != 1 or b"\r" in data:
        raise ValueError("the result of the run is not a line of JSON")
    try:
        value = json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("the result of the run is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the result of the run is not a JSON object")  # noqa: TRY004 - no bug
    for name, member in value.items():
        known = name.isascii() and name.isdecimal() and len(name) < 10
        if not known or (outputs is not None and int(name) not in outputs):
            raise ValueError("the result of the run has an output that the rune does not have")
        if not (_is_pin(member) or (isinstance(member, list) and all(map(_is_tensor, member)))):
            raise ValueError(f"the output {name} is neither tensors nor a pin")


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and infinities are null")


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
