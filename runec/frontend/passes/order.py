"""Cycles, and the order in which stages execute."""

from __future__ import annotations

from runec.diagnostics import Diagnostics
from runec.frontend.passes.edges import Edges
from runec.frontend.passes.names import NameTable


def execution_order(names: NameTable, edges: Edges, diagnostics: Diagnostics) -> tuple[str, ...]:
    """Report cycles; return the other stages depth first: inputs before users, else source order.

    Stages on a cycle, and those that need one, are left out.
    """
    producers = {
        name: [edge.producer for edge in inputs if edge is not None]
        for name, inputs in edges.items()
    }
    remaining = _check_cycles(names, producers, diagnostics)
    order: dict[str, None] = {}
    for root in names.stages:
        stack = [(root, False)]
        while stack:
            name, is_finished = stack.pop()
            if is_finished:
                order[name] = None
            elif name not in order and name not in remaining:
                stack.append((name, True))
                stack.extend((producer, False) for producer in reversed(producers[name]))
    return tuple(order)


def _check_cycles(
    names: NameTable, producers: dict[str, list[str]], diagnostics: Diagnostics
) -> set[str]:
    """Report each cycle once; return the stages that can never start."""
    remaining = set(producers)
    consumers: dict[str, list[str]] = {name: [] for name in producers}
    waiting = {}
    for name, sources in producers.items():
        waiting[name] = len(sources)
        for source in sources:
            consumers[source].append(name)
    ready = [name for name in producers if not waiting[name]]
    while ready:
        name = ready.pop()
        remaining.discard(name)
        for consumer in consumers[name]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    reported: set[str] = set()
    for name in names.stages:
        if name in remaining and name not in reported:
            cycle = _cycle_from(name, consumers, remaining)
            if cycle and not reported.intersection(cycle):
                _report(names, cycle, diagnostics)
            reported.update(cycle)
    return remaining


def _cycle_from(start: str, consumers: dict[str, list[str]], within: set[str]) -> list[str]:
    """The shortest way from a stage along its data back to itself; empty when there is none."""
    came_from: dict[str, str] = {}
    queue = [start]
    for name in queue:
        for consumer in consumers[name]:
            if consumer == start:
                path = [name]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if consumer in within and consumer not in came_from:
                came_from[consumer] = name
                queue.append(consumer)
    return []


def _report(names: NameTable, cycle: list[str], diagnostics: Diagnostics) -> None:
    first = cycle[0]
    notes = [f'... which passes data to "{name}"...' for name in cycle[1:]]
    notes.append(f'... which passes data to "{first}", completing the cycle.')
    diagnostics.error(
        "R0111",
        f'Cycle detected when checking "{first}"',
        names.stages[first].name.span,
        hint="remove one of these inputs",
        notes=notes,
    )
