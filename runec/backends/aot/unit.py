"""A module as one C file."""

from __future__ import annotations

from runec.backends.aot.call_graph import analyse_calls
from runec.backends.aot.code_module import F32, F64, I64, CodeModule, read_code_module
from runec.backends.aot.function import (
    FunctionWriter,
    function_name,
    prototype,
    type_number,
)
from runec.backends.aot.operations import C_TYPES
from runec.container.errors import bad_module
from runec.container.wasm import ABI_IMPORTS, CALL_TYPE, MANIFEST_TYPE, FunctionType


def compile_module(code: bytes, memory_bytes: int) -> str:
    """Return the C of a valid module: `runevm_aot_rune`, to be compiled with runevm_aot_code.h.

    `memory_bytes` of linear memory exist; an access beyond them traps.

    Raises:
        RuneFileError: R0601 to R0603, R0609, it is malformed.
    """
    try:
        return _compile(code, memory_bytes)
    except (IndexError, KeyError):
        # A number of a type or of an element that is not there: no validator accepts it.
        raise bad_module("a function has an index that does not exist") from None


def _compile(code: bytes, memory_bytes: int) -> str:
    module = read_code_module(code)
    manifest = _export(module, "_manifest", MANIFEST_TYPE)
    call = _export(module, "_call", CALL_TYPE)
    return "\n".join(
        [
            compile_functions(module, memory_bytes),
            "static uint32_t aot_run(runevm_export which, uint32_t stage)",
            "{",
            f"    if (which == RUNEVM_EXPORT_MANIFEST) return {manifest}();",
            f"    return {call}(0, stage, stage);",
            "}",
            interface(len(code), memory_bytes),
        ]
    )


def compile_functions(module: CodeModule, memory_bytes: int) -> str:
    """Return the C of a module's functions, and `aot_start`, which sets globals and data.

    Raises:
        RuneFileError: R0602, R0603, R0609, it is malformed.
    """
    countings = analyse_calls(module)
    first = len(module.imports)

    def is_counted(number: int) -> bool:
        return number >= first and countings[number - first].changes_steps

    functions = []
    for index, (counting, body) in enumerate(zip(countings, module.bodies, strict=True)):
        writer = FunctionWriter(module, first + index, memory_bytes, counting, is_counted)
        functions.append(writer.write(body))
    parts = [
        "/* Written by runec from the code of the .rune: changes are lost. */",
        '#include "runevm_aot_code.h"',
        f"static uint8_t aot_memory[{max(memory_bytes, 1)}] __attribute__((aligned(16)));",
        *_globals(module),
        *(f"{prototype(module, first + index)};" for index in range(len(module.bodies))),
        *_imports(module),
        *_table(module),
        *functions,
        _start(module, memory_bytes),
    ]
    return "\n".join(parts) + "\n"


def _literal(kind: int, value: int) -> str:
    return f"0x{value:x}ull" if kind in (I64, F64) else f"0x{value:x}u"


def _globals(module: CodeModule) -> list[str]:
    return [f"static {C_TYPES[each.type]} g{index};" for index, each in enumerate(module.globals)]


def _imports(module: CodeModule) -> list[str]:
    found = []
    for number, (name, kind) in enumerate(module.imports):
        if ABI_IMPORTS.get(name) != kind:
            raise bad_module(f"it imports {name!r}, which is no host function of that type")
        function = f"runevm_host_{name.lstrip('_')}"
        arguments = ", ".join(f"l{index}" for index in range(len(kind.parameters)))
        lines = [
            prototype(module, number),
            "{",
            f"    const uint32_t arguments[] = {{{arguments}}};",
            "    uint32_t result = 0;",
            f"    runevm_error error = {function}(runevm_aot_vm, arguments, &result);",
            "    if (AOT_UNLIKELY(error != RUNEVM_OK)) runevm_aot_host_failed(error);",
            "    return result;" if kind.results else "    return;",
            "}",
        ]
        found.append("\n".join(lines))
    return found


def _table(module: CodeModule) -> list[str]:
    if not module.table:
        return []
    lines = [
        "static const struct {",
        "    void (*function)(void);",
        "    uint32_t type;",
        f"}} aot_table[{len(module.table)}] = {{",
    ]
    for item in module.table:
        if item is None:
            lines.append("    {0, 0},")
        else:
            number = type_number(module, module.type_of(item))
            lines.append(f"    {{(void (*)(void)){function_name(module, item)}, {number}u}},")
    return ["\n".join([*lines, "};"])]


def _export(module: CodeModule, name: str, kind: FunctionType) -> str:
    number = module.function_named(name)
    if module.type_of(number) != kind:
        raise bad_module(f"the export {name!r} has another type")
    return function_name(module, number)


def interface(code_bytes: int, memory_bytes: int) -> str:
    """Return `runevm_aot_rune` around `aot_run`, which runs an export."""
    values = f"aot_memory, {memory_bytes}u, {code_bytes}u, aot_start, aot_run"
    return f"const runevm_aot_module runevm_aot_rune = {{{values}}};\n"


def _start(module: CodeModule, memory_bytes: int) -> str:
    start = ["static void aot_start(const uint8_t *code)", "{", "    (void)code;"]
    for index, each in enumerate(module.globals):
        value = _literal(each.type, each.value)
        if each.type in (F32, F64):
            value = f"aot_float{32 if each.type == F32 else 64}({value})"
        start.append(f"    g{index} = {value};")
    for data in module.data:
        if data.address + data.size > memory_bytes:
            # The host's instantiation traps there as well.
            start.append("    runevm_aot_trap(AOT_TRAP_BOUNDS);")
        elif data.size:
            start.append(
                f"    memcpy(aot_memory + {data.address}u, code + {data.start}u, {data.size}u);"
            )
    return "\n".join([*start, "}"])
