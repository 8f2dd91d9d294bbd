"""A validated module as the compiler to C reads it: everything but custom sections.

WebAssembly Core 1.0, section 5.5. The caller has validated the module (`runec.vm.validate`). What a
validator rejects may raise here; nothing is read past its section.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runec.container.errors import bad_module
from runec.container.wasm import (
    DATA,
    ELEMENT,
    GLOBAL,
    TABLE,
    FunctionType,
    Section,
    WasmReader,
    function_bodies,
    read_module,
    walk_sections,
)

I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C
_ITEMS_MAX = 1_000_000


class GlobalVariable(msgspec.Struct, frozen=True):
    """A global of the module's own; `value` are the bits of its start value."""

    type: int
    is_mutable: bool
    value: int


class Data(msgspec.Struct, frozen=True):
    """A data segment: bytes [`start`, `start` + `size`) of the module are copied to `address`."""

    address: int
    start: int
    size: int


class CodeModule(msgspec.Struct, frozen=True):
    """What a module computes.

    Functions are numbered as in the module: `imports` first, then those of `bodies`. `table` holds
    a function's number or None per element.
    """

    imports: tuple[tuple[str, FunctionType], ...]
    types: tuple[FunctionType, ...]
    functions: tuple[FunctionType, ...]
    bodies: tuple[WasmReader, ...]
    table: tuple[int | None, ...]
    globals: tuple[GlobalVariable, ...]
    data: tuple[Data, ...]
    pages: int
    exports: dict[str, tuple[str, int]]

    def type_of(self, function: int) -> FunctionType:
        """Return the type of a function by its number."""
        if function < len(self.imports):
            return self.imports[function][1]
        return self.functions[function - len(self.imports)]

    def function_named(self, name: str) -> int:
        """Return the number of an exported function."""
        kind, index = self.exports.get(name, ("", 0))
        if kind != "function":
            raise bad_module(f"no function {name!r} is exported")
        return index


def read_code_module(code: bytes) -> CodeModule:
    """Read a module.

    Raises:
        RuneFileError: R0601 to R0603, R0609, it is malformed.
    """
    sections = walk_sections(code)
    module = read_module(code, sections)
    imported = [item for item in module.imports if item.type is not None]
    if len(imported) != len(module.imports) or module.has_start:
        raise bad_module("it imports more than functions, or has a start function")
    return CodeModule(
        imports=tuple((item.name, item.type) for item in imported if item.type is not None),
        types=tuple(module.types),
        functions=tuple(module.functions),
        bodies=tuple(function_bodies(code, sections)),
        table=_table(code, sections),
        globals=_globals(code, sections),
        data=tuple(_data(code, sections)),
        pages=module.memories[0][0] if module.memories else 0,
        exports=module.exports,
    )


def _reader(code: bytes, sections: Sequence[Section], wanted: int) -> WasmReader | None:
    for section in sections:
        if section.id == wanted:
            return WasmReader(code, section.content, section.end)
    return None


def _constant(reader: WasmReader) -> int:
    """Read a start value: a constant and `end`. Return its bits."""
    opcode = reader.byte()
    if opcode == 0x41:
        value = reader.signed(32) & 0xFFFFFFFF
    elif opcode == 0x42:
        value = reader.signed(64) & 0xFFFFFFFFFFFFFFFF
    elif opcode in (0x43, 0x44):
        value = int.from_bytes(reader.take(4 if opcode == 0x43 else 8), "little")
    else:
        raise bad_module("a start value that is not a constant")
    if reader.byte() != 0x0B:
        raise bad_module("a start value that is not a constant")
    return value


def _globals(code: bytes, sections: Sequence[Section]) -> tuple[GlobalVariable, ...]:
    reader = _reader(code, sections, GLOBAL)
    if reader is None:
        return ()
    found = []
    for _ in range(reader.count()):
        kind, mutability = reader.byte(), reader.byte()
        found.append(GlobalVariable(kind, mutability == 1, _constant(reader)))
    return tuple(found)


def _table(code: bytes, sections: Sequence[Section]) -> tuple[int | None, ...]:
    reader = _reader(code, sections, TABLE)
    if reader is None:
        return ()
    if reader.count() != 1:
        raise bad_module("more than one table")
    reader.byte()
    has_maximum = reader.byte()
    size = reader.unsigned()
    if has_maximum:
        reader.unsigned()
    if size > _ITEMS_MAX:
        raise bad_module(f"a table of {size} elements")
    table: list[int | None] = [None] * size
    elements = _reader(code, sections, ELEMENT)
    if elements is None:
        return tuple(table)
    for _ in range(elements.count()):
        if elements.unsigned() != 0:
            raise bad_module("a segment of elements of an unknown kind")
        start = _constant(elements)
        items = [elements.unsigned() for _ in range(elements.count())]
        if start + len(items) > size:
            raise bad_module("a segment of elements ends outside the table")
        table[start : start + len(items)] = items
    return tuple(table)


def _data(code: bytes, sections: Sequence[Section]) -> list[Data]:
    reader = _reader(code, sections, DATA)
    if reader is None:
        return []
    found = []
    for _ in range(reader.count()):
        if reader.unsigned() != 0:
            raise bad_module("a data segment of an unknown kind")
        address = _constant(reader)
        size = reader.unsigned()
        found.append(Data(address, reader.at, size))
        reader.take(size)
    return found
