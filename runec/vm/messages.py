"""Messages between the parent and the child process, over two pipes.

A message is its length (u32, little-endian) of kind and body, the kind (u8), the body.

parent -> child   START  see `pack_start`
                  RUN    -
                  DATA   the bytes that NEED asked for
child -> parent   READY  -
                  NEED   JSON: kind, parameters, length, element
                  LOG    text
                  WARN   JSON: message, hint
                  STEP   a step of a trace, see `runec.vm.trace`
                  RESULT whether they are binary (u8), outputs, see `pack_outputs`
                  ERROR  JSON: code, message, hint, notes, machine (whether it is the machine's)
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from runec.pipeline import TensorType

MESSAGE_BYTES_MAX = 256 * 1024 * 1024
HEADER = struct.Struct("<IB")
_COUNT = struct.Struct("<II")
_START = struct.Struct("<I?I")
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


@dataclass(frozen=True, slots=True)
class Document:
    """Output of a legacy rune of 2020 that is not a tensor: any JSON, without white space."""

    text: str


Consumed = tuple[TensorType, bytes] | Document
Outputs = Sequence[tuple[int, Sequence[Consumed]]]
_DOCUMENT = "json"  # where the type of a tensor stands


class Kind(IntEnum):
    """The kind of a message."""

    START = 1
    RUN = 2
    DATA = 3
    READY = 4
    NEED = 5
    LOG = 6
    RESULT = 7
    ERROR = 8
    WARN = 9
    STEP = 10


def minified_json(content: bytes) -> str:
    """Return a JSON text without white space, otherwise as it is.

    Raises:
        ValueError: it is not JSON.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    text = content.decode()
    try:
        json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return _TOKEN.sub(lambda found: found[1] or "", text)


def pack_message(kind: Kind, body: bytes) -> bytes:
    """Return a message."""
    return HEADER.pack(len(body) + 1, kind) + body


@dataclass(frozen=True, slots=True)
class Start:
    """First message to the child; resources are those of the run time."""

    time_limit_s: int
    is_traced: bool
    resources: Mapping[str, bytes]
    rune: bytes


def pack_start(start: Start) -> bytes:
    """Return the body of START: limit, trace, number of resources, each of them, the .rune."""
    parts = [_START.pack(start.time_limit_s, start.is_traced, len(start.resources))]
    for name, data in start.resources.items():
        text = name.encode()
        parts += (_COUNT.pack(len(text), len(data)), text, data)
    return b"".join((*parts, start.rune))


def unpack_start(body: bytes) -> Start:
    """Read what `pack_start` wrote."""
    limit, is_traced, count = _START.unpack_from(body)
    at = _START.size
    resources = {}
    for _ in range(count):
        name_bytes, data_bytes = _COUNT.unpack_from(body, at)
        at += _COUNT.size
        name = body[at : at + name_bytes].decode()
        resources[name] = body[at + name_bytes : at + name_bytes + data_bytes]
        at += name_bytes + data_bytes
    return Start(limit, is_traced, resources, body[at:])


def pack_outputs(outputs: Outputs) -> bytes:
    """Return outputs as bytes: id and count, then length of type and data, type, data each."""
    parts = []
    for output, tensors in outputs:
        parts.append(_COUNT.pack(output, len(tensors)))
        for item in tensors:
            if isinstance(item, Document):
                kind_text, data = _DOCUMENT, item.text.encode()
            else:
                kind_text, data = str(item[0]), item[1]
            text = kind_text.encode()
            parts += (_COUNT.pack(len(text), len(data)), text, data)
    return b"".join(parts)


def unpack_outputs(body: bytes) -> list[tuple[int, list[Consumed]]]:
    """Read what `pack_outputs` wrote. Raises ValueError for anything else."""
    outputs: list[tuple[int, list[Consumed]]] = []
    at = 0

    def pair() -> tuple[int, int]:
        nonlocal at
        if len(body) - at < _COUNT.size:
            raise ValueError("the outputs end early")
        first, second = _COUNT.unpack_from(body, at)
        at += _COUNT.size
        return first, second

    while at < len(body):
        output, count = pair()
        tensors: list[Consumed] = []
        for _ in range(count):
            text_bytes, data_bytes = pair()
            if text_bytes + data_bytes > len(body) - at:
                raise ValueError("the outputs end early")
            kind_text = body[at : at + text_bytes].decode()
            at += text_bytes
            data = body[at : at + data_bytes]
            at += data_bytes
            if kind_text == _DOCUMENT:
                tensors.append(Document(minified_json(data)))
            else:
                tensors.append((TensorType.parse(kind_text), data))
        outputs.append((output, tensors))
    return outputs
