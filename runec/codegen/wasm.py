"""Checking the module that the linker wrote: exports, features, and who calls whom.

`runec.container` reads what it reads for every rune; here is what only the build asks. (WebAssembly
core specification 1.0, section 5, with the proposals that docs/spec/rune.md section 2.3 names.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runec.container import (
    WasmReader,
    deepest_nesting,
    leb128,
    read_module,
    walk_calls,
    walk_sections,
)

MAGIC = b"\0asm\x01\0\0\0"

PAGE_BYTES = 65536

_CUSTOM, _TABLE, _MEMORY, _CODE = 0, 4, 5, 10
_REFUSED = {8: "a start function", 9: "function pointers", 12: "a data count"}


def finish_module(linked: bytes, memory_bytes: int) -> bytes:
    """Return the linker's module as a rune holds it.

    Custom sections go (names, producers, target features), and so does the table that the linker
    writes although nothing can refer to it (`read_facts` refuses modules that could). Linear memory
    becomes exactly the pages that hold `memory_bytes`, with no room to grow.
    """
    pages = leb128(-(-memory_bytes // PAGE_BYTES))
    limits = b"\x01\x01" + pages + pages
    memory = bytes((_MEMORY,)) + leb128(len(limits)) + limits
    return MAGIC + b"".join(
        memory if section.id == _MEMORY else linked[section.start : section.end]
        for section in walk_sections(linked)
        if section.id not in (_CUSTOM, _TABLE)
    )


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """What the build checks of a module. `calls` lists, for each defined function, its callees."""

    imports: tuple[str, ...]
    exports: frozenset[str]
    globals: dict[str, int]
    calls: dict[int, frozenset[int]]
    nesting: int = 1

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
            raise ValueError(f"the import {item.module}.{item.name} is no function of the host")
    if any(constant.value is None for constant in module.globals):
        raise ValueError("a global is not an i32 constant")
    calls: dict[int, frozenset[int]] = {}
    nesting = 1
    for section in sections:
        if section.id == _CODE:
            reader = WasmReader(linked, section.content, section.end)
            first = len(module.imports)
            for index in range(first, first + reader.count()):
                size = reader.unsigned()
                nested = deepest_nesting(WasmReader(linked, reader.at, reader.at + size))
                nesting = max(nesting, nested)
                body = WasmReader(linked, reader.at, reader.at + size)
                calls[index] = frozenset(call.function for call in walk_calls(body))
                reader.take(size)
    values = {name: module.exported_global(name) for name in module.exports}
    return ModuleFacts(
        imports=tuple(item.name for item in module.imports),
        exports=frozenset(module.exports),
        globals={
            name: constant.value
            for name, constant in values.items()
            if constant is not None and constant.value is not None
        },
        calls=calls,
        nesting=nesting,
    )
