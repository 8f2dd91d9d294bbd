"""Which functions of a module are which block's.

A rune calls its host at capabilities, models and outputs; its blocks are functions that `_call`
calls one after another. So the calls of `_call` and the stages of the graph, side by side, tell
which function computes which block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from runec.container import Call, Graph, WasmReader, read_module, walk_calls, walk_sections

I32 = b"\x7f"
_START, _ELEMENT, _CODE = 8, 9, 10
# What `_call` calls for the other kinds of stages.
_PROVIDER, _INFER, _CONSUME = "request_provider_response", "rune_model_infer", "consume_output"


class BlockFunctions:
    """The functions of one module, and those of its blocks.

    `bodies` are where the module's own functions lie, `first` is the index of the first of them;
    `run` is the place of `_call` among them, `called` the calls in it that are for blocks, in
    execution order, by stage.

    Raises:
        ValueError: the module is not of the kind that `runec` builds.
        UserFileError: R0602, R0603, R0609, it is malformed.
    """

    def __init__(self, code: bytes, graph: Graph) -> None:
        self.code = code
        self.graph = graph
        self.sections = walk_sections(code)
        if {section.id for section in self.sections} & {_START, _ELEMENT}:
            raise ValueError("functions are named in places that are not looked at")
        self.module = read_module(code, self.sections)
        if any(item.type is None for item in self.module.imports):
            raise ValueError("it imports more than functions")
        self.first = len(self.module.imports)
        self.bodies = list(self._find_bodies())
        kind, index = self.module.exports.get("_call", ("", 0))
        if kind != "function" or not self._is_own(index):
            raise ValueError("it has no _call")
        self.run = index - self.first
        self.called: Mapping[str, Call] = {stage: call for call, stage in self._find_blocks()}

    def calls_of(self, place: int) -> Iterator[Call]:
        """Return the calls in one of the module's own functions, by its place in `bodies`."""
        return walk_calls(WasmReader(self.code, *self.bodies[place]))

    def costs(self) -> dict[str, tuple[int, int]]:
        """Return, for each block, bytes and number of the functions that nothing else needs."""
        callees = [
            frozenset(call.function for call in self.calls_of(place))
            for place in range(len(self.bodies))
        ]
        entries = {call.function for call in self.called.values()}
        roots = {index for kind, index in self.module.exports.values() if kind == "function"}
        rest = self._needed(callees, roots, without=entries)
        needs = {
            stage: self._needed(callees, {call.function}) - rest
            for stage, call in self.called.items()
        }
        users = Counter(function for each in needs.values() for function in each)
        found = {}
        for stage, own in needs.items():
            bodies = [self.bodies[each - self.first] for each in own if users[each] == 1]
            found[stage] = (sum(end - start for start, end in bodies), len(bodies))
        return found

    def _needed(
        self, callees: Sequence[Set[int]], start: Set[int], without: Set[int] = frozenset()
    ) -> set[int]:
        """Return the module's own functions that these call, directly or not, and themselves."""
        found: set[int] = set()
        waiting = set(start)
        while waiting:
            function = waiting.pop()
            if self._is_own(function) and function not in without:
                found.add(function)
                waiting |= callees[function - self.first] - found
        return found

    def _is_own(self, function: int) -> bool:
        return 0 <= function - self.first < len(self.bodies)

    def _find_bodies(self) -> Iterator[tuple[int, int]]:
        for section in self.sections:
            if section.id == _CODE:
                reader = WasmReader(self.code, section.content, section.end)
                for _ in range(reader.count()):
                    size = reader.unsigned()
                    yield reader.at, reader.at + size
                    reader.take(size)

    def _find_blocks(self) -> Iterator[tuple[Call, str]]:
        """Go through the calls of `_call` and the stages side by side.

        A block's function is called once. Others that are no host functions are helpers.
        """
        calls = list(self.calls_of(self.run))
        functions = [call.function for call in calls]
        stages = iter(self.graph.stages)
        wanted = ""
        left = 0  # of an output, which is called once for each tensor
        for call in calls:
            own = call.function >= self.first
            if own and not self._is_own(call.function):
                raise ValueError("it calls a function that is not there")
            name = "" if own else self.module.imports[call.function].name
            if own and functions.count(call.function) > 1:
                continue
            if left == 0:
                stage = next(stages, "")
                wanted, left = self._calls_of(stage)
            if own and wanted == "":
                self._check_type(call.function, stage)
                yield call, stage
            elif own or name != wanted:
                raise ValueError("the calls are not those of the stages")
            left -= 1
        if left or next(stages, None) is not None:
            raise ValueError("there are more stages than calls")

    def _calls_of(self, stage: str) -> tuple[str, int]:
        if stage in self.graph.proc_blocks:
            return "", 1
        if stage in self.graph.capabilities:
            return _PROVIDER, 1
        if stage in self.graph.models:
            return _INFER, 1
        if stage in self.graph.outputs:
            return _CONSUME, len(self.graph.outputs[stage].inputs)
        raise ValueError("there are more calls than stages")

    def arity(self, stage: str) -> int:
        """Return how many tensors a block has, inputs and outputs."""
        block = self.graph.proc_blocks[stage]
        return len(block.inputs) + len(block.outputs)

    def _check_type(self, function: int, stage: str) -> None:
        found = self.module.functions[function - self.first]
        if (found.parameters, found.results) != (tuple(I32 * self.arity(stage)), tuple(I32)):
            raise ValueError("a function of another type than that of the block")
