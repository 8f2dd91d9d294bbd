"""Changes to a .tflite: shapes, constants and operators of its first subgraph.

Offsets in a FlatBuffer are relative and point forwards, so changed tables are written in front
of the whole old file, and point to its unchanged tables. Weights are not copied and keep their
alignment, because the new part is a multiple of 16 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import msgspec

from runec.models.flatbuffer import MalformedError, Table
from runec.models.operators import BUILTIN_OPERATORS
from runec.models.tflite import (
    IDENTIFIER,
    MAX_OPERATORS,
    MAX_TENSORS,
    SCHEMA_VERSION,
    builtin_code,
    old_code,
    subgraphs_of,
)
from runec.values import ElementType

_ALIGNMENT = 16
_INT32 = ElementType.I32.tflite_code
_RESHAPE = BUILTIN_OPERATORS.index("RESHAPE")
_RESHAPE_OPTIONS = 17
# Size of each scalar field, by its number in the schema; 0: an offset.
_MODEL = {0: 4, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0}
_SUBGRAPH = {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 4}
_CODE = {0: 1, 1: 0, 2: 4, 3: 4}
_TENSOR = {0: 0, 1: 1, 2: 4, 3: 0, 4: 0, 5: 1, 6: 0, 7: 0, 8: 1, 9: 0}


class Changes(msgspec.Struct, frozen=True):
    """What becomes of a model, by the numbers of its tensors and operators.

    With `old_codes` both fields of every operator code say the same. `shapes` of tensors that the
    file has no shape for, or another; `unknown` are tensors that are left without one; `constants`
    the packed elements of tensors that no operator computes any more; `dropped` the operators that
    did; `reshaped` are operators to be written as RESHAPE of their first input to the shape of
    their output.
    """

    shapes: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    unknown: frozenset[int] = frozenset()
    constants: Mapping[int, bytes] = msgspec.field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    reshaped: Mapping[int, tuple[int, ...]] = msgspec.field(default_factory=dict)
    old_codes: bool = False

    def __bool__(self) -> bool:
        tensors = self.shapes or self.unknown or self.constants
        return bool(tensors or self.dropped or self.reshaped or self.old_codes)


class _Part:
    """A piece of the front: bytes, and the 32-bit places in it that point to something.

    A target is another piece, which must come later, or a position in the old file.
    """

    def __init__(self, content: bytes, origin: int = 0, alignment: int = 4) -> None:
        self.content = content
        self.origin = origin  # the byte that others point to, and that is aligned
        self.alignment = alignment
        self.links: dict[int, _Part | int] = {}
        self.at = 0


_Value = tuple[int, int] | _Part | int  # (size, scalar), or what an offset points to


def _table(fields: Mapping[int, _Value]) -> _Part:
    """Lay a table out behind its vtable: offsets and larger scalars first."""
    count = max(fields, default=-1) + 1
    entries = [0] * count
    body = bytearray(4)
    links: dict[int, _Part | int] = {}
    vtable_bytes = 4 + 2 * count
    start = (vtable_bytes + 3) // 4 * 4
    order = sorted(fields, key=lambda n: -value[0] if isinstance(value := fields[n], tuple) else -4)
    for number in order:
        value = fields[number]
        entries[number] = len(body)
        if isinstance(value, tuple):
            body += value[1].to_bytes(value[0], "little")
        else:
            links[start + len(body)] = value
            body += bytes(4)
    body[:4] = struct.pack("<i", start)
    vtable = struct.pack(f"<{2 + count}H", vtable_bytes, len(body), *entries)
    part = _Part(vtable.ljust(start, b"\0") + body, start)
    part.links = links
    return part


def _vector(targets: Sequence[_Part | int]) -> _Part:
    part = _Part(struct.pack("<I", len(targets)) + bytes(4 * len(targets)))
    part.links = {4 + 4 * index: target for index, target in enumerate(targets)}
    return part


def _integers(values: Sequence[int]) -> _Part:
    return _Part(struct.pack(f"<I{len(values)}i", len(values), *values))


def _content(data: bytes) -> _Part:
    """A buffer's bytes, aligned as TensorFlow Lite wants them: behind their length."""
    pad = bytes(_ALIGNMENT - 4)
    return _Part(pad + struct.pack("<I", len(data)) + data, _ALIGNMENT - 4, _ALIGNMENT)


def _copied(table: Table, schema: Mapping[int, int]) -> dict[int, _Value]:
    """Return the fields of a table, its offsets as positions in the old file."""
    fields: dict[int, _Value] = {}
    for number, size in schema.items():
        if size == 0:
            target = table.target(number)
            if target is not None:
                fields[number] = target
        elif table.has(number):
            fields[number] = (size, table.integer(number, size, signed=False))
    return fields


def _targets(table: Table, number: int, count_max: int) -> list[_Part | int]:
    return [item.at for item in table.tables(number, count_max=count_max)]


class _Writer:
    """Makes the pieces; `parts` holds them in an order in which all point forwards."""

    def __init__(self, model: Table) -> None:
        self._model = model
        self._main = subgraphs_of(self._model)[0]
        self._codes = _targets(self._model, 1, MAX_OPERATORS)
        self._buffers = _targets(self._model, 4, 4 * MAX_TENSORS)
        self._tensors = _targets(self._main, 0, MAX_TENSORS)
        self._tables = self._main.tables(0, count_max=MAX_TENSORS)
        self._operators = _targets(self._main, 3, MAX_OPERATORS)
        self._uses = self._main.tables(3, count_max=MAX_OPERATORS)
        if any(
            table.integer(1, 8, signed=False) > 1
            for table in self._model.tables(4, count_max=4 * MAX_TENSORS)
        ):
            raise MalformedError("its buffers are outside the FlatBuffer")

    def _buffer(self, data: bytes) -> int:
        self._buffers.append(_table({0: _content(data)}))
        return len(self._buffers) - 1

    def _change_tensors(self, changes: Changes) -> None:
        for index in sorted({*changes.shapes, *changes.unknown, *changes.constants}):
            fields = _copied(self._tables[index], _TENSOR)
            shape = changes.shapes.get(index)
            if shape is not None or index in changes.unknown:
                fields.pop(7, None)
                fields[0] = _integers(shape or ())
                fields[8] = (1, int(shape is not None))
            if index in changes.constants:
                fields[2] = (4, self._buffer(changes.constants[index]))
                fields.pop(7, None)
            self._tensors[index] = _table(fields)

    def _reshape(self, index: int, shape: tuple[int, ...], code: int) -> _Part:
        self._tensors.append(
            _table(
                {
                    0: _integers((len(shape),)),
                    1: (1, _INT32),
                    2: (4, self._buffer(struct.pack(f"<{len(shape)}i", *shape))),
                    3: _Part(b"\x05\0\0\0shape\0"),
                    8: (1, 1),
                }
            )
        )
        use = self._uses[index]
        source = use.integers(1, "i", count_max=256)[:1]
        target = use.integers(2, "i", count_max=256)[:1]
        return _table(
            {
                0: (4, code),
                1: _integers((*source, len(self._tensors) - 1)),
                2: _integers(target),
                3: (1, _RESHAPE_OPTIONS),
                4: _table({0: _integers(shape)}),
            }
        )

    def _reshape_code(self) -> int:
        for index, entry in enumerate(self._model.tables(1, count_max=MAX_OPERATORS)):
            if builtin_code(entry) == _RESHAPE:
                return index
        self._codes.append(_table({0: (1, _RESHAPE), 2: (4, 1), 3: (4, _RESHAPE)}))
        return len(self._codes) - 1

    def _change_operators(self, changes: Changes) -> None:
        code = self._reshape_code() if changes.reshaped else 0
        kept: list[_Part | int] = []
        used = {code} if changes.reshaped else set()
        for index, operator in enumerate(self._operators):
            if index in changes.dropped:
                continue
            shape = changes.reshaped.get(index)
            if shape is None:
                kept.append(operator)
                used.add(self._uses[index].integer(0, 4, signed=False))
            else:
                kept.append(self._reshape(index, shape, code))
        self._operators = kept
        for other in subgraphs_of(self._model)[1:]:
            for use in other.tables(3, count_max=MAX_OPERATORS):
                used.add(use.integer(0, 4, signed=False))
        # A code that nothing uses any more would still be looked for: one that is used stands in.
        stand_in = min(used, default=None)
        if stand_in is not None:
            for index in range(len(self._codes)):
                if index not in used:
                    self._codes[index] = self._codes[stand_in]

    def _change_codes(self) -> None:
        for index, entry in enumerate(self._model.tables(1, count_max=MAX_OPERATORS)):
            code = old_code(entry)
            if code is not None:
                self._codes[index] = _table({**_copied(entry, _CODE), 0: (1, code & 0xFF)})

    def written(self, changes: Changes) -> bytes:
        """Return the bytes of the changed model."""
        if changes.old_codes:
            self._change_codes()
        self._change_tensors(changes)
        if changes.dropped or changes.reshaped:
            self._change_operators(changes)
        graph = _copied(self._main, _SUBGRAPH)
        graph[0] = _vector(self._tensors)
        graph[3] = _vector(self._operators)
        subgraphs: list[_Part | int] = [item.at for item in subgraphs_of(self._model)]
        subgraphs[0] = _table(graph)
        fields = _copied(self._model, _MODEL)
        fields[0] = (4, SCHEMA_VERSION)
        fields[1] = _vector(self._codes)
        fields[2] = _vector(subgraphs)
        fields[4] = _vector(self._buffers)
        return _assembled(_table(fields), self._model.data)


def _assembled(root: _Part, old: bytes) -> bytes:
    """Place every piece behind those that point to it, and the old file behind all."""
    order: list[_Part] = []
    waiting: dict[int, int] = {}
    pending = [root]
    seen = {id(root)}
    parts = [root]
    while pending:  # every piece, and how many point to it
        for target in pending.pop().links.values():
            if isinstance(target, _Part):
                waiting[id(target)] = waiting.get(id(target), 0) + 1
                if id(target) not in seen:
                    seen.add(id(target))
                    pending.append(target)
                    parts.append(target)
    ready = [root]
    while ready:
        part = ready.pop()
        order.append(part)
        for target in reversed(part.links.values()):
            if isinstance(target, _Part):
                waiting[id(target)] -= 1
                if waiting[id(target)] == 0:
                    ready.append(target)
    at = 8
    for part in order:
        at += -(at + part.origin) % part.alignment
        part.at = at
        at += len(part.content)
    length = at + -at % _ALIGNMENT
    front = bytearray(length)
    front[:8] = struct.pack("<I", root.at + root.origin) + IDENTIFIER
    for part in order:
        front[part.at : part.at + len(part.content)] = part.content
        for place, target in part.links.items():
            to = length + target if isinstance(target, int) else target.at + target.origin
            struct.pack_into("<I", front, part.at + place, to - (part.at + place))
    return bytes(front) + old


def rewrite_model(model: Table, changes: Changes) -> bytes:
    """Return the bytes of a .tflite with changes made to its first subgraph.

    Raises:
        MalformedError: it is damaged, or keeps its buffers behind the FlatBuffer.
    """
    return _Writer(model).written(changes)
