"""A bounded walk over the sections of a untrusted WebAssembly module.

It reads what a host checks before an engine loads a module: imports, exports, memory,
globals. Bodies of functions are left to the validator (`runec.vm`). WebAssembly Core 1.0,
section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runec.container.errors import bad_layout, bad_module, not_a_rune, truncated

MAGIC = b"\0asm\x01\0\0\0"

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA = range(
    12
)
DATA_COUNT = 12
I32 = 0x7F

# The order of the standard sections; the data count stands before the code.
_ORDER = {
    section: place
    for place, section in enumerate(
        (
            TYPE,
            IMPORT,
            FUNCTION,
            TABLE,
            MEMORY,
            GLOBAL,
            EXPORT,
            START,
            ELEMENT,
            DATA_COUNT,
            CODE,
            DATA,
        )
    )
}
_EXPORT_KINDS = ("function", "table", "memory", "global")
_MAX_ITEMS = 1_000_000


class WasmReader:
    """A cursor over bytes [start, end). Every read stays inside or raises RuneFileError."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.at = start
        self.end = end

    @property
    def is_done(self) -> bool:
        """True at the end."""
        return self.at == self.end

    def byte(self) -> int:
        """Return the next byte."""
        if self.at >= self.end:
            raise truncated(f"more was expected at byte {self.at}")
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        if count > self.end - self.at:
            raise truncated(f"{count} bytes were expected at byte {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def unsigned(self, *, minimal: bool = False) -> int:
        """Return an unsigned LEB128 of at most 32 bits; with `minimal`, in its shortest form."""
        start, value = self.at, 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 32:
                    break
                if minimal and byte == 0 and shift:
                    raise bad_layout(f"the number at byte {start} has redundant bytes")
                return value
        raise bad_layout(f"the number at byte {start} is larger than 32 bits")

    def count(self) -> int:
        """Return the length of a vector."""
        value = self.unsigned()
        if value > _MAX_ITEMS:
            raise bad_module(f"a list of {value} items")
        return value

    def signed(self, bits: int) -> int:
        """Return a signed LEB128 of at most `bits` bits."""
        value = 0
        for shift in range(0, (bits + 6) // 7 * 7, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value - (1 << (shift + 7)) if byte & 0x40 else value
        raise bad_module("a number is too long")

    def name(self) -> str:
        """Return a name."""
        content = self.take(self.unsigned())
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise bad_layout(f"the name at byte {self.at} is not UTF-8") from None


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its id byte lies at `start`, the next section at `end`, its content between."""

    id: int
    name: str
    start: int
    content: int
    end: int


@dataclass(frozen=True, slots=True)
class FunctionType:
    """Parameter and result types, as bytes of the binary format (0x7f is i32)."""

    parameters: tuple[int, ...]
    results: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """An imported function, or another thing of the given kind (then `type` is None)."""

    module: str
    name: str
    kind: str
    type: FunctionType | None


@dataclass(frozen=True, slots=True)
class Global:
    """A global of the module's own; `value` None unless it is an i32 constant."""

    type: int
    is_mutable: bool
    value: int | None


@dataclass
class Module:
    """Contents of the sections. `memory` is (minimum, maximum or None) in pages."""

    types: list[FunctionType] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[FunctionType] = field(default_factory=list)
    memories: list[tuple[int, int | None]] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    exports: dict[str, tuple[str, int]] = field(default_factory=dict)
    has_start: bool = False
    body_count: int = 0
    sections: list[Section] = field(default_factory=list)

    def exported_function(self, name: str) -> FunctionType | None:
        """Return the type of an exported function, or None."""
        kind, index = self.exports.get(name, ("", 0))
        imported = [item.type for item in self.imports if item.type is not None]
        types = [*imported, *self.functions]
        return types[index] if kind == "function" and index < len(types) else None

    def exported_global(self, name: str) -> Global | None:
        """Return an exported global of the module's own, or None."""
        kind, index = self.exports.get(name, ("", 0))
        index -= sum(1 for item in self.imports if item.kind == "global")
        return self.globals[index] if kind == "global" and 0 <= index < len(self.globals) else None


def walk_sections(data: bytes) -> list[Section]:
    """Split a file into sections.

    Raises:
        RuneFileError: R0601, no WebAssembly; R0602, truncated; R0603, sections out of order.
    """
    if data[: len(MAGIC)] != MAGIC:
        if data and MAGIC.startswith(data[: len(MAGIC)]):
            raise truncated("it has less than 8 bytes")
        if data[4:8] == b"TFL3":
            raise not_a_rune(
                "this is not a .rune, but a TensorFlow Lite model: see runec model-info"
            )
        from runec.models.other_files import identify  # noqa: PLC0415 - a .rune does not need it

        other = identify(data)
        if other is not None:
            hint = other.hint if other.holds_nothing else None
            raise not_a_rune(f"this is not a .rune, but {other.what}", hint)
        raise not_a_rune("this is not a .rune: it does not start with the magic of WebAssembly")
    reader = WasmReader(data, len(MAGIC), len(data))
    sections: list[Section] = []
    place = -1
    while not reader.is_done:
        start = reader.at
        section_id = reader.byte()
        size = reader.unsigned(minimal=section_id == CUSTOM)
        end = reader.at + size
        if end > len(data):
            raise truncated(f"the section at byte {start} ends at byte {end} of {len(data)}")
        name = ""
        if section_id == CUSTOM:
            inner = WasmReader(data, reader.at, end)
            inner_name = inner.take(inner.unsigned(minimal=True))
            name = inner_name.decode("utf-8", "replace")
            reader.at = inner.at
        elif section_id not in _ORDER:
            raise bad_layout(f"section {section_id} at byte {start} is unknown")
        elif _ORDER[section_id] <= place:
            raise bad_layout(f"section {section_id} at byte {start} is out of order")
        else:
            place = _ORDER[section_id]
        sections.append(Section(section_id, name, start, reader.at, end))
        reader.at = end
    return sections


def _function_type(reader: WasmReader) -> FunctionType:
    if reader.byte() != 0x60:
        raise bad_module("a type that is not a function's")
    parameters = tuple(reader.take(reader.count()))
    return FunctionType(parameters, tuple(reader.take(reader.count())))


def _limits(reader: WasmReader) -> tuple[int, int | None]:
    flags = reader.byte()
    if flags not in (0, 1):
        raise bad_module("a memory or table of an unknown kind")
    minimum = reader.unsigned()
    return minimum, reader.unsigned() if flags else None


def _pick(types: list[FunctionType], index: int) -> FunctionType:
    if index >= len(types):
        raise bad_module(f"type {index} of {len(types)} is used")
    return types[index]


def _import(reader: WasmReader, module: Module) -> Import:
    owner, name, kind = reader.name(), reader.name(), reader.byte()
    if kind == 0:
        return Import(owner, name, "function", _pick(module.types, reader.unsigned()))
    if kind == 1:
        reader.byte()
        _limits(reader)
    elif kind == 2:
        module.memories.append(_limits(reader))
    elif kind == 3:
        reader.take(2)
    else:
        raise bad_module("an import of an unknown kind")
    return Import(owner, name, _EXPORT_KINDS[kind], None)


def _global(reader: WasmReader) -> Global:
    value_type, mutability = reader.byte(), reader.byte()
    opcode, value = reader.byte(), None
    if opcode == 0x41:
        value = reader.signed(32) & 0xFFFFFFFF
    elif opcode == 0x42:
        reader.signed(64)
    elif opcode in (0x43, 0x44):
        reader.take(4 if opcode == 0x43 else 8)
    elif opcode == 0x23:
        reader.unsigned()
    else:
        raise bad_module("a global with an unknown start value")
    if reader.byte() != 0x0B or mutability > 1:
        raise bad_module("a malformed global")
    return Global(value_type, mutability == 1, value)


def _export(reader: WasmReader, module: Module) -> None:
    name, kind, index = reader.name(), reader.byte(), reader.unsigned()
    if kind >= len(_EXPORT_KINDS) or name in module.exports:
        raise bad_module(f"the export {name!r}")
    module.exports[name] = (_EXPORT_KINDS[kind], index)


def read_module(data: bytes, sections: list[Section]) -> Module:
    """Read the module that sections of a file make up.

    Raises:
        RuneFileError: R0602 or R0603, a section ends early or late; R0609, malformed.
    """
    module = Module(sections=sections)
    for section in sections:
        reader = WasmReader(data, section.content, section.end)
        if section.id == TYPE:
            module.types = [_function_type(reader) for _ in range(reader.count())]
        elif section.id == IMPORT:
            module.imports = [_import(reader, module) for _ in range(reader.count())]
        elif section.id == FUNCTION:
            module.functions = [
                _pick(module.types, reader.unsigned()) for _ in range(reader.count())
            ]
        elif section.id == MEMORY:
            module.memories += [_limits(reader) for _ in range(reader.count())]
        elif section.id == GLOBAL:
            module.globals = [_global(reader) for _ in range(reader.count())]
        elif section.id == EXPORT:
            for _ in range(reader.count()):
                _export(reader, module)
        elif section.id == START:
            module.has_start = True
            continue
        elif section.id == CODE:
            module.body_count = reader.count()
            continue
        else:
            continue
        if not reader.is_done:
            raise bad_layout(f"the section at byte {section.start} has excess bytes")
    if module.body_count != len(module.functions):
        raise truncated(
            f"{len(module.functions)} functions are declared, {module.body_count} are there"
        )
    return module


def function_bodies(data: bytes, sections: list[Section]) -> Iterator[WasmReader]:
    """Yield a reader for the body of each of the module's own functions.

    Raises:
        RuneFileError: R0602, R0603, R0609, the code section is malformed.
    """
    for section in sections:
        if section.id == CODE:
            reader = WasmReader(data, section.content, section.end)
            for _ in range(reader.count()):
                size = reader.unsigned()
                start = reader.at
                reader.take(size)
                yield WasmReader(data, start, start + size)


def leb128(value: int) -> bytes:
    """Return the shortest unsigned LEB128."""
    content = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            content.append(low)
            return bytes(content)
        content.append(low | 0x80)


def custom_section(name: str, content: bytes) -> bytes:
    """Return a custom section."""
    label = name.encode()
    body = leb128(len(label)) + label + content
    return b"\0" + leb128(len(body)) + body


def env_signature(parameters: int, has_result: bool) -> FunctionType:
    """Return the type of a host function: so many i32, and an i32 or nothing back."""
    return FunctionType((I32,) * parameters, (I32,) if has_result else ())


# Every function that a rune of ABI 1 may import from `env`: parameters, whether it returns.
ABI_IMPORTS: Mapping[str, FunctionType] = {
    name: env_signature(parameters, has_result)
    for name, parameters, has_result in (
        ("_debug", 2, True),
        ("request_capability", 1, True),
        ("request_capability_set_param", 6, True),
        ("request_provider_response", 3, True),
        ("rune_model_open", 2, True),
        ("rune_model_infer", 3, True),
        ("request_output", 1, True),
        ("consume_output", 3, True),
        ("rune_resource_open", 2, True),
        ("rune_resource_read", 3, True),
        ("rune_resource_close", 1, False),
    )
}

# What legacy runes (2020 to 2022) may import.
LEGACY_IMPORTS: Mapping[str, FunctionType] = {
    **{name: kind for name, kind in ABI_IMPORTS.items() if name != "rune_model_open"},
    "tfm_preload_model": env_signature(4, True),
    "tfm_model_invoke": env_signature(5, True),
    "rune_model_load": env_signature(8, True),
    "log_backtrace": env_signature(0, False),
}

MANIFEST_TYPE = env_signature(0, True)
CALL_TYPE = env_signature(3, True)
