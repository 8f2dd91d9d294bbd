"""Which functions take part in the time budget and in the bound of the C stack.

A loop counts its turns. A call counts where the callee may call itself, or where it may execute
more than a few thousand instructions with all that it calls. So the code between two counted steps
is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from runec.backends.aot.code_module import CodeModule
from runec.backends.aot.operations import skip_immediates
from runec.container.errors import bad_module
from runec.container.wasm import WasmReader

# Instructions of wasm, callees included, that a call may execute without being counted.
UNCOUNTED_COST_MAX = 2000
# A leaf with no more variables and instructions than this has a frame below the stack's margin.
_SMALL_FRAME = 24
# Saved registers, the return address, and temporaries.
_FRAME_BYTES = 128


class Counting(msgspec.Struct, frozen=True):
    """How a function takes part in the time budget and in the bound of the C stack.

    `has_steps`: it has a copy of the steps left, since it has a loop or `counts_entry`: a call of
    it is a step. `checks_stack`: it compares its frame with the stack's limit. `changes_steps`: it
    or what it calls counts, so that its callers must share their copies.
    """

    has_steps: bool
    counts_entry: bool
    checks_stack: bool
    changes_steps: bool


class _Body(msgspec.Struct):
    has_loop: bool = False
    calls_table: bool = False
    cost: int = 0
    calls: list[int] = []
    locals: int = 0


def analyse_calls(module: CodeModule) -> tuple[Counting, ...]:
    """Return for each of the module's own functions how it is counted, in their order.

    Raises:
        RuneFileError: R0602, R0603, R0609, a body is malformed.
    """
    first = len(module.imports)
    bodies = [_scan(body) for body in module.bodies]
    for body, kind in zip(bodies, module.functions, strict=True):
        body.locals += len(kind.parameters)
    in_table = [item for item in module.table if item is not None]
    callees = [[*body.calls, *(in_table if body.calls_table else ())] for body in bodies]
    own = [[call - first for call in calls if call >= first] for calls in callees]
    countings: dict[int, Counting] = {}
    costs: dict[int, int] = {}
    for group in _components(own):
        for index in group:
            body = bodies[index]
            is_circular = len(group) > 1 or index in own[index]
            # Of a circular function the cost is that of the code up to the next entry.
            costs[index] = body.cost + sum(costs[call] for call in own[index] if call in costs)
            is_long = costs[index] > UNCOUNTED_COST_MAX
            counts_entry = is_circular or is_long
            if counts_entry:
                costs[index] = 1
            has_steps = body.has_loop or counts_entry
            is_leaf = not callees[index]
            countings[index] = Counting(
                has_steps=has_steps,
                counts_entry=counts_entry,
                checks_stack=not is_leaf or body.locals + body.cost > _SMALL_FRAME,
                changes_steps=has_steps
                or any(countings[call].changes_steps for call in own[index] if call in countings),
            )
    return tuple(countings[index] for index in range(len(bodies)))


def deepest_stack(module: CodeModule) -> int | None:
    """Return about how many bytes of C stack the module's functions take at most; None: no bound.

    A frame holds each variable of its function, and as many temporaries, at 8 bytes. What a
    compiler makes of it is smaller, and checked when the code runs.
    """
    first = len(module.imports)
    bodies = [_scan(body) for body in module.bodies]
    in_table = [item - first for item in module.table if item is not None and item >= first]
    callees = [
        [
            *(call - first for call in body.calls if call >= first),
            *(in_table if body.calls_table else ()),
        ]
        for body in bodies
    ]
    depths: dict[int, int] = {}
    for group in _components(callees):
        index = group[0]
        if len(group) > 1 or index in callees[index]:
            return None
        body, kind = bodies[index], module.functions[index]
        frame = _FRAME_BYTES + 8 * (body.locals + len(kind.parameters))
        depths[index] = frame + max((depths[call] for call in callees[index]), default=0)
    return max(depths.values(), default=0)


def _scan(body: WasmReader) -> _Body:
    reader = WasmReader(body.data, body.at, body.end)
    found = _Body()
    for _ in range(reader.count()):
        found.locals += reader.unsigned()
        reader.byte()
    while not reader.is_done:
        opcode = reader.byte()
        found.cost += 1
        if opcode == 0x10:
            found.calls.append(reader.unsigned())
            continue
        found.calls_table |= opcode == 0x11
        found.has_loop |= opcode == 0x03
        skip_immediates(reader, opcode)
    return found


def _components(callees: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the functions in groups that call each other, callees before callers (Tarjan)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    done: set[int] = set()
    for root in range(len(callees)):
        path = [] if root in order else [(root, 0)]
        while path:
            node, at = path.pop()
            if at == 0:
                order[node] = low[node] = len(order)
                waiting.append(node)
            if at < len(callees[node]):
                path.append((node, at + 1))
                target = callees[node][at]
                if target >= len(callees):
                    raise bad_module("a function that is not there")
                if target not in order:
                    path.append((target, 0))
                elif target not in done:
                    low[node] = min(low[node], order[target])
                continue
            if path:
                parent = path[-1][0]
                low[parent] = min(low[parent], low[node])
            if low[node] == order[node]:
                start = waiting.index(node)
                group = waiting[start:]
                del waiting[start:]
                done.update(group)
                yield group
