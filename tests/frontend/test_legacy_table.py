"""The legacy dialect's parser is loaded from a table; it has to be the one of the grammar."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runec.frontend import legacy_parser as module

UNBOUNDED = 2**32 - 1
STATEMENTS = [
    "FROM runicos/base",
    "CAPABILITY<F32[1, 128, 3, 1]> accelerometer ACCEL -n 128 # what it is",
    "PROC_BLOCK<_, UTF8> label hotg-ai/rune@v1.2#proc_blocks/label --labels=Wing,Ring,Slope",
    'MODEL<f32[1],\\\n f32[1]> sine ./sine.tflite --note "a \\"b\\" \\u0041"',
    "RUN a b c",
    "OUT serial",
    'OUT pin --pin=LED --active-low true --note "a b"',
]


def bounded(terminal: dict[str, Any]) -> dict[str, Any]:
    """A terminal with one spelling of an endless width: patch versions of Python differ in it."""
    pattern = terminal["pattern"]
    if "_width" not in pattern:
        return terminal
    widths = [min(width, UNBOUNDED) for width in pattern["_width"]]
    return {**terminal, "pattern": {**pattern, "_width": widths}}


def canonical(table: dict[str, Any]) -> dict[str, Any]:
    """A table without the numbers that lark gives out in the order of its sets."""
    memo = table["memo"]
    parser = table["data"]["parser"]["parser"]
    states, tokens = parser["states"], parser["tokens"]

    def rule(number: int) -> str:
        found = memo[number]
        expansion = [symbol["name"] for symbol in found["expansion"]]
        options = found["options"]
        return json.dumps([found["origin"]["name"], expansion, found["alias"], options])

    numbers = {start: index for index, start in enumerate(parser["start_states"].values())}
    waiting, described = list(numbers), []
    while waiting:
        named = sorted((tokens[token], action) for token, action in states[waiting.pop(0)].items())
        actions: list[tuple[str, str, str | int]] = []
        for token, (kind, argument) in named:
            if kind == 1:
                actions.append((token, "reduce", rule(argument["@"])))
                continue
            if argument not in numbers:
                numbers[argument] = len(numbers)
                waiting.append(argument)
            actions.append((token, "shift", numbers[argument]))
        described.append(actions)
    terminals = sorted(
        json.dumps(bounded(item), sort_keys=True)
        for item in memo.values()
        if item["__type__"] != "Rule"
    )
    options = {**table["data"]["options"]}
    return {"states": described, "terminals": terminals, "options": options}


def test_the_table_is_the_one_that_the_grammar_gives() -> None:
    fresh, kept = module.fresh_table(), module.read_table()
    assert kept["lark"] == fresh["lark"], "run: python -m runec.frontend.legacy_parser"
    assert canonical(kept) == canonical(fresh), "run: python -m runec.frontend.legacy_parser"


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_loaded_parser_reads_like_the_fresh_one(statement: str) -> None:
    assert module.legacy_parser().parse(statement) == module.fresh_parser().parse(statement)


def test_another_lark_makes_its_own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    import lark

    made: list[bool] = []
    fresh = module.fresh_parser

    def spy() -> Any:
        made.append(True)
        return fresh()

    monkeypatch.setattr(lark, "__version__", "0.0.0")
    monkeypatch.setattr(module, "fresh_parser", spy)
    parser = module.legacy_parser.__wrapped__()
    assert made == [True]
    assert parser.parse("RUN a b") == fresh().parse("RUN a b")
