"""Code size of blocks: the functions that only one block calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass

from runec.container import Rune, function_bodies, read_module, walk_calls, walk_sections
from runec.diagnostics import UserFileError


@dataclass(frozen=True, slots=True)
class BlockCode:
    """The code of one block: bytes of its functions' bodies, and how many functions they are."""

    bytes: int
    function_count: int


def block_code(rune: Rune) -> Mapping[str, BlockCode]:
    """Return the code of each block by the stage's name, without what several stages share.

    Empty for a rune whose graph has no code map, and for one with instructions that runec does not
    generate, such as indirect calls.
    """
    code_map = rune.require_graph().code_map
    if code_map is None:
        return {}
    try:
        module = _Module(rune.code)
    except (ValueError, UserFileError):
        return {}
    return module.costs(code_map.functions)


class _Module:
    """The functions of a module that passed `read_rune`, and what each of them calls.

    Raises:
        ValueError: it has an instruction that runec does not generate.
        UserFileError: R0602, R0603, R0609, a function's body is malformed.
    """

    def __init__(self, code: bytes) -> None:
        sections = walk_sections(code)
        module = read_module(code, sections)
        self.first = len(module.imports)
        self.roots = {index for kind, index in module.exports.values() if kind == "function"}
        self.sizes: list[int] = []
        self.callees: list[Set[int]] = []
        for body in function_bodies(code, sections):
            self.sizes.append(body.end - body.at)
            self.callees.append(frozenset(walk_calls(body)))

    def costs(self, functions: Mapping[str, int]) -> dict[str, BlockCode]:
        rest = self._reached(self.roots, without=frozenset(functions.values()))
        needs = {stage: self._reached({index}) - rest for stage, index in functions.items()}
        users = Counter(function for each in needs.values() for function in each)
        found = {}
        for stage, needed in needs.items():
            own = [self.sizes[each - self.first] for each in needed if users[each] == 1]
            found[stage] = BlockCode(sum(own), len(own))
        return found

    def _reached(self, start: Set[int], without: Set[int] = frozenset()) -> set[int]:
        """Return the module's own functions that these call, directly or not, and themselves."""
        found: set[int] = set()
        waiting = set(start)
        while waiting:
            function = waiting.pop()
            if 0 <= function - self.first < len(self.sizes) and function not in without:
                found.add(function)
                waiting |= self.callees[function - self.first] - found
        return found
