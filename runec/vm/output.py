"""The output of a run, as text or binary: docs/spec/rune.md, section 4."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from runec.container import F32, F64, quote_output, spell_float
from runec.pipeline import ElementType, Pin, TensorType
from runec.vm.messages import Consumed, Document, Outputs

_PART_ELEMENTS = 4096

# Type code of `array`, the bits of infinity, and those of the NaN without sign or payload.
_NAN_BITS = {
    ElementType.F32: ("I", 0x7F80_0000, 0x7FC0_0000),
    ElementType.F64: ("Q", 0x7FF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
}


def split_text(data: bytes, count: int) -> list[bytes]:
    """Split a utf8 tensor into its elements. Raises ValueError when the bytes do not fit."""
    elements = []
    at = 0
    for _ in range(count):
        if len(data) - at < 4:
            raise ValueError("a text tensor ends early")
        size = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if size > len(data) - at:
            raise ValueError("a text in a tensor is longer than the tensor")
        elements.append(data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError("a text tensor is longer than its elements")
    return elements


def text_size(data: bytes | memoryview, count: int) -> int:
    """Return the bytes of a utf8 tensor that `data` begins with, or more than `data` has."""
    at = 0
    for _ in range(count):
        at += 4 + int.from_bytes(data[at : at + 4], "little")
        if at > len(data):
            break
    return at


def element_texts(kind: TensorType, data: bytes, most: int) -> list[str]:
    """Return the first elements of a tensor, at most `most`, as JSON spells them.

    Raises:
        ValueError: the bytes of a tensor are not its elements.
    """
    if kind.element is ElementType.UTF8:
        return list(_elements(kind, data))[:most]
    first = TensorType(kind.element, (min(most, kind.element_count),))
    return ",".join(_elements(first, data[: first.size_bytes])).split(",")


def _elements(kind: TensorType, data: bytes) -> Iterator[str]:
    """Yield the elements joined by commas, so many at a time: millions of strings are memory."""
    if kind.element is ElementType.UTF8:
        texts = split_text(data, kind.element_count)
        yield from (quote_output(text.decode("utf-8", "replace")) for text in texts)
        return
    size, code = kind.element.size_bytes, kind.element.struct_code
    if len(data) != kind.size_bytes:
        raise ValueError(f"{len(data)} bytes of a tensor {kind}")
    form, bits_code = (F32, "I") if kind.element is ElementType.F32 else (F64, "Q")
    for start in range(0, len(data), _PART_ELEMENTS * size):
        part = data[start : start + _PART_ELEMENTS * size]
        values = struct.unpack(f"<{len(part) // size}{code}", part)
        if kind.element.is_integer:
            yield ",".join(map(str, values))
        else:
            # Each value once: dequantised results have at most 256. The key distinguishes 0 and -0.
            bits = struct.unpack(f"<{len(values)}{bits_code}", part)
            once = dict(zip(bits, values, strict=True))
            spelled = {key: spell_float(value, form) for key, value in once.items()}
            yield ",".join(map(spelled.__getitem__, bits))


def _tensor(kind: TensorType, data: bytes) -> str:
    key = "element_type" if kind.element is ElementType.UTF8 else "element-type"
    dimensions = ",".join(map(str, kind.dimensions))
    elements = ",".join(_elements(kind, data))
    return f'{{"{key}":"{kind.element.value}","dimensions":[{dimensions}],"elements":[{elements}]}}'


def _pin(pin: Pin, tensors: Sequence[Consumed]) -> str:
    (item,) = tensors
    if isinstance(item, Document):
        raise ValueError("a document for a pin")  # noqa: TRY004 - one kind of mistake
    kind, data = item
    if len(data) != kind.size_bytes:
        raise ValueError(f"{len(data)} bytes of a tensor {kind}")
    (value,) = struct.unpack(f"<{kind.element.struct_code}", data)
    level = int((value != 0) != pin.active_low)
    return f'{{"pin":"{pin.name}","level":{level}}}'


def _member(items: Sequence[Consumed]) -> str:
    if len(items) == 1 and isinstance(items[0], Document):
        return items[0].text
    texts = (item.text if isinstance(item, Document) else _tensor(*item) for item in items)
    return f"[{','.join(texts)}]"


def output_line(
    outputs: Outputs,
    pins: Mapping[int, Pin] = MappingProxyType({}),
) -> str:
    """Return one JSON object: output ids in the given order, the tensors that each consumed.

    `outputs` pairs an id with (type, packed elements) of its tensors, or with documents of a
    legacy rune, of which one alone is the member's value; `pins` are those of the outputs that
    drive one.

    Raises:
        ValueError: the bytes of a tensor are not its elements.
    """
    members = (
        f'"{output}":{_pin(pins[output], tensors)}'
        if output in pins
        else f'"{output}":{_member(tensors)}'
        for output, tensors in outputs
    )
    return f"{{{','.join(members)}}}"


def one_nan(kind: TensorType, data: bytes) -> bytes:
    """Return packed elements with each NaN as the one NaN: docs/spec/rune.md, section 2.5."""
    if kind.element not in _NAN_BITS:
        return data
    code, infinity, nan = _NAN_BITS[kind.element]
    bits = array(code, data)
    for index, value in enumerate(bits):
        if value & (infinity | infinity - 1) > infinity:
            bits[index] = nan
    return bits.tobytes()


def output_bytes(outputs: Outputs) -> bytes:
    """Return what TENSOR outputs write: length of the type, type, elements, tensor by tensor.

    Raises:
        ValueError: a document is not a tensor.
    """
    parts: list[bytes] = []
    for _, tensors in outputs:
        for item in tensors:
            if isinstance(item, Document):
                raise ValueError("a document for a TENSOR output")  # noqa: TRY004 - as above
            kind, data = item
            text = str(kind).encode()
            parts += (struct.pack("<I", len(text)), text, one_nan(kind, data))
    return b"".join(parts)


def parse_output_bytes(content: bytes) -> list[tuple[TensorType, bytes]]:
    """Read what `output_bytes` wrote. Raises ValueError for anything else."""
    tensors = []
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "little")
        if length > len(content) - at - 4:
            raise ValueError("a tensor that ends early")
        kind = TensorType.parse(content[at + 4 : at + 4 + length].decode().lower())
        if kind.element is ElementType.UTF8:
            raise ValueError("a text tensor, whose length cannot be known")
        at += 4 + length
        if kind.size_bytes > len(content) - at:
            raise ValueError("a tensor that ends early")
        tensors.append((kind, content[at : at + kind.size_bytes]))
        at += kind.size_bytes
    return tensors
