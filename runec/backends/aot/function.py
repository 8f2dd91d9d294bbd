"""The body of one function as C.

Values of the operand stack are variables, one for each depth and type, so that the C compiler finds
the data flow by itself. A branch is a goto. Nothing here depends on the target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from runec.backends.aot.call_graph import Counting
from runec.backends.aot.code_module import F32, F64, I32, I64, CodeModule
from runec.backends.aot.operations import (
    C_TYPES,
    LOADS,
    OPERATIONS,
    SATURATING,
    STORES,
    SUFFIXES,
    Access,
    Operation,
    skip_immediates,
)
from runec.container.errors import bad_module
from runec.container.wasm import FunctionType, WasmReader

_KINDS = {suffix: kind for kind, suffix in SUFFIXES.items()}
_LOCALS_MAX = 50_000


class _Frame(msgspec.Struct):
    """A block that is open: its label, its result, the height of the stack around it."""

    kind: str
    label: int
    results: tuple[int, ...]
    height: int
    is_dead: bool = False
    is_target: bool = False


class FunctionWriter:
    """Writes one function; `write` returns its C."""

    def __init__(
        self,
        module: CodeModule,
        number: int,
        memory_bytes: int,
        counting: Counting,
        is_counted: Callable[[int], bool],
    ) -> None:
        """`is_counted`: whether a function of the module, by its number, changes the steps."""
        self._module = module
        self._memory_bytes = memory_bytes
        self._number = number
        self._type = module.type_of(number)
        self._counting = counting
        self._is_counted = is_counted
        self._reader = WasmReader(b"", 0, 0)
        self._locals: list[int] = list(self._type.parameters)
        self._stack: list[int] = []
        self._frames: list[_Frame] = []
        self._lines: list[str] = []
        self._variables: dict[str, int] = {}
        self._traps: set[str] = set()
        self._labels = 0

    def write(self, body: WasmReader) -> str:
        """Return the function as C."""
        self._reader = WasmReader(body.data, body.at, body.end)
        for _ in range(self._reader.count()):
            count, kind = self._reader.unsigned(), self._reader.byte()
            if count + len(self._locals) > _LOCALS_MAX:
                raise bad_module("a function with too many local variables")
            self._locals += [kind] * count
        self._push_frame("block", self._type.results)
        while self._frames:
            self._instruction(self._reader.byte())
        return "\n".join(
            [prototype(self._module, self._number), "{", *self._head(), *self._tail(), "}"]
        )

    def _head(self) -> list[str]:
        lines = [
            f"    {C_TYPES[kind]} l{index} = 0;"
            for index, kind in enumerate(self._locals)
            if index >= len(self._type.parameters)
        ]
        lines += [f"    {C_TYPES[kind]} {name};" for name, kind in sorted(self._variables.items())]
        if self._counting.has_steps:
            lines.append("    uint32_t steps = runevm_aot_steps;")
        if self._counting.checks_stack:
            is_over = "AOT_STACK_POINTER() < runevm_aot_c_stack_floor"
            lines.append(f"    if (AOT_UNLIKELY({is_over})) goto trap_stack;")
            self._traps.add("stack")
        if self._counting.counts_entry:
            lines.append("    AOT_STEP();")
        return lines

    def _tail(self) -> list[str]:
        lines = list(self._lines)
        if self._counting.has_steps:
            lines.append("    runevm_aot_steps = steps;")
        results = self._type.results
        lines.append(f"    return {_variable(0, results[0])};" if results else "    return;")
        for trap in sorted(self._traps):
            lines.append(f"trap_{trap}: __attribute__((cold));")
            lines.append(f"    runevm_aot_trap(AOT_TRAP_{trap.upper()});")
        return lines

    # --- the stack ------------------------------------------------------------------------------

    def _push(self, kind: int) -> str:
        name = _variable(len(self._stack), kind)
        self._variables[name] = kind
        self._stack.append(kind)
        return name

    def _pop(self) -> str:
        if not self._stack:
            raise bad_module("a function takes more from the stack than there is")
        kind = self._stack.pop()
        return _variable(len(self._stack), kind)

    def _write(self, line: str) -> None:
        self._lines.append("    " + line)

    def _trap(self, condition: str, kind: str) -> None:
        self._traps.add(kind)
        self._write(f"if (AOT_UNLIKELY({condition})) goto trap_{kind};")

    # --- control --------------------------------------------------------------------------------

    def _push_frame(self, kind: str, results: Sequence[int]) -> _Frame:
        self._labels += 1
        frame = _Frame(kind, self._labels, tuple(results), len(self._stack))
        self._frames.append(frame)
        return frame

    def _block_type(self) -> tuple[int, ...]:
        code = self._reader.signed(33)
        if code == -64:
            return ()
        if code < 0 and (0x80 + code) in C_TYPES:
            return (0x80 + code,)
        raise bad_module("a block with parameters or several results")

    def _frame(self, depth: int) -> _Frame:
        if depth >= len(self._frames):
            raise bad_module("a branch to a block that is not there")
        return self._frames[-1 - depth]

    def _jump(self, depth: int) -> list[str]:
        """Return the statements of a branch; the operands stay on the stack."""
        frame = self._frame(depth)
        if frame.kind == "loop":
            frame.is_target = True
            return ["AOT_STEP();", f"goto loop{frame.label};"]
        frame.is_target = True
        lines = []
        if frame.results:
            kind = frame.results[0]
            source = _variable(len(self._stack) - 1, kind)
            target = _variable(frame.height, kind)
            self._variables[target] = kind
            if source != target:
                lines.append(f"{target} = {source};")
        return [*lines, f"goto end{frame.label};"]

    def _end(self) -> None:
        frame = self._frames[-1]
        if frame.kind == "if":
            self._write(f"else{frame.label}:;")
        if not frame.is_dead and frame.results:
            kind = frame.results[0]
            source, target = _variable(len(self._stack) - 1, kind), _variable(frame.height, kind)
            self._variables[target] = kind
            if source != target:
                self._write(f"{target} = {source};")
        self._frames.pop()
        del self._stack[frame.height :]
        self._stack += frame.results
        for offset, kind in enumerate(frame.results):
            self._variables[_variable(frame.height + offset, kind)] = kind
        if frame.kind != "loop" and frame.is_target:
            self._write(f"end{frame.label}:;")

    def _else(self) -> None:
        frame = self._frames[-1]
        if not frame.is_dead:
            for line in self._jump(0):
                self._write(line)
        self._write(f"else{frame.label}:;")
        frame.kind, frame.is_dead = "else", False
        del self._stack[frame.height :]

    def _die(self) -> None:
        """What follows, up to the end of the block, is never executed."""
        frame = self._frames[-1]
        frame.is_dead = True
        depth = 0
        while True:
            opcode = self._reader.byte()
            if opcode in (0x02, 0x03, 0x04):
                self._reader.signed(33)
                depth += 1
            elif opcode == 0x0B:
                if depth == 0:
                    self._end()
                    return
                depth -= 1
            elif opcode == 0x05 and depth == 0:
                self._else()
                return
            else:
                skip_immediates(self._reader, opcode)

    def _control(self, opcode: int) -> bool:
        if opcode in (0x02, 0x03):
            frame = self._push_frame("block" if opcode == 0x02 else "loop", self._block_type())
            if opcode == 0x03:
                self._write(f"loop{frame.label}:;")
        elif opcode == 0x04:
            results = self._block_type()
            condition = self._pop()
            frame = self._push_frame("if", results)
            self._write(f"if ({condition} == 0) goto else{frame.label};")
        elif opcode == 0x05:
            self._else()
        elif opcode == 0x0B:
            self._end()
        elif opcode == 0x0C:
            for line in self._jump(self._reader.unsigned()):
                self._write(line)
            self._die()
        elif opcode == 0x0D:
            depth, condition = self._reader.unsigned(), self._pop()
            self._write(f"if ({condition} != 0) {{ {' '.join(self._jump(depth))} }}")
        elif opcode == 0x0E:
            self._branch_table()
        elif opcode == 0x0F:
            for line in self._jump(len(self._frames) - 1):
                self._write(line)
            self._die()
        elif opcode == 0x00:
            self._traps.add("unreachable")
            self._write("goto trap_unreachable;")
            self._die()
        else:
            return False
        return True

    def _branch_table(self) -> None:
        targets = [self._reader.unsigned() for _ in range(self._reader.count())]
        default = self._reader.unsigned()
        self._write(f"switch ({self._pop()}) {{")
        for index, target in enumerate(targets):
            if target != default:
                self._write(f"case {index}: {' '.join(self._jump(target))}")
        self._write(f"default: {' '.join(self._jump(default))}")
        self._write("}")
        self._die()

    # --- the rest -------------------------------------------------------------------------------

    def _instruction(self, opcode: int) -> None:
        if self._control(opcode):
            return
        if opcode in OPERATIONS:
            self._operate(OPERATIONS[opcode])
        elif opcode in LOADS:
            self._load(LOADS[opcode])
        elif opcode in STORES:
            self._store(STORES[opcode])
        elif opcode in (0x10, 0x11):
            self._call_direct() if opcode == 0x10 else self._call_indirect()
        elif opcode == 0xFC:
            second = self._reader.unsigned()
            if second not in SATURATING:
                raise bad_module(f"the instruction 0xfc {second}")
            self._operate(SATURATING[second])
        else:
            self._plain(opcode)

    def _operate(self, operation: Operation) -> None:
        names = [self._pop() for _ in operation.operands][::-1]
        operands = {"a": names[0], "b": names[-1]}
        for condition, kind in operation.traps:
            self._trap(condition.format(**operands), kind)
        value = operation.value.format(**operands)
        self._write(f"{self._push(operation.result)} = {value};")

    def _address(self, access: Access, address: str) -> str:
        self._reader.unsigned()
        offset = self._reader.unsigned()
        highest = self._memory_bytes - offset - access.bytes
        if highest < 0:
            self._traps.add("bounds")
            self._write("goto trap_bounds;")
        else:
            self._trap(f"{address} > {highest}u", "bounds")
        return f"(aot_memory + {address}) + {offset}u"

    def _load(self, access: Access) -> None:
        place = self._address(access, self._pop())
        bits = 8 * access.bytes
        value = f"aot_load{bits}({place})"
        if access.type in (F32, F64):
            value = f"aot_float{bits}({value})"
        self._write(f"{self._push(access.type)} = {access.cast}{value};")

    def _store(self, access: Access) -> None:
        value = self._pop()
        bits = 8 * access.bytes
        place = self._address(access, self._pop())
        value = (
            f"aot_bits{bits}({value})" if access.type in (F32, F64) else f"(uint{bits}_t){value}"
        )
        self._write(f"aot_store{bits}({place}, {value});")

    def _plain(self, opcode: int) -> None:
        if opcode == 0x1A:
            self._pop()
        elif opcode == 0x1B:
            condition, second, first = self._pop(), self._pop(), self._pop()
            kind = self._kind_of(first)
            self._write(f"{self._push(kind)} = {condition} != 0 ? {first} : {second};")
        elif opcode in (0x20, 0x21, 0x22):
            self._local(opcode)
        elif opcode in (0x23, 0x24):
            self._global(opcode)
        elif opcode == 0x3F:
            self._reader.byte()
            self._write(f"{self._push(I32)} = {self._module.pages}u;")
        elif opcode == 0x40:
            # A rune's memory has its largest size from the start.
            self._reader.byte()
            size = self._pop()
            pages = self._module.pages
            self._write(f"{self._push(I32)} = {size} == 0 ? {pages}u : 0xffffffffu;")
        elif opcode == 0x41:
            self._write(f"{self._push(I32)} = 0x{self._reader.signed(32) & 0xFFFFFFFF:x}u;")
        elif opcode == 0x42:
            self._write(f"{self._push(I64)} = 0x{self._reader.signed(64) & (2**64 - 1):x}ull;")
        elif opcode == 0x43:
            bits = int.from_bytes(self._reader.take(4), "little")
            self._write(f"{self._push(F32)} = aot_float32(0x{bits:x}u);")
        elif opcode == 0x44:
            bits = int.from_bytes(self._reader.take(8), "little")
            self._write(f"{self._push(F64)} = aot_float64(0x{bits:x}ull);")
        elif opcode != 0x01:
            raise bad_module(f"the instruction {opcode:#04x}")

    def _kind_of(self, variable: str) -> int:
        return _KINDS[variable[-1]]

    def _local(self, opcode: int) -> None:
        index = self._reader.unsigned()
        if index >= len(self._locals):
            raise bad_module("a local variable that is not there")
        if opcode == 0x20:
            self._write(f"{self._push(self._locals[index])} = l{index};")
            return
        value = self._pop()
        self._write(f"l{index} = {value};")
        if opcode == 0x22:
            self._push(self._locals[index])

    def _global(self, opcode: int) -> None:
        index = self._reader.unsigned()
        if index >= len(self._module.globals):
            raise bad_module("a global that is not there")
        if opcode == 0x23:
            self._write(f"{self._push(self._module.globals[index].type)} = g{index};")
        else:
            self._write(f"g{index} = {self._pop()};")

    # --- calls ----------------------------------------------------------------------------------

    def _call_direct(self) -> None:
        number = self._reader.unsigned()
        if number >= len(self._module.imports) + len(self._module.functions):
            raise bad_module("a function that is not there")
        kind = self._module.type_of(number)
        arguments = [self._pop() for _ in kind.parameters][::-1]
        self._call(function_name(self._module, number), arguments, kind, self._is_counted(number))

    def _call_indirect(self) -> None:
        index, _ = self._reader.unsigned(), self._reader.byte()
        kind = self._module.types[index]
        element = self._pop()
        arguments = [self._pop() for _ in kind.parameters][::-1]
        size = len(self._module.table)
        self._trap(f"{element} >= {size}u", "element")
        self._trap(f"aot_table[{element}].function == 0", "null")
        number = type_number(self._module, kind)
        self._trap(f"aot_table[{element}].type != {number}u", "signature")
        pointer = f"(({pointer_type(kind)})aot_table[{element}].function)"
        self._call(pointer, arguments, kind, is_counted=True)

    def _call(
        self, function: str, arguments: Sequence[str], kind: FunctionType, is_counted: bool
    ) -> None:
        shares = is_counted and self._counting.has_steps
        if shares:
            self._write("runevm_aot_steps = steps;")
        call = f"{function}({', '.join(arguments)});"
        if kind.results:
            call = f"{self._push(kind.results[0])} = {call}"
        self._write(call)
        if shares:
            self._write("steps = runevm_aot_steps;")


def _variable(depth: int, kind: int) -> str:
    return f"s{depth}{SUFFIXES[kind]}"


def function_name(module: CodeModule, number: int) -> str:
    """Return the name of a function in C."""
    return f"import{number}" if number < len(module.imports) else f"f{number}"


def type_number(module: CodeModule, kind: FunctionType) -> int:
    """Return a number that equal types share."""
    return module.types.index(kind)


def pointer_type(kind: FunctionType) -> str:
    """Return the C type of a pointer to a function."""
    return f"{_result(kind)} (*)({_parameters(kind)})"


def prototype(module: CodeModule, number: int) -> str:
    """Return the head of a function's definition."""
    kind = module.type_of(number)
    return (
        f"static {_result(kind)} {function_name(module, number)}({_parameters(kind, named=True)})"
    )


def _result(kind: FunctionType) -> str:
    return C_TYPES[kind.results[0]] if kind.results else "void"


def _parameters(kind: FunctionType, *, named: bool = False) -> str:
    return (
        ", ".join(
            f"{C_TYPES[each]} l{index}" if named else C_TYPES[each]
            for index, each in enumerate(kind.parameters)
        )
        or "void"
    )
