"""Checking the module that the linker wrote: exports, features, and who calls whom.

`runec.container` reads what it reads for every rune; here is what only the build asks. (WebAssembly
core specification 1.0, section 5, with the proposals that docs/spec/rune.md section 2.3 names.)
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from runec.container import (
    FunctionType,
    WasmReader,
    deepest_nesting,
    function_bodies,
    leb128,
    read_module,
    walk_calls,
    walk_sections,
)

MAGIC = b"\0asm\x01\0\0\0"

PAGE_BYTES = 65536

_CUSTOM, _TABLE, _MEMORY, _GLOBAL, _EXPORT = 0, 4, 5, 6, 7
_GLOBAL_KIND = 3  # of an export
_REFUSED = {8: "a start function", 9: "function pointers", 12: "a data count"}


def finish_module(linked: bytes, memory_bytes: int, exports: Set[str]) -> bytes:
    """Return the linker's module as a rune holds it.

    Custom sections go (names, producers, target features), and so does the table that the linker
    writes although nothing can refer to it (`read_facts` rejects modules that could). Of the
    exports those named in `exports` stay. A global that has only one of the others holds the
    address of a symbol, which no code reads, and goes with it. Linear memory becomes exactly the
    pages that hold `memory_bytes`, with no room to grow.
    """
    pages = leb128(-(-memory_bytes // PAGE_BYTES))
    rewritten = {_MEMORY: b"\x01\x01" + pages + pages}
    sections = walk_sections(linked)
    module = read_module(linked, sections)
    kept = {
        index
        for name, (kind, index) in module.exports.items()
        if kind == "global" and name in exports
    }
    unused = {
        index
        for kind, index in module.exports.values()
        if kind == "global" and index < len(module.globals)
        if index not in kept and not module.globals[index].is_mutable
    }
    for section in sections:
        reader = WasmReader(linked, section.content, section.end)
        if section.id == _EXPORT:
            rewritten[_EXPORT] = _kept_exports(reader, exports, unused)
        elif section.id == _GLOBAL:
            rewritten[_GLOBAL] = _kept_globals(reader, unused)
    return MAGIC + b"".join(
        _section(section.id, rewritten[section.id])
        if section.id in rewritten
        else linked[section.start : section.end]
        for section in sections
        if section.id not in (_CUSTOM, _TABLE)
    )


def _section(section_id: int, content: bytes) -> bytes:
    return bytes((section_id,)) + leb128(len(content)) + content


def _kept_exports(reader: WasmReader, exports: Set[str], dropped: Set[int]) -> bytes:
    """Return the content of an export section: `exports`, globals without the dropped ones."""
    kept = []
    for _ in range(reader.count()):
        start, name = reader.at, reader.name()
        spelled = reader.data[start : reader.at]
        kind, index = reader.byte(), reader.unsigned()
        if kind == _GLOBAL_KIND:
            index -= sum(1 for each in dropped if each < index)
        if name in exports:
            kept.append(spelled + bytes((kind,)) + leb128(index))
    return leb128(len(kept)) + b"".join(kept)


def _kept_globals(reader: WasmReader, dropped: Set[int]) -> bytes:
    """Return the content of a global section; all globals start as i32 constants."""
    kept = []
    for index in range(reader.count()):
        start = reader.at
        reader.take(3)  # type, mutability, i32.const
        reader.signed(32)
        reader.byte()
        if index not in dropped:
            kept.append(reader.data[start : reader.at])
    return leb128(len(kept)) + b"".join(kept)


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """Facts that the build checks. `calls` lists, for each defined function, its callees.

    `functions` and `globals` are the exported ones: indices and types, and values.
    """

    imports: tuple[str, ...]
    exports: frozenset[str]
    functions: dict[str, tuple[int, FunctionType | None]]
    globals: dict[str, int]
    calls: dict[int, frozenset[int]]
    nesting: int = 1

    @property
    def is_recursive(self) -> bool:
        """True if a function is recursive, directly or indirectly."""
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


def read_facts(linked: bytes) -> ModuleFacts:
    """Read a module.

    Raises:
        ValueError: it has a feature that a rune must not use.
        UserFileError: R0601 to R0609, it is malformed.
    """
    sections = walk_sections(linked)
    for section in sections:
        if section.id in _REFUSED:
            raise ValueError(f"it has {_REFUSED[section.id]}")
    module = read_module(linked, sections)
    for item in module.imports:
        if item.module != "env" or item.kind != "function":
            raise ValueError(f"the import {item.module}.{item.name} is not a host function")
    if any(constant.value is None for constant in module.globals):
        raise ValueError("a global is not an i32 constant")
    calls: dict[int, frozenset[int]] = {}
    nesting = 1
    for index, body in enumerate(function_bodies(linked, sections), len(module.imports)):
        nested = deepest_nesting(WasmReader(linked, body.at, body.end))
        nesting = max(nesting, nested)
        calls[index] = frozenset(walk_calls(body))
    values = {name: module.exported_global(name) for name in module.exports}
    return ModuleFacts(
        imports=tuple(item.name for item in module.imports),
        exports=frozenset(module.exports),
        functions={
            name: (index, module.exported_function(name))
            for name, (kind, index) in module.exports.items()
            if kind == "function"
        },
        globals={
            name: constant.value
            for name, constant in values.items()
            if constant is not None and constant.value is not None
        },
        calls=calls,
        nesting=nesting,
    )
