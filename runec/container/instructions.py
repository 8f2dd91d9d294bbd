"""The instructions of a function, as far as they call another one.

(WebAssembly core specification 1.0, section 5.4, with the proposals that docs/spec/rune.md section
2.3 names.)
"""

from __future__ import annotations

from collections.abc import Iterator

from runec.container.wasm import WasmReader

# Instructions without immediates: control, drop, select, comparison, arithmetic, conversion,
# sign extension. call_indirect and memory.grow are left out on purpose.
_PLAIN = frozenset({0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, *range(0x45, 0xC5)})


_BLOCKS = frozenset({0x02, 0x03, 0x04})
# call, br, br_if, locals, globals, constants, memory.size and memory.grow: one LEB128.
_ONE_NUMBER = frozenset({0x10, 0x0C, 0x0D, 0x20, 0x21, 0x22, 0x23, 0x24, 0x41, 0x42, 0x3F, 0x40})
_FLOATS = {0x43: 4, 0x44: 8}


def walk_calls(reader: WasmReader) -> Iterator[int]:
    """Walk a function's body, local variables first, and yield the functions that it calls.

    Raises:
        ValueError: it has an instruction that a rune must not use.
        UserFileError: R0602, R0603, R0609, it is malformed.
    """
    for _ in range(reader.unsigned()):
        reader.unsigned()
        reader.byte()
    while not reader.is_done:
        opcode = reader.byte()
        if opcode == 0x10:  # call
            yield reader.unsigned()
        elif opcode == 0x0E:  # br_table
            for _ in range(reader.unsigned() + 1):
                reader.unsigned()
        elif opcode in (0x0C, 0x0D, 0x20, 0x21, 0x22, 0x23, 0x24, 0x41, 0x42, 0x3F):
            reader.signed(64)  # br, br_if, locals, globals, constants, memory.size: one LEB128
        elif opcode in (0x02, 0x03, 0x04):
            reader.signed(33)  # a block's type
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


def deepest_nesting(reader: WasmReader) -> int:
    """Walk a function's body and return how many blocks lie in one another, its own included.

    What an engine of ours would not compile ends the walk: the validator rejects it.

    Raises:
        UserFileError: R0602, R0603, R0609, it is malformed.
    """
    for _ in range(reader.unsigned()):
        reader.unsigned()
        reader.byte()
    depth = deepest = 1
    while not reader.is_done:
        opcode = reader.byte()
        if opcode in _BLOCKS:
            reader.signed(33)
            depth += 1
            deepest = max(deepest, depth)
        elif opcode == 0x0B:
            depth -= 1
        elif opcode == 0x0E:  # br_table
            for _ in range(reader.unsigned() + 1):
                reader.unsigned()
        elif opcode in _ONE_NUMBER:
            reader.signed(64)
        elif 0x28 <= opcode <= 0x3E or opcode == 0x11:
            reader.unsigned()
            reader.unsigned()
        elif opcode in _FLOATS:
            reader.take(_FLOATS[opcode])
        elif opcode == 0xFC:
            # memory.copy and memory.fill, which wasm3 knows
            reader.take({10: 2, 11: 1}.get(reader.unsigned(), 0))
        elif opcode not in _PLAIN:
            break
    return deepest
