"""Random valid modules, as WebAssembly text: every instruction that a rune may use."""

from __future__ import annotations

import random

TYPES = ("i32", "i64", "f32", "f64")
_INTEGER_BINARY = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"]
_DIVISIONS = ["div_s", "div_u", "rem_s", "rem_u"]
_FLOAT_BINARY = ["add", "sub", "mul", "div", "min", "max", "copysign"]
_UNARY = {
    "i32": ["i32.clz", "i32.ctz", "i32.popcnt", "i32.extend8_s", "i32.extend16_s"],
    "i64": [
        "i64.clz",
        "i64.ctz",
        "i64.popcnt",
        "i64.extend8_s",
        "i64.extend16_s",
        "i64.extend32_s",
    ],
    "f32": [f"f32.{name}" for name in ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"]],
    "f64": [f"f64.{name}" for name in ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"]],
}
_COMPARE = {
    "i32": ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"],
    "i64": ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"],
    "f32": ["eq", "ne", "lt", "gt", "le", "ge"],
    "f64": ["eq", "ne", "lt", "gt", "le", "ge"],
}
_CONVERSIONS = {
    "i32": {
        "i64": ["i32.wrap_i64"],
        "f32": ["i32.trunc_f32_s", "i32.trunc_f32_u", "i32.trunc_sat_f32_s", "i32.trunc_sat_f32_u"],
        "f64": ["i32.trunc_f64_s", "i32.trunc_f64_u", "i32.trunc_sat_f64_s", "i32.trunc_sat_f64_u"],
    },
    "i64": {
        "i32": ["i64.extend_i32_s", "i64.extend_i32_u"],
        "f32": ["i64.trunc_f32_s", "i64.trunc_f32_u", "i64.trunc_sat_f32_s", "i64.trunc_sat_f32_u"],
        "f64": ["i64.trunc_f64_s", "i64.trunc_f64_u", "i64.trunc_sat_f64_s", "i64.trunc_sat_f64_u"],
    },
    "f32": {
        "i32": ["f32.convert_i32_s", "f32.convert_i32_u", "f32.reinterpret_i32"],
        "i64": ["f32.convert_i64_s", "f32.convert_i64_u"],
        "f64": ["f32.demote_f64"],
    },
    "f64": {
        "i32": ["f64.convert_i32_s", "f64.convert_i32_u"],
        "i64": ["f64.convert_i64_s", "f64.convert_i64_u", "f64.reinterpret_i64"],
        "f32": ["f64.promote_f32"],
    },
}
_LOADS = {
    "i32": ["load", "load8_s", "load8_u", "load16_s", "load16_u"],
    "i64": ["load", "load8_s", "load8_u", "load16_s", "load16_u", "load32_s", "load32_u"],
    "f32": ["load"],
    "f64": ["load"],
}
_STORES = {
    "i32": ["store", "store8", "store16"],
    "i64": ["store", "store8", "store16", "store32"],
    "f32": ["store"],
    "f64": ["store"],
}
_SPECIAL = {
    "i32": ("0", "1", "-1", "0x7fffffff", "0x80000000", "31", "32", "65535"),
    "i64": ("0", "1", "-1", "0x7fffffffffffffff", "0x8000000000000000", "63", "0x80000000"),
    "f32": (
        "0",
        "-0",
        "1",
        "-1.5",
        "inf",
        "-inf",
        "nan",
        "0x1p31",
        "-0x1p31",
        "0x1p63",
        "0x1p-149",
    ),
    "f64": ("0", "-0", "0.5", "2147483647.5", "-2147483648.5", "inf", "nan", "0x1p63", "-0x1p63"),
}
LOCALS = 3  # of each type
STEPS = 24  # turns that all loops of a function may take together


class _Function:
    """Writes one function (param i32 i64 f32 f64) (result i32)."""

    def __init__(self, dice: random.Random, number: int, memory: int) -> None:
        self._dice = dice
        self._number = number
        self._memory = memory
        self._depth = 0
        self._labels: list[str] = []
        self._loops = 0
        self._calls = 2

    def text(self) -> str:
        locals_ = " ".join(
            f"(local ${kind}{index} {kind})" for kind in TYPES for index in range(LOCALS)
        )
        parameters = " ".join(f"(param $p{kind} {kind})" for kind in TYPES)
        body = " ".join(self.statement() for _ in range(self._dice.randint(2, 7)))
        kind = self._dice.choice(TYPES)
        self._depth = 0
        return (
            f"(func $f{self._number} {parameters} (result i32) {locals_} (local $turns i32) "
            f"{body} {to_i32(self.value(kind), kind)})"
        )

    def value(self, kind: str) -> str:
        """Return an expression of a type."""
        dice = self._dice
        self._depth += 1
        try:
            if self._depth > 5 or dice.random() < 0.25:
                return self._leaf(kind)
            choice = dice.randrange(9)
            if choice == 0:
                return f"{self.value(kind)} {dice.choice(_UNARY[kind])}"
            if choice == 1:
                source = dice.choice([*_CONVERSIONS[kind]])
                names = _CONVERSIONS[kind][source]
                if dice.random() < 0.9:
                    names = [name for name in names if "trunc_f" not in name]
                return f"{self.value(source)} {dice.choice(names)}"
            if choice == 2:
                return f"{self.address()} {kind}.{dice.choice(_LOADS[kind])}{self._offset()}"
            if choice == 3:
                return f"{self.value(kind)} {self.value(kind)} {self.value('i32')} select"
            if choice == 4:
                then, other = self.value(kind), self.value(kind)
                return f"{self.value('i32')} if (result {kind}) {then} else {other} end"
            if choice == 5 and kind == "i32":
                other = dice.choice(TYPES)
                compare = f"{other}.{dice.choice(_COMPARE[other])}"
                return f"{self.value(other)} {self.value(other)} {compare}"
            if choice == 6 and kind == "i32" and self._number and self._calls:
                self._calls -= 1
                return self._call()
            if choice == 7:
                label = f"$l{self._number}_{dice.randrange(10**9)}"
                inner = f"{self.value(kind)} {self.value('i32')} br_if {label}"
                return f"block {label} (result {kind}) {inner} drop {self.value(kind)} end"
            if choice == 8 and kind[0] == "i":
                return self._division(kind)
            names = _INTEGER_BINARY if kind[0] == "i" else _FLOAT_BINARY
            return f"{self.value(kind)} {self.value(kind)} {kind}.{dice.choice(names)}"
        finally:
            self._depth -= 1

    def _division(self, kind: str) -> str:
        divisor = self.value(kind)
        if self._dice.random() < 0.96:  # neither 0 nor -1
            divisor += f" {kind}.const 0x7ffffff {kind}.and {kind}.const 1 {kind}.or"
        return f"{self.value(kind)} {divisor} {kind}.{self._dice.choice(_DIVISIONS)}"

    def _leaf(self, kind: str) -> str:
        dice = self._dice
        if dice.random() < 0.4:
            return f"{kind}.const {dice.choice(_SPECIAL[kind])}"
        if dice.random() < 0.3 and kind[0] == "i":
            bits = 31 if kind == "i32" else 63
            return f"{kind}.const {dice.getrandbits(bits) - (1 << (bits - 1))}"
        if dice.random() < 0.3:
            return f"global.get ${kind}"
        names = [f"$p{kind}", *(f"${kind}{index}" for index in range(LOCALS))]
        return f"local.get {dice.choice(names)}"

    def address(self) -> str:
        """Return an address: mostly inside memory, at times at its end or anywhere."""
        chance = self._dice.random()
        if chance < 0.93:
            return f"{self.value('i32')} i32.const {self._memory // 2 - 1} i32.and"
        if chance < 0.97:
            return f"i32.const {self._memory - self._dice.randint(0, 9)}"
        return self.value("i32")

    def _offset(self) -> str:
        chance = self._dice.random()
        if chance < 0.96:
            return f" offset={self._dice.randint(0, self._memory // 2)}"
        return f" offset={self._dice.choice((0, 1, self._memory, 2**32 - 1, 2**31))}"

    def _call(self) -> str:
        arguments = " ".join(self.value(kind) for kind in TYPES)
        if self._dice.random() < 0.4:
            # Element 0 and 7 are null, 8 does not exist; the others are functions of any number.
            element = f"{self.value('i32')} i32.const 3 i32.and i32.const 1 i32.add"
            if self._dice.random() < 0.2:
                element = f"{self.value('i32')} i32.const 15 i32.and"
            return f"{arguments} {element} call_indirect (type $sig)"
        return f"{arguments} call $f{self._dice.randrange(self._number)}"

    def statement(self) -> str:
        """Return a statement that leaves the stack as it was."""
        dice = self._dice
        self._depth += 1
        try:
            kind = dice.choice(TYPES)
            choice = dice.randrange(8)
            if self._depth > 4 or choice < 2:
                return f"{self.value(kind)} local.set ${kind}{dice.randrange(LOCALS)}"
            if choice == 2:
                store = f"{kind}.{dice.choice(_STORES[kind])}{self._offset()}"
                return f"{self.address()} {self._stored(kind)} {store}"
            if choice == 3:
                return f"{self.value(kind)} global.set ${kind}"
            if choice == 4:
                label = self._enter()
                text = (
                    f"loop {label} {self.statement()} local.get $turns i32.const 1 i32.add "
                    f"local.tee $turns i32.const {STEPS} i32.lt_u {self.value('i32')} i32.and "
                    f"br_if {label} end"
                )
                self._labels.pop()
                return text
            if choice == 5:
                labels = [self._enter() for _ in range(3)]
                targets = " ".join(dice.choice(labels) for _ in range(dice.randint(1, 5)))
                text = f"block {labels[0]} block {labels[1]} block {labels[2]} "
                text += f"{self.value('i32')} br_table {targets} end {self.statement()} end "
                text += f"{self.statement()} end"
                del self._labels[-3:]
                return text
            if choice == 6:
                otherwise = f" else {self.statement()}" if dice.random() < 0.5 else ""
                return f"{self.value('i32')} if {self.statement()}{otherwise} end"
            return f"block {self.statement()} {self._leave()} end"
        finally:
            self._depth -= 1

    def _stored(self, kind: str) -> str:
        """Return a value without the bits of a NaN, which engines may choose."""
        value = self.value(kind)
        if kind[0] == "i":
            return value
        zero = f"{kind}.const 0"
        kept = f"local.get ${kind}0"
        return f"{value} local.tee ${kind}0 {zero} {kept} {kept} {kind}.eq select"

    def _enter(self) -> str:
        self._loops += 1
        label = f"$b{self._number}_{self._loops}"
        self._labels.append(label)
        return label

    def _leave(self) -> str:
        chance = self._dice.random()
        if chance < 0.4:
            return "br 0"
        if chance < 0.5:
            return f"{to_i32(self.value('f32'), 'f32')} return"
        return "nop" if chance < 0.98 else "unreachable"


def to_i32(value: str, kind: str) -> str:
    """Return a value as an i32 in which no bits of a NaN are seen."""
    if kind == "i32":
        return value
    if kind == "i64":
        return f"{value} i64.const 0x9e3779b97f4a7c15 i64.mul i64.const 32 i64.shr_u i32.wrap_i64"
    return f"{value} {'f32.demote_f64 ' if kind == 'f64' else ''}call $bits"


def random_module(seed: int, functions: int, memory: int) -> str:
    """Return a module whose `_call` runs function `n` for the stage `n`, from 0.

    The result covers the function's and the first bytes of memory.
    """
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    bodies = " ".join(_Function(dice, number, memory).text() for number in range(functions))
    cases = " ".join("block" for _ in range(functions + 1))
    table = " ".join(str(number) for number in range(functions + 1))
    arms = " end ".join(
        f"i32.const {dice.getrandbits(30)} i64.const {dice.getrandbits(62)} "
        f"f32.const {dice.uniform(-9, 9)!r} f64.const {dice.uniform(-1e9, 1e9)!r} "
        f"call $f{number} call $sum return"
        for number in range(functions)
    )
    elements = " ".join(f"$f{dice.randrange(functions)}" for _ in range(6))
    data = "".join(f"\\{dice.randrange(256):02x}" for _ in range(64))
    return f"""(module
        (type $sig (func (param i32 i64 f32 f64) (result i32)))
        (type $other (func (result i64)))
        (memory (export "memory") 1 1)
        (table 8 8 funcref) (elem (i32.const 1) {elements})
        (global $i32 (mut i32) (i32.const 7)) (global $i64 (mut i64) (i64.const -9))
        (global $f32 (mut f32) (f32.const 0.25)) (global $f64 (mut f64) (f64.const 1e300))
        (data (i32.const 16) "{data}")
        (func $bits (param f32) (result i32)
          local.get 0 local.get 0 f32.eq
          if (result i32) local.get 0 i32.reinterpret_f32 else i32.const 0x7fc00000 end)
        (func $sum (param i32) (result i32) (local $at i32)
          loop $l
            local.get 0 i32.const 5 i32.rotl local.get $at i32.load i32.xor local.set 0
            local.get $at i32.const 4 i32.add local.tee $at i32.const {memory} i32.lt_u br_if $l
          end local.get 0)
        {bodies}
        (func (export "_manifest") (result i32) i32.const 1)
        (func (export "_call") (param i32 i32 i32) (result i32)
          {cases} local.get 1 br_table {table} end {arms} end i32.const 0))"""
