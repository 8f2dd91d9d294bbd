"""Reading the module that the linker wrote: sections, exports, and who calls whom.

Only ever sees our own compiler's output, so anything unexpected is `ValueError`: the build turns it
into R0503. (WebAssembly core specification 1.0, section 5, with the proposals that
docs/spec/rune.md section 2.3 names.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\0asm\x01\0\0\0"

PAGE_BYTES = 65536

_CUSTOM, _IMPORT, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _CODE = 0, 2, 4, 5, 6, 7, 10
_REFUSED = {8: "a start function", 9: "function pointers", 12: "a data count"}
_KIND_FUNCTION, _KIND_GLOBAL = 0, 3


class _Reader:
    """A cursor over bytes. Raises ValueError at their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        piece = self._data[self.at : self.at + count]
        if len(piece) != count:
            raise ValueError("the module is cut short")
        self.at += count
        return piece

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if byte & 0x40 else value

    @property
    def ended(self) -> bool:
        return self.at == len(self._data)


def sections(module: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each section: its id, its content, and all its bytes with id and size."""
    if not module.startswith(MAGIC):
        raise ValueError("not a WebAssembly module")
    reader = _Reader(module)
    reader.take(len(MAGIC))
    while not reader.ended:
        start = reader.at
        section_id = reader.byte()
        content = reader.take(reader.unsigned())
        yield section_id, content, module[start : reader.at]


def finish_module(linked: bytes, memory_bytes: int) -> bytes:
    """Return the linker's module as a rune holds it.

    Custom sections go (names, producers, target features), and so does the table that the linker
    writes although nothing can refer to it (`read_facts` refuses modules that could). Linear memory
    becomes exactly the pages that hold `memory_bytes`, with no room to grow.
    """
    pages = _unsigned(-(-memory_bytes // PAGE_BYTES))
    limits = b"\x01\x01" + pages + pages
    memory = bytes((_MEMORY,)) + _unsigned(len(limits)) + limits
    return MAGIC + b"".join(
        memory if section_id == _MEMORY else whole
        for section_id, _, whole in sections(linked)
        if section_id not in (_CUSTOM, _TABLE)
    )


def _unsigned(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What the build checks of a module. `calls` lists, for each defined function, its callees."""

    imports: tuple[str, ...]
    exports: frozenset[str]
    globals: dict[str, int]
    calls: dict[int, frozenset[int]]

    @property
    def is_recursive(self) -> bool:
        """True when a function can come to call itself."""
        finished: set[int] = set()
        for root in self.calls:
            path: list[tuple[int, Iterator[int]]] = [(root, iter(sorted(self.calls[root])))]
            active = {root}
            while path:
                function, callees = path[-1]
                callee = next((c for c in callees if c in self.calls and c not in finished), None)
                if callee is None:
                    finished.add(function)
                    active.discard(function)
                    path.pop()
                elif callee in active:
                    return True
                else:
                    active.add(callee)
                    path.append((callee, iter(sorted(self.calls[callee]))))
        return False


def read_facts(module: bytes) -> ModuleFacts:
    """Read a module. Raises ValueError for a feature that a rune must not use."""
    imports: list[str] = []
    exports: list[str] = []
    values: list[int] = []
    exported: dict[str, int] = {}
    calls: dict[int, frozenset[int]] = {}
    for section_id, content, _ in sections(module):
        reader = _Reader(content)
        if section_id in _REFUSED or section_id > max(_REFUSED):
            what = _REFUSED.get(section_id, f"a section {section_id}")
            raise ValueError(f"it has {what}")
        if section_id == _IMPORT:
            imports = list(_imports(reader))
        elif section_id == _GLOBAL:
            values = list(_globals(reader))
        elif section_id == _EXPORT:
            for _ in range(reader.unsigned()):
                name = reader.take(reader.unsigned()).decode()
                kind, index = reader.byte(), reader.unsigned()
                exports.append(name)
                if kind == _KIND_GLOBAL:
                    exported[name] = values[index]
        elif section_id == _CODE:
            for index in range(len(imports), len(imports) + reader.unsigned()):
                calls[index] = _callees(_Reader(reader.take(reader.unsigned())))
    return ModuleFacts(tuple(imports), frozenset(exports), exported, calls)


def _imports(reader: _Reader) -> Iterator[str]:
    for _ in range(reader.unsigned()):
        module = reader.take(reader.unsigned()).decode()
        name = reader.take(reader.unsigned()).decode()
        if module != "env" or reader.byte() != _KIND_FUNCTION:
            raise ValueError(f"the import {module}.{name} is no function of the host")
        reader.unsigned()
        yield name


def _globals(reader: _Reader) -> Iterator[int]:
    for _ in range(reader.unsigned()):
        reader.take(2)
        if reader.byte() != 0x41:
            raise ValueError("a global is not an i32 constant")
        yield reader.signed() & 0xFFFFFFFF
        reader.take(1)


def _callees(reader: _Reader) -> frozenset[int]:
    """Walk a function's body and return the functions it calls."""
    callees: set[int] = set()
    for _ in range(reader.unsigned()):
        reader.unsigned()
        reader.byte()
    while not reader.ended:
        opcode = reader.byte()
        if opcode == 0x10:  # call
            callees.add(reader.unsigned())
        elif opcode == 0x0E:  # br_table
            for _ in range(reader.unsigned() + 1):
                reader.unsigned()
        elif opcode in (0x0C, 0x0D, 0x20, 0x21, 0x22, 0x23, 0x24, 0x41, 0x42, 0x3F):
            reader.signed()  # br, br_if, locals, globals, constants, memory.size: one LEB128
        elif opcode in (0x02, 0x03, 0x04):
            reader.signed()  # a block's type
        elif 0x28 <= opcode <= 0x3E:
            reader.unsigned()  # alignment
            reader.unsigned()  # offset
        elif opcode == 0x43:
            reader.take(4)
        elif opcode == 0x44:
            reader.take(8)
        elif opcode == 0xFC and reader.unsigned() <= 7:
            continue  # saturating float-to-int
        elif opcode not in _PLAIN:
            raise ValueError(f"it has the instruction {opcode:#04x}")
    return frozenset(callees)


# Instructions without immediates: control, drop, select, comparison, arithmetic, conversion,
# sign extension. call_indirect and memory.grow are left out on purpose.
_PLAIN = frozenset({0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, *range(0x45, 0xC5)})
