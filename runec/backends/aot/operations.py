"""Instructions without immediates, as C.

WebAssembly Core 1.0, section 4.3; `aot_` functions are those of runevm_aot_code.h. In an
expression `a` is the operand below, `b` the one on top.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runec.backends.aot.code_module import F32, F64, I32, I64
from runec.container.wasm import WasmReader

C_TYPES: Mapping[int, str] = {I32: "uint32_t", I64: "uint64_t", F32: "float", F64: "double"}
SUFFIXES: Mapping[int, str] = {I32: "i", I64: "l", F32: "f", F64: "d"}


def skip_immediates(reader: WasmReader, opcode: int) -> None:
    """Read past what follows the opcode of an instruction."""
    if opcode == 0x0E:
        for _ in range(reader.count() + 1):
            reader.unsigned()
    elif opcode in (0x02, 0x03, 0x04):
        reader.signed(33)
    elif opcode in (0x0C, 0x0D, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3F, 0x40, 0xFC):
        reader.unsigned()
    elif opcode == 0x11 or 0x28 <= opcode <= 0x3E:
        reader.unsigned()
        reader.unsigned()
    elif opcode in (0x41, 0x42):
        reader.signed(32 if opcode == 0x41 else 64)
    elif opcode in (0x43, 0x44):
        reader.take(4 if opcode == 0x43 else 8)


class Operation(msgspec.Struct, frozen=True):
    """An instruction: types of its operands and result, its value, and when it traps how."""

    operands: tuple[int, ...]
    result: int
    value: str
    traps: tuple[tuple[str, str], ...] = ()


class Access(msgspec.Struct, frozen=True):
    """A load or a store: the type on the stack, bytes in memory, and the cast of what was read."""

    type: int
    bytes: int
    cast: str = ""


_DIVIDE = ("{b} == 0", "divide")


def _integers() -> dict[int, Operation]:
    found: dict[int, Operation] = {}
    for kind, bits, first_test, first_arithmetic in ((I32, 32, 0x45, 0x67), (I64, 64, 0x50, 0x79)):
        signed = f"(int{bits}_t)"
        two = (kind, kind)
        found[first_test] = Operation((kind,), I32, "{a} == 0")
        tests = ("== ", "!= ", "<s", "< ", ">s", "> ", "<=s", "<= ", ">=s", ">= ")
        for number, test in enumerate(tests, first_test + 1):
            cast = signed if test.endswith("s") else ""
            sign = test.rstrip("s ")
            found[number] = Operation(two, I32, f"{cast}{{a}} {sign} {cast}{{b}}")
        least = f"0x{1 << (bits - 1):x}u" + ("ll" if bits == 64 else "")
        most = f"0x{(1 << bits) - 1:x}u" + ("ll" if bits == 64 else "")
        for number, name in enumerate(("clz", "ctz", "popcnt"), first_arithmetic):
            found[number] = Operation((kind,), kind, f"aot_{name}{bits}({{a}})")
        found |= {
            first_arithmetic + 3: Operation(two, kind, "{a} + {b}"),
            first_arithmetic + 4: Operation(two, kind, "{a} - {b}"),
            first_arithmetic + 5: Operation(two, kind, "{a} * {b}"),
            first_arithmetic + 6: Operation(
                two,
                kind,
                f"(uint{bits}_t)({signed}{{a}} / {signed}{{b}})",
                (_DIVIDE, (f"{{a}} == {least} && {{b}} == {most}", "overflow")),
            ),
            first_arithmetic + 7: Operation(two, kind, "{a} / {b}", (_DIVIDE,)),
            first_arithmetic + 8: Operation(
                two,
                kind,
                f"{{b}} == {most} ? 0 : (uint{bits}_t)({signed}{{a}} % {signed}{{b}})",
                (_DIVIDE,),
            ),
            first_arithmetic + 9: Operation(two, kind, "{a} % {b}", (_DIVIDE,)),
            first_arithmetic + 10: Operation(two, kind, "{a} & {b}"),
            first_arithmetic + 11: Operation(two, kind, "{a} | {b}"),
            first_arithmetic + 12: Operation(two, kind, "{a} ^ {b}"),
            first_arithmetic + 13: Operation(two, kind, f"{{a}} << ({{b}} & {bits - 1})"),
            first_arithmetic + 14: Operation(
                two, kind, f"(uint{bits}_t)({signed}{{a}} >> ({{b}} & {bits - 1}))"
            ),
            first_arithmetic + 15: Operation(two, kind, f"{{a}} >> ({{b}} & {bits - 1})"),
            first_arithmetic + 16: Operation(two, kind, f"aot_rotl{bits}({{a}}, {{b}})"),
            first_arithmetic + 17: Operation(two, kind, f"aot_rotl{bits}({{a}}, 0u - {{b}})"),
        }
    return found


def _floats() -> dict[int, Operation]:
    found: dict[int, Operation] = {}
    for kind, bits, first_test, first_arithmetic in ((F32, 32, 0x5B, 0x8B), (F64, 64, 0x61, 0x99)):
        two = (kind, kind)
        for number, test in enumerate(("==", "!=", "<", ">", "<=", ">="), first_test):
            found[number] = Operation(two, I32, f"{{a}} {test} {{b}}")
        names = ("abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt")
        for number, name in enumerate(names, first_arithmetic):
            found[number] = Operation((kind,), kind, f"aot_f{bits}_{name}({{a}})")
        for number, sign in enumerate("+-*/", first_arithmetic + 7):
            found[number] = Operation(two, kind, f"{{a}} {sign} {{b}}")
        for number, name in enumerate(("min", "max", "copysign"), first_arithmetic + 11):
            found[number] = Operation(two, kind, f"aot_f{bits}_{name}({{a}}, {{b}})")
    return found


# What a float must be above and below so that the integer exists.
_RANGES: Mapping[tuple[int, int, bool], tuple[str, str]] = {
    (F32, 32, True): (">= -2147483648.0f", "< 2147483648.0f"),
    (F32, 32, False): ("> -1.0f", "< 4294967296.0f"),
    (F64, 32, True): ("> -2147483649.0", "< 2147483648.0"),
    (F64, 32, False): ("> -1.0", "< 4294967296.0"),
    (F32, 64, True): (">= -9223372036854775808.0f", "< 9223372036854775808.0f"),
    (F32, 64, False): ("> -1.0f", "< 18446744073709551616.0f"),
    (F64, 64, True): (">= -9223372036854775808.0", "< 9223372036854775808.0"),
    (F64, 64, False): ("> -1.0", "< 18446744073709551616.0"),
}


def _cast(bits: int, is_signed: bool) -> str:
    return f"(uint{bits}_t)(int{bits}_t)" if is_signed else f"(uint{bits}_t)"


def _truncations() -> tuple[dict[int, Operation], dict[int, Operation]]:
    """Return the truncations that trap, and those that saturate by their second opcode."""
    trapping: dict[int, Operation] = {}
    saturating: dict[int, Operation] = {}
    order = [(kind, signed) for kind in (F32, F64) for signed in (True, False)]
    for first, bits in ((0xA8, 32), (0xAE, 64)):
        target = I32 if bits == 32 else I64
        for offset, (kind, is_signed) in enumerate(order):
            above, below = _RANGES[kind, bits, is_signed]
            cast = _cast(bits, is_signed)
            trapping[first + offset] = Operation(
                (kind,),
                target,
                f"{cast}{{a}}",
                (
                    ("{a} != {a}", "conversion"),
                    (f"!({{a}} {above} && {{a}} {below})", "overflow"),
                ),
            )
            unit = "u" if bits == 32 else "ull"
            most = (1 << (bits - is_signed)) - 1
            least = 1 << (bits - 1) if is_signed else 0
            value = (
                f"{{a}} != {{a}} ? 0{unit} : !({{a}} {above}) ? 0x{least:x}{unit} : "
                f"!({{a}} {below}) ? 0x{most:x}{unit} : {cast}{{a}}"
            )
            saturating[(0 if bits == 32 else 4) + offset] = Operation((kind,), target, value)
    return trapping, saturating


_TRAPPING, SATURATING = _truncations()

OPERATIONS: Mapping[int, Operation] = {
    **_integers(),
    **_floats(),
    **_TRAPPING,
    0xA7: Operation((I64,), I32, "(uint32_t){a}"),
    0xAC: Operation((I32,), I64, "(uint64_t)(int64_t)(int32_t){a}"),
    0xAD: Operation((I32,), I64, "(uint64_t){a}"),
    0xB2: Operation((I32,), F32, "(float)(int32_t){a}"),
    0xB3: Operation((I32,), F32, "(float){a}"),
    0xB4: Operation((I64,), F32, "(float)(int64_t){a}"),
    0xB5: Operation((I64,), F32, "(float){a}"),
    0xB6: Operation((F64,), F32, "(float){a}"),
    0xB7: Operation((I32,), F64, "(double)(int32_t){a}"),
    0xB8: Operation((I32,), F64, "(double){a}"),
    0xB9: Operation((I64,), F64, "(double)(int64_t){a}"),
    0xBA: Operation((I64,), F64, "(double){a}"),
    0xBB: Operation((F32,), F64, "(double){a}"),
    0xBC: Operation((F32,), I32, "aot_bits32({a})"),
    0xBD: Operation((F64,), I64, "aot_bits64({a})"),
    0xBE: Operation((I32,), F32, "aot_float32({a})"),
    0xBF: Operation((I64,), F64, "aot_float64({a})"),
    0xC0: Operation((I32,), I32, "(uint32_t)(int32_t)(int8_t){a}"),
    0xC1: Operation((I32,), I32, "(uint32_t)(int32_t)(int16_t){a}"),
    0xC2: Operation((I64,), I64, "(uint64_t)(int64_t)(int8_t){a}"),
    0xC3: Operation((I64,), I64, "(uint64_t)(int64_t)(int16_t){a}"),
    0xC4: Operation((I64,), I64, "(uint64_t)(int64_t)(int32_t){a}"),
}

LOADS: Mapping[int, Access] = {
    0x28: Access(I32, 4),
    0x29: Access(I64, 8),
    0x2A: Access(F32, 4),
    0x2B: Access(F64, 8),
    0x2C: Access(I32, 1, "(uint32_t)(int32_t)(int8_t)"),
    0x2D: Access(I32, 1),
    0x2E: Access(I32, 2, "(uint32_t)(int32_t)(int16_t)"),
    0x2F: Access(I32, 2),
    0x30: Access(I64, 1, "(uint64_t)(int64_t)(int8_t)"),
    0x31: Access(I64, 1),
    0x32: Access(I64, 2, "(uint64_t)(int64_t)(int16_t)"),
    0x33: Access(I64, 2),
    0x34: Access(I64, 4, "(uint64_t)(int64_t)(int32_t)"),
    0x35: Access(I64, 4),
}
STORES: Mapping[int, Access] = {
    0x36: Access(I32, 4),
    0x37: Access(I64, 8),
    0x38: Access(F32, 4),
    0x39: Access(F64, 8),
    0x3A: Access(I32, 1),
    0x3B: Access(I32, 2),
    0x3C: Access(I64, 1),
    0x3D: Access(I64, 2),
    0x3E: Access(I64, 4),
}
