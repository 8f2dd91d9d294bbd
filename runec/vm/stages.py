"""Telling the host when a block begins and ends, in a .rune that does not tell.

A rune calls its host at capabilities, models and outputs; its blocks are functions that `_call`
calls one after another. `watch_blocks` puts a function between the two: it tells the host where the
tensors lie, calls the block, and tells the host that it is over. What a rune computes stays the
same, and the file too: devices never see this. So a trace shows the tensors of every stage, and a
trap names the stage that it happened in.

A module whose blocks cannot be told apart (ours always can; a stranger's may be built otherwise)
is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runec.container import Graph, WasmReader, leb128, walk_calls
from runec.diagnostics import UserFileError
from runec.vm.block_functions import I32, BlockFunctions

LEAVE = "block leaves"
_TYPE, _IMPORT, _FUNCTION, _EXPORT, _CODE = 1, 2, 3, 7, 10
_CALL, _LOCAL_GET, _END = b"\x10", b"\x20", b"\x0b"


@dataclass(frozen=True, slots=True)
class WatchedModule:
    """A module, and the functions of `env` that it calls besides those of its own.

    `enter` maps their names to stages: each takes as many addresses as the stage has tensors,
    inputs first. `LEAVE` takes nothing; it is there when `enter` is not empty.
    """

    code: bytes
    enter: Mapping[str, str]


def watch_blocks(code: bytes, graph: Graph) -> WatchedModule:
    """Return a module that tells when its blocks begin and end, or as it is where it cannot be."""
    if not graph.proc_blocks:
        return WatchedModule(code, {})
    try:
        return _Rewriter(code, graph).rewritten()
    except (ValueError, UserFileError):
        return WatchedModule(code, {})


def _vector(items: Sequence[bytes]) -> bytes:
    return leb128(len(items)) + b"".join(items)


def _name(text: str) -> bytes:
    return leb128(len(text.encode())) + text.encode()


class _Rewriter:
    """One module. Raises ValueError where it is not of the kind that `runec` builds."""

    def __init__(self, code: bytes, graph: Graph) -> None:
        self._found = BlockFunctions(code, graph)
        self._code = code
        self._sections = self._found.sections
        self._module = self._found.module
        self._first = self._found.first
        self._bodies = self._found.bodies
        # Call instruction of `_call`, by its place: the block that it is for.
        self._blocks = {call.start: stage for stage, call in self._found.called.items()}

    def rewritten(self) -> WatchedModule:
        """Return the module with a function around each block."""
        stages = list(self._blocks.values())
        self._shift = len(stages) + 1
        enter = {f"block {number} enters": stage for number, stage in enumerate(stages)}
        rewrite = {
            _TYPE: self._types,
            _IMPORT: self._imports,
            _FUNCTION: self._functions,
            _EXPORT: self._exports,
            _CODE: self._codes,
        }
        parts = [self._code[:8]]
        for section in self._sections:
            if section.id in rewrite:
                content = rewrite[section.id](section.content, section.end)
                parts.append(bytes((section.id,)) + leb128(len(content)) + content)
            else:
                parts.append(self._code[section.start : section.end])
        return WatchedModule(b"".join(parts), enter)

    # What is added stands behind what is there, so that only functions get other numbers: those
    # of the module's own, because imports come before them.

    def _appended(self, start: int, end: int, items: Sequence[bytes]) -> bytes:
        reader = WasmReader(self._code, start, end)
        count = reader.count()
        return leb128(count + len(items)) + self._code[reader.at : end] + b"".join(items)

    def _types(self, start: int, end: int) -> bytes:
        """A type for each function that tells of an entrance, then that of `LEAVE`."""
        counts = [self._found.arity(stage) for stage in self._blocks.values()]
        types = [b"\x60" + leb128(count) + I32 * count + b"\0" for count in (*counts, 0)]
        return self._appended(start, end, types)

    def _imports(self, start: int, end: int) -> bytes:
        first = len(self._module.types)
        names = [f"block {number} enters" for number in range(len(self._blocks))]
        items = [
            _name("env") + _name(name) + b"\0" + leb128(first + number)
            for number, name in enumerate((*names, LEAVE))
        ]
        return self._appended(start, end, items)

    def _functions(self, start: int, end: int) -> bytes:
        types = [
            self._module.types.index(self._module.functions[function - self._first])
            for function in self._called()
        ]
        return self._appended(start, end, [leb128(number) for number in types])

    def _called(self) -> Iterator[int]:
        """The functions of the blocks, in execution order."""
        return (call.function for call in self._found.called.values())

    def _exports(self, start: int, end: int) -> bytes:
        reader = WasmReader(self._code, start, end)
        items = []
        for _ in range(reader.count()):
            name, kind, index = reader.name(), reader.byte(), reader.unsigned()
            if kind == 0:
                index = self._moved(index)
            items.append(_name(name) + bytes((kind,)) + leb128(index))
        return _vector(items)

    def _moved(self, function: int) -> int:
        return function + self._shift if function >= self._first else function

    def _codes(self, start: int, end: int) -> bytes:
        del start, end
        around = self._first + self._shift + len(self._module.functions)
        bodies = []
        for begin, end_ in self._bodies:
            parts: list[bytes] = []
            at = begin
            for call in walk_calls(WasmReader(self._code, begin, end_)):
                function = self._moved(call.function)
                if call.start in self._blocks:
                    function = around + list(self._blocks).index(call.start)
                parts += (self._code[at : call.start], _CALL, leb128(function))
                at = call.end
            bodies.append(b"".join((*parts, self._code[at:end_])))
        for number, (stage, function) in enumerate(
            zip(self._blocks.values(), self._called(), strict=True)
        ):
            addresses = b"".join(_LOCAL_GET + leb128(i) for i in range(self._found.arity(stage)))
            enter, leave = self._first + number, self._first + self._shift - 1
            bodies.append(
                b"\0"  # no local variables
                + (addresses + _CALL + leb128(enter))
                + (addresses + _CALL + leb128(self._moved(function)))
                + (_CALL + leb128(leave) + _END)
            )
        return _vector([leb128(len(body)) + body for body in bodies])
