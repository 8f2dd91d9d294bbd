"""Instruction counts per function of an ELF file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.bench.probe import THUMB, Probe, ProbeError

_SECTION_HEADER = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_SYMTAB = 2
_FUNCTION = 2


def function_addresses(elf: bytes) -> dict[str, int]:
    """Return where the functions of a 32-bit little-endian ELF file begin, by name.

    A name that more than one function has is left out.
    """
    offset = struct.unpack_from("<I", elf, 32)[0]
    size, count, _ = struct.unpack_from("<HHH", elf, 46)
    headers = [_SECTION_HEADER.unpack_from(elf, offset + index * size) for index in range(count)]
    found: dict[str, set[int]] = {}
    for _, kind, _, _, at, length, link, *_more in headers:
        if kind != _SYMTAB:
            continue
        names = headers[link][4]
        for name, value, _, info, _, _ in _SYMBOL.iter_unpack(elf[at : at + length]):
            if info & 0xF == _FUNCTION:
                text = elf[names + name : elf.index(b"\0", names + name)].decode()
                found.setdefault(text, set()).add(value & ~THUMB)
    return {name: min(addresses) for name, addresses in found.items() if len(addresses) == 1}


@dataclass(frozen=True, slots=True)
class Span:
    """From the first instruction of a function to the one after its call, counted from reset."""

    name: str
    start: int
    end: int

    @property
    def instructions(self) -> int:
        """Instructions between both, those of the functions that it calls as well."""
        return self.end - self.start


@dataclass
class Meter:
    """Notes spans and moments of a program that a probe holds."""

    probe: Probe
    functions: Mapping[str, int]
    spans: list[Span] = field(default_factory=list)

    def address(self, function: str) -> int:
        """Return where a function begins; C++ functions are found by a part of their name.

        Raises:
            ProbeError: the program has no such function, or several.
        """
        if function in self.functions:
            return self.functions[function]
        found = {address for name, address in self.functions.items() if function in name}
        if len(found) != 1:
            raise ProbeError(f"{len(found)} functions of the program are called {function!r}")
        return found.pop()

    def at(self, function: str, handler: Callable[[], None]) -> None:
        """Call `handler` when a function is entered, the next time only."""
        self.probe.once(self.address(function), handler)

    def instead(self, function: str, handler: Callable[[], None]) -> None:
        """Call `handler`, which must `give_back()` on the probe, in the place of a function."""
        self.probe.instead(self.address(function), handler)

    def span(
        self,
        function: str,
        *,
        entered: Callable[[], None] | None = None,
    ) -> None:
        """Note every call of a function that does not call itself."""

        def enter() -> None:
            start = self.probe.count()
            back = self.probe.register("lr") & ~THUMB

            def leave() -> None:
                self.at(function, enter)
                self.spans.append(Span(function, start, self.probe.count()))

            self.probe.once(back, leave)
            if entered is not None:
                entered()

        self.at(function, enter)

    def inside(self, name: str, start: int, end: int) -> int:
        """Return the instructions of all spans of a name that began between two moments."""
        return sum(
            span.instructions
            for span in self.spans
            if span.name == name and start <= span.start < end
        )
