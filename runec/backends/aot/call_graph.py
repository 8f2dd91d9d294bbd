"""Which functions take part in the time budget and in the bound of the C stack.

A loop counts its turns. A call counts where the callee may call itself, or where all that it calls
may take more than a few thousand instructions: the rest runs between two counted steps, and its
length is bounded by this figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runec.backends.aot.code_module import CodeModule
from runec.backends.aot.function import Counting
from runec.backends.aot.operations import LOADS, STORES
from runec.container.errors import bad_module
from runec.container.wasm import WasmReader

# Instructions of wasm that a function without loops may execute, with all that it calls, without being counted.
UNCOUNTED_COST_MAX = 2000
# A leaf function's frame is below the stack's margin if it has no more local variables and values than this.
_SMALL_FRAME = 24


class _Body(msgspec.Struct):
    has_loop: bool = False
    calls_table: bool = False
    cost: int = 0
    calls: list[int] = []
    locals: int = 0


def analyse_calls(module: CodeModule) -> tuple[Counting, ...]:
    """Return for each of the module's own functions how it is counted, in their order."""
    first = len(module.imports)
    bodies = [_scan(body) for body in module.bodies]
    for body, kind in zip(bodies, module.functions, strict=True):
        body.locals += len(kind.parameters)
    in_table = [item - first for item in module.table if item is not None and item >= first]
    callees = [
        sorted(
            {call - first for call in body.calls if call >= first}
            | set(in_table if body.calls_table else ())
        )
        for body in bodies
    ]
    circular = _circular(callees)
    costs = _costs(bodies, callees, circular, first)
    found = []
    for index, body in enumerate(bodies):
        counts_entry = circular[index] or costs[index] > UNCOUNTED_COST_MAX
        is_leaf = not body.calls and not body.calls_table
        found.append(
            Counting(
                has_steps=body.has_loop or counts_entry,
                counts_entry=(counts_entry and not body.has_loop) or circular[index],
                checks_stack=not (is_leaf and body.locals + body.cost <= _SMALL_FRAME),
            )
        )
    return tuple(found)


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
        elif opcode == 0x11:
            reader.unsigned()
            reader.unsigned()
            found.calls_table = True
        elif opcode == 0x0E:
            for _ in range(reader.count() + 1):
                reader.unsigned()
        elif opcode in (0x02, 0x03, 0x04):
            reader.signed(33)
            found.has_loop |= opcode == 0x03
        elif opcode in LOADS or opcode in STORES:
            reader.unsigned()
            reader.unsigned()
        elif opcode in (0x0C, 0x0D, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3F, 0x40, 0xFC):
            reader.unsigned()
        elif opcode == 0x41:
            reader.signed(32)
        elif opcode == 0x42:
            reader.signed(64)
        elif opcode in (0x43, 0x44):
            reader.take(4 if opcode == 0x43 else 8)
    return found


def _circular(callees: Sequence[Sequence[int]]) -> list[bool]:
    """Return for each function whether it may call itself, directly or through others (Tarjan)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    is_waiting = [False] * len(callees)
    circular = [False] * len(callees)
    for root in range(len(callees)):
        if root in order:
            continue
        path = [(root, 0)]
        while path:
            node, at = path.pop()
            if at == 0:
                order[node] = low[node] = len(order)
                waiting.append(node)
                is_waiting[node] = True
            if at < len(callees[node]):
                path.append((node, at + 1))
                target = callees[node][at]
                if target >= len(callees):
                    raise bad_module("a function that is not there")
                if target not in order:
                    path.append((target, 0))
                elif is_waiting[target]:
                    low[node] = min(low[node], order[target])
                continue
            if path:
                parent = path[-1][0]
                low[parent] = min(low[parent], low[node])
            if low[node] == order[node]:
                group = []
                while True:
                    member = waiting.pop()
                    is_waiting[member] = False
                    group.append(member)
                    if member == node:
                        break
                for member in group:
                    circular[member] = len(group) > 1 or member in callees[member]
    return circular


def _costs(
    bodies: Sequence[_Body], callees: Sequence[Sequence[int]], circular: Sequence[bool], first: int
) -> list[int]:
    """Return what a call of each function takes at most until the next counted step, limited."""
    costs: dict[int, int] = {}
    limit = UNCOUNTED_COST_MAX + 1
    for root in range(len(bodies)):
        path = [root]
        while path:
            node = path[-1]
            todo = [each for each in callees[node] if each not in costs and not circular[each]]
            if node in costs:
                path.pop()
                continue
            if todo and not circular[node]:
                path += todo
                continue
            body = bodies[node]
            # A loop counts each turn, and turns end it: what counts is the code outside and one turn.
            cost = limit if circular[node] else body.cost
            if not circular[node]:
                cost += sum(
                    _callee_cost(costs, circular, call - first, limit)
                    for call in body.calls
                    if call >= first
                )
                if body.calls_table:
                    cost += max(
                        (_callee_cost(costs, circular, each, limit) for each in callees[node]),
                        default=0,
                    )
            costs[node] = min(cost, limit)
            path.pop()
    return [costs[index] for index in range(len(bodies))]


def _callee_cost(costs: dict[int, int], circular: Sequence[bool], index: int, limit: int) -> int:
    # A callee that counts its entry is a step of its own.
    return 1 if circular[index] or costs[index] >= limit else costs[index]
